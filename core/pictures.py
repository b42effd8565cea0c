"""Captures of pictures that exist: whole tokens, parts of a batch, draws of noise made one."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from .families import Family, HostModel
from .types import Capture, Scored

_TOKENS = 2**14  # in one forward: enough to keep a GPU busy, whatever the number of pictures


def token_side(family: Family, model: HostModel) -> int:
    """Latent pixels along the side of an image token."""
    side = 64
    rows = family.grid(model, (1, 1, 1, side, side))[1]
    return side // rows


def padded(values: Tensor, sizes: Sequence[int]) -> Tensor:
    """A tensor whose first dimensions have these sizes, by repeating what is at their ends."""
    for dim, size in enumerate(sizes):
        if values.shape[dim] != size:
            places = torch.arange(size, device=values.device).clamp(max=values.shape[dim] - 1)
            values = values.index_select(dim, places)
    return values


def parts(count: int, tokens: int) -> Iterator[slice]:
    """A batch of `count` pictures of `tokens` tokens each, cut for one forward at a time."""
    most = max(1, _TOKENS // tokens)
    for start in range(0, count, most):
        yield slice(start, min(start + most, count))


class Gathered:
    """One capture of `count` pictures, averaged over `draws` of noise."""

    def __init__(self, count: int, draws: int) -> None:
        self._count = count
        self._share = 1.0 / draws
        self._total: Capture | None = None

    def add(self, items: slice, capture: Capture) -> None:
        """One draw of some of the pictures."""
        if self._total is None:
            whole = self._empty(capture)
            spaces = {name: self._empty(part) for name, part in capture.spaces.items()}
            self._total = replace(capture, scores=whole.scores, norms=whole.norms, spaces=spaces)
        pairs: list[tuple[Capture | Scored, Capture | Scored]] = [(self._total, capture)]
        pairs += [(self._total.spaces[name], part) for name, part in capture.spaces.items()]
        for total, part in pairs:
            total.scores[items] += part.scores * self._share
            total.norms[items] += part.norms * self._share

    def _empty(self, like: Capture | Scored) -> Scored:
        parts = (like.scores, like.norms)
        return Scored(*(part.new_zeros(self._count, *part.shape[1:]) for part in parts))

    def so_far(self, item: int, draws: int, size: Sequence[int] | None) -> Capture:
        """The capture of one picture's first frame, of which `draws` were added; size: as below.

        In the output space alone.
        """
        whole = self.capture(size)
        rows, columns = whole.grid[1:]
        scores = whole.scores[item : item + 1, ..., : rows * columns]
        share = 1 / (draws * self._share)
        norms = whole.norms[item : item + 1]
        grid, spans = (1, rows, columns), whole.spans[:1]
        return replace(
            whole, scores=scores * share, norms=norms * share, grid=grid, spans=spans, spaces={}
        )

    def capture(self, size: Sequence[int] | None) -> Capture:
        """The capture of all pictures.

        size: (frames, height, width) of the picture or video, where it was padded to whole tokens:
        what its grid covers beyond is cut off when the capture is decoded.
        """
        if self._total is None:
            raise RuntimeError("nothing was added")
        if size is None:
            return self._total
        frames, height, width = size
        spans = _first(self._total.spans, frames)
        return replace(self._total, picture=(height, width), spans=spans)


def _first(spans: Sequence[int], frames: int) -> tuple[int, ...]:
    """The spans with only the first `frames` frames left in them.

    >>> _first((1, 4, 4), 7)
    (1, 4, 2)
    """
    kept = []
    for span in spans:
        kept.append(min(span, frames))
        frames -= kept[-1]
    return tuple(kept)
