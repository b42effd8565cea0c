"""Which concept every place belongs to."""

import torch
from torch import Tensor

from .types import Heatmaps


def segments(heatmaps: Heatmaps) -> Tensor:
    """Where each concept has the largest share of all: bool [C, B, F, H, W].

    Judged by the softmax, whatever the values were stretched to. A place whose largest share is the
    background's belongs to no concept; of equal shares the first concept's counts, then the
    others', then the background's.
    """
    shares = heatmaps.shares
    best, winner = shares.max(dim=0)
    if heatmaps.background is not None:
        winner = winner.where(best >= heatmaps.background, -1)
    concepts = torch.arange(shares.shape[0], device=shares.device).view(-1, 1, 1, 1, 1)
    return winner[None] == concepts
