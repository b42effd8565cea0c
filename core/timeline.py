"""One concept through a run: its map in every layer and at every step, and what changed when."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .agreement import measurable
from .decode import positions, require_finite, require_temperature, unit_scores
from .defaults import defaults
from .errors import ConceptAttentionError
from .segments import rivals
from .timeline_points import Point, decided, points, segment, true_mask
from .types import Capture


@dataclass(frozen=True, eq=False)
class Maps:
    """Shares in every layer and at every step, of all concepts or of one.

    cells: [S, L, ...]. by_step: [S, ...], the layers together at each step. so_far: [S, ...],
    likewise of all steps up to each. by_layer: [L, ...], the steps together. whole: [...],
    everything. For ... all concepts have [C, H, W] and one has [H, W], on the token grid.
    """

    cells: Tensor
    by_step: Tensor
    so_far: Tensor
    by_layer: Tensor
    whole: Tensor

    def of(self, place: int) -> "Maps":
        """Those of one concept, on the CPU."""
        found = (self.cells, self.by_step, self.so_far, self.by_layer, self.whole)
        return Maps(*(each[..., place, :, :].cpu() for each in found))


@dataclass(frozen=True, eq=False)
class Timeline:
    """One concept, batch item and frame of a capture.

    layers, steps, sigmas: the L entries and S steps shown. maps: the concept's. top: the largest
    share that any shown concept has in any cell, which is the end of the colours' scale.
    step_points, layer_points: what is known of maps.by_step and maps.by_layer. decided: place in
    steps, see `timeline_points.decided`. picture: (height, width).
    """

    label: str
    family: str
    item: int
    layers: tuple[tuple[int, ...], ...]
    steps: tuple[int, ...]
    sigmas: tuple[float, ...]
    maps: Maps
    top: float
    step_points: tuple[Point, ...]
    layer_points: tuple[Point, ...]
    decided: int | None
    picture: tuple[int, int]


def timeline(
    capture: Capture,
    concept: str = "",
    layers: str | None = "all",
    steps: str | None = "all",
    temperature: float | None = None,
    item: int = 0,
    truth: Tensor | None = None,
) -> Timeline:
    """Follow a concept through the layers and steps of a run.

    concept: a label, or empty for the first. layers, steps, temperature: as in `decode.decode`; the
    family decides whether softmaxes or scores are averaged. item: a batch item, or for a video a
    frame, counted as its pictures are: all frames of the first batch item, then of the second.
    truth: [M, h, w], where the concept really is, above 0.5; one mask, or one for each item.

    Raises ConceptAttentionError for a concept, layers, steps or an item that the capture has not, a
    single concept without a background, a temperature that is not above 0, scores that are not
    finite, and a truth that is empty or of another shape than the picture.
    """
    place = _place(capture, concept)
    scores, norms = _of_item(capture, item)
    chosen = positions(capture, layers, steps)
    auto = defaults(capture.family)
    temperature = auto.temperature if temperature is None else temperature
    require_temperature(temperature)
    scores, norms = (each[chosen[1]][:, chosen[0]] for each in (scores, norms))
    if auto.unit_concepts:
        scores = unit_scores(scores, norms)
    require_finite(scores)
    maps = _averages(scores, temperature, auto.order == "softmax first", capture.grid[1:])
    picture = capture.picture
    mask = None if truth is None else true_mask(truth, item, count_items(capture), picture)
    by_step, by_layer, whole = (
        rivals(measurable(each.movedim(-3, 0)), capture.background)
        for each in (maps.by_step, maps.by_layer, maps.whole)
    )
    own = capture.shown.index(place)
    last = segment(by_step, own)[-1]
    step_points = points(by_step, own, last, mask, picture)
    return Timeline(
        capture.labels[place],
        capture.family,
        item,
        tuple(capture.layers[i] for i in chosen[0]),
        tuple(capture.steps[i] for i in chosen[1]),
        tuple(capture.sigmas[i] for i in chosen[1]),
        maps.of(place),
        float(maps.cells[:, :, list(capture.shown)].amax()),
        step_points,
        points(by_layer, own, segment(whole, own), mask, picture),
        decided(step_points, bool(last.any())),
        picture,
    )


def count_items(capture: Capture) -> int:
    """Batch items times frames of the video, which is what `item` counts."""
    return int(capture.scores.shape[0]) * sum(_spans(capture))


def averaged(layers: Sequence[tuple[int, ...]]) -> bool:
    """Whether an entry of a capture's layers is the average of several."""
    return any(len(entry) > 1 for entry in layers)


def _spans(capture: Capture) -> tuple[int, ...]:
    """Frames of the video behind each frame of the grid."""
    frames = capture.grid[0]
    return capture.spans if len(capture.spans) == frames else (1,) * frames


def _place(capture: Capture, concept: str) -> int:
    """The place of the concept among the capture's, where something competes with it."""
    if len(capture.labels) == 1:
        raise ConceptAttentionError(
            f"capture: '{capture.labels[0]}' is alone in it and there is no background, so its "
            "share is 1 everywhere, in every layer and at every step. Name a background in the "
            "Concept Encoder and capture again."
        )
    labels = [capture.labels[place] for place in capture.shown]
    label = concept.strip() or labels[0]
    if label not in labels:
        raise ConceptAttentionError(
            f"concept: '{label}' is not one of this capture's. Allowed: {', '.join(labels)}, or "
            "empty for the first one. One at a time is followed."
        )
    return capture.labels.index(label)


def _of_item(capture: Capture, item: int) -> tuple[Tensor, Tensor]:
    """Scores [S, L, C, N] and norms [S, L, C] of one batch item and one frame of the grid."""
    spans, total = _spans(capture), count_items(capture)
    if not 0 <= item < total:
        batch, frames = capture.scores.shape[0], sum(spans)
        what = f"{batch} batch items" if frames == 1 else f"{batch} x {frames} frames"
        raise ConceptAttentionError(
            f"item: {item} is not in this capture, which has {what}, 0 to {total - 1}"
        )
    batch_item, frame = divmod(item, sum(spans))
    row = next(i for i in range(len(spans)) if frame < sum(spans[: i + 1]))
    scores = capture.scores[batch_item].unflatten(-1, (len(spans), -1))[..., row, :]
    return scores, capture.norms[batch_item]


def _averages(
    scores: Tensor, temperature: float, softmax_first: bool, grid: tuple[int, int]
) -> Maps:
    """The shares of all concepts."""
    tempered = scores / temperature
    cells = tempered.softmax(-2)
    # Every step has all layers, so that a mean of means is the mean.
    parts = cells if softmax_first else tempered
    steps = parts.mean(1)
    counts = torch.arange(1, len(steps) + 1, device=steps.device)[:, None, None]
    means = [steps, steps.cumsum(0) / counts, parts.mean(0), parts.mean((0, 1))]
    if not softmax_first:
        means = [mean.softmax(-2) for mean in means]
    return Maps(*(each.unflatten(-1, grid) for each in (cells, *means)))
