"""The training set of the pocket video model: many clips as latents in memory.

Needs ComfyUI on the import path, for its tokenizer.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from . import clips
from .book import Book, texts_of
from .clips import FRAMES, HEIGHT, MOVES, WIDTH
from .video_latents import BLOCK, Latents, grouped
from .world import FIRST_THING


class ClipBook(Book):
    """Clips of `seeds` at full and at half resolution, with their prompts, drawn by `workers`
    processes; batches have latents [B, 16, T, h, w] and things [B, T, h, w].
    """

    def __init__(
        self,
        seeds: range,
        latents: Latents,
        report: Callable[[str], None] = lambda line: None,
        workers: int = 0,
    ) -> None:
        self._allocate(len(seeds), (1 + FRAMES // 4, HEIGHT // BLOCK, WIDTH // BLOCK))
        self._fill(seeds, partial(_chunk, latents=latents), report, workers)


def _chunk(seeds: range, latents: Latents) -> tuple[np.ndarray, ...]:
    """Arrays of the clips of some seeds, in the order of the book's stores."""
    drawn = [clips.example(seed) for seed in seeds]
    stores: tuple[list[Tensor], ...] = ([], [], [])
    for one, _ in drawn:
        frames = torch.from_numpy(one.frames)[None]
        stores[0].append(latents.encode(frames)[0].half())
        stores[1].append(latents.encode(halved(frames))[0].half())
        moving = torch.from_numpy(one.labels >= FIRST_THING)[None, :, None].float()
        moving = functional.avg_pool2d(grouped(moving).mean(2)[:, :, 0], BLOCK)
        stores[2].append(moving[0].half())
    texts = texts_of(seeds, drawn, tuple(MOVES))
    return tuple(store.numpy() for store in (*(torch.stack(part) for part in stores), *texts))


def halved(frames: Tensor) -> Tensor:
    """Frames [B, F, H, W, 3] at half the resolution, as float of the same range."""
    small = functional.avg_pool2d(frames.flatten(0, 1).permute(0, 3, 1, 2).float(), 2)
    return small.permute(0, 2, 3, 1).unflatten(0, frames.shape[:2])
