"""Heatmaps of the pocket model in output space and three others, from one and the same forward.

Output space comes from the pack's own capture. The baselines are computed from what the same blocks
saw: queries of the concepts against keys of the image, before (`cross`) and after (`cross_rope`)
the rotation by position, and values against values. All are decoded alike.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

KINDS = ("output", "cross", "cross_rope", "value")


class Collector:
    """Sums softmaxes over the concepts [C, N] for every kind, over layers and evaluations."""

    def __init__(self, layers: Sequence[int], shown: int) -> None:
        self.layers, self.shown = layers, shown
        self.sums = dict.fromkeys(KINDS, torch.zeros(()))
        self.count = 0
        self.layer = -1
        self.own: Any = None
        self.image_k: dict[int, Tensor] = {}

    def maps(self, grid: tuple[int, int]) -> dict[str, Tensor]:
        """Heatmaps [C, rows, columns] of every kind, without the background."""
        return {
            kind: (total[: self.shown] / self.count).unflatten(-1, grid)
            for kind, total in self.sums.items()
        }

    def add(self, kind: str, scores: Tensor) -> None:
        """Scores [C, N] of one layer of one evaluation."""
        self.sums[kind] = self.sums[kind] + scores.float().softmax(0)

    def observe(self, layer: int, concept_out: Tensor, image_out: Tensor) -> None:
        """The pack's own pair of vectors; called last for a layer."""
        if layer in self.layers:
            self.add("output", concept_out[0].float() @ image_out[0].float().T)
            self.count += 1

    def attended(
        self, stream: Any, counts: Sequence[int], layer: int, image_k: Tensor, image_v: Tensor
    ) -> None:
        """Queries, keys and values [heads, tokens, d] that the concept stream attended with.

        counts: tokens of each concept; their scores are averaged, as the pack does.
        """
        from concept_attention.core.attention import average

        if layer not in self.layers:
            return
        own = stream._projected
        plain = self.image_k[layer][stream.rows][0]
        for kind, side, image in (
            ("cross", own.q, plain),
            ("cross_rope", own.q, image_k[0]),
            ("value", own.v, image_v[0]),
        ):
            scores = (side[0] @ image.transpose(1, 2)).sum(0)
            self.add(kind, average(scores[None], counts)[0])


@contextmanager
def collecting(model: Any, layers: Sequence[int], shown: int) -> Iterator[Collector]:
    """Collect from every evaluation of `model` (the host's diffusion model) that is captured; the
    first `shown` concepts are not background.
    """
    from concept_attention.core import stream

    collector = Collector(layers, shown)
    handles = []
    for layer, block in enumerate(model.double_blocks):

        def keep(_module: Any, _inputs: Any, out: Any, layer: int = layer) -> None:
            collector.image_k[layer] = out[1]

        handles.append(block.img_attn.norm.register_forward_hook(keep))
    attention = stream.StreamReader.attention

    def watched(self: Any, image: slice, k: Tensor, v: Tensor, out: Tensor) -> None:
        for row_stream in self._streams:
            rows = row_stream.rows
            parts = k[rows, :, image], v[rows, :, image]
            collector.attended(row_stream, self._counts, self._layer, *parts)
        attention(self, image, k, v, out)

    stream.StreamReader.attention = watched
    try:
        yield collector
    finally:
        stream.StreamReader.attention = attention
        for handle in handles:
            handle.remove()
