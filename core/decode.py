"""From recorded scores to one heatmap for each concept."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, get_args

import torch
from torch import Tensor

from .defaults import Order, defaults
from .errors import ConceptAttentionError
from .frames import Frames, to_frames
from .selection import pick, pick_default
from .smooth import smooth
from .spaces import DAAM, OUTPUT, in_space
from .types import Capture, Heatmaps

Normalize = Literal["none", "shared", "per concept"]

_AUTO = "auto"
_SOFTMAX_RANGE = (0.0, 1.0)


def decode(
    capture: Capture,
    layers: str | None = None,
    steps: str | None = None,
    temperature: float | None = None,
    order: Order | None = None,
    normalize: Normalize = "none",
    unit_concepts: bool | None = None,
    frames: Frames = "latent",
    smoothing: float = 0.0,
    space: str = OUTPUT,
) -> Heatmaps:
    """Heatmaps [C, B, F, H, W] in 0..1 on the token grid, for the concepts that are not background.

    "softmax first": the mean over layers and steps of softmax(score / temperature) over all
    concepts, the background's included. "scores first": the mean of the scores, then one softmax.
    Then the background is dropped. unit_concepts divides every score by its concept vector's length
    beforehand.

    layers, steps: see `selection.pick`; what is not captured is an error. None or "auto" is the
    family's default as far as it was captured, and all that was captured if nothing of it was. None
    for temperature, order and unit_concepts is the family's default too. frames: those of the token
    grid or of the video, see `frames.to_frames`.
    normalize: "none" leaves the softmax; "shared" stretches all concepts on one scale, smallest to
    largest value; "per concept" each on its own. What is constant is left as it is.

    smoothing: of the softmax on the token grid, see `smooth.smooth`.

    space: one of core.spaces.SPACES. Baselines are decoded as the output is, but for "DAAM", whose
    mean over layers and steps it is: its scores are shares already.

    Raises ConceptAttentionError for a selection that was not captured, a temperature that is not
    above 0, a smoothing below 0, a space that was not captured, a temperature or order for DAAM,
    and scores that are not finite. Source: arXiv 2502.04320, section 4.
    """
    _check_normalize(normalize)
    maps = shares(capture, layers, steps, temperature, order, unit_concepts, space)
    require_finite(maps)
    shown = list(capture.shown)
    hidden = [i for i, hidden in enumerate(capture.background) if hidden]
    values = smooth(maps.transpose(0, 1).unflatten(-1, capture.grid), smoothing)
    values = to_frames(values, capture.spans, frames)
    heatmaps = Heatmaps(
        values[shown].contiguous(),
        tuple(capture.labels[i] for i in shown),
        (_SOFTMAX_RANGE,),
        values[hidden].amax(0) if hidden else None,
    )
    return normalized(heatmaps, normalize)


def shares(
    capture: Capture,
    layers: str | None = None,
    steps: str | None = None,
    temperature: float | None = None,
    order: Order | None = None,
    unit_concepts: bool | None = None,
    space: str = OUTPUT,
) -> Tensor:
    """What every concept, the background's too, has of each token: [B, C, N], summing to 1 over C.

    As `decode`, but for scores that are not finite, whose shares are neither; so nothing is waited
    for on the device.
    """
    auto = defaults(capture.family)
    capture = in_space(capture, space)
    if space == DAAM:
        _check_softmax_alone(temperature, order)
        return _average(capture, *positions(capture, layers, steps))
    temperature = auto.temperature if temperature is None else temperature
    order = auto.order if order is None else order
    unit_concepts = auto.unit_concepts if unit_concepts is None else unit_concepts
    _check(temperature, order)
    chosen = positions(capture, layers, steps)
    return _average(capture, *chosen, temperature, order, unit_concepts)


def normalized(heatmaps: Heatmaps, normalize: Normalize) -> Heatmaps:
    """Heatmaps stretched to 0..1: "shared", "per concept", or as they are with "none".

    value_range gets the (low, high) that were stretched to 0 and 1, in the units of the values; a
    constant map is left as it is, its pair is (0.0, 1.0).
    """
    if normalize == "none":
        return heatmaps
    groups = heatmaps.values.flatten(1) if normalize == "per concept" else heatmaps.values[None]
    flat = groups.flatten(1)
    low, high = flat.amin(1), flat.amax(1)
    flatline = low == high
    low = torch.where(flatline, torch.zeros_like(low), low)
    high = torch.where(flatline, torch.ones_like(high), high)
    stretched = ((flat - low[:, None]) / (high - low)[:, None]).clamp(0.0, 1.0)
    pairs = tuple(zip(low.tolist(), high.tolist(), strict=True))
    return replace(heatmaps, values=stretched.view_as(heatmaps.values), value_range=pairs)


def only(heatmaps: Heatmaps, labels: Sequence[str]) -> Heatmaps:
    """The heatmaps of some labels, in the order given.

    Raises ConceptAttentionError, listing the labels there are, for one that is not among them.
    """
    unknown = [label for label in labels if label not in heatmaps.labels]
    if unknown:
        raise ConceptAttentionError(
            f"concept: '{unknown[0]}' is not in this capture. It has: {', '.join(heatmaps.labels)}."
        )
    places = [heatmaps.labels.index(label) for label in labels]
    pairs = heatmaps.value_range
    if len(pairs) > 1:
        pairs = tuple(pairs[place] for place in places)
    return replace(
        heatmaps, values=heatmaps.values[places], labels=tuple(labels), value_range=pairs
    )


def positions(
    capture: Capture, layers: str | None = None, steps: str | None = None
) -> tuple[list[int], list[int]]:
    """Positions in capture.layers and capture.steps of what is chosen; None or "auto": the default.

    Raises ConceptAttentionError for what was not captured.
    """
    auto = defaults(capture.family)
    single_steps = [(step,) for step in capture.steps]
    plan = (
        (layers, auto.layers, capture.layers, capture.total_layers, "layers"),
        (steps, auto.steps, single_steps, capture.total_steps, "steps"),
    )
    chosen = []
    for text, default, captured, total, what in plan:
        if text is None or text.strip().lower() == _AUTO:
            chosen.append(list(pick_default(default, captured, total, what)))
        else:
            chosen.append(list(pick(text, captured, total, what)))
    return chosen[0], chosen[1]


def unit_scores(scores: Tensor, norms: Tensor) -> Tensor:
    """Scores [..., C, N] of concept vectors scaled to length 1; norms [..., C]: their lengths."""
    smallest = torch.finfo(scores.dtype).tiny
    return scores / norms.clamp_min(smallest)[..., None]


def require_finite(values: Tensor) -> None:
    """Raise ConceptAttentionError where scores, or what was made of them, are not finite."""
    if not bool(torch.isfinite(values).all()):
        raise ConceptAttentionError(
            "capture: its scores are not finite (the model overflowed), so there is no map. "
            "Sample with another weight or compute precision, such as bf16."
        )


def require_temperature(temperature: float) -> None:
    """Raise ConceptAttentionError for a temperature that is not a number above 0."""
    if not 0 < temperature < float("inf"):
        raise ConceptAttentionError(f"temperature: {temperature} is not a number above 0")


def _check(temperature: float, order: str) -> None:
    require_temperature(temperature)
    if order not in get_args(Order):
        raise ConceptAttentionError(f"order: '{order}' is not one of {get_args(Order)}")


def _check_softmax_alone(temperature: float | None, order: str | None) -> None:
    given = {"temperature": temperature, "order": order}
    for name, value in given.items():
        if value is not None:
            raise ConceptAttentionError(
                f"{name}: {value} was given for {DAAM}, whose scores are attention weights: they "
                f"have been through their own softmax. Set temperature to 0 and order to {_AUTO}."
            )


def _check_normalize(normalize: str) -> None:
    if normalize not in get_args(Normalize):
        raise ConceptAttentionError(f"normalize: '{normalize}' is not one of {get_args(Normalize)}")


def _average(
    capture: Capture,
    layers: list[int],
    steps: list[int],
    temperature: float = 1.0,
    order: Order | None = None,
    unit_concepts: bool = False,
) -> Tensor:
    """Softmax over all concepts, averaged over layers and steps: [B, C, N].

    order: None for the mean alone.
    """
    batch, _, _, concepts, tokens = capture.scores.shape
    total = capture.scores.new_zeros(batch, concepts, tokens)
    # A list would be copied to the device as indices, and the scores with it; a slice is a view.
    consecutive = len(layers) == layers[-1] - layers[0] + 1
    places = slice(layers[0], layers[-1] + 1) if consecutive else layers
    # Step by step: what is held beside the capture stays one step in size.
    for step in steps:
        scores = capture.scores[:, step, places]
        if unit_concepts:
            scores = unit_scores(scores, capture.norms[:, step, places])
        if order == "softmax first":
            scores = (scores / temperature).softmax(dim=-2)
        total += scores.sum(dim=1)
    mean = total / (len(layers) * len(steps))
    return (mean / temperature).softmax(dim=-2) if order == "scores first" else mean
