"""FLUX.1 and FLUX.2: blocks with text and image weights of their own, read by block replacement.

FLUX.1 (dev, schnell, Kontext, Fill, Krea): every text token at position zero, each block with its
own modulation, which for the concepts is made from a zero pooled vector (as the paper's code does).
FLUX.2 (dev, Klein): one modulation shared by all blocks, no pooled vector, text at (0, 0, 0, i).
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ..attach import Attachment
from ..attention import rotate
from ..types import Concepts
from .base import (
    Call,
    HostModel,
    Projected,
    Seam,
    image_after_text,
    is_host_class,
    picture_grid,
)

_TIME_WIDTH = 256


class Flux:
    """FLUX.1 and its kin."""

    name = "flux"
    models = "FLUX.1 (dev, schnell, Kontext, Fill, Krea)"
    encoders: tuple[str, ...] = ("t5xxl",)
    seam: Seam = "diffusion_model"
    attachment: Attachment = "replacement"
    video = False
    text_length = 0
    _shared_modulation = False

    def matches(self, model: HostModel) -> bool:
        """Whether the model is the host's Flux class, with or without shared modulation."""
        if not is_host_class(model, "comfy.ldm.flux.model.Flux"):
            return False
        return bool(model.params.global_modulation) == self._shared_modulation

    def blocks(self, model: HostModel) -> Sequence[nn.Module]:
        """The double blocks."""
        return list(model.double_blocks)

    def image(self, given: Mapping[str, Any]) -> slice:
        """The image tokens of [text, image]."""
        return image_after_text(given["txt"], given["img"])

    def text_width(self, model: HostModel) -> int:
        """Width of the text encoder's output that the model takes."""
        return int(model.params.context_in_dim)

    def grid(self, model: HostModel, latent_shape: Any) -> tuple[int, int, int]:
        """(1, rows, columns) of a latent [B, channels, H, W]; the host pads odd sides."""
        return picture_grid(model, latent_shape)

    def stream(self, model: HostModel, call: Call, concepts: Concepts) -> "FluxStream":
        """Start the concept stream at the model's text input projection."""
        return FluxStream(model, call, concepts, self.text_length)


class Flux2(Flux):
    """FLUX.2 dev and Klein."""

    name = "flux2"
    models = "FLUX.2 (dev, Klein)"
    encoders: tuple[str, ...] = ("mistral3_24b", "qwen3_4b", "qwen3_8b")
    text_length = 512  # the host pads shorter prompts to this length on the left
    _shared_modulation = True


class FluxStream:
    """Residual stream of the concepts [B, C, D] in one evaluation."""

    def __init__(self, model: HostModel, call: Call, concepts: Concepts, text_length: int) -> None:
        self._blocks = model.double_blocks
        dtype, device = call.latent.dtype, call.latent.device
        vec = _modulation_vector(model, call)
        self._vec = vec
        self._shared = (
            model.double_stream_modulation_txt(vec) if model.params.global_modulation else None
        )
        tokens = concepts.tokens.to(device=device, dtype=dtype)[None]
        if model.txt_norm is not None:
            tokens = model.txt_norm(tokens)
        self._state = model.txt_in(tokens).expand(call.latent.shape[0], -1, -1)
        self._angles = _angles(model, concepts, text_length, device)
        self._mlp_mod: Any = None
        self._gate: Any = None

    def project(self, layer: int, given: Mapping[str, Any], rows: slice) -> Projected:
        """Queries, keys and values of the concepts by the block's text side."""
        block = self._blocks[layer]
        mods = block.txt_mod(self._vec) if self._shared is None else self._shared
        attention_mod, self._mlp_mod = mods
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
        state = state + self._mlp_mod.gate * out
        if state.dtype == torch.float16:  # as the host does for its text stream
            state = torch.nan_to_num(state, nan=0.0, posinf=65504, neginf=-65504)
        self._state = state


def _modulate(x: Tensor, mod: Any) -> Tensor:
    return torch.addcmul(mod.shift, x, 1 + mod.scale)


def _modulation_vector(model: HostModel, call: Call) -> Tensor:
    """Timestep, guidance and, in FLUX.1, a zero pooled vector: [B, D]."""
    dtype = call.latent.dtype
    vec = model.time_in(_sinusoid(call.timestep).to(dtype))
    if model.params.guidance_embed and call.guidance is not None:
        vec = vec + model.guidance_in(_sinusoid(call.guidance).to(dtype))
    if model.vector_in is not None:
        vec = vec + model.vector_in(vec.new_zeros(1, model.params.vec_in_dim))
    return vec


def _sinusoid(t: Tensor) -> Tensor:
    """Timestep embedding, cosines first, of a time in 0..1: [B] to [B, 256]."""
    half = _TIME_WIDTH // 2
    rates = torch.exp(-math.log(10000) * torch.arange(half, device=t.device) / half)
    angle = (1000.0 * t)[:, None].float() * rates
    return torch.cat([torch.cos(angle), torch.sin(angle)], dim=-1)


def _angles(model: HostModel, concepts: Concepts, text_length: int, device: Any) -> Tensor | None:
    """Rotations [1, 1, C, d / 2, 2, 2] at the concepts' places; None where text has none."""
    axes = model.params.txt_ids_dims
    if len(axes) == 0:
        return None
    # A concept stands where it would stand if it were the whole prompt.
    places = [index + max(0, text_length - length) for index, length in concepts.places]
    ids = torch.zeros(1, len(places), len(model.params.axes_dim), device=device)
    for axis in axes:
        ids[:, :, axis] = torch.tensor(places, dtype=torch.float32, device=device)
    return model.pe_embedder(ids)
