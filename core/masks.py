"""From heatmaps to masks: who belongs to a concept, then what the shapes are made into.

The order is fixed: the method's pixels, the union where one is asked for, holes filled, small
components dropped, grown or shrunk, feathered. Every method reads shares, in softmax units, so that
a stretch for the eye changes no mask; what finds nothing gives an empty mask.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .decode import only
from .errors import ConceptAttentionError
from .segments import require_rivals, winners
from .shapes import Binary, Soft, feathered, grown, grown_soft, without_holes, without_small
from .types import Heatmaps

Method = Literal["segmentation", "threshold", "mean", "otsu", "top-k", "soft"]
Combine = Literal["per concept", "combined"]

_BINS = 256
_FLAT = 1e-6  # what rounding leaves between the shares of a constant map


@dataclass(frozen=True)
class Choice:
    """Which pixels belong to a concept.

    method: "segmentation": those where its share is the largest, the background's included.
    "threshold": those with a share of at least `threshold`. "mean": above the map's own mean (arXiv
    2502.04320, section 5). "otsu": above the threshold of Otsu, see `otsu_threshold`. "top-k": the
    top_percent of pixels with the largest shares, see `top_threshold`. "soft": the share itself.
    "mean", "otsu" and "top-k" measure a batch item with all its frames as one map, so that a
    video's threshold is one for all of it; they find the strongest part of an absent concept too,
    but nothing in a constant map.
    """

    method: Method = "segmentation"
    threshold: float = 0.4
    top_percent: float = 10.0


@dataclass(frozen=True)
class Cleaning:
    """What a mask's shapes are made into, in this order; each plane on its own, see `shapes`.

    smallest_percent: components with less than this part of the picture are dropped. grow: pixels,
    below 0 to shrink. feather: standard deviation of a gaussian in pixels.
    """

    fill_holes: bool = False
    smallest_percent: float = 0.0
    grow: int = 0
    feather: float = 0.0


def masks(
    heatmaps: Heatmaps,
    labels: Sequence[str] = (),
    choice: Choice | None = None,
    combine: Combine = "per concept",
    cleaning: Cleaning | None = None,
) -> Tensor:
    """Masks of some concepts, of all for no labels: [C, B, F, H, W] float32 in 0..1 on the CPU.

    All concepts of the heatmaps take part in a segmentation. combine: "combined" makes their union,
    the maximum, before the cleaning: C is 1. Of a soft mask "grow" is the largest (smallest) share
    within the distance; it has no holes and no components.

    Raises ConceptAttentionError for a label that is not there, a setting outside its range, a
    segmentation without rivals, and for holes or components of a soft mask.
    """
    choice, cleaning = choice or Choice(), cleaning or Cleaning()
    check(choice, combine, cleaning)
    chosen = only(heatmaps, labels) if labels else heatmaps
    planes = _planes(heatmaps, chosen, choice)
    if combine == "combined":
        planes = planes.max(0, keepdims=True)
    cleaned = np.empty(planes.shape, dtype=np.float32)
    clean = _cleaned_soft if choice.method == "soft" else _cleaned
    for place in np.ndindex(planes.shape[:-2]):
        cleaned[place] = clean(planes[place], cleaning)
    return torch.from_numpy(cleaned)


def check(choice: Choice, combine: str, cleaning: Cleaning) -> None:
    """Raises ConceptAttentionError for what `masks` would refuse, without any heatmaps."""
    for name, word, words in (
        ("method", choice.method, get_args(Method)),
        ("combine", combine, get_args(Combine)),
    ):
        if word not in words:
            raise ConceptAttentionError(f"{name}: '{word}' is not one of {words}")
    for name, value, largest in (
        ("threshold", choice.threshold, 1),
        ("top_percent", choice.top_percent, 100),
        ("smallest_percent", cleaning.smallest_percent, 100),
    ):
        if not 0 <= value <= largest:
            raise ConceptAttentionError(f"{name}: {value} is not between 0 and {largest}")
    if not 0 <= cleaning.feather < math.inf:
        raise ConceptAttentionError(f"feather: {cleaning.feather} is not 0 pixels or more")
    if choice.method == "soft" and (cleaning.fill_holes or cleaning.smallest_percent):
        name = "fill_holes" if cleaning.fill_holes else "smallest_percent"
        raise ConceptAttentionError(
            f"{name}: the masks of the method soft have no edge, so no holes and no components. "
            f"Switch {name} off, or choose another method."
        )


def otsu_threshold(shares: NDArray[np.float64]) -> float:
    """The share from which on pixels belong to the upper of two classes; infinity for a flat map.

    Of 256 equal bins from the smallest to the largest share, the border between two of them that
    gives the largest variance between the classes, counted with the bins' middles; the first of
    equal ones. Source: N. Otsu, A threshold selection method from gray-level histograms, IEEE
    Transactions on Systems, Man, and Cybernetics 9(1), 1979.
    """
    if _is_flat(shares):
        return math.inf
    counts, edges = np.histogram(shares, _BINS)
    middles = (edges[:-1] + edges[1:]) / 2
    below, moment = counts.cumsum()[:-1], (counts * middles).cumsum()
    above = shares.size - below
    # The outermost bins hold the smallest and the largest share, so no class is empty.
    apart = moment[:-1] / below - (moment[-1] - moment[:-1]) / above
    return float(edges[1 + (below * above * apart**2).argmax()])


def top_threshold(shares: NDArray[np.float64], percent: float) -> float:
    """The share from which on pixels are the largest `percent` of all, rounded down.

    Equal shares stay together: where not all of them fit, none is in. Infinity for no pixel at all.
    """
    values = np.sort(shares, axis=None)
    count = math.floor(_part(percent, values.size))
    if count == values.size:
        return float(values[0])
    if count == 0 or _is_flat(shares):
        return math.inf
    if values[-count] > values[-count - 1]:
        return float(values[-count])
    larger = np.searchsorted(values, values[-count], side="right")
    return float(values[larger]) if larger < values.size else math.inf


def _planes(heatmaps: Heatmaps, chosen: Heatmaps, choice: Choice) -> NDArray[Any]:
    """The method's pixels: [C, B, F, H, W], soft ones float32, others bool."""
    if choice.method == "segmentation":
        require_rivals(heatmaps, "; or choose another method")
        won = winners(heatmaps).cpu().numpy()
        return np.stack([won == heatmaps.labels.index(label) for label in chosen.labels])
    shares = chosen.shares.float().cpu().numpy()
    if choice.method == "soft":
        return np.asarray(shares.clip(0.0, 1.0))
    found = np.empty(shares.shape, dtype=bool)
    for place in np.ndindex(shares.shape[:2]):
        found[place] = _above(shares[place], choice)
    return found


def _above(shares: NDArray[np.float32], choice: Choice) -> Binary:
    """The pixels of one concept and batch item, [F, H, W]."""
    if choice.method == "threshold":
        return np.asarray(shares >= np.float32(choice.threshold))
    exact = shares.astype(np.float64)
    if choice.method == "mean":
        return np.asarray(exact > (math.inf if _is_flat(exact) else exact.mean()))
    if choice.method == "otsu":
        return np.asarray(exact >= otsu_threshold(exact))
    return np.asarray(exact >= top_threshold(exact, choice.top_percent))


def _is_flat(shares: NDArray[np.float64]) -> bool:
    """Whether a map is constant, so that no part of it is the strongest."""
    return bool(shares.max() - shares.min() <= _FLAT)


def _part(percent: float, count: int) -> float:
    return round(percent / 100 * count, 6)  # 7 % of 100 pixels are 7, not a bit more


def _cleaned(plane: Binary, cleaning: Cleaning) -> Soft:
    if cleaning.fill_holes:
        plane = without_holes(plane)
    plane = without_small(plane, _part(cleaning.smallest_percent, plane.size))
    return feathered(grown(plane, cleaning.grow).astype(np.float32), cleaning.feather)


def _cleaned_soft(plane: Soft, cleaning: Cleaning) -> Soft:
    return feathered(grown_soft(plane, cleaning.grow), cleaning.feather)
