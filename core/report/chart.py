"""A report as a chart: a bar for each concept, and boxes on the picture."""

import torch
from torch import Tensor

from ..board import Board, fitted, plain
from ..errors import ConceptAttentionError
from ..hues import hues
from ..labels import Caption, captions, line_height, number_legend
from ..overlay import MUTED, TEXT
from .account import Finding, Item, Report
from .text import verdict_text

_PIXELS = 15  # font size
_LINE = line_height(_PIXELS)
_ROW = 2 * _LINE + 8
_MARGIN, _GAP = 16, 14
_LABEL, _BAR, _WORDS = 150, 260, 250  # widths
_RAIL = (52, 52, 58)
_GOOD, _BAD = (120, 200, 140), (240, 110, 100)
_LEAST_HEIGHT = 256  # of the picture beside the bars
_WIDEST = 2.0  # widths of that picture to the height there is; a wider one is made smaller


def chart(report: Report, image: Tensor | None = None) -> Tensor:
    """One chart for each batch item: [B, H', W', 3] in 0..1 on the CPU.

    image: [I, h, w, 3] in 0..1, I being 1, the batch items, or all their frames (of which that with
    the highest score of a concept that is there is shown). Boxes are those of concepts that are not
    absent in that frame. Raises ConceptAttentionError for another number of pictures.
    """
    tables = torch.stack([_table(report, number) for number in range(len(report.items))])
    if image is None:
        return tables
    shown = [_picture(report, number, image, tables.shape[1]) for number in range(len(tables))]
    height = max(tables.shape[1], shown[0].shape[0])
    pictures = torch.stack([_tall(picture, height) for picture in shown])
    return torch.cat((pictures, torch.stack([_tall(each, height) for each in tables])), dim=2)


def _table(report: Report, number: int) -> Tensor:
    item = report.items[number]
    width = 2 * _MARGIN + _LABEL + _BAR + _WORDS + 2 * _GAP
    foot = 2 if report.checks else 1
    height = 2 * _MARGIN + len(item.findings) * _ROW + foot * _LINE
    board = Board(height, width)
    labels = [finding.label for finding in item.findings]
    drawn = dict(zip(labels, captions(labels), strict=True))
    colours = hues(len(item.findings))
    for i, finding in enumerate(item.findings):
        top = _MARGIN + i * _ROW
        _row(board, top, finding, drawn, colours[i])
    _scale(board, height - _MARGIN - foot * _LINE, len(item.findings), report)
    if report.checks:
        _result(board, height - _MARGIN - _LINE, number, report)
    return board.image


def _row(
    board: Board, top: int, finding: Finding, drawn: dict[str, Caption], colour: Tensor
) -> None:
    """A concept: its name, its bar, the verdict, and beneath it where and how much."""
    ink = MUTED if finding.is_null else TEXT
    board.write(drawn[finding.label], (top, _MARGIN), _LABEL, _PIXELS, ink)
    left, thick = _MARGIN + _LABEL + _GAP, _LINE - 8
    board.paste(plain((thick, _BAR), _RAIL), top + 4, left)
    length = round(_BAR * min(1.0, finding.score))
    shade = plain((thick, length), MUTED) if finding.is_null else colour.expand(thick, length, 3)
    board.paste(shade, top + 4, left)
    words = left + _BAR + _GAP
    board.write(_verdict(finding, drawn), (top, words), _WORDS, _PIXELS, TEXT)
    if finding.verdict not in ("absent", None):
        place = f"{finding.best.place}, {100 * finding.share:.0f} % of the picture"
        board.write(place, (top + _LINE, words), _WORDS, _PIXELS, MUTED)


def _verdict(finding: Finding, drawn: dict[str, Caption]) -> Caption:
    """Score and verdict; a rival whose name no font has beside ours is named as its own row is."""
    text = f"{finding.score:.2f}  {verdict_text(finding)}"
    (caption,) = captions([text])
    if not number_legend([text], [caption]):
        return caption
    return Caption(f"{finding.score:.2f}  confused with {drawn[finding.rival or ''].text}")


def _scale(board: Board, top: int, rows: int, report: Report) -> None:
    """The threshold's line through all bars, and its name under them."""
    left = _MARGIN + _LABEL + _GAP
    at = left + min(_BAR - 1, round(_BAR * report.settings.threshold))
    board.paste(plain((rows * _ROW, 1), TEXT), _MARGIN, at)
    text = f"threshold {report.settings.threshold:.2f}"
    board.write(text, (top, left), _BAR, _PIXELS, MUTED)


def _result(board: Board, top: int, number: int, report: Report) -> None:
    checks = [check for check in report.checks if check.item == number]
    failed = [check.finding.label for check in checks if not check.passed]
    text = f"FAILED: {len(failed)} of {len(checks)} checks" if failed else "PASSED"
    width = board.image.shape[1] - 2 * _MARGIN
    board.write(text, (top, _MARGIN), width, _PIXELS, _BAD if failed else _GOOD)


def _picture(report: Report, number: int, image: Tensor, height: int) -> Tensor:
    """The picture of a batch item [h, w, 3] with its boxes, with a margin to its left."""
    item = report.items[number]
    frame = _frame(item)
    shown = image[_index(report, number, frame, image.shape[0])]
    tall = max(height - 2 * _MARGIN, _LEAST_HEIGHT)
    tall = max(1, min(tall, round(_WIDEST * tall * shown.shape[0] / shown.shape[1])))
    size = (tall, max(1, round(tall * shown.shape[1] / shown.shape[0])))
    canvas = fitted(shown[None], size)[0].contiguous()
    colours = hues(len(item.findings))
    for finding, colour in zip(item.findings, colours, strict=True):
        if finding.verdict not in ("absent", None):
            _outline(canvas, finding.frames[frame].box, colour, report.size)
    framed = Board(size[0] + 2 * _MARGIN, size[1] + _MARGIN)
    framed.paste(canvas, _MARGIN, _MARGIN)
    return framed.image


def _frame(item: Item) -> int:
    """The frame with the highest score of a concept that is there, else of any."""
    there = [each for each in item.findings if each.verdict not in ("absent", None)]
    return max(there or item.findings, key=lambda each: each.raw_score).frame


def _index(report: Report, number: int, frame: int, pictures: int) -> int:
    items, frames = len(report.items), report.frames
    if pictures == 1:
        return 0
    if pictures == items * frames:
        return number * frames + frame
    if pictures == items:
        return number
    raise ConceptAttentionError(
        f"image: a batch of {pictures} pictures does not fit heatmaps of {items} batch items with "
        f"{frames} frames each; give 1, {items} or {items * frames}"
    )


def _outline(
    canvas: Tensor, box: tuple[int, int, int, int], colour: Tensor, size: tuple[int, int]
) -> None:
    """A frame of two pixels, at the box's place in a picture of another size than the maps."""
    down, across = canvas.shape[0] / size[0], canvas.shape[1] / size[1]
    x, y, width, height = box
    left, right = round(x * across), max(round((x + width) * across), round(x * across) + 1)
    top, bottom = round(y * down), max(round((y + height) * down), round(y * down) + 1)
    for rows, columns in (
        (slice(top, min(top + 2, bottom)), slice(left, right)),
        (slice(max(bottom - 2, top), bottom), slice(left, right)),
        (slice(top, bottom), slice(left, min(left + 2, right))),
        (slice(top, bottom), slice(max(right - 2, left), right)),
    ):
        canvas[rows, columns] = colour


def _tall(picture: Tensor, height: int) -> Tensor:
    """The picture with background beneath it, up to a height."""
    rest = plain((height - picture.shape[0], picture.shape[1]))
    return torch.cat((picture, rest), dim=0)
