"""The pocket video model's latents: a fixed linear projection of 4 x 8 x 8 pixels to 16 numbers.

It has two steps, so that a small convolutional encoder can compute it exactly (`video_vae`): 4 x 4
pixels of four frames to 63 numbers, and four of those blocks to 16. Both are principal components
of the clips. The first frame is alone: it counts four times.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from . import clips
from .world import FIRST_THING

FRAMES, BLOCK, INNER, CHANNELS = 4, 8, 4, 16
WIDTH = 63  # numbers between the two steps; the encoder's 64th channel is constant
# How much of their deviation strong directions keep against weak ones: 1 all, 0 none. The decoder
# clamps softly at 3, so that no direction may be much stronger than the others.
KEPT = 0.4


@dataclass(frozen=True)
class Latents:
    """inner: [63, 192], of (frame, colour, row, column); outer: [16, 4 * 63], of (row, column,
    number); mean: [16], subtracted last.
    """

    inner: Tensor
    outer: Tensor
    mean: Tensor

    @property
    def tensors(self) -> dict[str, Tensor]:
        """The three by their names."""
        return {"inner": self.inner, "outer": self.outer, "mean": self.mean}

    @property
    def parts(self) -> tuple[Tensor, Tensor, Tensor]:
        """The three, as the constructor takes them."""
        return self.inner, self.outer, self.mean

    @property
    def projection(self) -> Tensor:
        """Both steps in one: [16, 768] of (frame, colour, row, column)."""
        outer = self.outer.view(CHANNELS, 2, 2, WIDTH)
        inner = self.inner.view(WIDTH, FRAMES, 3, INNER, INNER)
        whole = torch.einsum("zabk,kfcij->zfcaibj", outer, inner)
        return whole.reshape(CHANNELS, -1)

    def encode(self, frames: Tensor) -> Tensor:
        """uint8 [B, 4 n + 1, H, W, 3] -> latents [B, 16, n + 1, H / 8, W / 8]."""
        blocks = to_blocks(frames, BLOCK)
        return torch.einsum("zp,bptij->bztij", self.projection, blocks) - self.mean.view(
            -1, 1, 1, 1
        )


def to_blocks(frames: Tensor, side: int) -> Tensor:
    """[B, 4 n + 1, H, W, 3] in 0..255 -> float [B, 12 side ** 2, n + 1, H / side, W / side] in
    0..1, in the order of (frame, colour, row, column).
    """
    groups = grouped(frames.permute(0, 1, 4, 2, 3).float() / 255)
    return functional.pixel_unshuffle(groups.flatten(2, 3), side).transpose(1, 2)


def grouped(frames: Tensor) -> Tensor:
    """[B, 4 n + 1, ...] -> [B, n + 1, 4, ...]: the first frame four times, then four by four.

    Raises ValueError for another number of frames.
    """
    count = frames.shape[1]
    if count % FRAMES != 1:
        raise ValueError(f"{count} frames; a clip has 1, 5, 9, 13 and so on")
    return torch.cat((*[frames[:, :1]] * (FRAMES - 1), frames), 1).unflatten(1, (-1, FRAMES))


def fit(seeds: range) -> Latents:
    """Principal components of what moves in the clips of these seeds, and of as much of the rest,
    scaled to unit variance on average.
    """
    drawn = [clips.example(seed)[0] for seed in seeds]
    small = to_blocks(torch.stack([torch.from_numpy(one.frames) for one in drawn]), INNER)
    b, numbers, t, h, w = small.shape
    four = small.view(b, numbers, t, h // 2, 2, w // 2, 2).permute(0, 2, 3, 5, 4, 6, 1)
    four = four.reshape(-1, 4, numbers)
    labels = grouped(torch.stack([torch.from_numpy(one.labels) for one in drawn])).amax(2)
    moving = functional.max_pool2d(labels.float(), BLOCK).flatten() >= FIRST_THING
    rest = (~moving).nonzero()[:: max(1, int((~moving).sum() / moving.sum())), 0]
    four = torch.cat((four[moving], four[rest]))
    _, inner = _components(four.flatten(0, 1), WIDTH)
    four = (four @ inner.T).flatten(1)
    deviation, outer = _components(four, CHANNELS)
    wanted = deviation**KEPT
    wanted = wanted / wanted.square().mean().sqrt()
    outer = outer * (wanted / deviation)[:, None]
    return Latents(inner, outer, outer @ four.mean(0))


def _components(rows: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Deviations [count] and directions [count, columns] of the rows' principal components."""
    centred = rows.double() - rows.double().mean(0)
    values, vectors = torch.linalg.eigh(centred.T @ centred / len(rows))
    values, vectors = values.flip(0)[:count], vectors.flip(1)[:, :count]
    signs = vectors.sum(0).sign()
    signs[signs == 0] = 1
    return values.clamp_min(0).sqrt().float(), (vectors * signs).T.float().contiguous()
