"""Captures as files: safetensors with what is not a tensor as JSON in the metadata.

Version 2 is version 1 with baselines, whose tensors are named `space/scores` and `space/norms`; a
capture without any is still written as version 1, which every release reads.
"""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from .errors import ConceptAttentionError
from .spaces import BASELINES
from .types import Capture, Scored

FORMAT = "concept-attention-capture"
VERSION = 2

_TENSORS = ("scores", "norms")
_SPACES = "spaces"
_BETWEEN = "/"  # a space's name and its tensor's


def save_capture(path: str | Path, capture: Capture) -> None:
    """Write a capture; an existing file is replaced only once the new one is complete."""
    plain = {
        field.name: getattr(capture, field.name)
        for field in fields(Capture)
        if field.name not in (*_TENSORS, _SPACES)
    }
    version = VERSION if capture.spaces else 1
    metadata = {"format": FORMAT, "version": str(version), "capture": json.dumps(plain)}
    tensors = _tensors(capture)
    for space, part in capture.spaces.items():
        tensors |= {f"{space}{_BETWEEN}{name}": tensor for name, tensor in _tensors(part).items()}
    unfinished = Path(f"{path}.part")
    try:
        save_file(tensors, unfinished, metadata)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def load_capture(path: str | Path) -> Capture:
    """Read a capture that save_capture wrote, equal in every bit, on the CPU.

    Raises ConceptAttentionError for a file that is missing, is no safetensors file, holds something
    else, is of a newer version, or whose parts do not fit together.
    """
    path = Path(path)
    if not path.is_file():
        raise ConceptAttentionError(f"capture file: there is no file {path}")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != FORMAT:
                raise ConceptAttentionError(
                    f"capture file: {path.name} holds no capture; choose a file of Save Capture"
                )
            _check_version(path, metadata.get("version", ""))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ConceptAttentionError(
            f"capture file: {path.name} is not a safetensors file or is damaged ({error})"
        ) from error
    return _assembled(path, tensors, metadata)


def _tensors(part: Capture | Scored) -> dict[str, Tensor]:
    return {name: getattr(part, name).detach().cpu().contiguous() for name in _TENSORS}


def _check_version(path: Path, version: str) -> None:
    if version not in map(str, range(1, VERSION + 1)):
        raise ConceptAttentionError(
            f"capture file: {path.name} is of version {version or 'unknown'}, this release reads "
            f"versions up to {VERSION}. Update Concept Attention."
        )


def _assembled(path: Path, tensors: dict[str, Any], metadata: dict[str, str]) -> Capture:
    try:
        plain = {key: _tuples(value) for key, value in json.loads(metadata["capture"]).items()}
        own = {name: tensor for name, tensor in tensors.items() if _BETWEEN not in name}
        capture = Capture(**own, **plain, spaces=_spaces(tensors))
        frames, rows, columns = capture.grid
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ConceptAttentionError(
            f"capture file: {path.name} lacks a part of a capture ({error}); save it again"
        ) from error
    if len(capture.spans) != frames:
        raise ConceptAttentionError(
            f"capture file: {path.name} has a grid of {frames} frames and spans of "
            f"{len(capture.spans)}; save it again"
        )
    for name in ("splits", "choices"):
        if len(getattr(capture, name)) not in (0, len(capture.labels)):
            raise ConceptAttentionError(
                f"capture file: {path.name} has {len(capture.labels)} concepts and {name} of "
                f"{len(getattr(capture, name))}; save it again"
            )
    counts = (len(capture.steps), len(capture.layers), len(capture.labels))
    expected = (*counts, frames * rows * columns)
    if capture.scores.shape[1:] != expected or capture.norms.shape != capture.scores.shape[:-1]:
        raise ConceptAttentionError(
            f"capture file: {path.name} has scores of shape {list(capture.scores.shape)}, its "
            f"description says {['B', *expected]}; save it again"
        )
    for space, part in capture.spaces.items():
        shapes = (part.scores.shape, part.norms.shape)
        if space not in BASELINES or shapes != (capture.scores.shape, capture.norms.shape):
            raise ConceptAttentionError(
                f"capture file: {path.name} has scores of shape {list(part.scores.shape)} in the "
                f"space '{space}'; expected are {list(capture.scores.shape)} in one of "
                f"{', '.join(BASELINES)}. Save it again"
            )
    return capture


def _spaces(tensors: dict[str, Tensor]) -> dict[str, Scored]:
    """The baselines, in the order of core.spaces, which the file's names are not in."""
    names = {name.rpartition(_BETWEEN)[0] for name in tensors if _BETWEEN in name}
    ordered = sorted(names, key=lambda name: (*BASELINES, name).index(name))
    return {
        space: Scored(*(tensors[f"{space}{_BETWEEN}{name}"] for name in _TENSORS))
        for space in ordered
    }


def _tuples(value: Any) -> Any:
    return tuple(_tuples(part) for part in value) if isinstance(value, list) else value
