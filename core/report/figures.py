"""What a map says in numbers.

Maps are shares of 0 to 1 on the CPU, shapes as in core.types; a place is a pixel of the maps.
"""

from dataclasses import dataclass

import torch
from scipy import ndimage  # type: ignore[import-untyped]
from torch import Tensor

from ..agreement import soft_iou
from .words import place

TOP = 0.005  # of a picture's places: those whose mean is the score

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Figures:
    """One concept in one picture or frame.

    score: see `presence`. share: part of the places that it wins, see `segments.winners`. peak,
    peak_at: the highest value and its (x, y), the first from the top of equal ones. place: in
    words, see `words.place`, of its `piece` alone, so that a faint rest does not draw it to the
    middle. box: (x, y, width, height), see `box`. sharpness: see `sharpness`.
    """

    score: float
    share: float
    peak: float
    peak_at: tuple[int, int]
    place: str
    box: Box
    sharpness: float


def figures(values: Tensor, won: Tensor) -> Figures:
    """The figures of a map [H, W]; won: bool [H, W], the places where it is highest of all."""
    row, column = divmod(int(values.argmax()), values.shape[1])
    return Figures(
        score=float(presence(values)),
        share=float(won.float().mean()),
        peak=float(values[row, column]),
        peak_at=(column, row),
        place=place(values * piece(values)),
        box=box(values),
        sharpness=float(sharpness(values)),
    )


def presence(values: Tensor) -> Tensor:
    """How surely a concept is in a picture, 0 to 1, of maps [..., H, W]: [...].

    The mean of the highest 0.5 % of the values, of at least one: a small thing counts in full, a
    single stray place of a large picture does not.

    >>> float(presence(torch.tensor([[0.0, 0.25, 0.5], [0.0, 0.0, 0.75]])))
    0.75
    """
    flat = values.flatten(-2)
    count = max(1, round(TOP * flat.shape[-1]))
    return flat.topk(count, dim=-1).values.mean(-1)


def region(values: Tensor) -> Tensor:
    """Where a map is at least half as high as its peak: bool [H, W]; nowhere for a map of zeros."""
    peak = values.amax()
    return (values >= peak / 2) & (peak > 0)


def piece(values: Tensor) -> Tensor:
    """The part of a map's region that holds its peak, connected by the sides: bool [H, W].

    All of the picture for a map of zeros.
    """
    inside = region(values)
    if not inside.any():
        return ~inside
    pieces, _ = ndimage.label(inside.numpy())
    return torch.from_numpy(pieces == pieces.flat[int(values.argmax())])


def box(values: Tensor) -> Box:
    """(x, y, width, height) in pixels around a map's piece; values: [H, W] on the CPU.

    >>> box(torch.tensor([[0.0, 0.5, 0.9], [0.6, 0.1, 0.0]]))
    (1, 0, 2, 1)
    """
    rows, columns = piece(values).nonzero().T
    left, top = int(columns.min()), int(rows.min())
    return left, top, int(columns.max()) - left + 1, int(rows.max()) - top + 1


def sharpness(values: Tensor) -> Tensor:
    """How concentrated maps [..., H, W] are: [...], 0 for the same value everywhere, near 1 for one
    place.

    1 minus the part of the picture that the map effectively takes, (sum v)^2 / (n sum v^2): a map
    of one value inside an area and 0 outside has 1 minus that area. 0 for a map of zeros.

    >>> round(float(sharpness(torch.tensor([[0.0, 0.0, 0.0], [0.5, 0.5, 0.0]]))), 4)
    0.6667
    """
    flat = values.flatten(-2).double()
    squares = flat.square().sum(-1) * flat.shape[-1]
    taken = flat.sum(-1).square() / squares.clamp_min(torch.finfo(torch.float64).tiny)
    return torch.where(squares > 0, 1 - taken, torch.zeros_like(taken)).clamp(0.0, 1.0)


def overlap(shares: Tensor) -> Tensor:
    """Soft intersection over union of every two maps of [C, ..., H, W]: [C, C] in 0..1.

    The sum of the smaller value of every place over that of the larger one; 1 for a map and itself,
    0 for two maps of zeros.
    """
    flat = shares.flatten(1)
    found = torch.eye(len(flat))
    for first in range(len(flat)):
        for second in range(first + 1, len(flat)):
            value = soft_iou(flat[first][None], flat[second][None]).nan_to_num(0.0)
            found[first, second] = found[second, first] = value
    return found
