"""Colour tables, shipped so that nothing has to be installed for them.

data/colormaps.npy holds one table of 256 colours of 8 bits for each name, in the order of NAMES.
inferno, viridis and magma: the matplotlib colour maps of Smith, van der Walt and Firing, CC0.
cividis: Nunez, Anderton, Renslow, PLOS ONE 13(7), 2018, as matplotlib ships it. turbo: Google,
Apache-2.0. grey: black to white.
"""

from functools import cache
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor

from .errors import ConceptAttentionError

ColorMap = Literal["inferno", "viridis", "magma", "cividis", "turbo", "grey"]
NAMES: tuple[str, ...] = get_args(ColorMap)

_FILE = Path(__file__).parent / "data" / "colormaps.npy"


def table(name: str) -> Tensor:
    """Colours [256, 3] in 0..1; raises ConceptAttentionError for a name that is not in NAMES."""
    if name not in NAMES:
        raise ConceptAttentionError(f"colour map: '{name}' is not one of {', '.join(NAMES)}")
    return torch.from_numpy(_tables()[NAMES.index(name)]).float() / 255


def colorize(values: Tensor, name: str = "inferno") -> Tensor:
    """Colours [..., 3] in 0..1 for values [...] in 0..1, on their device.

    Each of the 256 colours stands for an equal part of 0..1.
    """
    places = (values * 256).to(torch.int32).clamp(0, 255)
    return table(name).to(values.device).index_select(0, places.flatten()).view(*values.shape, 3)


@cache
def _tables() -> np.ndarray:
    return np.load(_FILE)
