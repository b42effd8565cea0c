"""How well maps agree: numbers between two maps, and between a map and the truth.

Most take maps [..., H, W] and give one number for each, float64; NaN where there is no answer, as
for the correlation with a constant map.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

_DIGITS = 6
_NO_FLOAT64 = ("mps", "xpu", "privateuseone")  # Apple's, some of Intel's, and what DirectX drives
_FLAT = 1e-6  # what float32 leaves between the pixels of a constant map that was resized


def measurable(maps: Tensor) -> Tensor:
    """The maps on a device that has float64: their own, or the CPU."""
    return maps.cpu() if maps.device.type in _NO_FLOAT64 else maps


def constant(maps: Tensor) -> Tensor:
    """Whether all pixels of a map are the same: [...] bool."""
    flat = maps.flatten(-2)
    return flat.amax(-1) - flat.amin(-1) <= _FLAT


def correlation(a: Tensor, b: Tensor) -> Tensor:
    """Pearson's correlation over the pixels, -1 to 1; NaN where one of the two is constant.

    >>> a = torch.tensor([[0.1, 0.2, 0.3]])
    >>> round(float(correlation(a, 1 - a)), 6)
    -1.0
    """
    x, y = (each.double().flatten(-2) for each in (a, b))
    x, y = x - x.mean(-1, keepdim=True), y - y.mean(-1, keepdim=True)
    value = (x * y).sum(-1) / (x.square().sum(-1) * y.square().sum(-1)).sqrt()
    return _undefined(value.clamp(-1.0, 1.0), constant(a) | constant(b))


def iou(a: Tensor, b: Tensor) -> Tensor:
    """Intersection over union of masks [..., H, W] bool, 0 to 1; NaN where both are empty."""
    union = (a | b).sum((-2, -1)).double()
    return _undefined((a & b).sum((-2, -1)) / union.clamp_min(1), union == 0)


def soft_iou(a: Tensor, b: Tensor) -> Tensor:
    """The sum of the smaller values over the sum of the larger ones, 0 to 1; NaN for all zeros."""
    least = torch.minimum(a, b).sum((-2, -1), dtype=torch.float64)
    most = torch.maximum(a, b).sum((-2, -1), dtype=torch.float64)
    return _undefined(least / most, most == 0)


def centre(maps: Tensor) -> Tensor:
    """Centre of mass of what is above half of the peak, (row, column) in pixels: [..., 2].

    The middle of the first pixel is at 0.5. NaN for a constant map.
    """
    values = maps.double()
    weights = torch.where(values > values.amax((-2, -1), keepdim=True) / 2, values, 0.0)
    total = weights.sum((-2, -1))
    rows, columns = (
        torch.arange(side, device=maps.device, dtype=torch.float64) + 0.5
        for side in maps.shape[-2:]
    )
    row = (weights.sum(-1) * rows).sum(-1) / total
    column = (weights.sum(-2) * columns).sum(-1) / total
    return _undefined(torch.stack((row, column), -1), constant(maps)[..., None])


def average_precision(scores: Tensor, truth: Tensor) -> float:
    """Area under precision over recall of a map [H, W] against a mask [H, W] bool: 0 to 1.

    The sum of precision times the gain in recall over falling thresholds, where pixels of one value
    come in together. NaN for an empty mask.
    """
    # Sorting alone is ten times faster than sorting with the places of what is sorted.
    every = np.sort(scores.flatten().cpu().numpy())
    own = np.sort(scores[truth].cpu().numpy())
    if not len(own):
        return math.nan
    # Only where something true comes in is there a gain.
    thresholds, counts = np.unique(own, return_counts=True)
    seen = len(every) - np.searchsorted(every, thresholds, "left")
    hits = counts[::-1].cumsum()[::-1]
    return float((counts / len(own) * hits / seen).sum())


def defined(value: float) -> Any:
    """The number, or None where there is no answer."""
    return None if math.isnan(value) else value


def rounded(figures: Mapping[str, float | None]) -> dict[str, float | None]:
    """Figures by their names as a file has them, with six digits."""
    return {
        name: None if value is None else round(value, _DIGITS) for name, value in figures.items()
    }


def _undefined(values: Tensor, where: Tensor) -> Tensor:
    return values.masked_fill(where, torch.nan)
