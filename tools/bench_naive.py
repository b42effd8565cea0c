"""The naive way to capture, to be compared with: nothing but the benchmark uses it.

In every double block a second attention over [concepts; image] is computed with all of its queries,
image included, and the concept and image vectors that it gives are copied to the CPU. Scores are
made from the copies when the run is over. The concepts' own projections and MLP are the pack's, so
what differs is the attention and the copies.
"""

from collections.abc import Callable, Mapping
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
        self._vectors: list[tuple[Tensor, ...]] = []

    def run(self, given: SimpleNamespace, steps: int) -> Tensor:
        """`steps` evaluations; scores [steps * layers, B, C, N]. `held`: bytes kept for them."""
        layers = range(len(self._family.blocks(self._model)))
        replace = {("double_block", layer): self._patch(layer) for layer in layers}
        for _ in range(steps):
            self.start(given)
            forward(self._model, given, {"patches_replace": {"dit": replace}})
        return self.finish()

    def start(self, given: SimpleNamespace) -> None:
        """Project the concepts into the model."""
        from concept_attention.core.families import Call

        call = Call(given.x, given.t, given.extra.get("guidance"))
        self._stream = self._family.stream(self._model, call, self._concepts)

    def enter(self, layer: int, given: Mapping[str, Any]) -> None:
        """Project the concepts by the block's text side."""
        self._own = self._stream.project(layer, given, slice(None))

    def attend(self, layer: int, attention: Callable[..., Tensor], q: Any, k: Any, v: Any) -> None:
        """The second attention, for image keys and so on [B, heads, N, d], and the copies of it."""
        own = ((self._own.q, q), (self._own.k, k), (self._own.v, v))
        out = attention(*(torch.cat(pair, dim=2) for pair in own))
        parts = out.split([self._own.q.shape[2], q.shape[2]], dim=1)
        self._vectors.append(tuple(part.to(self._keep, copy=True) for part in parts))
        self._stream.advance(layer, parts[0])

    def finish(self) -> Tensor:
        """Scores of everything that was copied."""
        pairs, self._vectors = self._vectors, []
        self.held = sum(vectors.nbytes for pair in pairs for vectors in pair)
        return torch.stack([concepts.float() @ image.float().mT for concepts, image in pairs])

    def _patch(self, layer: int) -> Any:
        def replaced(args: dict[str, Any], extra: dict[str, Any]) -> Any:
            options, text = args["transformer_options"], args["txt"].shape[1]
            self.enter(layer, args)
            options["optimized_attention_override"] = self._override(layer, text)
            out = extra["original_block"](args)
            del options["optimized_attention_override"]
            return out

        return replaced

    def _override(self, layer: int, text: int) -> Any:
        def override(
            func: Any, q: Tensor, k: Tensor, v: Tensor, heads: int, **kwargs: Any
        ) -> Tensor:
            image = (part[:, :, text:] for part in (q, k, v))
            self.attend(layer, lambda *joined: func(*joined, heads, **kwargs), *image)
            return func(q, k, v, heads, **kwargs)

        return override
