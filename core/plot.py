"""A small line plot, drawn with the pack's own font: values over steps or layers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from .board import Board, plain
from .hues import hues
from .labels import Caption, Colour, captions, line_height, text_size
from .overlay import BACKGROUND, MUTED, TEXT

ACCENT: Colour = (255, 196, 61)  # of what is marked, unlike any line's hue

_FINE = 3  # lines are drawn so many times larger and then reduced, which smooths them
_GRID: Colour = (58, 58, 64)
_PARTS = 4  # of the vertical axis
_MARGIN = 0.03  # of the field, so that the outermost dots are whole
_WIDEST = "0.0000"  # what a number takes at most, so that axes below each other are in line
_NICE = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class Line:
    """A named line; None is a gap."""

    name: str
    values: tuple[float | None, ...]


@dataclass(frozen=True)
class Chart:
    """What a plot shows.

    title: above it. lines: at least one; all as long as ticks. ticks: what is written below each
    place, several lines for each. axes: a name for each of these lines. top: the vertical axis goes
    from 0 to this; None for the next round number above all values. mark: a place that a vertical
    line marks. level: a value that a horizontal one does.
    """

    title: str
    lines: tuple[Line, ...]
    ticks: tuple[tuple[str, ...], ...]
    axes: tuple[str, ...]
    top: float | None = None
    mark: int | None = None
    level: float | None = None


def plot(chart: Chart, size: tuple[int, int], pixels: int) -> Tensor:
    """The chart as a picture [H, W, 3] in 0..1 on the CPU; size: (H, W); pixels: font size."""
    board, height = Board(*size), line_height(pixels)
    top = chart.top or _ceiling(chart.lines)
    marks = [top * part / _PARTS for part in range(_PARTS + 1)]
    names = [f"{mark:.3g}" for mark in marks]
    left = pixels + max(
        text_size(Caption(text), pixels)[0] for text in (*names, *chart.axes, _WIDEST)
    )
    field = (
        size[0] - height * (2 + len(chart.axes)) - pixels,
        size[1] - left - 2 * pixels,
    )
    corner = (2 * height + pixels // 2, left + pixels // 2)
    board.write(captions((chart.title,))[0], (0, 0), size[1], pixels, TEXT)
    _legend(board, chart.lines, (height, corner[1]), size[1] - corner[1], pixels)
    board.paste(_field(chart, field, top), *corner)
    for part, name in enumerate(names):
        middle = corner[0] + round(_upwards(part / _PARTS, field[0] - 1))
        place = (middle - height // 2, 0)
        board.write(name, place, left, pixels, MUTED, "right")
    _ticks(board, chart, (corner[0] + field[0] + pixels // 3, corner[1]), field[1], pixels)
    return board.image


def _legend(
    board: Board, lines: Sequence[Line], place: tuple[int, int], width: int, pixels: int
) -> None:
    """A square in its line's hue before each name, in one line of text."""
    (top, left), square = place, round(pixels * 0.7)
    inset = (line_height(pixels) - square) // 2
    end = left + width
    for entry, hue in zip(lines, hues(len(lines)), strict=True):
        board.paste(hue.expand(square, square, 3)[:, : max(0, end - left)], top + inset, left)
        left += square + pixels // 2
        board.write(entry.name, (top, left), end - left, pixels, MUTED)
        left += text_size(Caption(entry.name), pixels)[0] + pixels
        if left + 2 * square > end:
            break


def _ticks(board: Board, chart: Chart, place: tuple[int, int], width: int, pixels: int) -> None:
    """Names of the places, as many as there is room for, and of the axes before them."""
    top, left = place
    widest = max(text_size(Caption(text), pixels)[0] for tick in chart.ticks for text in tick)
    room = width / max(1, len(chart.ticks) - 1)
    every = max(1, math.ceil((widest + pixels // 2) / room))
    span = widest + pixels // 2
    for place_, tick in enumerate(chart.ticks):
        if place_ % every:
            continue
        middle = left + round(_across(place_, len(chart.ticks), width))
        for row, text in enumerate(tick):
            ink = ACCENT if place_ == chart.mark else MUTED
            start = max(0, min(middle - span // 2, board.image.shape[1] - span))
            board.write(text, (top + row * line_height(pixels), start), span, pixels, ink, "middle")
    for row, name in enumerate(chart.axes):
        board.write(name, (top + row * line_height(pixels), 0), left - span // 2, pixels, MUTED)


def _field(chart: Chart, size: tuple[int, int], top: float) -> Tensor:
    """The grid, the marks and the lines."""
    height, width = size
    fine = Image.new("RGB", (width * _FINE, height * _FINE), BACKGROUND)
    draw = ImageDraw.Draw(fine)
    right, bottom = width * _FINE - 1, height * _FINE - 1
    for part in range(_PARTS + 1):
        y = _upwards(part / _PARTS, bottom)
        draw.line((0, y, right, y), _GRID, _FINE)
    if chart.level is not None:
        y = _upwards(chart.level / top, bottom)
        draw.line((0, y, right, y), MUTED, _FINE)
    if chart.mark is not None:
        x = _across(chart.mark, len(chart.ticks), right)
        draw.line((x, 0, x, bottom), ACCENT, _FINE)
    for entry, hue in zip(chart.lines, hues(len(chart.lines)), strict=True):
        colour = tuple(round(255 * part) for part in hue.tolist())
        places = [
            None
            if value is None
            else (_across(i, len(chart.ticks), right), _upwards(min(1.0, value / top), bottom))
            for i, value in enumerate(entry.values)
        ]
        _draw_line(draw, places, colour)
    smooth = fine.resize((width, height), Image.Resampling.BOX)
    return torch.from_numpy(np.array(smooth)).float() / 255


def _draw_line(
    draw: ImageDraw.ImageDraw,
    places: Sequence[tuple[float, float] | None],
    colour: tuple[int, ...],
) -> None:
    """A line through the places with a dot on each; a gap where there is none."""
    for one, other in pairwise(places):
        if one is not None and other is not None:
            draw.line((*one, *other), colour, 2 * _FINE)
    radius = 2.5 * _FINE
    for place in places:
        if place is not None:
            x, y = place
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), colour)


def _across(place: int, count: int, width: int) -> float:
    """Where a place is on a width; a single one is in the middle."""
    inset = width * _MARGIN
    return width / 2 if count == 1 else inset + (width - 2 * inset) * place / (count - 1)


def _upwards(part: float, height: int) -> float:
    """Where a part of the vertical axis is on a height, from above."""
    inset = height * _MARGIN
    return height - inset - (height - 2 * inset) * part


def _ceiling(lines: Sequence[Line]) -> float:
    """The next round number above all values."""
    most = max((value for each in lines for value in each.values if value is not None), default=0.0)
    if most <= 0:
        return 1.0
    unit = 10.0 ** math.floor(math.log10(most))
    return next(unit * nice for nice in _NICE if unit * nice >= most)


def stacked(rows: Sequence[Sequence[Tensor]], gap: int) -> Tensor:
    """Pictures [H, W, 3] of one size in rows, with gaps around them; shorter rows end early."""
    height, width = rows[0][0].shape[:2]
    across = max(len(row) for row in rows)
    canvas = plain((gap + len(rows) * (height + gap), gap + across * (width + gap)))
    for down, row in enumerate(rows):
        for right, picture in enumerate(row):
            top, left = gap + down * (height + gap), gap + right * (width + gap)
            canvas[top : top + height, left : left + width] = picture
    return canvas
