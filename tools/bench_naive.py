"""The naive way to capture, to be compared with: nothing but the benchmark uses it.

In every double block a second attention over [concepts; image] is computed with all of its queries,
image included, and the concept and image vectors that it gives are copied to the CPU. Scores are
made from the copies when the run is over. The concepts' own projections and MLP are the pack's, so
what differs is the attention and the copies.
"""

from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

from bench_evaluate import forward


class Naive:
    """Captures a run by a block replacement in every double block.

    keep: device of the copies; "meta" where operations are counted and nothing is computed.
    """

    def __init__(self, model: nn.Module, concepts: Any, keep: str = "cpu") -> None:
        from concept_attention.core.families import family_of

        self._model, self._concepts, self._family = model, concepts, family_of(model)
        self._keep, self.held = keep, 0
        self._vectors: list[tuple[Tensor, Tensor]] = []

    def run(self, given: SimpleNamespace, steps: int) -> Tensor:
        """`steps` evaluations; scores [steps * layers, B, C, N]. `held`: bytes kept for them."""
        from concept_attention.core.families import Call

        call = Call(given.x, given.t, given.extra.get("guidance"))
        for _ in range(steps):
            self._stream = self._family.stream(self._model, call, self._concepts)
            layers = range(self._family.layers(self._model))
            replace = {("double_block", layer): self._patch(layer) for layer in layers}
            forward(self._model, given, {"patches_replace": {"dit": replace}})
        pairs, self._vectors = self._vectors, []
        self.held = sum(vectors.nbytes for pair in pairs for vectors in pair)
        return torch.stack([concepts.float() @ image.float().mT for concepts, image in pairs])

    def _patch(self, layer: int) -> Any:
        def replaced(args: dict[str, Any], extra: dict[str, Any]) -> Any:
            options, text = args["transformer_options"], args["txt"].shape[1]
            projected = self._stream.project(layer)
            options["optimized_attention_override"] = self._attention(layer, text, projected)
            out = extra["original_block"](args)
            del options["optimized_attention_override"]
            return out

        return replaced

    def _attention(self, layer: int, text: int, own: Any) -> Any:
        def attend(func: Any, q: Tensor, k: Tensor, v: Tensor, heads: int, **kwargs: Any) -> Tensor:
            parts = ((own.q, q), (own.k, k), (own.v, v))
            both = (torch.cat([mine, theirs[:, :, text:]], dim=2) for mine, theirs in parts)
            second = func(*both, heads, **kwargs)
            concept_out, image_out = second.split([own.q.shape[2], q.shape[2] - text], dim=1)
            pair = concept_out, image_out
            self._vectors.append(tuple(part.to(self._keep, copy=True) for part in pair))
            self._stream.advance(layer, concept_out)
            return func(q, k, v, heads, **kwargs)

        return attend
