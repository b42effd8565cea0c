"""A dark sheet on which panels, lines of text and colour bars are put: what figures are made of."""

from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from .colormaps import table
from .labels import Caption, Colour, line, line_height, text_size
from .overlay import BACKGROUND, MUTED, TEXT

Align = Literal["left", "middle", "right"]

__all__ = ["MUTED", "TEXT", "Align", "Board", "fitted", "plain", "wrapped"]


class Board:
    """A sheet being made; `image` is [H, W, 3] in 0..1 on the CPU."""

    def __init__(self, height: int, width: int):
        self.image = plain((height, width))

    def paste(self, picture: Tensor, top: int, left: int) -> None:
        """Put a picture [h, w, 3] with its first pixel at a place."""
        height, width = picture.shape[:2]
        self.image[top : top + height, left : left + width] = picture.to(self.image)

    def write(
        self,
        text: str | Caption,
        place: tuple[int, int],
        width: int,
        pixels: int,
        ink: Colour = TEXT,
        align: Align = "left",
    ) -> None:
        """Write a line of text into a width, made smaller and then cut where it does not fit.

        place: (top, left) of the room. pixels: font size; the line is `line_height` high.
        """
        caption = Caption(text) if isinstance(text, str) else text
        if width < 1 or not caption.text:
            return
        length = min(width, text_size(caption, pixels)[0] + 2)
        shift = {"left": 0, "middle": (width - length) // 2, "right": width - length}[align]
        drawn = line((line_height(pixels), length), pixels, caption, "", (ink, ink), BACKGROUND)
        self.paste(drawn, place[0], place[1] + shift)

    def row(self, name: str, value: str, place: tuple[int, int], width: int, pixels: int) -> None:
        """Write a name in muted ink at the left of a width, and its value at the right."""
        room = min(width, text_size(Caption(value), pixels)[0] + 2)
        self.write(name, place, width - room - pixels // 2, pixels, MUTED)
        self.write(value, (place[0], place[1] + width - room), room, pixels, align="right")

    def bar(
        self,
        colormap: str,
        ends: tuple[str, str],
        place: tuple[int, int],
        width: int,
        pixels: int,
    ) -> None:
        """Draw a colour bar with a text at each end, in a line of text's height."""
        sizes = [text_size(Caption(text), pixels)[0] + 2 for text in ends]
        space, (top, left) = pixels // 2, place
        length = min(width - sum(sizes) - 2 * space, 14 * pixels)
        if length < pixels:
            return
        thick = max(2, round(pixels * 0.7))
        colours = table(colormap)[torch.linspace(0, 255, length).round().long()]
        self.write(ends[0], place, sizes[0], pixels, MUTED)
        start = left + sizes[0] + space
        middle = top + (line_height(pixels) - thick) // 2
        self.paste(colours.expand(thick, -1, -1), middle, start)
        after = start + length + space
        self.write(ends[1], (top, after), left + width - after, pixels, MUTED)


def plain(size: tuple[int, int], colour: Colour = BACKGROUND) -> Tensor:
    """A picture [H, W, 3] of one colour."""
    return (torch.tensor(colour) / 255).expand(*size, 3).clone()


def fitted(picture: Tensor, size: tuple[int, int]) -> Tensor:
    """Pictures [I, H, W, 3 or more] at a size (height, width), the first three channels."""
    planes = picture[..., :3].float().cpu().movedim(-1, 1)
    if planes.shape[-2:] != size:
        smaller = size[0] < planes.shape[-2] or size[1] < planes.shape[-1]
        planes = interpolate(planes, size=size, mode="bilinear", antialias=smaller)
    return planes.movedim(1, -1).clamp(0.0, 1.0)


def wrapped(text: str, width: int, pixels: int) -> list[str]:
    """The text's words in lines that fit into a width."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_size(Caption(longer), pixels)[0] <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
