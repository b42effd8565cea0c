"""The figure of a comparison: both runs' maps, their difference, and the figures beside them."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .board import MUTED, Board, fitted, wrapped
from .colormaps import DIVERGING, colorize_signed
from .compare import Comparison, Figures
from .compare_words import number, shift
from .errors import ConceptAttentionError
from .labels import Caption, captions, line_height
from .overlay import Style, blend
from .resize import resize

_DIFFERENCE = "difference, B - A"
_UNDRAWABLE = "#1"  # what `captions` makes of a single text that no font here can draw


@dataclass(frozen=True)
class Look:
    """How a figure looks.

    names: what the runs are called. panel: pixels of a panel's longer side. reach: the difference
    from which on its colour is full; 0 for the largest share in either run, so that the maps and
    their difference have one scale.
    """

    names: tuple[str, str] = ("A", "B")
    panel: int = 256
    reach: float = 0.0


@dataclass(frozen=True)
class _Layout:
    """Measures in pixels: panels of height x width, text, the gap between, and the words' width."""

    height: int
    width: int
    text: int
    gap: int
    words: int

    def left(self, column: int) -> int:
        return self.gap + column * (self.width + self.gap)

    @property
    def line(self) -> int:
        return line_height(self.text)

    @property
    def row(self) -> int:
        """Height of a concept's row: its name above the panels, seven lines beside them."""
        return self.line + max(self.height, 7 * self.line) + self.gap

    @property
    def across(self) -> int:
        return self.left(3) + self.words + self.gap


def figure(
    comparison: Comparison,
    look: Look,
    image_a: Tensor | None = None,
    image_b: Tensor | None = None,
) -> Tensor:
    """One sheet for each batch item and frame: [items, H, W, 3] in 0..1 on the CPU.

    A row for each concept: its map in A, in B, the difference in diverging colours, and the figures
    in words. image_a, image_b: [I, h, w, 3] in 0..1, the pictures under the maps, one or one for
    each item.

    Raises ConceptAttentionError for another number of pictures, and a look that is out of range.
    """
    if not look.panel >= 64:
        raise ConceptAttentionError(f"panel: {look.panel} pixels are fewer than 64")
    items = comparison.a.shape[1] * comparison.a.shape[2]
    measures = _measures(comparison, look)
    size = (measures.height, measures.width)
    pictures = [
        None if image is None else _pictures(image, items, size, name)
        for image, name in ((image_a, "image_a"), (image_b, "image_b"))
    ]
    shares = [resize(each.flatten(1, 2).cpu(), size) for each in (comparison.a, comparison.b)]
    sheets = []
    for item in range(items):
        under = [None if each is None else each[item if len(each) > 1 else 0] for each in pictures]
        maps = [each[:, item] for each in shares]
        sheets.append(_sheet(comparison, look, measures, item, under, maps))
    return torch.stack(sheets)


def differences(comparison: Comparison, reach: float) -> Tensor:
    """B minus A in diverging colours, [C items, H, W, 3] in 0..1, concept-major; reach: see `Look`.

    Raises ConceptAttentionError for a reach outside 0..1.
    """
    return colorize_signed(comparison.difference.flatten(0, 2), _reach(comparison, reach))


def _reach(comparison: Comparison, reach: float) -> float:
    if not 0 <= reach <= 1:
        raise ConceptAttentionError(f"difference_range: {reach} is not between 0 and 1")
    return reach or _top(comparison)


def _top(comparison: Comparison) -> float:
    return comparison.top or 1.0


def _measures(comparison: Comparison, look: Look) -> _Layout:
    rows, columns = comparison.a.shape[-2:]
    scale = look.panel / max(rows, columns)
    text = max(12, round(look.panel * 0.04 + 4))
    height, width = max(1, round(rows * scale)), max(8 * text, round(columns * scale))
    return _Layout(height, width, text, text, 17 * text)


def _pictures(image: Tensor, items: int, size: tuple[int, int], name: str) -> Tensor:
    if image.shape[0] not in (1, items):
        raise ConceptAttentionError(
            f"{name}: a batch of {image.shape[0]} pictures does not fit {items} compared batch "
            f"items or frames. Give {'1' if items == 1 else f'1 or {items}'}."
        )
    return fitted(image, size)


def _sheet(
    comparison: Comparison,
    look: Look,
    measures: _Layout,
    item: int,
    under: list[Tensor | None],
    maps: list[Tensor],
) -> Tensor:
    gap, line = measures.gap, measures.line
    notes = [
        each
        for note in _notes(comparison)
        for each in wrapped(note, measures.across - 2 * gap, measures.text)
    ]
    pictures = any(each is not None for each in under)
    head = gap + line + (measures.height + gap if pictures else gap // 2)
    foot = line * (1 + len(notes)) + gap
    board = Board(head + measures.row * len(comparison.labels) + foot, measures.across)
    _head(board, comparison, look, measures, item, under)
    for place, caption in enumerate(captions(comparison.labels)):
        top = head + place * measures.row
        board.write(caption, (top, gap), measures.across - 2 * gap, measures.text)
        _panels(board, comparison, look, measures, top + line, under, [m[place] for m in maps])
        _words(board, comparison.figures[place][item], measures, top + line)
    _foot(board, comparison, look, measures, board.image.shape[0] - foot, notes)
    return board.image


def _head(
    board: Board,
    comparison: Comparison,
    look: Look,
    measures: _Layout,
    item: int,
    under: list[Tensor | None],
) -> None:
    """What each column shows, and the plain pictures."""
    names = [
        name if name.text == run else Caption(f"{run}: {name.text}", name.font)
        for run, name in zip("AB", captions(look.names), strict=True)
    ]
    for column, name in enumerate((*names, Caption(_DIFFERENCE))):
        place = (measures.gap, measures.left(column))
        board.write(name, place, measures.width, measures.text, MUTED)
    frames = comparison.a.shape[2]
    parts = [
        f"{what} {number}"
        for what, number, count in (
            ("item", item // frames, comparison.a.shape[1]),
            ("frame", item % frames, frames),
        )
        if count > 1
    ]
    place = (measures.gap, measures.left(3))
    board.write(", ".join(parts), place, measures.words, measures.text, MUTED)
    for column, picture in enumerate(under):
        if picture is not None:
            board.paste(picture, measures.gap + measures.line, measures.left(column))


def _panels(
    board: Board,
    comparison: Comparison,
    look: Look,
    measures: _Layout,
    top: int,
    under: list[Tensor | None],
    maps: list[Tensor],
) -> None:
    """Both maps on one scale, and B minus A."""
    for column, (picture, shares) in enumerate(zip(under, maps, strict=True)):
        beneath = torch.zeros(*shares.shape, 3) if picture is None else picture
        style = Style(opacity=1.0 if picture is None else Style.opacity)
        drawn = blend(beneath[None], shares[None] / _top(comparison), style)[0]
        board.paste(drawn, top, measures.left(column))
    difference = colorize_signed(maps[1] - maps[0], _reach(comparison, look.reach))
    board.paste(difference, top, measures.left(2))


def _words(board: Board, figures: Figures, measures: _Layout, top: int) -> None:
    """The figures, a line each."""
    moved = "none" if figures.moved_share is None else f"{100 * figures.moved_share:.1f} %"
    shares = f"{100 * figures.share_a:.1f} to {100 * figures.share_b:.1f} %"
    rows = (
        ("correlation", number(figures.correlation)),
        ("segments overlap (IoU)", number(figures.iou)),
        ("soft IoU", number(figures.soft_iou)),
        ("share of the picture", shares),
        ("mean difference", f"{figures.mean_difference:.3f}"),
        ("centre moved (of diagonal)", moved),
        ("", shift(figures)),
    )
    for below, (name, value) in enumerate(rows):
        place = (top + below * measures.line, measures.left(3))
        board.row(name, value, place, measures.words, measures.text)


def _foot(
    board: Board, comparison: Comparison, look: Look, measures: _Layout, top: int, notes: list[str]
) -> None:
    """What the colours stand for, and what else to know."""
    reach, text = _reach(comparison, look.reach), measures.text
    both = 2 * measures.width + measures.gap
    ends = ("share 0", f"{_top(comparison):.2g}")
    board.bar("inferno", ends, (top, measures.left(0)), both, text)
    room = measures.width + measures.gap + measures.words
    ends = (f"less in B, -{reach:.2g}", f"+{reach:.2g}, more in B")
    board.bar(DIVERGING, ends, (top, measures.left(2)), room, text)
    for below, note in enumerate(notes, 1):
        place = (top + below * measures.line, measures.gap)
        board.write(captions((note,))[0], place, measures.across - 2 * measures.gap, text, MUTED)


def _notes(comparison: Comparison) -> list[str]:
    notes = []
    for run, only in (("A", comparison.only_a), ("B", comparison.only_b)):
        text = f"Only in {run}: {', '.join(only)}."
        if only:
            drawable = captions((text,))[0].text != _UNDRAWABLE
            notes.append(text if drawable else f"Only in {run}: {len(only)} of its concepts.")
    return [*notes, *comparison.notes]
