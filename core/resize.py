"""From the token grid to pixels."""

import math
from dataclasses import replace
from typing import Literal, get_args

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from .errors import ConceptAttentionError
from .types import Heatmaps

Mode = Literal["nearest", "bilinear", "bicubic", "edge-guided"]

# Edge guidance: its radius in tokens, how finely a token is resolved while its coefficients are
# fitted, and how much contrast (variance of colours in 0..1) counts as an edge.
_RADIUS = 1.0
_CELLS = 4
_EDGE_VARIANCE = 1e-3


def covered(grid: tuple[int, int], picture: tuple[int, int]) -> tuple[int, int]:
    """Pixels (height, width) that a token grid covers: the picture, or more if it was padded.

    Tokens are square patches of 8 pixels or a multiple (16 for most models), and the last row and
    column cover at least one pixel of the picture; the model pads at the bottom and right. Where
    such a patch does not fit, any whole number is tried; else the picture itself is returned.

    >>> covered((13, 9), (200, 136))
    (208, 144)
    """
    smallest = max(math.ceil(side / count) for side, count in zip(picture, grid, strict=True))
    for patch in (math.ceil(smallest / 8) * 8, smallest):
        if all(
            (count - 1) * patch < side <= count * patch
            for side, count in zip(picture, grid, strict=True)
        ):
            return grid[0] * patch, grid[1] * patch
    return picture


def resize(
    values: Tensor,
    size: tuple[int, int],
    mode: Mode = "bilinear",
    picture: tuple[int, int] | None = None,
    image: Tensor | None = None,
) -> Tensor:
    """Maps [..., H, W] in 0..1 at another size (height, width), in 0..1.

    picture: when given, the maps lie on a token grid of a picture of this size (height, width), and
    what the grid covers beyond the picture is cut off. image: [I, h, w, 3] in 0..1, the pictures
    whose edges guide "edge-guided"; the maps [..., H, W], counted in order, belong to picture 0 to
    I - 1 in turn. Bicubic overshoots are clamped.

    Raises ConceptAttentionError for an unknown mode, for "edge-guided" without an image, and for a
    number of pictures that does not divide the number of maps.

    >>> resize(torch.rand(3, 1, 13, 9), (200, 136), picture=(200, 136)).shape
    torch.Size([3, 1, 200, 136])
    """
    if mode not in get_args(Mode):
        raise ConceptAttentionError(f"interpolation: '{mode}' is not one of {get_args(Mode)}")
    maps = values.reshape(-1, 1, *values.shape[-2:])
    if mode == "edge-guided":
        if image is None:
            raise ConceptAttentionError(
                "interpolation: edge-guided needs an image to take the edges from; connect one, or "
                "choose nearest, bilinear or bicubic"
            )
        sized = _edge_guided(maps, size, picture, image)
    else:
        sized = _interpolate(maps, size, mode, picture)
    return sized.clamp(0.0, 1.0).view(*values.shape[:-2], *size)


def resized(
    heatmaps: Heatmaps,
    size: tuple[int, int],
    mode: Mode = "bilinear",
    picture: tuple[int, int] | None = None,
    image: Tensor | None = None,
) -> Heatmaps:
    """Heatmaps and their background at another size; see `resize`.

    One map and several pictures to guide "edge-guided" make one map for each picture.
    """

    def sized(values: Tensor) -> Tensor:
        return resize(values, size, mode, picture, image)

    values, background = heatmaps.values, heatmaps.background
    if image is not None and mode == "edge-guided":
        count = common_batch(image.shape[0], values.shape[1] * values.shape[2])
        if count > values.shape[1] * values.shape[2]:
            values = values.expand(-1, count, -1, -1, -1)
            background = None if background is None else background.expand(count, -1, -1, -1)
    background = None if background is None else sized(background)
    return replace(heatmaps, values=sized(values), background=background)


def common_batch(pictures: int, items: int) -> int:
    """The batch of pictures and heatmap items (batch items times frames) together: 1 serves all.

    Raises ConceptAttentionError when both are above 1 and differ.
    """
    if pictures != items and 1 not in (pictures, items):
        raise ConceptAttentionError(
            f"image: a batch of {pictures} pictures does not fit heatmaps of {items} batch items "
            f"or frames. Give 1 picture or {items}."
        )
    return max(pictures, items)


def _interpolate(
    maps: Tensor, size: tuple[int, int], mode: str, picture: tuple[int, int] | None
) -> Tensor:
    """Maps [M, 1, H, W] at a size, without what their grid covers beyond the picture."""
    rows, columns = maps.shape[-2:]
    extent = covered((rows, columns), picture) if picture else (rows, columns)
    inside = picture or (rows, columns)
    name = "nearest-exact" if mode == "nearest" else mode
    # Without it a smaller map is a few of the large one's pixels instead of their mean.
    antialias = mode != "nearest" and (size[0] < rows or size[1] < columns)
    if extent == inside:
        return interpolate(maps, size=size, mode=name, antialias=antialias)
    # Pixels of the result for each token; the uncut result is at least as large as size.
    scale = tuple(
        reach / count * side / part
        for reach, count, side, part in zip(extent, (rows, columns), size, inside, strict=True)
    )
    uncut = interpolate(maps, scale_factor=scale, mode=name, antialias=antialias)
    return uncut[..., : size[0], : size[1]]


def _edge_guided(
    maps: Tensor, size: tuple[int, int], picture: tuple[int, int] | None, image: Tensor
) -> Tensor:
    """Maps [M, 1, H, W] at a size, following the edges of the pictures [I, h, w, 3].

    The guided filter for colour pictures (He, Sun, Tang: Guided Image Filtering, TPAMI 2013,
    section 3.5) with its coefficients fitted at a smaller size (He, Sun: arXiv 1505.00996). It is
    linear in the maps, so maps that sum to 1 still do, before the clamp to 0..1.
    """
    guides = image.shape[0]
    if maps.shape[0] % guides:
        raise ConceptAttentionError(
            f"image: {guides} pictures do not fit {maps.shape[0]} maps; give 1 or one for each item"
        )
    rows, columns = maps.shape[-2:]
    guide = image[..., :3].movedim(-1, 1).to(maps)
    if guide.shape[-2:] != size:
        guide = interpolate(guide, size=size, mode="bilinear", antialias=True)
    small = (min(size[0], rows * _CELLS), min(size[1], columns * _CELLS))
    radius = max(1, round(_RADIUS * _CELLS))
    coarse = _interpolate(maps, small, "bilinear", picture).view(-1, guides, 1, *small)
    seen = interpolate(guide, size=small, mode="bilinear", antialias=True)
    slope, offset = _fit(seen, coarse, radius)
    fitted = _box(torch.cat((slope, offset), dim=2).flatten(0, 1), radius)
    followed = []
    # In turn: four planes of full size for each map would be the largest tensors of all.
    for planes in fitted.split(guides):
        full = interpolate(planes, size=size, mode="bilinear")
        followed.append((full[:, :3] * guide).sum(1, keepdim=True) + full[:, 3:])
    return torch.cat(followed)


def _fit(guide: Tensor, maps: Tensor, radius: int) -> tuple[Tensor, Tensor]:
    """Least squares of maps [K, I, 1, h, w] on guide [I, 3, h, w] in every window.

    Returns slopes [K, I, 3, h, w] and offsets [K, I, 1, h, w].
    """
    mean_guide = _box(guide, radius)
    squares = (guide[:, :, None] * guide[:, None]).flatten(1, 2)
    spread = (
        _box(squares, radius).unflatten(1, (3, 3)) - mean_guide[:, :, None] * mean_guide[:, None]
    )
    inverse = torch.linalg.inv(
        spread.movedim((1, 2), (-2, -1)) + _EDGE_VARIANCE * torch.eye(3).to(guide)
    )
    mean_map = _box(maps.flatten(0, 1), radius).view_as(maps)
    product = _box((guide * maps).flatten(0, 1), radius).unflatten(0, maps.shape[:2])
    together = (product - mean_guide * mean_map).movedim(2, -1)
    slope = (inverse @ together[..., None])[..., 0].movedim(-1, 2)
    return slope, mean_map - (slope * mean_guide).sum(2, keepdim=True)


def _box(planes: Tensor, radius: int) -> Tensor:
    """Mean over a square of 2 radius + 1 pixels, cut at the border; planes [..., c, h, w]."""
    width = 2 * radius + 1
    across = avg_pool2d(planes, (1, width), 1, (0, radius), count_include_pad=False)
    return avg_pool2d(across, (width, 1), 1, (radius, 0), count_include_pad=False)
