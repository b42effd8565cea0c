"""Shapes in masks: holes, components, growing by a disc, soft edges; each plane on its own.

Planes are numpy arrays [H, W]. Two pixels of a shape touch along a side or at a corner, two of a
hole along a side only, so that a line that runs diagonally parts what lies on its two sides. What
lies beyond the border is neither shape nor hole: nothing shrinks from there.
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage  # type: ignore[import-untyped]

Binary = NDArray[np.bool_]
Soft = NDArray[np.float32]

_TOUCHING = np.ones((3, 3), dtype=bool)


def without_holes(plane: Binary) -> Binary:
    """The shapes with every hole filled that they enclose; what reaches the border is no hole."""
    return np.asarray(ndimage.binary_fill_holes(plane))


def without_small(plane: Binary, smallest: float) -> Binary:
    """The shapes of at least `smallest` pixels, each counted as one component."""
    numbers, count = ndimage.label(plane, structure=_TOUCHING)
    if count == 0:
        return plane
    areas = np.bincount(numbers.ravel())
    kept = areas >= smallest
    kept[0] = False  # what is no shape
    return np.asarray(kept[numbers])


def grown(plane: Binary, pixels: int) -> Binary:
    """The shapes with all that is within a distance, between pixels' middles, of one of theirs.

    pixels below 0: the shapes without all that is within that distance of a pixel outside them.
    """
    if pixels == 0 or plane.all() or not plane.any():
        return plane  # without a shape, or without an outside, there is no distance to it
    if pixels > 0:
        return np.asarray(ndimage.distance_transform_edt(~plane) <= pixels)
    return np.asarray(ndimage.distance_transform_edt(plane) > -pixels)


def grown_soft(plane: Soft, pixels: int) -> Soft:
    """The largest value within a distance of each pixel; below 0 the smallest one.

    Of a plane of zeros and ones the result is that of `grown`.
    """
    if pixels == 0:
        return plane
    spread = _disc_maximum if pixels > 0 else _disc_minimum
    return spread(plane, abs(pixels))


def feathered(plane: Soft, sigma: float) -> Soft:
    """The plane under a gaussian of sigma pixels, cut at 4 sigma; beyond the border it goes on."""
    if sigma == 0:
        return plane
    blurred = ndimage.gaussian_filter(plane, sigma, mode="nearest")
    return np.asarray(np.clip(blurred, 0.0, 1.0))  # rounding may leave 0..1 by a bit


def _disc_maximum(plane: Soft, radius: int) -> Soft:
    """Row by row of the disc: a maximum over a line costs the same however long it is."""
    height = plane.shape[0]
    found, across, reach = plane.copy(), plane, 0
    for up in range(min(radius, height - 1) + 1):
        if up == 0 or reach != math.isqrt(radius**2 - up**2):
            reach = math.isqrt(radius**2 - up**2)
            across = ndimage.maximum_filter1d(plane, 2 * reach + 1, axis=1, mode="nearest")
        np.maximum(found[: height - up], across[up:], out=found[: height - up])
        np.maximum(found[up:], across[: height - up], out=found[up:])
    return found


def _disc_minimum(plane: Soft, radius: int) -> Soft:
    return -_disc_maximum(-plane, radius)
