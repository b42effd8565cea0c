"""The pictures of a timeline: a contact sheet of layers and steps, and an animation over steps."""

from typing import Literal, get_args

import torch
from torch import Tensor

from .board import Board, fitted, wrapped
from .errors import ConceptAttentionError
from .labels import Caption, captions, line_height, text_size
from .overlay import MUTED, TEXT, Style, blend, font_pixels
from .plot import ACCENT
from .resize import resize
from .timeline import Timeline
from .timeline_words import answer, layer_name, sigma

Window = Literal["at each step", "up to each step"]

_TEXT = 13  # pixels, of the contact sheet
_CELL = (28, 128)  # pixels of a cell's longer side: at least, at most
_WIDTH = 1500  # that all cells together aim at
_MEAN = "mean"


def contact_sheet(timeline: Timeline, image: Tensor | None = None) -> Tensor:
    """The concept in every layer (rows) and at every step (columns), [H, W, 3] in 0..1 on the CPU.

    The last row and column are the means; all cells have one scale of colours. image: [h, w, 3] in
    0..1, under every cell.
    """
    cells = torch.cat((timeline.maps.cells, timeline.maps.by_layer[None]))
    means = torch.cat((timeline.maps.by_step, timeline.maps.whole[None]))
    cells = torch.cat((cells, means[:, None]), 1)
    names = [*map(layer_name, timeline.layers), _MEAN]
    side = max(text_size(Caption(name), _TEXT)[0] for name in names) + _TEXT
    size = _cell(timeline.picture, len(cells))
    gap, line = 3, line_height(_TEXT)
    head = _TEXT + 3 * line
    width = 2 * _TEXT + side + len(cells) * (size[1] + gap)
    notes = wrapped(answer(timeline), width - 2 * _TEXT, _TEXT)
    height = head + len(names) * (size[0] + gap) + line * (1 + len(notes)) + 2 * _TEXT
    board = Board(height, width)
    _column_names(board, timeline, (_TEXT, _TEXT + side), size[1] + gap, side)
    drawn = _painted(resize(cells, size, picture=timeline.picture), timeline.top, image)
    for row, name in enumerate(names):
        top = head + row * (size[0] + gap)
        middle = top + (size[0] - line) // 2
        board.write(name, (middle, _TEXT), side, _TEXT, MUTED)
        for column in range(len(cells)):
            board.paste(drawn[column, row], top, _TEXT + side + column * (size[1] + gap))
    foot = head + len(names) * (size[0] + gap) + _TEXT // 2
    ends = ("share 0", f"{timeline.top:.2g}")
    board.bar("inferno", ends, (foot, _TEXT), width - 2 * _TEXT, _TEXT)
    for number, note in enumerate(notes, 1):
        place = (foot + number * line, _TEXT)
        board.write(captions((note,))[0], place, width - 2 * _TEXT, _TEXT, TEXT)
    return board.image


def film(timeline: Timeline, window: Window, image: Tensor | None = None) -> Tensor:
    """A frame for each step, [S, H, W, 3] in 0..1 on the CPU, all on one scale of colours.

    window: the map at each step, or that of all steps up to it. image: [h, w, 3] in 0..1, under the
    maps, which then have its size; else they have the picture's. Raises ConceptAttentionError for
    an unknown window.
    """
    if window not in get_args(Window):
        raise ConceptAttentionError(f"animation: '{window}' is not one of {get_args(Window)}")
    maps = timeline.maps.by_step if window == "at each step" else timeline.maps.so_far
    size = timeline.picture if image is None else (image.shape[0], image.shape[1])
    pixels = font_pixels(*size)
    frames = []
    for place in range(len(maps)):
        full = resize(maps[place], size, picture=timeline.picture)
        panel = _painted(full, timeline.top, image)
        frames.append(_frame(timeline, place, panel, pixels, window))
    return torch.stack(frames)


def _frame(timeline: Timeline, place: int, panel: Tensor, pixels: int, window: Window) -> Tensor:
    """A panel [H, W, 3] with the step above and how far the run has come below."""
    height, width = panel.shape[:2]
    line, inset = line_height(pixels), min(pixels // 2, width // 8)
    board = Board(2 * line + height, width)
    now = "step" if window == "at each step" else "up to step"
    note = f"{now} {timeline.steps[place]}, sigma {sigma(timeline.sigmas[place])}"
    room = text_size(Caption(note), pixels)[0] + 2
    inner = width - 2 * inset
    if room <= inner * 0.75:
        board.write(note, (0, inset), inner, pixels, MUTED, "right")
        board.write(captions((timeline.label,))[0], (0, inset), inner - room - pixels, pixels)
    else:
        board.write(note, (0, inset), inner, pixels, MUTED)
    board.paste(panel, line, 0)
    _progress(board, timeline, place, (line + height, inset), inner, pixels)
    return board.image


def _progress(
    board: Board,
    timeline: Timeline,
    place: int,
    corner: tuple[int, int],
    width: int,
    pixels: int,
) -> None:
    """A box for each step, filled up to the present one; from the decided one on in the accent."""
    count = len(timeline.steps)
    top = corner[0] + (line_height(pixels) - pixels // 2) // 2
    for step in range(count):
        left, right = (corner[1] + width * end // count for end in (step, step + 1))
        found = timeline.decided is not None and step >= timeline.decided
        ink = (58, 58, 64) if step > place else ACCENT if found else MUTED
        box = (torch.tensor(ink) / 255).expand(max(2, pixels // 2), max(1, right - left - 1), 3)
        board.paste(box, top, left)


def _column_names(
    board: Board, timeline: Timeline, place: tuple[int, int], pitch: int, side: int
) -> None:
    """Title, step and noise level above the columns; the step that decided in the accent."""
    top, left = place
    line = line_height(_TEXT)
    title = captions((f"{timeline.label}: its share in each layer and at each step",))[0]
    board.write(title, (top, _TEXT), board.image.shape[1] - 2 * _TEXT, _TEXT)
    for row, name in enumerate(("step", "sigma")):
        board.write(name, (top + (row + 1) * line, _TEXT), side, _TEXT, MUTED)
    for column in range(len(timeline.steps) + 1):
        last = column == len(timeline.steps)
        ink = ACCENT if column == timeline.decided else MUTED
        texts = (_MEAN,) if last else (str(timeline.steps[column]), sigma(timeline.sigmas[column]))
        for row, text in enumerate(texts):
            corner = (top + (row + 1) * line, left + column * pitch)
            board.write(text, corner, pitch - 3, _TEXT, ink, "middle")


def _cell(picture: tuple[int, int], columns: int) -> tuple[int, int]:
    """Height and width of a cell in the picture's proportion."""
    longer = min(max(_WIDTH // columns, _CELL[0]), _CELL[1])
    scale = longer / max(picture)
    return max(4, round(picture[0] * scale)), max(_CELL[0], round(picture[1] * scale))


def _painted(maps: Tensor, top: float, image: Tensor | None) -> Tensor:
    """Maps [..., H, W] in colour, [..., H, W, 3], over the picture [h, w, 3] if there is one."""
    flat = maps.reshape(-1, *maps.shape[-2:]) / (top or 1.0)
    size = (flat.shape[-2], flat.shape[-1])
    if image is None:
        drawn = blend(flat.new_zeros(1, *size, 3), flat, Style(opacity=1.0))
    else:
        drawn = blend(fitted(image[None], size), flat, Style())
    return drawn.view(*maps.shape, 3)
