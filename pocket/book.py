"""The training set of the pocket model: many scenes as latents in memory, and batches of them.

Needs ComfyUI on the import path, for its tokenizer.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from . import latents, words
from .prompts import TEXT_TOKENS, example
from .things import THINGS
from .world import FIRST_THING, Scene

PROMPTS = 3  # right prompts of a scene; one more has wrong words
CHUNK = 400
NAME_SLOTS = 3  # names of a scene that can be given one by one


@dataclass(frozen=True)
class Batch:
    """latents [B, 16, h, w]; things: share of things [B, h, w]; rows, verdicts: [B, T], see
    `words.rows`; names: indices into words.NAMES [B, K] in place of a prompt, or None.
    """

    latents: Tensor
    things: Tensor
    rows: Tensor
    verdicts: Tensor
    names: Tensor | None

    @property
    def true(self) -> Tensor:
        """Whether a text has no wrong word: bool [B]."""
        return (self.verdicts != words.WRONG).all(1)


class Book:
    """Scenes of `seeds` at full and at half resolution, with their prompts, drawn by `workers`
    processes.
    """

    def __init__(
        self,
        seeds: range,
        projection: Tensor,
        mean: Tensor,
        report: Callable[[str], None] = lambda line: None,
        workers: int = 0,
    ) -> None:
        self._allocate(len(seeds), (32, 32))
        self._fill(seeds, partial(_chunk, projection=projection, mean=mean), report, workers)

    def _allocate(self, count: int, grid: tuple[int, ...]) -> None:
        half = (*grid[:-2], grid[-2] // 2, grid[-1] // 2)
        self.full = torch.empty(count, latents.CHANNELS, *grid, dtype=torch.float16)
        self.half = torch.empty(count, latents.CHANNELS, *half, dtype=torch.float16)
        self.things = torch.empty(count, *grid, dtype=torch.float16)
        self.rows = torch.empty(count, PROMPTS + 1, TEXT_TOKENS, dtype=torch.int16)
        self.verdicts = torch.empty(count, PROMPTS + 1, TEXT_TOKENS, dtype=torch.int8)
        self.names = torch.empty(count, 2, NAME_SLOTS, dtype=torch.int8)
        self.empty = torch.tensor(words.rows("", None)[0])

    def _fill(
        self,
        seeds: range,
        draw: Callable[[range], tuple[np.ndarray, ...]],
        report: Callable[[str], None],
        workers: int,
    ) -> None:
        """Put what `draw` makes of some seeds, in the order of the stores, into them."""
        count = len(seeds)
        chunks = [seeds[i : i + CHUNK] for i in range(0, count, CHUNK)]
        stores = (self.full, self.half, self.things, self.rows, self.verdicts, self.names)
        for i, parts in enumerate(_drawn(chunks, workers, draw)):
            here = slice(i * CHUNK, i * CHUNK + len(parts[0]))
            for store, part in zip(stores, parts, strict=True):
                store[here] = torch.from_numpy(part)
            if i % 20 == 0:
                report(f"scenes {here.stop} of {count}")
        filled = (self.names[:, 0] >= 0).sum(1)
        # Scenes by the number of names that say all of them: one, or NAME_SLOTS.
        self.by_names = {n: (filled == n).nonzero()[:, 0] for n in (1, NAME_SLOTS)}
        single = (self.verdicts[:, 0] == words.RIGHT).sum(1) < 2
        self.sentences, self.singles = (~single).nonzero()[:, 0], single.nonzero()[:, 0]

    def batch(self, size: int, half: bool, names: int) -> Batch:
        """A random batch; names: how many names stand in place of the prompt, 0 for prompts."""
        if names:
            chosen = self._pick(self.by_names[names], size)
        else:
            single = torch.rand(size) < 0.12
            chosen = torch.where(
                single, self._pick(self.singles, size), self._pick(self.sentences, size)
            )
        wrong = torch.rand(size) < 0.28
        which = torch.where(~wrong, torch.randint(0, PROMPTS, (size,)), PROMPTS)
        rows, verdicts = self.rows[chosen, which].long(), self.verdicts[chosen, which].long()
        own = None
        if names:
            own = self.names[chosen, wrong.long(), :names].long()
            right = own == self.names[chosen, 0, :names].long()
            verdicts = torch.where(right, words.RIGHT, words.WRONG)
        else:
            dropped = torch.rand(size) < 0.1
            rows[dropped], verdicts[dropped] = self.empty, words.NEITHER
        things = self.things[chosen].float()
        if half:
            things = functional.avg_pool2d(things, 2)
        latent = (self.half if half else self.full)[chosen].float()
        return Batch(latent, things, rows, verdicts, own)

    @staticmethod
    def _pick(rows: Tensor, size: int) -> Tensor:
        return rows[torch.randint(0, len(rows), (size,))]


def _drawn(
    chunks: list[range], workers: int, draw: Callable[[range], tuple[np.ndarray, ...]]
) -> Iterator[tuple[np.ndarray, ...]]:
    """What `draw` makes of each; in `workers` processes, or in this one where that is 0."""
    if not workers:
        yield from map(draw, chunks)
        return
    # Started afresh: a process with threads, as torch's, must not be forked.
    with multiprocessing.get_context("spawn").Pool(workers, _start) as pool:
        yield from pool.imap(draw, chunks)


def _start() -> None:
    """A worker reads the host's options as its parent did, and leaves the other cores alone."""
    import comfy.options

    comfy.options.enable_args_parsing()
    torch.set_num_threads(1)


def _chunk(seeds: range, projection: Tensor, mean: Tensor) -> tuple[np.ndarray, ...]:
    """Arrays of the scenes of some seeds, in the order of Book's stores."""
    drawn = [example(seed, dropped=0.0) for seed in seeds]
    pictures = torch.stack([torch.from_numpy(scene.picture) for scene, _ in drawn])
    small = functional.avg_pool2d(pictures.permute(0, 3, 1, 2).float(), 2).permute(0, 2, 3, 1)
    labels = torch.stack([torch.from_numpy(scene.labels) for scene, _ in drawn])
    things = functional.avg_pool2d((labels >= FIRST_THING).float()[:, None], 8)[:, 0]
    return tuple(
        store.numpy()
        for store in (
            latents.encode(pictures, projection, mean).half(),
            latents.encode(small, projection, mean).half(),
            things.half(),
            *texts_of(seeds, drawn),
        )
    )


def texts_of(
    seeds: range, drawn: Sequence[tuple[Scene, str]], things: Collection[str] = tuple(THINGS)
) -> tuple[Tensor, Tensor, Tensor]:
    """Rows and verdicts [B, PROMPTS + 1, T] and names [B, 2, NAME_SLOTS] of scenes and prompts;
    wrong things are of those given.
    """
    pairs = list(zip(seeds, drawn, strict=True))
    texts = [_texts(seed, *pair, things) for seed, pair in pairs]
    names = [_names(seed, *pair, things) for seed, pair in pairs]
    return (
        torch.tensor([rows for rows, _ in texts], dtype=torch.int16),
        torch.tensor([verdicts for _, verdicts in texts], dtype=torch.int8),
        torch.tensor(names, dtype=torch.int8),
    )


def _texts(seed: int, drawn: Scene, prompt: str, things: Collection[str]) -> tuple[list, list]:
    """Rows and verdicts of PROMPTS right prompts and one with wrong words."""
    prompts = words.prompts_for(seed, drawn, prompt, PROMPTS)
    prompts.append(words.with_wrong_words(seed, drawn, prompts[-1], things))
    rows, verdicts = [], []
    for text in prompts:
        try:
            row, verdict = words.rows(text, drawn)
        except ValueError:
            row, verdict = words.rows(", ".join(words.names_in(text)), drawn)
        rows.append(row)
        verdicts.append(verdict)
    return rows, verdicts


def _names(
    seed: int, drawn: Scene, prompt: str, things: Collection[str]
) -> tuple[list[int], list[int]]:
    """Names that say the scene one by one, and the same with wrong ones among them; -1 is none."""
    names = words.names_in(prompt)
    if len(names) > 1:
        names = [*drawn.things, drawn.ground, drawn.sky][:NAME_SLOTS]
    if len(drawn.things) > NAME_SLOTS:
        names = []
    text = words.with_wrong_words(seed, drawn, ",".join(names), things)
    wrong = text.split(",") if names else []
    rest = [-1] * NAME_SLOTS
    return tuple(
        ([words.NAMES.index(name) for name in part] + rest)[:NAME_SLOTS] for part in (names, wrong)
    )
