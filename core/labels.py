"""Text on pictures that is never a row of boxes.

A label is drawn with the shipped font, else with a font of the system that has all of its
characters, else as a number that `number_legend` explains.
"""

import bisect
import os
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont, features
from torch import Tensor

SHIPPED = Path(__file__).parent / "fonts" / "DejaVuSansCondensed.ttf"

Colour = tuple[int, int, int]

_SUFFIXES = {".ttf", ".otf", ".ttc"}
_PROBE = 16  # pixels; large enough for any two characters to look different
_SMALLEST = 0.7  # of the wanted size; longer texts are cut instead
_NOT_A_CHARACTER = "\U0010ffff"  # draws the glyph that a font shows for what it lacks


@dataclass(frozen=True)
class Caption:
    """A text that can be drawn, and the font that has its characters."""

    text: str
    font: Path = SHIPPED


def captions(labels: Sequence[str], folders: Sequence[Path] | None = None) -> tuple[Caption, ...]:
    """One drawable caption for each label: the label itself, or "#" and its number from 1.

    folders: where to look for system fonts; None for the system's own places.
    """
    places = tuple(font_folders() if folders is None else folders)
    found = []
    for number, label in enumerate(labels, 1):
        text = _one_line(label)
        font = _font_for(text, places, features.check("raqm"))
        found.append(Caption(text, font) if font else Caption(f"#{number}"))
    return tuple(found)


def number_legend(labels: Sequence[str], drawn: Sequence[Caption]) -> tuple[str, ...]:
    """One line such as "#2 = label" for each label that is drawn as a number."""
    return tuple(
        f"{caption.text} = {label}"
        for label, caption in zip(labels, drawn, strict=True)
        if caption.text != _one_line(label)
    )


def text_size(caption: Caption, pixels: int) -> tuple[int, int]:
    """Width and height in pixels of a caption at a font size."""
    left, _, right, _ = _load(caption.font, pixels).getbbox(caption.text)
    return int(right - left), line_height(pixels)


def line_height(pixels: int) -> int:
    """Height in pixels of a line of text at a font size, the space above and below included."""
    return round(pixels * 1.6)


def line(
    size: tuple[int, int],
    pixels: int,
    left: Caption,
    right: str = "",
    colours: tuple[Colour, Colour] = ((236, 236, 238), (150, 150, 156)),
    background: Colour = (24, 24, 27),
) -> Tensor:
    """A line of text as an image [H, W, 3] in 0..1 on the CPU.

    size: (H, W). pixels: font size. left: text at the left in the first colour, made smaller and
    then cut with an ellipsis where it does not fit. right: text at the right in the second colour,
    left out where it would take more than half of the width.
    """
    height, width = size
    picture = Image.new("RGB", (width, height), background)
    draw = ImageDraw.Draw(picture)
    room = width
    if right:
        note = Caption(right)
        needed = text_size(note, pixels)[0]
        if needed <= width / 2:
            draw.text((width, height / 2), right, colours[1], _load(SHIPPED, pixels), anchor="rm")
            room = width - needed - pixels // 2
    text, font = _fitted(left, pixels, room)
    draw.text((0, height / 2), text, colours[0], font, anchor="lm")
    return torch.from_numpy(np.array(picture)).float() / 255


def font_folders() -> list[Path]:
    """The folders in which this system keeps its fonts."""
    home = Path.home()
    if sys.platform == "win32":
        roots = [Path(os.environ.get("WINDIR", "C:/Windows")) / "Fonts"]
        return [*roots, home / "AppData/Local/Microsoft/Windows/Fonts"]
    if sys.platform == "darwin":
        return [Path("/System/Library/Fonts"), Path("/Library/Fonts"), home / "Library/Fonts"]
    shared = os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
    own = [home / ".local/share/fonts", home / ".fonts"]
    return [*own, *(Path(folder) / "fonts" for folder in shared.split(":") if folder)]


def _one_line(label: str) -> str:
    # Composed letters, which every font draws well; a label keeps its spelling everywhere else.
    return unicodedata.normalize("NFC", " ".join(label.split()))


@lru_cache(maxsize=256)
def _font_for(text: str, folders: tuple[Path, ...], shaping: bool) -> Path | None:
    if not shaping and _needs_shaping(text):
        return None
    wanted = {char for char in text if _visible(char)}
    if not shaping and any(not _visible(char) and char != " " for char in text):
        return None
    if _covers(SHIPPED, wanted):
        return SHIPPED
    return next((font for font in _system_fonts(folders) if _covers(font, wanted)), None)


def _needs_shaping(text: str) -> bool:
    """Whether the letters of text join, stack or run from right to left."""
    return any(
        unicodedata.bidirectional(char) in ("R", "AL", "AN") or unicodedata.category(char)[0] == "M"
        for char in text
    )


def _visible(char: str) -> bool:
    """Whether a font needs a glyph for it: not for spaces, joiners and variation selectors."""
    selector = "\ufe00" <= char <= "\ufe0f"
    return not (char.isspace() or selector or unicodedata.category(char) == "Cf")


def _covers(path: Path, chars: set[str]) -> bool:
    try:
        # Without shaping a character is drawn by its own glyph and nothing else.
        font = ImageFont.truetype(path, _PROBE, layout_engine=ImageFont.Layout.BASIC)
    except OSError:
        # Broken, or a colour bitmap font of one fixed size; neither can draw our text.
        return False
    lacking = (_drawn(_NOT_A_CHARACTER, font), _drawn("", font))
    return all(_drawn(char, font) not in lacking for char in chars)


def _drawn(char: str, font: ImageFont.FreeTypeFont) -> bytes:
    picture = Image.new("L", (4 * _PROBE, 4 * _PROBE))
    ImageDraw.Draw(picture).text((_PROBE, _PROBE), char, 255, font)
    return picture.tobytes()


@lru_cache(maxsize=4)
def _system_fonts(folders: tuple[Path, ...]) -> tuple[Path, ...]:
    """Font files, plain sans-serif faces first."""
    found = {path for folder in folders for path in _files(folder)}
    return tuple(sorted(found, key=lambda path: (-_plainness(path.stem.lower()), str(path))))


def _files(folder: Path) -> Iterator[Path]:
    for place, _, names in os.walk(folder):
        for name in names:
            path = Path(place) / name
            # The system's font of last resort has a box for everything.
            if path.suffix.lower() in _SUFFIXES and "lastresort" not in name.lower():
                yield path


def _plainness(name: str) -> int:
    liked = sum(word in name for word in ("sans", "gothic", "hei", "regular", "ui"))
    return liked - 2 * sum(word in name for word in ("bold", "italic", "oblique", "mono", "serif"))


@lru_cache(maxsize=64)
def _load(path: Path, pixels: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, pixels)


def _fitted(caption: Caption, pixels: int, room: int) -> tuple[str, ImageFont.FreeTypeFont]:
    """The caption and a font in which it is at most room pixels wide."""
    needed = text_size(caption, pixels)[0]
    if needed <= room:
        return caption.text, _load(caption.font, pixels)
    size = max(round(pixels * _SMALLEST), int(pixels * room / needed))
    dots = "\u2026" if _covers(caption.font, {"\u2026"}) else "..."
    font = _load(caption.font, size)

    def cut(kept: int) -> str:
        text = caption.text[:kept].rstrip()
        return text and text + dots

    def wide(text: str) -> bool:
        return text_size(Caption(text, caption.font), size)[0] > room

    if not wide(caption.text):
        return caption.text, font
    # The longest beginning that fits, by halving: a label may have thousands of letters.
    lengths = range(1, len(caption.text))
    return cut(bisect.bisect_left(lengths, True, key=lambda kept: wide(cut(kept)))), font
