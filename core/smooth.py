"""Smoothing on the token grid, the same that the viewer does in the browser."""

import math

import torch
from torch import Tensor

from .errors import ConceptAttentionError


def smooth(maps: Tensor, sigma: float) -> Tensor:
    """Maps [..., H, W] under a gaussian of sigma tokens; 0 leaves them as they are.

    Each value is a weighted mean of those within ceil(3 sigma) rows and columns, of the ones that
    exist: at the border the weights of these sum to 1, so a constant map stays constant and maps
    that sum to 1 still do.

    Raises ConceptAttentionError for a sigma below 0 or not finite.
    """
    if not 0 <= sigma < math.inf:
        raise ConceptAttentionError(f"smoothing: {sigma} is not a number of tokens, 0 or more")
    if sigma == 0:
        return maps
    rows, columns = (_weights(count, sigma).to(maps) for count in maps.shape[-2:])
    return rows @ maps @ columns.T


def _weights(count: int, sigma: float) -> Tensor:
    """For each of count places, what every place weighs in its mean: [count, count]."""
    places = torch.arange(count, dtype=torch.float64)
    distance = (places[:, None] - places).abs()
    # The square of the quotient, not the quotient of squares: a tiny sigma's square would be 0.
    weights = torch.exp(-0.5 * (distance / sigma) ** 2)
    weights = weights.where(distance <= math.ceil(3 * sigma), torch.zeros(()).to(weights))
    return weights / weights.sum(-1, keepdim=True)
