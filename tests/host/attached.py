"""An attached model and what it captured, called as a script does."""

from typing import Any

import torch

from concept_attention.core.types import Capture
from concept_attention.nodes.attach import AttachCapture
from concept_attention.nodes.collect import CollectCapture

from .models import concepts, model


def attach(family: str, patcher: Any = None, **settings: Any) -> tuple[Any, Any]:
    """The attached model and its handle."""
    named = {"concepts": concepts(family), **settings}
    return AttachCapture.execute(patcher or model(family), **named).result


def collect(handle: Any, samples: torch.Tensor, **settings: Any) -> Capture:
    """The capture that belongs to a latent."""
    with torch.inference_mode():
        given = {"samples": samples}
        passed, image, capture = CollectCapture.execute(handle, given, **settings).result
    assert passed is given
    assert type(image).__name__ == "ExecutionBlocker"
    return capture


def same(one: Capture, other: Capture) -> bool:
    """Whether two captures are equal in everything."""
    tensors = torch.equal(one.scores, other.scores) and torch.equal(one.norms, other.norms)
    rest = [{**vars(each), "scores": None, "norms": None} for each in (one, other)]
    return tensors and rest[0] == rest[1]
