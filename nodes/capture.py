"""Attaches a capture to one sampling run of the host, by options that only this run has."""

import copy
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from comfy.model_patcher import create_model_options_clone
from comfy.patcher_extension import add_wrapper_with_key

from ..core.run import CaptureRun
from ..core.types import Concepts
from .messages import show_on_node

_KEY = "concept_attention.capture"
MEGABYTE = 2**20


def make_run(
    patcher: Any,
    concepts: Concepts,
    layers: str,
    steps: str,
    memory_mb: int,
    hidden: Any,
    **options: Any,
) -> CaptureRun:
    """A capture run for the model of a ModelPatcher; raises before anything is sampled.

    hidden: the node's hidden inputs, for messages on the node; None outside of a workflow. options:
    of core.run.CaptureRun, by name.
    """
    latents = patcher.get_model_object("latent_format")
    node_id = None if hidden is None else hidden.unique_id
    return CaptureRun(
        patcher.get_model_object("diffusion_model"),
        concepts,
        layers,
        steps,
        memory_mb * MEGABYTE,
        latents.spacial_downscale_ratio,
        latents.temporal_downscale_ratio,
        notify=lambda note: _notify(note, node_id),
        **options,
        name=type(patcher.model.model_config).__name__.replace("_", " "),
    )


def attach_to_model(patcher: Any, run: CaptureRun) -> Any:
    """A clone of the ModelPatcher whose sampling is captured; the given one stays as it is."""
    clone = patcher.clone()
    _add_wrappers(clone.model_options, run)
    return clone


def attach_to_guider(guider: Any, run: CaptureRun) -> Any:
    """A copy of the guider whose sampling is captured; the given one stays as it is."""
    clone = copy.copy(guider)
    clone.model_options = create_model_options_clone(guider.model_options)
    _add_wrappers(clone.model_options, run)
    return clone


@contextmanager
def capturing(guider: Any, run: CaptureRun) -> Iterator[None]:
    """Within one sampling of the guider, which has begun: its model is read, and then is not."""
    options = guider.model_options
    guider.model_options = create_model_options_clone(options)
    _add_wrappers(guider.model_options, run, but="outer_sample")
    try:
        yield
    finally:
        guider.model_options = options


def _add_wrappers(model_options: dict[str, Any], run: CaptureRun, but: str = "") -> None:
    for kind, wrapper in run.wrappers.items():
        if kind == but:
            continue
        add_wrapper_with_key(kind, _KEY, wrapper, model_options, is_model_options=True)


def _notify(note: str, node_id: str | None) -> None:
    logging.warning("Concept Attention: %s", note)
    show_on_node(note, node_id)
