"""Endless batches of the picture book for the training of the transformer.

Needs ComfyUI on the import path, for its tokenizer.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator

import torch
from torch import Tensor

from .prompts import TEXT_TOKENS, example
from .text import token_ids
from .world import FIRST_THING

BATCH_PIXELS = 2**20  # 16 pictures of 256 x 256


def batch_size(size: int) -> int:
    """Pictures in a batch: as many as have BATCH_PIXELS, but not more than 32."""
    return min(32, BATCH_PIXELS // size**2)


class Batches(torch.utils.data.IterableDataset):
    """Endless batches: pictures uint8 [B, H, W, 3], shares of things [B, H / 8, W / 8], token rows
    [B, T].
    """

    def __init__(self, vocabulary: list[int], first_seed: int, size: multiprocessing.Value):
        self.row = {token: row for row, token in enumerate(vocabulary)}
        self.seed, self.size = first_seed, size

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        torch.set_num_threads(1)
        while True:
            size = self.size.value
            count = batch_size(size)
            examples = [self._example(self.seed + i, size) for i in range(count)]
            self.seed += count
            yield tuple(torch.stack(part) for part in zip(*examples, strict=True))

    def _example(self, seed: int, size: int) -> tuple[Tensor, Tensor, Tensor]:
        drawn, prompt = example(seed, size)
        tokens = token_ids(prompt)
        if len(tokens) > TEXT_TOKENS:
            tokens = token_ids(", ".join(drawn.things))
        things = torch.from_numpy(drawn.labels >= FIRST_THING).float()
        share = torch.nn.functional.avg_pool2d(things[None], 8)[0]
        return torch.from_numpy(drawn.picture), share, torch.tensor([self.row[t] for t in tokens])
