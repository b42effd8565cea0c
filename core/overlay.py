"""Heatmaps over a picture: one labelled sheet, or one picture for each concept."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from .colormaps import colorize, table
from .errors import ConceptAttentionError
from .labels import Caption, captions, line, line_height, text_size
from .resize import common_batch, resize
from .types import Heatmaps

Layout = Literal["sheet", "one image per concept"]

BACKGROUND = (24, 24, 27)
TEXT = (236, 236, 238)
MUTED = (150, 150, 156)
LUMA = (0.299, 0.587, 0.114)  # brightness of red, green and blue, ITU-R BT.601
_SHEET_ASPECT = 1.5  # width to height that the columns aim at
_EMPTY_CELL = 1.5  # what an empty share of the sheet weighs against a less fitting aspect


@dataclass(frozen=True)
class Style:
    """How an overlay looks.

    opacity: 0 shows the picture alone, 1 the map alone. colormap: see `colormaps.NAMES`. layout:
    one sheet with the plain picture first, or one image per concept. labels: a line with the
    concept above each panel. legend: a colour bar with the values that its ends stand for.
    """

    opacity: float = 0.7
    colormap: str = "inferno"
    layout: Layout = "sheet"
    labels: bool = True
    legend: bool = True


def overlay(image: Tensor, heatmaps: Heatmaps, style: Style) -> Tensor:
    """The picture with every heatmap over it, [..., H', W', 3] float32 in 0..1 on the maps' device.

    image: [I, H, W, 3] in 0..1. Heatmaps [C, B, F, h, w] have B F items; where one of the two
    numbers is 1 it serves all of the other. "sheet": [items, H', W', 3], the plain picture and C
    panels each. "one image per concept": [C items, H', W', 3], concept-major; H, W exactly without
    labels and legend.

    Raises ConceptAttentionError when both numbers are above 1 and differ, for an opacity outside
    0..1, an unknown layout or colour map.
    """
    if not 0 <= style.opacity <= 1:
        raise ConceptAttentionError(f"opacity: {style.opacity} is not between 0 and 1")
    if style.layout not in get_args(Layout):
        raise ConceptAttentionError(f"layout: '{style.layout}' is not one of {get_args(Layout)}")
    values = heatmaps.values.flatten(1, 2)
    picture, values = _paired(image[..., :3].to(values), values)
    if values.shape[-2:] != picture.shape[1:3]:
        values = resize(values, (picture.shape[1], picture.shape[2]))
    drawn = captions(heatmaps.labels) if style.labels else ()
    if style.layout == "sheet":
        return _sheet(picture, values, heatmaps, drawn, style)
    return torch.cat(
        [
            _single(blend(picture, values[i], style), heatmaps, i, drawn, style)
            for i in range(len(heatmaps.labels))
        ]
    )


def blend(picture: Tensor, values: Tensor, style: Style) -> Tensor:
    """Coloured maps [B, H, W] over a picture [B, H, W, 3]: [B, H, W, 3] in 0..1.

    The picture turns grey by as much as it is covered, so that its colours are not taken for the
    map's.
    """
    grey = (picture * picture.new_tensor(LUMA)).sum(-1, keepdim=True)
    faded = torch.lerp(picture, grey, style.opacity)
    return torch.lerp(faded, colorize(values, style.colormap), style.opacity)


def columns(panels: int, height: int, width: int) -> int:
    """Number of columns that gives panels of a size a sheet of pleasant shape with few gaps."""

    def misfit(count: int) -> float:
        rows = math.ceil(panels / count)
        aspect = count * width / (rows * height)
        gaps = 1 - panels / (count * rows)
        return abs(math.log(aspect / _SHEET_ASPECT)) + _EMPTY_CELL * gaps

    return min(range(1, panels + 1), key=misfit)


def font_pixels(height: int, width: int) -> int:
    """Font size for a panel: 15 pixels at 256, 43 at 1024."""
    return max(12, round(0.036 * min(height, width) + 6))


def _paired(picture: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
    """A picture [B, H, W, 3] and maps [C, B, h, w] with the same B."""
    count = common_batch(picture.shape[0], values.shape[1])
    return picture.expand(count, -1, -1, -1), values.expand(-1, count, -1, -1)


def _sheet(
    picture: Tensor, values: Tensor, heatmaps: Heatmaps, drawn: tuple[Caption, ...], style: Style
) -> Tensor:
    items, height, width, _ = picture.shape
    pixels = font_pixels(height, width)
    margin, head = round(pixels * 0.8), line_height(pixels) if drawn else 0
    across = columns(len(values) + 1, height, width)
    down = math.ceil((len(values) + 1) / across)
    foot = line_height(pixels) + margin // 2 if style.legend else 0
    cell_height, cell_width = head + height + margin, width + margin
    size = (margin + down * cell_height + foot, margin + across * cell_width)
    canvas = _colour(BACKGROUND, picture).expand(items, *size, 3).clone()
    for place in range(len(values) + 1):
        top = margin + place // across * cell_height
        left = margin + place % across * cell_width
        panel = picture if place == 0 else blend(picture, values[place - 1], style)
        canvas[:, top + head : top + head + height, left : left + width] = panel
        if drawn:
            text = _title(drawn, place - 1, heatmaps, (head, width), pixels)
            canvas[:, top : top + head, left : left + width] = text.to(canvas)
    if style.legend:
        bar = _legend(heatmaps, style, size[1] - 2 * margin, pixels)
        top = size[0] - margin // 2 - bar.shape[0]
        canvas[:, top : top + bar.shape[0], margin : margin + bar.shape[1]] = bar.to(canvas)
    return canvas


def _single(
    panel: Tensor, heatmaps: Heatmaps, index: int, drawn: tuple[Caption, ...], style: Style
) -> Tensor:
    """A panel [B, H, W, 3] with its title above and the legend below it."""
    items, height, width, _ = panel.shape
    pixels = font_pixels(height, width)
    inset = min(pixels // 2, width // 8)
    room = width - 2 * inset
    parts = [panel]
    if drawn:
        title = _title(drawn, index, heatmaps, (line_height(pixels), room), pixels)
        parts.insert(0, _inset(title, inset))
    if style.legend:
        parts.append(_inset(_legend(heatmaps, style, room, pixels, index), inset))
    return torch.cat([part.to(panel).expand(items, -1, -1, -1) for part in parts], dim=1)


def _inset(strip: Tensor, inset: int) -> Tensor:
    """A strip [H, W, 3] with background to its left and right."""
    side = _colour(BACKGROUND, strip).expand(strip.shape[0], inset, 3)
    return torch.cat((side, strip, side), dim=1)


def _title(
    drawn: tuple[Caption, ...],
    index: int,
    heatmaps: Heatmaps,
    size: tuple[int, int],
    pixels: int,
) -> Tensor:
    """The line above a panel: the concept, and its range where each has its own. -1: picture."""
    if index < 0:
        return line(size, pixels, Caption("picture"), colours=(MUTED, MUTED))
    pairs = heatmaps.value_range
    own = _range_text(*pairs[index]) if len(pairs) > 1 else ""
    return line(size, pixels, drawn[index], own, (TEXT, MUTED), BACKGROUND)


def _legend(
    heatmaps: Heatmaps, style: Style, width: int, pixels: int, index: int | None = None
) -> Tensor:
    """The colour bar with the values at its ends, [H, W, 3]."""
    pairs = heatmaps.value_range
    own_scales = len(pairs) > 1 and index is None
    low, high = pairs[0 if index is None or len(pairs) == 1 else index]
    ends = ("low", "high") if own_scales else (_number(low), _number(high))
    height, space = line_height(pixels), pixels // 2
    sizes = [text_size(Caption(text), pixels)[0] for text in ends]
    canvas = _colour(BACKGROUND, heatmaps.values).cpu().expand(height, width, 3).clone()
    length = min(width - sum(sizes) - 2 * space, 16 * pixels)
    if length < pixels:
        return canvas
    start, thick = sizes[0] + space, max(2, round(pixels * 0.7))
    top = (height - thick) // 2
    colours = table(style.colormap)[torch.linspace(0, 255, length).round().long()]
    canvas[top : top + thick, start : start + length] = colours
    muted = ((MUTED, MUTED), BACKGROUND)
    canvas[:, : sizes[0]] = line((height, sizes[0]), pixels, Caption(ends[0]), "", *muted)
    after = start + length + space
    rest = ends[1] + ("   each concept on its own scale" if own_scales else "")
    canvas[:, after:] = line((height, width - after), pixels, Caption(rest), "", *muted)
    return canvas


def _range_text(low: float, high: float) -> str:
    return f"{_number(low)} to {_number(high)}"


def _number(value: float) -> str:
    return f"{value:.2g}"


def _colour(colour: tuple[int, int, int], like: Tensor) -> Tensor:
    return torch.tensor(colour).to(like) / 255
