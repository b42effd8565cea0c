"""The picture of a live preview: the maps as far as they have come, over the picture so far."""

import time
from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from .decode import shares
from .errors import ConceptAttentionError
from .hues import hues
from .labels import captions, line, line_height, text_size
from .overlay import BACKGROUND as DARK
from .overlay import LUMA, MUTED, TEXT, Style, font_pixels, overlay
from .resize import resize
from .segments import NOBODY, rivals, strongest
from .types import Capture, Heatmaps

_COVER = 0.5  # of a segment's hue over the picture, which stays to be seen


class Throttle:
    """Lets through at most one call in `interval` seconds, beside the first and the last."""

    def __init__(self, interval: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval = interval
        self._clock = clock
        self._before: float | None = None

    def due(self, last: bool) -> bool:
        """Whether this call is let through."""
        now = self._clock()
        if self._before is not None and not last and now - self._before < self._interval:
            return False
        self._before = now
        return True


def chosen(concept: str, capture_labels: Sequence[str], background: Sequence[bool]) -> str:
    """The label of a concept that the user named, or the first one's for an empty text.

    Raises ConceptAttentionError, listing the labels there are, for one that is not among them.
    """
    pairs = zip(capture_labels, background, strict=True)
    labels = [label for label, hidden in pairs if not hidden]
    label = concept.strip() or labels[0]
    if label not in labels:
        raise ConceptAttentionError(
            f"live_concept: '{label}' is not one of the concepts. Allowed: {', '.join(labels)}, or "
            "empty for the first one."
        )
    return label


def draw(
    capture: Capture | None, picture: Tensor | None, concept: str | None, longest: int
) -> Tensor | None:
    """What was captured so far over a picture, [H', W', 3] in 0..1 on the CPU.

    The first batch item's first frame, decoded with the family's defaults. picture: [H, W, 3] in
    0..1 of any size; without it the maps stand alone, and without a capture the picture does; None
    without both. concept: whose map is shown; None for the winner of every place, where the
    background lets the picture through. longest: side of the picture in pixels, which a legend is
    added to.
    """
    if capture is None:
        return None if picture is None else _sized(picture, _fit(picture.shape[:2], longest))
    # The one transfer from the device: a number for each concept and token of the grid.
    maps = shares(capture)[0, :, : capture.grid[1] * capture.grid[2]].cpu()
    maps = maps.unflatten(-1, capture.grid[1:]).nan_to_num(0.0)  # what overflowed is no map
    size = _fit(capture.picture, longest)
    under = None if picture is None else _sized(picture, size)
    if concept is None:
        return _segments(capture, maps, size, under)
    own = maps[capture.labels.index(concept)][None]
    maps = resize(own, size, picture=capture.picture)
    heatmaps = Heatmaps(maps[:, None, None], (concept,), ((0.0, 1.0),))
    alone = under is None
    style = Style(layout="one image per concept", opacity=1.0 if alone else Style.opacity)
    beneath = maps.new_zeros(1, *size, 3) if under is None else under[None]
    return overlay(beneath, heatmaps, style)[0]


def _segments(
    capture: Capture, maps: Tensor, size: tuple[int, int], under: Tensor | None
) -> Tensor:
    """The winner of every pixel in its hue, see `segments.winners`, with a legend below.

    maps: [C, H, W] on the token grid. under: of the size.
    """
    shown, background = rivals(maps, capture.background)
    # Nobody wins where no share is above 0, which without a background is where scores overflowed.
    rest = torch.zeros_like(maps[0]) if background is None else background
    sized = (resize(each, size, picture=capture.picture) for each in (shown, rest))
    winner = strongest(*sized)
    colours = hues(len(shown))
    clear = winner == NOBODY
    if under is None:
        plain = (maps.new_tensor(DARK) / 255).expand(*winner.shape, 3)
        drawn = colours[winner]
    else:
        plain = under
        # Grey beneath, as under a heatmap, so that no colour of the picture is taken for a hue.
        grey = (under * under.new_tensor(LUMA)).sum(-1, keepdim=True)
        drawn = torch.lerp(grey, colours[winner], _COVER)
    canvas = torch.where(clear[..., None], plain, drawn)
    pixels = winner[~clear].bincount(minlength=len(shown)).tolist()
    labels = [capture.labels[i] for i in capture.shown]
    seen = [count > 0 for count in pixels]
    return torch.cat((canvas, _legend(labels, seen, colours, canvas.shape[1])))


def _legend(labels: Sequence[str], seen: Sequence[bool], colours: Tensor, width: int) -> Tensor:
    """Hue and name of every concept in lines of a width, [H, W, 3]; unseen ones are muted."""
    pixels = font_pixels(width, width)
    height, square, gap = line_height(pixels), round(pixels * 0.7), pixels // 2
    lines, x = [_strip(height, width)], gap
    for caption, visible, colour in zip(captions(labels), seen, colours, strict=True):
        length = max(0, min(text_size(caption, pixels)[0] + 1, width - square - 3 * gap))
        if x > gap and x + square + gap + length > width:
            lines, x = [*lines, _strip(height, width)], gap
        top, start = (height - square) // 2, x + square + gap
        lines[-1][top : top + square, x : x + square] = colour
        ink = TEXT if visible else MUTED
        if length:  # a very narrow picture has room for the hue alone
            name = line((height, length), pixels, caption, colours=(ink, ink), background=DARK)
            lines[-1][:, start : start + length] = name
        x = start + length + 2 * gap
    return torch.cat(lines)


def _strip(height: int, width: int) -> Tensor:
    return (torch.tensor(DARK) / 255).expand(height, width, 3).clone()


def _fit(size: Sequence[int], longest: int) -> tuple[int, int]:
    """A size (height, width) in proportion whose longer side is `longest`."""
    scale = longest / max(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _sized(picture: Tensor, size: tuple[int, int]) -> Tensor:
    """A picture [H, W, 3] at a size, on the CPU."""
    planes = picture[..., :3].float().cpu().movedim(-1, 0)[None]
    smaller = size[0] < picture.shape[0] or size[1] < picture.shape[1]
    return interpolate(planes, size=size, mode="bilinear", antialias=smaller)[0].movedim(0, -1)
