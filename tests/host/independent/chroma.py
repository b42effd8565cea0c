"""Chroma, written out."""

from collections.abc import Sequence

import torch
from torch import Tensor

from .maths import (
    Weights,
    attention,
    centred,
    gelu_pair,
    grid_places,
    heads,
    linear,
    patches,
    root_mean_square,
    rotated,
    silu_pair,
    sinusoid,
)

_AXES = (16, 56, 56)
_VECTORS = 344  # of shift, scale and gate that the guidance layer makes


def vectors(
    weights: Weights,
    x: Tensor,
    time: Tensor,
    text: Tensor,
    concepts: Tensor,
    places: Sequence[int],
    guidance: float = 0.0,
) -> list[tuple[Tensor, Tensor]]:
    """Concept vectors [B, C, D] and image vectors [B, N, D] of every double block.

    x [B, C, H, W], time [B], text [B, P, width], concepts [C, width]. The text has no positions, so
    the concepts' places are not used.
    """
    blocks = _count(weights, "double_blocks")
    modulation = _modulation(weights, time, guidance)
    before = 3 * _count(weights, "single_blocks")
    image = linear(weights, "img_in", patches(x))
    text = linear(weights, "txt_in", text)
    own = linear(weights, "txt_in", concepts).expand(x.shape[0], -1, -1)
    grid = grid_places(-(-x.shape[2] // 2), -(-x.shape[3] // 2))
    found = []
    for layer in range(blocks):
        image_mod = modulation[:, before + 6 * layer :][:, :6, None].unbind(1)
        text_mod = modulation[:, before + 6 * (blocks + layer) :][:, :6, None].unbind(1)
        name = f"double_blocks.{layer}"
        image_qkv = _qkv(weights, f"{name}.img", image, image_mod, grid)
        text_qkv = _qkv(weights, f"{name}.txt", text, text_mod)
        own_qkv = _qkv(weights, f"{name}.txt", own, text_mod)
        joint = attention(*(torch.cat(pair, 2) for pair in zip(text_qkv, image_qkv, strict=True)))
        text_out, image_out = joint.split([text.shape[1], image.shape[1]], 1)
        keys, values = (torch.cat([own_qkv[i], image_qkv[i]], 2) for i in (1, 2))
        own_out = attention(own_qkv[0], keys, values)
        found.append((own_out, image_out))
        image = _rest(weights, f"{name}.img", image, image_out, image_mod)
        text = _rest(weights, f"{name}.txt", text, text_out, text_mod)
        own = _rest(weights, f"{name}.txt", own, own_out, text_mod)
    return found


def _count(weights: Weights, name: str) -> int:
    return 1 + max(int(key.split(".")[1]) for key in weights if key.startswith(f"{name}."))


def _modulation(weights: Weights, time: Tensor, guidance: float) -> Tensor:
    """All shifts, scales and gates: [B, 344, D]."""
    layer = "distilled_guidance_layer"
    given = torch.cat([sinusoid(time, 16), sinusoid(torch.full_like(time, guidance), 16)], -1)
    # In float32, which has few digits left for an angle of 343,000: the model knows no others.
    index = sinusoid(torch.arange(_VECTORS).float(), 32).to(time)
    index = index.expand(time.shape[0], -1, -1)
    x = torch.cat([given[:, None].expand(-1, _VECTORS, -1), index], -1)
    x = linear(weights, f"{layer}.in_proj", x)
    for i in range(
        1 + max(int(k.split(".")[2]) for k in weights if k.startswith(f"{layer}.norms"))
    ):
        normal = root_mean_square(x, weights[f"{layer}.norms.{i}.weight"], 2.0**-23)
        part = f"{layer}.layers.{i}"
        x = x + silu_pair(weights, f"{part}.in_layer", f"{part}.out_layer", normal)
    return linear(weights, f"{layer}.out_proj", x)


def _qkv(
    weights: Weights, name: str, x: Tensor, mod: Sequence[Tensor], places: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    x = centred(x) * (1 + mod[1]) + mod[0]
    q, k, v = (heads(part) for part in linear(weights, f"{name}_attn.qkv", x).chunk(3, -1))
    q = root_mean_square(q, weights[f"{name}_attn.norm.query_norm.weight"])
    k = root_mean_square(k, weights[f"{name}_attn.norm.key_norm.weight"])
    if places is not None:
        q, k = rotated(q, places, _AXES), rotated(k, places, _AXES)
    return q, k, v


def _rest(
    weights: Weights, name: str, x: Tensor, attended: Tensor, mod: Sequence[Tensor]
) -> Tensor:
    x = x + mod[2] * linear(weights, f"{name}_attn.proj", attended)
    hidden = centred(x) * (1 + mod[4]) + mod[3]
    return x + mod[5] * gelu_pair(weights, f"{name}_mlp.0", f"{name}_mlp.2", hidden)
