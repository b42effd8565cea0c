"""Colour tables, shipped so that nothing has to be installed for them.

data/colormaps.npy holds one table of 256 colours of 8 bits for each name, in the order of NAMES.
inferno, viridis and magma: the matplotlib colour maps of Smith, van der Walt and Firing, CC0.
cividis: Nunez, Anderton, Renslow, PLOS ONE 13(7), 2018, as matplotlib ships it. turbo: Google,
Apache-2.0. grey: black to white.
data/diverging.npy is the one table for signed values: berlin, from blue through black to red.
Scientific colour maps, copyright (c) Fabio Crameri, MIT licence, doi 10.5281/zenodo.1243862, as
matplotlib ships it.
"""

from functools import cache
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .errors import ConceptAttentionError

ColorMap = Literal["inferno", "viridis", "magma", "cividis", "turbo", "grey"]
NAMES: tuple[str, ...] = get_args(ColorMap)
DIVERGING = "berlin"  # no choice for maps, whose 0 would be blue

_PART = 1 << 17
_DATA = Path(__file__).parent / "data"


def table(name: str) -> Tensor:
    """Colours [256, 3] in 0..1 of a name in NAMES or of DIVERGING; raises ConceptAttentionError for
    another.
    """
    if name not in _tables():
        raise ConceptAttentionError(f"colour map: '{name}' is not one of {', '.join(NAMES)}")
    return torch.from_numpy(_tables()[name]).float() / 255


def colorize(values: Tensor, name: str = "inferno") -> Tensor:
    """Colours [..., 3] in 0..1 for values [...] in 0..1, on their device.

    Each of the 256 colours stands for an equal part of 0..1.
    """
    colours = table(name).to(values.device)
    drawn = colours.new_empty(values.numel(), 3)
    # In parts that stay in a processor's cache: less than half the time of one go at 8 megapixels.
    for part, target in zip(values.flatten().split(_PART), drawn.split(_PART), strict=True):
        places = (part * 256).to(torch.int32).clamp_(0, 255)
        torch.index_select(colours, 0, places, out=target)
    return drawn.view(*values.shape, 3)


def colorize_signed(values: Tensor, reach: float) -> Tensor:
    """Diverging colours [..., 3] in 0..1 for signed values [...], on their device.

    Black is 0, blue less, red more; reach: the value above 0 from which the colour is full.
    """
    return colorize((values / reach + 1) / 2, DIVERGING)


@cache
def _tables() -> dict[str, NDArray[np.uint8]]:
    shared = dict(zip(NAMES, np.load(_DATA / "colormaps.npy"), strict=True))
    return {**shared, DIVERGING: np.load(_DATA / "diverging.npy")}
