"""Colours that tell concepts apart, for eyes of every kind."""

import colorsys

import torch
from torch import Tensor

# Okabe and Ito, Color Universal Design, 2008, without black, which no picture shows off.
_OKABE_ITO = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (0, 114, 178),
    (213, 94, 0),
    (204, 121, 167),
)
_GOLDEN = 0.618033988749895  # of a turn: each further hue falls into the widest gap


def hues(count: int) -> Tensor:
    """The first `count` colours, [count, 3] in 0..1; they are the same for every count.

    The first seven are told apart with any colour vision, further ones by hue and brightness.
    """
    further = max(0, count - len(_OKABE_ITO))
    more = [
        colorsys.hls_to_rgb(i * _GOLDEN % 1, (0.75, 0.45, 0.6)[i % 3], 0.6) for i in range(further)
    ]
    return torch.cat((torch.tensor(_OKABE_ITO) / 255, torch.tensor(more).view(-1, 3)))[:count]
