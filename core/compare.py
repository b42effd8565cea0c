"""Two runs side by side: their heatmaps concept by concept, in numbers.

Everything is computed from the softmax shares, whatever the maps were stretched to, at the size of
run A's maps, to which those of run B are fitted.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor

from .agreement import centre, correlation, defined, iou, measurable, soft_iou
from .errors import ConceptAttentionError
from .resize import resized
from .segments import places_won, strongest
from .types import Heatmaps

_WHOLE = ((0.0, 1.0),)
_SHAPES = 0.02  # two pictures whose sides differ by no more in their proportion have one shape


@dataclass(frozen=True)
class Figures:
    """What two maps of one concept have in common; None where there is no answer.

    correlation: Pearson's, over the pixels. iou: of the places where the concept is the strongest
    in its own run, the background counted as a rival. soft_iou: the sum of the smaller shares over
    that of the larger. right, down: pixels from A's centre to B's, of what is above half of the
    peak. moved: their length; moved_share: that in lengths of the diagonal. mean_difference: of the
    shares, regardless of sign. share_a, share_b: the concept's share of the whole picture.
    """

    correlation: float | None
    iou: float | None
    soft_iou: float | None
    right: float | None
    down: float | None
    moved: float | None
    moved_share: float | None
    mean_difference: float
    share_a: float
    share_b: float

    @property
    def change(self) -> float:
        """By how much the share of the picture is larger in B."""
        return self.share_b - self.share_a


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two runs, aligned.

    a, b: [C, B, F, H, W], the shares of the concepts in both, in A's order and spelling. figures:
    for each concept one entry for each batch item and frame, in that order. only_a, only_b: labels
    of what the other run lacks. top: the largest share of any concept in either run, of which both
    maps' colours are a part. notes: what one has to know to read the figures.
    """

    labels: tuple[str, ...]
    a: Tensor
    b: Tensor
    figures: tuple[tuple[Figures, ...], ...]
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]
    top: float
    notes: tuple[str, ...]

    @property
    def difference(self) -> Tensor:
        """B minus A: [C, B, F, H, W] in -1..1."""
        return self.b - self.a


def compare(a: Heatmaps, b: Heatmaps) -> Comparison:
    """Compare two runs by the labels of their concepts, without regard to case and outer spaces.

    Maps of another size are fitted to those of a. Where one of the two has a single batch item, or
    a single frame, it is compared with all of the other.

    Raises ConceptAttentionError when no label is in both, when two labels of a run differ in case
    only, and for numbers of batch items or frames that are above 1 and differ.
    """
    pairs, only_a, only_b = _matched(a.labels, b.labels)
    notes = _notes(a, b, only_a or only_b)
    a = _plain(a)
    b = _aligned(_plain(b), a)
    counts = _counts(a, b)
    runs = [_expanded(each, counts) for each in (a, b)]
    top = max(float(each.amax()) for run in runs for each in run if each is not None)
    places = [list(each) for each in zip(*pairs, strict=True)]
    chosen = [run[0][place] for run, place in zip(runs, places, strict=True)]
    won = [_segments(*run, place) for run, place in zip(runs, places, strict=True)]
    return Comparison(
        tuple(a.labels[place] for place in places[0]),
        chosen[0],
        chosen[1],
        _figures(chosen, won),
        tuple(a.labels[i] for i in only_a),
        tuple(b.labels[i] for i in only_b),
        top,
        notes,
    )


def mean_figures(figures: Sequence[Figures]) -> Figures:
    """Each figure's mean over those of the batch items and frames that have it."""

    def mean(name: str) -> Any:
        found = [value for each in figures if (value := getattr(each, name)) is not None]
        return math.fsum(found) / len(found) if found else None

    return Figures(**{field.name: mean(field.name) for field in fields(Figures)})


def _key(label: str) -> str:
    return " ".join(label.split()).casefold()


def _matched(
    a: Sequence[str], b: Sequence[str]
) -> tuple[list[tuple[int, int]], list[int], list[int]]:
    """Places of what is in both, as pairs, and of what is in a alone and in b alone."""
    keys = []
    for labels, name in ((a, "heatmaps_a"), (b, "heatmaps_b")):
        found: dict[str, int] = {}
        for place, label in enumerate(labels):
            if (before := found.setdefault(_key(label), place)) != place:
                raise ConceptAttentionError(
                    f"{name}: '{labels[before]}' and '{label}' count as one concept when runs are "
                    "compared, which is by their labels without regard to case. Rename one."
                )
        keys.append(found)
    first, second = keys
    pairs = [(place, second[key]) for key, place in first.items() if key in second]
    if not pairs:
        raise ConceptAttentionError(
            "heatmaps_b: none of its concepts is in heatmaps_a. "
            f"A has: {', '.join(a)}. B has: {', '.join(b)}. "
            "Concepts are compared by their labels, so write the same in both Concept Encoders."
        )
    only_a = [place for key, place in first.items() if key not in second]
    only_b = [place for key, place in second.items() if key not in first]
    return pairs, only_a, only_b


def _notes(a: Heatmaps, b: Heatmaps, unlike: object) -> tuple[str, ...]:
    notes = []
    (rows, columns), other = a.values.shape[-2:], tuple(b.values.shape[-2:])
    if other != (rows, columns):
        fitted = f"B's maps, {other[1]} x {other[0]}, were fitted to A's, {columns} x {rows}"
        shape = other[1] * rows / (other[0] * columns)
        if abs(shape - 1) > _SHAPES:
            fitted += "; the two have different shapes, so B was stretched"
        notes.append(f"{fitted}.")
    if unlike:
        notes.append(
            "The runs have different concepts, among which each shares out its picture, so shares "
            "differ for that reason too."
        )
    if (a.background is None) != (b.background is None):
        without = "A" if a.background is None else "B"
        notes.append(f"{without} has no background, so its concepts share all of the picture.")
    return tuple(notes)


def _plain(heatmaps: Heatmaps) -> Heatmaps:
    """The heatmaps in softmax units, where they can be measured."""
    background = heatmaps.background
    return replace(
        heatmaps,
        values=measurable(heatmaps.shares),
        value_range=_WHOLE,
        background=None if background is None else measurable(background),
    )


def _aligned(b: Heatmaps, a: Heatmaps) -> Heatmaps:
    """b at the size and on the device of a."""
    background = None if b.background is None else b.background.to(a.values)
    moved = replace(b, values=b.values.to(a.values), background=background)
    rows, columns = a.values.shape[-2:]
    same = moved.values.shape[-2:] == (rows, columns)
    return moved if same else resized(moved, (rows, columns))


def _counts(a: Heatmaps, b: Heatmaps) -> tuple[int, int]:
    """Batch items and frames of the two together."""
    pairs = list(zip(a.values.shape[1:3], b.values.shape[1:3], strict=True))
    for (one, other), what in zip(pairs, ("batch items", "frames"), strict=True):
        if one != other and 1 not in (one, other):
            raise ConceptAttentionError(
                f"heatmaps_b: {other} {what} do not fit the {one} {what} of heatmaps_a. Give 1 or "
                f"{one}; frames are chosen in Heatmap Decode."
            )
    return max(pairs[0]), max(pairs[1])


def _expanded(heatmaps: Heatmaps, counts: tuple[int, int]) -> tuple[Tensor, Tensor | None]:
    """Shares [C, B, F, H, W] and the background's [B, F, H, W]."""
    values, background = heatmaps.values, heatmaps.background
    values = values.expand(-1, *counts, -1, -1)
    return values, None if background is None else background.expand(*counts, -1, -1)


def _segments(shares: Tensor, background: Tensor | None, places: list[int]) -> Tensor | None:
    """Where the concepts at these places win; None where a single one has no rival."""
    if background is None and len(shares) == 1:
        return None
    return places_won(strongest(shares, background), len(shares))[places]


def _figures(
    pair: Sequence[Tensor], won: Sequence[Tensor | None]
) -> tuple[tuple[Figures, ...], ...]:
    """The figures of each concept's maps, [C, B, F, H, W] in a and b."""
    a, b = pair
    offset = centre(b) - centre(a)
    # What has no rival in its run is not contested there, so nothing says where it is.
    overlap = torch.full_like(offset[..., 0], torch.nan)
    if won[0] is not None and won[1] is not None:
        overlap = iou(won[0], won[1])
    distance = offset.square().sum(-1).sqrt()
    columns = (
        correlation(a, b),
        overlap,
        soft_iou(a, b),
        offset[..., 1],
        offset[..., 0],
        distance,
        distance / math.hypot(*a.shape[-2:]),
        (b - a).abs().double().mean((-2, -1)),
        a.double().mean((-2, -1)),
        b.double().mean((-2, -1)),
    )
    table = torch.stack(columns, -1).flatten(1, 2)
    return tuple(tuple(Figures(*map(defined, row)) for row in rows) for rows in table.tolist())
