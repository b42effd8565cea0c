"""A capture or heatmaps as the viewer in the browser reads them: compact arrays and what they are.

The browser decodes by itself, so that a slider moves without a run. Shapes as in core.types.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from .decode import positions, unit_scores
from .defaults import defaults
from .errors import ConceptAttentionError
from .resize import covered
from .tokens import explain
from .types import Capture, Heatmaps

VERSION = 1
_LARGEST_SIDE = 512  # of maps that are not on a token grid
_LOWEST = -65504.0  # of half precision
_AUTO = "auto"


@dataclass(frozen=True)
class Settings:
    """What the viewer shows at first; `layers` to `smoothing` as in `decode.decode`.

    concepts: labels, none for all. threshold: the share from which on a pixel counts, 0 for none.
    """

    layers: str = _AUTO
    steps: str = _AUTO
    temperature: float | None = None
    smoothing: float = 0.0
    concepts: tuple[str, ...] = ()
    threshold: float = 0.0


@dataclass(frozen=True, eq=False)
class View:
    """Half precision arrays (little-endian), one for each file, and what describes them."""

    arrays: tuple[np.ndarray, ...]
    bundle: dict[str, Any]


def view_capture(
    capture: Capture, settings: Settings, pictures: int, size: tuple[int, int]
) -> View:
    """The scores of every batch item and frame of the token grid, [S, L, C, H, W] each.

    pictures, size: how many are shown beneath, of which height and width in pixels. There is 1, one
    for each frame of the video, or one for each of the token grid.

    Raises ConceptAttentionError for a selection that was not captured and pictures that do not fit.
    """
    auto = defaults(capture.family)
    grid = capture.grid[1:]
    batch = capture.scores.shape[0]
    extent = covered(grid, capture.picture)
    auto_layers, auto_steps = positions(capture)
    layers, steps = positions(capture, settings.layers, settings.steps)
    shown = tuple(capture.labels[place] for place in capture.shown)
    bundle = {
        **_common("scores", pictures, size, batch, spans_of(capture, pictures), grid),
        "covered": [e / side for e, side in zip(extent, capture.picture, strict=True)],
        "labels": list(capture.labels),
        "background": list(capture.background),
        "splits": _splits(capture),
        "layers": [list(entry) for entry in capture.layers],
        "steps": list(capture.steps),
        "total_layers": capture.total_layers,
        "total_steps": capture.total_steps,
        "auto": {
            "layers": auto_layers,
            "steps": auto_steps,
            "temperature": auto.temperature,
            "order": auto.order,
        },
        "chosen": {
            "layers": layers,
            "steps": steps,
            "temperature": settings.temperature or auto.temperature,
            **_first(settings, shown),
        },
        "family": capture.family,
    }
    return View(_files(halved(capture).flatten(0, 1)), bundle)


def view_heatmaps(
    heatmaps: Heatmaps, settings: Settings, pictures: int, size: tuple[int, int]
) -> View:
    """The maps of every item, [C, H, W] each, of at most 512 rows and columns.

    The background's comes last, if there was one: of several, at each place the strongest.

    Raises ConceptAttentionError for pictures that do not fit.
    """
    _, batch, frames, _, _ = heatmaps.values.shape
    _fit(pictures, (batch * frames,))
    maps, labels, ends = heatmaps.values, heatmaps.labels, heatmaps.value_range
    if heatmaps.background is not None:
        maps = torch.cat([maps, heatmaps.background[None]])
        ends = (*(ends * len(labels) if len(ends) == 1 else ends), (0.0, 1.0))
        labels = (*labels, _unused("background", labels))
    values = reduced(maps.permute(1, 2, 0, 3, 4).flatten(0, 1))
    grid = (values.shape[-2], values.shape[-1])
    bundle = {
        **_common("maps", pictures, size, batch, (1,) * frames, grid),
        "covered": [1.0, 1.0],
        "labels": list(labels),
        "background": [place >= len(heatmaps.labels) for place in range(len(labels))],
        "splits": [],
        "value_range": [list(pair) for pair in ends],
        "chosen": _first(settings, heatmaps.labels),
    }
    return View(_files(values.half()), bundle)


def spans_of(capture: Capture, pictures: int) -> tuple[int, ...]:
    """Frames shown for each frame of the token grid: the video's, or 1 where pictures are fewer.

    Raises ConceptAttentionError for a number of pictures that is neither.
    """
    batch = capture.scores.shape[0]
    spans = capture.spans
    counts = (batch * sum(spans), batch * len(spans))
    _fit(pictures, counts)
    return spans if pictures in (1, counts[0]) else (1,) * len(spans)


def halved(capture: Capture) -> Tensor:
    """The scores in half precision, [B, F, S, L, C, H, W], as logits of the default temperature.

    The greatest of the concepts is 0 everywhere, which no softmax over them sees, and what is close
    to it, which alone matters, keeps the most digits.
    """
    auto = defaults(capture.family)
    batch, steps, layers, concepts, _ = capture.scores.shape
    result = torch.empty(
        (batch, capture.grid[0], steps, layers, concepts, *capture.grid[1:]), dtype=torch.float16
    )
    # Step by step: what is held beside the capture stays one step in size.
    for step in range(steps):
        scores = capture.scores[:, step]
        if auto.unit_concepts:
            scores = unit_scores(scores, capture.norms[:, step])
        logits = (scores - scores.amax(-2, keepdim=True)) / auto.temperature
        half = logits.clamp_min(_LOWEST).half().cpu().unflatten(-1, capture.grid)
        result[:, :, step] = half.permute(0, 3, 1, 2, 4, 5)
    return result


def reduced(values: Tensor) -> Tensor:
    """Maps [..., H, W] of which a side is too long, as means over equal areas."""
    factor = -(-max(values.shape[-2:]) // _LARGEST_SIDE)
    if factor == 1:
        return values
    size = tuple(-(-side // factor) for side in values.shape[-2:])
    return interpolate(values, size=size, mode="area")


def _common(
    kind: str,
    pictures: int,
    size: tuple[int, int],
    batch: int,
    spans: tuple[int, ...],
    grid: tuple[int, int],
) -> dict[str, Any]:
    return {
        "version": VERSION,
        "pictures": pictures,
        "size": list(size),
        "kind": kind,
        "batch": batch,
        "spans": list(spans),
        "grid": list(grid),
    }


def _first(settings: Settings, shown: tuple[str, ...]) -> dict[str, Any]:
    """What of the settings is the same for scores and maps; all concepts where none is named."""
    return {
        "smoothing": settings.smoothing,
        "concepts": list(settings.concepts or shown),
        "threshold": settings.threshold,
    }


def _splits(capture: Capture) -> list[str]:
    """How every concept was split into tokens; none where that was not kept."""
    pairs = zip(capture.splits, capture.choices, strict=True)
    return [explain(split, choice) for split, choice in pairs]


def _unused(label: str, labels: tuple[str, ...]) -> str:
    """The label, in brackets until no concept has it."""
    while label in labels:
        label = f"({label})"
    return label


def _files(values: Tensor) -> tuple[np.ndarray, ...]:
    return tuple(values.cpu().numpy().astype("<f2", copy=False))


def _fit(pictures: int, counts: tuple[int, ...]) -> None:
    if pictures not in (1, *counts):
        allowed = " or ".join(str(count) for count in sorted({1, *counts}))
        raise ConceptAttentionError(
            f"image: a batch of {pictures} pictures does not fit what was captured of "
            f"{max(counts)} batch items or frames. Give {allowed}."
        )
