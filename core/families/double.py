"""The concepts beside blocks of FLUX.1's making, which other models are built of too."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from ..attention import rotate
from .base import HostModel, Projected, finite

_TIME_WIDTH = 256


class DoubleStream(ABC):
    """Residual stream of the concepts [B, T, D] through the text side of double blocks.

    angles: rotations of queries and keys, None where text has no position.
    """

    def __init__(self, blocks: Sequence[Any], state: Tensor, angles: Tensor | None) -> None:
        self._blocks = blocks
        self._state = state
        self._angles = angles
        self._mlp_mod: Any = None
        self._gate: Any = None

    @abstractmethod
    def modulation(self, layer: int, given: Mapping[str, Any], rows: slice) -> tuple[Any, Any]:
        """Shift, scale and gate, for attention and MLP."""

    def project(self, layer: int, given: Mapping[str, Any], rows: slice) -> Projected:
        """Queries, keys and values of the concepts by the block's text side."""
        block = self._blocks[layer]
        attention_mod, self._mlp_mod = self.modulation(layer, given, rows)
        self._gate = attention_mod.gate
        qkv = block.txt_attn.qkv(_modulate(block.txt_norm1(self._state), attention_mod))
        q, k, v = qkv.unflatten(-1, (3, block.num_heads, -1)).permute(2, 0, 3, 1, 4)
        q, k = block.txt_attn.norm(q, k, v)
        if self._angles is not None:
            q, k = rotate(q, self._angles), rotate(k, self._angles)
        return Projected(q, k, v)

    def advance(self, layer: int, concept_out: Tensor) -> None:
        """Output projection, gates and MLP of the block's text side."""
        block = self._blocks[layer]
        out = block.txt_attn.proj(concept_out.to(self._state.dtype))
        state = self._state + self._gate * out
        out = block.txt_mlp(_modulate(block.txt_norm2(state), self._mlp_mod))
        self._state = finite(state + self._mlp_mod.gate * out)


def angles_at(
    model: HostModel, axes: Sequence[int], places: Sequence[int], device: Any
) -> Tensor | None:
    """Rotations [1, 1, T, d / 2, 2, 2] at these places along these axes; None without axes."""
    if not axes:
        return None
    ids = torch.zeros(1, len(places), len(model.params.axes_dim), device=device)
    for axis in axes:
        ids[:, :, axis] = torch.tensor(places, dtype=torch.float32, device=device)
    angles: Tensor = model.pe_embedder(ids)
    return angles


def sinusoid(t: Tensor) -> Tensor:
    """Timestep embedding, cosines first, of a time in thousandths: [B] to [B, 256]."""
    half = _TIME_WIDTH // 2
    rates = torch.exp(-math.log(10000) * torch.arange(half, device=t.device) / half)
    angle = t[:, None].float() * rates
    return torch.cat([torch.cos(angle), torch.sin(angle)], dim=-1)


def _modulate(x: Tensor, mod: Any) -> Tensor:
    return torch.addcmul(mod.shift, x, 1 + mod.scale)
