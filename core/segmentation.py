"""The segmentation as a picture: every concept in its own hue, with a legend."""

import torch
from torch import Tensor

from .coverage import percent
from .errors import ConceptAttentionError
from .hues import hues
from .labels import Caption, captions, line, line_height, text_size
from .overlay import BACKGROUND, LUMA, MUTED, TEXT, font_pixels
from .resize import common_batch
from .segments import NOBODY, has_rivals, winners
from .types import Heatmaps

_NOBODY_S = "background"
_NO_RIVAL = "no rival"


def segmentation(
    heatmaps: Heatmaps,
    image: Tensor | None = None,
    opacity: float = 0.6,
    legend: bool = True,
) -> Tensor:
    """Every pixel in the hue of its winner, [items, H', W', 3] float32 in 0..1 on the maps' device.

    Hues are those of the viewer, by a concept's place in the heatmaps; what nobody wins is dark.
    image: [I, H, W, 3] in 0..1, of the maps' size; the hues lie over it in grey. Heatmaps have B F
    items; where one of I and B F is 1 it serves all of the other. opacity: 0 shows the picture
    alone, 1 the hues alone, as without an image. legend: below the picture, every concept with the
    part of the picture that it wins; without it the size is H, W. A concept without a rival, see
    `segments.winners`, is said to have none and wins nothing.

    Raises ConceptAttentionError when both numbers are above 1 and differ, and for an opacity
    outside 0..1.
    """
    if not 0 <= opacity <= 1:
        raise ConceptAttentionError(f"opacity: {opacity} is not between 0 and 1")
    won = _winners(heatmaps).flatten(0, 1)
    colours = torch.cat((hues(len(heatmaps.labels)), torch.tensor([BACKGROUND]) / 255))
    drawn = colours.to(won.device)[won]  # NOBODY, -1, is the last colour
    if image is not None:
        picture = image[..., :3].to(drawn)
        count = common_batch(picture.shape[0], drawn.shape[0])
        grey = (picture * picture.new_tensor(LUMA)).sum(-1, keepdim=True)
        faded = torch.lerp(picture, grey, opacity).expand(count, -1, -1, -1)
        drawn, won = torch.lerp(faded, drawn, opacity), won.expand(count, -1, -1)
    if not legend:
        return drawn
    return torch.cat((drawn, _legends(heatmaps, won, colours).to(drawn)), dim=1)


def _winners(heatmaps: Heatmaps) -> Tensor:
    if has_rivals(heatmaps):
        return winners(heatmaps)
    return torch.full_like(heatmaps.values[0], NOBODY, dtype=torch.int64)


def _legends(heatmaps: Heatmaps, won: Tensor, colours: Tensor) -> Tensor:
    """The legend of every item [B, H, W] of winners: [B, h, W, 3] on the CPU."""
    names = captions(heatmaps.labels)
    if heatmaps.background is not None:
        names = (*names, Caption(_NOBODY_S))
    height, width = won.shape[-2:]
    drawn = []
    for item in won.cpu():
        counts = torch.bincount(item.flatten() - NOBODY, minlength=len(colours)).roll(-1)
        parts = [percent(count / item.numel()) for count in counts.tolist()]
        notes = parts if has_rivals(heatmaps) else [_NO_RIVAL]
        drawn.append(_legend(names, notes, colours, width, font_pixels(height, width)))
    return torch.stack(drawn)


def _legend(
    names: tuple[Caption, ...], notes: list[str], colours: Tensor, width: int, pixels: int
) -> Tensor:
    """Entries in rows, each a chip of colour, a name and a note: [h, width, 3]."""
    inset = min(pixels // 2, width // 8)
    gap, high = pixels // 2, line_height(pixels)
    chip = min(pixels, width - 2 * inset)
    room = width - 2 * inset - chip - gap
    note = max(text_size(Caption(text), pixels)[0] for text in ("100 %", *notes[: len(names)]))
    name = max(text_size(caption, pixels)[0] for caption in names) + gap
    if room < note + 2 * pixels:
        note = 0  # too narrow for both
    name = max(1, min(name, room - note))
    cell = chip + gap + name + note + pixels
    across = max(1, min(len(names), (width - 2 * inset + pixels) // cell))
    down = -(-len(names) // across)
    canvas = (torch.tensor(BACKGROUND) / 255).expand(down * high + gap, width, 3).clone()
    for place, (caption, text) in enumerate(zip(names, notes, strict=False)):
        top, left = gap // 2 + place // across * high, inset + place % across * cell
        _chip(canvas[top : top + high, left : left + chip], colours[place])
        left += chip + gap
        _write(canvas[top : top + high, left : left + name], caption, pixels, TEXT)
        if note:
            _write(canvas[top : top + high, left + name :][:, :note], Caption(text), pixels, MUTED)
    return canvas


def _chip(place: Tensor, colour: Tensor) -> None:
    """A square of a colour in the middle of a place [H, W, 3], with a rim that shows a dark one."""
    side = place.shape[1]
    top = (place.shape[0] - side) // 2
    square = place[top : top + side]
    square[:] = torch.tensor(MUTED) / 255
    square[1:-1, 1:-1] = colour


def _write(place: Tensor, caption: Caption, pixels: int, colour: tuple[int, int, int]) -> None:
    """Text into a place [H, W, 3], of which a narrow picture may have left nothing."""
    height, width, _ = place.shape
    if width > 0:
        place[:] = line((height, width), pixels, caption, colours=(colour, MUTED))
