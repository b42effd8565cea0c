"""Lumina 2 and Z-Image: one stream, whose text and image tokens share every weight.

A concept is a text token of that stream. By itself, as if it were the whole prompt, it passes the
caption's projection and context refiner, which attends over the caption alone: with one token, over
nothing else. From then on it is modulated by the timestep like every other token and sees the
concepts and the picture. The tokens that fill Z-Image's text and picture up to a multiple of 32
take no part, nor do the pictures and captions that Z-Image Omni is given besides.

Text is counted along the first axis of the rotation, and the picture lies one behind the text's
last token. Attention knows distances only: a concept is put as far before the picture as it would
be if it were the whole prompt, however long the prompt is.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from ..attach import Attachment
from ..attention import by_heads, rotate
from ..types import Concepts
from .base import Call, HostModel, Projected, Seam, WordPlace, finite, is_host_class, picture_grid


class Lumina2:
    """Lumina Image 2 and Z-Image."""

    name = "lumina2"
    models = "Lumina Image 2, Z-Image"
    encoders: tuple[str, ...] = ("gemma2_2b", "qwen3_4b")
    seam: Seam = "diffusion_model"
    attachment: Attachment = "hooks"  # the host's class offers no block replacement
    video = False
    words: WordPlace = "first"

    def matches(self, model: HostModel) -> bool:
        """Whether the model is the host's NextDiT, on latents or on pixels."""
        return is_host_class(model, "comfy.ldm.lumina.model.NextDiT")

    def blocks(self, model: HostModel) -> Sequence[nn.Module]:
        """The blocks that text and image pass together; not the refiners before them."""
        return list(model.layers)

    def image(self, model: HostModel, given: Mapping[str, Any], tokens: int) -> slice:
        """The picture, which comes last but for what fills it up."""
        start = given["x"].shape[1] - _filled(model, tokens)
        return slice(start, start + tokens)

    def text_width(self, model: HostModel) -> int:
        """Width of the text encoder's output that the model takes."""
        return int(model.cap_embedder[1].in_features)

    def grid(self, model: HostModel, latent_shape: Any) -> tuple[int, int, int]:
        """(1, rows, columns) of a latent [B, channels, H, W]; the host pads odd sides."""
        return picture_grid(model, latent_shape)

    def stream(self, model: HostModel, call: Call, concepts: Concepts) -> "Lumina2Stream":
        """Start the concept stream at the model's text input projection."""
        return Lumina2Stream(self, model, call, concepts)


class Lumina2Stream:
    """Residual stream of the concepts [B, T, D] in one evaluation."""

    def __init__(self, family: Lumina2, model: HostModel, call: Call, concepts: Concepts) -> None:
        self._model = model
        _, rows, columns = family.grid(model, call.latent.shape)
        self._image = partial(family.image, model, tokens=rows * columns)
        tokens = concepts.tokens.to(call.latent.device, call.latent.dtype)[None]
        self._state = _refined(model, tokens).expand(call.latent.shape[0], -1, -1)
        # Places along the first axis, counted from the picture's.
        places = [index - _filled(model, length) for index, length in concepts.places]
        ids = torch.zeros(1, len(places), len(model.axes_dims), device=call.latent.device)
        ids[..., 0] = torch.tensor(places, dtype=ids.dtype, device=ids.device)
        self._offsets = model.rope_embedder(ids)
        self._angles: Any = None
        self._mlp_mod: Any = None
        self._gate: Any = None

    def project(self, layer: int, given: Mapping[str, Any], rows: slice) -> Projected:
        """Queries, keys and values of the concepts by the block's own weights."""
        if self._angles is None:
            start = self._image(given).start
            self._angles = self._turned(given["freqs_cis"][:1, start, None])
        block = self._model.layers[layer]
        scale, self._gate, *self._mlp_mod = self._modulation(block, given, rows)
        q, k, v = _qkv(block.attention, block.attention_norm1(self._state) * (1 + scale))
        q, k = block.attention.q_norm(q), block.attention.k_norm(k)
        q, k = rotate(q, self._angles), rotate(k, self._angles)
        return Projected(q, *_to_all_heads(block.attention, k, v))

    def advance(self, layer: int, concept_out: Tensor) -> None:
        """Output projection, gates and feed-forward."""
        block = self._model.layers[layer]
        scale, gate = self._mlp_mod
        out = finite(block.attention.out(concept_out.to(self._state.dtype)))
        state = self._state + self._gate * block.attention_norm2(out)
        out = finite(block.feed_forward(block.ffn_norm1(state) * (1 + scale)))
        self._state = state + gate * block.ffn_norm2(out)

    def _modulation(
        self, block: Any, given: Mapping[str, Any], rows: slice
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Scale and gate for attention, then for feed-forward: [B, 1, D] each."""
        vec = given["adaln_input"]
        if given.get("timestep_zero_index") is not None:
            vec = vec[given["x"].shape[0] :]  # before them, the rows of the given pictures' time
        scale, gate, mlp_scale, mlp_gate = block.adaLN_modulation(vec[rows])[:, None].chunk(4, -1)
        return scale, gate.tanh(), mlp_scale, mlp_gate.tanh()

    def _turned(self, picture: Tensor) -> Tensor:
        """The concepts' rotations: the picture's first token's along the first axis, then theirs.

        picture: [1, 1, 1, d / 2, 2, 2].
        """
        axis = self._model.axes_dims[0] // 2
        first, rest = self._offsets.split([axis, self._offsets.shape[3] - axis], dim=3)
        first = (picture[:, :, :, :axis, :, :, None] * first[..., None, :, :]).sum(-2)
        return torch.cat([first, rest], dim=3)


def _filled(model: HostModel, tokens: int) -> int:
    """As many tokens as the model makes of them: Z-Image knows multiples of 32 only."""
    part = model.pad_tokens_multiple or 1
    return -(-tokens // part) * part


def _refined(model: HostModel, tokens: Tensor) -> Tensor:
    """Concepts [1, T, width] after projection and context refiner: [1, T, D].

    Each attends to itself alone, which gives it its own value, wherever it stands.
    """
    state = model.cap_embedder(tokens)
    for block in model.context_refiner:
        _, k, v = _qkv(block.attention, block.attention_norm1(state))
        _, v = _to_all_heads(block.attention, k, v)
        out = block.attention.out(v.transpose(1, 2).flatten(2))
        state = state + block.attention_norm2(finite(out))
        state = state + block.ffn_norm2(block.feed_forward(block.ffn_norm1(state)))
    return state


def _qkv(attention: Any, x: Tensor) -> tuple[Tensor, ...]:
    """Queries, keys and values [B, heads, T, d]; Lumina 2 has fewer heads of the latter two."""
    heads = (attention.n_local_heads, attention.n_local_kv_heads, attention.n_local_kv_heads)
    parts = attention.qkv(x).split([count * attention.head_dim for count in heads], dim=-1)
    return tuple(by_heads(part, count) for part, count in zip(parts, heads, strict=True))


def _to_all_heads(attention: Any, *parts: Tensor) -> list[Tensor]:
    """Keys or values, for every head of the queries."""
    return [part.repeat_interleave(attention.n_rep, dim=1) for part in parts]
