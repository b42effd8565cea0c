"""Qwen-Image, Qwen-Image-Edit and Qwen-Image-Layered: sixty joint blocks, no others.

Text and image have weights of their own; both are modulated by the time alone. Text tokens stand
on the diagonal of the image's positions, from half its longer side on, and a concept stands where
it would stand if it were the whole prompt. What the host cuts off the encoder's output, the chat
template before the prompt, has no place and no row. Reference pictures follow the picture's tokens;
concepts attend to them as the prompt does. Edit 2511 modulates references by time zero: the host
then hands over the time twice, and text takes the first half. Layered gives each layer of the
picture a frame of tokens.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ..attach import Attachment
from ..attention import by_heads, rotate
from ..types import Concepts
from .base import (
    Call,
    HostModel,
    Projected,
    Seam,
    WordPlace,
    image_after_text,
    is_host_class,
    picture_grid,
)


class QwenImage:
    """Qwen-Image and its kin."""

    name = "qwen_image"
    models = "Qwen-Image (Edit, Layered)"
    encoders: tuple[str, ...] = ("qwen25_7b",)
    seam: Seam = "diffusion_model"
    attachment: Attachment = "replacement"
    video = False
    words: WordPlace = "first"

    def matches(self, model: HostModel) -> bool:
        """Whether the model is the host's Qwen-Image transformer."""
        return is_host_class(model, "comfy.ldm.qwen_image.model.QwenImageTransformer2DModel")

    def blocks(self, model: HostModel) -> Sequence[nn.Module]:
        """All blocks."""
        return list(model.transformer_blocks)

    def image(self, model: HostModel, given: Mapping[str, Any], tokens: int) -> slice:
        """The image tokens of [text, image]."""
        return image_after_text(given["txt"], given["img"])

    def text_width(self, model: HostModel) -> int:
        """Width of the text encoder's output that the model takes."""
        return int(model.txt_in.in_features)

    def grid(self, model: HostModel, latent_shape: Any) -> tuple[int, int, int]:
        """(layers, rows, columns) of a latent [B, channels, T, H, W]; the host pads odd sides."""
        _, rows, columns = picture_grid(model, latent_shape)
        return latent_shape[2], rows, columns

    def stream(self, model: HostModel, call: Call, concepts: Concepts) -> "QwenImageStream":
        """Start the concept stream at the model's text input projection."""
        return QwenImageStream(model, call, concepts)


class QwenImageStream:
    """Residual stream of the concepts [B, T, D] in one evaluation."""

    def __init__(self, model: HostModel, call: Call, concepts: Concepts) -> None:
        self._blocks = model.transformer_blocks
        dtype, device = call.latent.dtype, call.latent.device
        tokens = concepts.tokens.to(device=device, dtype=dtype)[None]
        state = model.txt_in(model.txt_norm(tokens))
        self._state = state.expand(call.latent.shape[0], -1, -1)
        _, rows, columns = picture_grid(model, call.latent.shape)
        start = max(rows // 2, columns // 2)
        places = [start + index for index, _ in concepts.places]
        ids = torch.tensor(places, dtype=torch.float32, device=device)
        # As the host does, in the precision of its own rotations.
        self._angles = model.pe_embedder(ids[None, :, None].expand(-1, -1, 3)).to(dtype)
        self._gate: Any = None
        self._mlp_mod: Any = None

    def project(self, layer: int, given: Mapping[str, Any], rows: slice) -> Projected:
        """Queries, keys and values of the concepts by the block's text side."""
        block = self._blocks[layer]
        attention_mod, self._mlp_mod = block.txt_mod(given["vec"][rows]).chunk(2, dim=-1)
        text, self._gate = _modulated(block.txt_norm1(self._state), attention_mod)
        attn = block.attn
        q, k, v = (
            by_heads(linear(text), attn.heads)
            for linear in (attn.add_q_proj, attn.add_k_proj, attn.add_v_proj)
        )
        q, k = (rotate(x, self._angles) for x in (attn.norm_added_q(q), attn.norm_added_k(k)))
        return Projected(q, k, v)

    def advance(self, layer: int, concept_out: Tensor) -> None:
        """Output projection, gates and MLP of the block's text side."""
        block = self._blocks[layer]
        state = self._state
        state = state + self._gate * block.attn.to_add_out(concept_out.to(state.dtype))
        text, gate = _modulated(block.txt_norm2(state), self._mlp_mod)
        self._state = torch.addcmul(state, gate, block.txt_mlp(text))


def _modulated(x: Tensor, modulation: Tensor) -> tuple[Tensor, Tensor]:
    """x [B, T, D] with scale and shift, and the gate, of a modulation [B, 3 D]."""
    shift, scale, gate = modulation[:, None].chunk(3, dim=-1)
    return torch.addcmul(shift, x, 1 + scale), gate
