"""Where a map is, in words: those of the viewer (web/viewer/words.mjs), so that the two agree."""

import torch
from torch import Tensor

ROWS = ("upper", "middle", "lower")
COLUMNS = ("left", "centre", "right")
EVERYWHERE = "everywhere"
_SPREAD = 0.85  # of the spread of a map that is the same everywhere


def place(values: Tensor) -> str:
    """One of nine places such as "upper left", or "everywhere", of a map [H, W] with values >= 0.

    The third of the picture, down and across, in which the map's centre of mass lies. "everywhere"
    where the map is spread as widely as 85 % of one that is the same everywhere (variance about its
    centre), and for a map of zeros.

    >>> place(torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.1, 0.9]]))
    'lower right'
    """
    values = values.double()
    mass = values.sum()
    if not mass > 0:
        return EVERYWHERE
    centres, variance = [], 0.0
    for dim in (0, 1):
        middles = (torch.arange(values.shape[dim]).to(values) + 0.5) / values.shape[dim]
        along = values.sum(1 - dim) / mass
        centre = float((along * middles).sum())
        variance += float((along * (middles - centre) ** 2).sum())
        centres.append(centre)
    if variance * 6 > _SPREAD:  # a map that is the same everywhere has 1/12 in each direction
        return EVERYWHERE
    row, column = (min(2, int(centre * 3)) for centre in centres)
    return f"{ROWS[row]} {COLUMNS[column]}"
