"""Heatmaps of a pocket model in output space and in others, from one and the same forward.

Output space comes from the pack's own capture. The baselines are computed from what the same blocks
saw: queries of the concepts against keys of the image (for a model that rotates by position: before
and after the rotation), and values against values. All are decoded alike, as the pack decodes the
model's family.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional


class Collector:
    """Sums softmaxes over the concepts [C, N] for every kind, over layers and evaluations.

    unit: concept vectors are scaled to length 1 first.
    """

    def __init__(self, layers: Sequence[int], shown: int, unit: bool) -> None:
        self.layers, self.shown, self.unit = layers, shown, unit
        self.sums: dict[str, Tensor] = {}
        self.count = 0
        self.plain_k: dict[int, Tensor] = {}

    def maps(self, grid: tuple[int, ...]) -> dict[str, Tensor]:
        """Heatmaps [C, *grid] of every kind, without the background."""
        return {
            kind: (total[: self.shown] / self.count).unflatten(-1, grid)
            for kind, total in self.sums.items()
        }

    def add(self, kind: str, concepts: Tensor, image: Tensor) -> None:
        """Vectors [C, D] and [N, D] of one layer of one evaluation."""
        concepts = concepts.float()
        if self.unit:
            concepts = functional.normalize(concepts, dim=-1)
        heat = (concepts @ image.float().T).softmax(0)
        self.sums[kind] = self.sums.get(kind, torch.zeros(())) + heat

    def observe(self, layer: int, concept_out: Tensor, image_out: Tensor) -> None:
        """The pack's own pair of vectors; called last for a layer."""
        if layer in self.layers:
            self.add("output", concept_out[0], image_out[0])
            self.count += 1

    def attended(
        self, stream: Any, counts: Sequence[int], layer: int, image_k: Tensor, image_v: Tensor
    ) -> None:
        """What the concept stream attended to: keys and values [rows, heads, tokens, d].

        counts: tokens of each concept; their vectors are averaged, as the pack does.
        """
        from concept_attention.core.attention import average

        if layer not in self.layers:
            return
        own = stream._projected
        q, v = (average(_joined(side), counts)[0] for side in (own.q, own.v))
        if layer in self.plain_k:
            plain = self.plain_k[layer][stream.rows, :, -image_k.shape[-2] :]
            self.add("cross_plain", q, _joined(plain)[0])
            self.add("cross_rope", q, _joined(image_k)[0])
        else:
            self.add("cross", q, _joined(image_k)[0])
        self.add("value", v, _joined(image_v)[0])


def _joined(x: Tensor) -> Tensor:
    """[rows, heads, tokens, d] as [rows, tokens, heads d]."""
    return x.transpose(1, 2).flatten(2)


@contextmanager
def collecting(
    model: Any, layers: Sequence[int], shown: int, unit: bool = False
) -> Iterator[Collector]:
    """Collect from every evaluation of `model` (the host's diffusion model) that is captured; the
    first `shown` concepts are not background.
    """
    collector = Collector(layers, shown, unit)
    with watching(model, collector):
        yield collector


@contextmanager
def watching(model: Any, collector: Any) -> Iterator[None]:
    """Show a collector what the concept streams of `model` attend to: `Collector.attended`, with
    the keys of every layer before their rotation in `plain_k`.
    """
    from concept_attention.core import stream

    handles = []
    for layer, block in enumerate(getattr(model, "double_blocks", ())):  # a Flux rotates its keys

        def keep(_module: Any, _inputs: Any, out: Any, layer: int = layer) -> None:
            collector.plain_k[layer] = out[1]

        handles.append(block.img_attn.norm.register_forward_hook(keep))
    for layer, block in enumerate(getattr(model, "blocks", ())):  # a CogVideoX its video's

        def keep_all(module: Any, _inputs: Any, out: Any, layer: int = layer) -> None:
            if out.shape[-2] == model.num_attention_heads:  # the host's, not the concepts'
                collector.plain_k[layer] = out.transpose(1, 2)

        handles.append(block.norm_k.register_forward_hook(keep_all))
    attention = stream.StreamReader.attention

    def watched(self: Any, image: slice, q: Tensor, k: Tensor, v: Tensor, out: Tensor) -> None:
        for row_stream in self._streams:
            rows = row_stream.rows
            parts = k[rows, :, image], v[rows, :, image]
            collector.attended(row_stream, self._counts, self._layer, *parts)
        attention(self, image, q, k, v, out)

    stream.StreamReader.attention = watched
    try:
        yield
    finally:
        stream.StreamReader.attention = attention
        for handle in handles:
            handle.remove()


def sampled(
    model: Any,
    clip: Any,
    prompt: str,
    concepts: Any,
    latent: Tensor,
    collector: Any,
    *,
    seed: int,
    steps: int,
    cfg: float,
) -> Tensor:
    """The latent of a prompt; the collector sees every pair of vectors that is scored."""
    import nodes

    from concept_attention.nodes.capture import attach_to_model, make_run

    run = make_run(model, concepts, "all", "all", 1024, None, observe=collector.observe)
    attached = attach_to_model(model, run)
    conditionings = [
        clip.encode_from_tokens_scheduled(clip.tokenize(text)) for text in (prompt, "")
    ]
    settings = (seed, steps, cfg, "euler", "simple", *conditionings, {"samples": latent})
    return nodes.common_ksampler(attached, *settings)[0]["samples"]
