"""Qwen-Image, written out."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import silu

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
_SIDES = {
    "img": ("to_q", "to_k", "to_v", "norm_q", "norm_k", "to_out.0"),
    "txt": ("add_q_proj", "add_k_proj", "add_v_proj", "norm_added_q", "norm_added_k", "to_add_out"),
}


def vectors(
    weights: Weights,
    x: Tensor,
    time: Tensor,
    text: Tensor,
    concepts: Tensor,
    places: Sequence[int],
) -> list[tuple[Tensor, Tensor]]:
    """Concept vectors [B, C, D] and image vectors [B, N, D] of every block.

    x [B, C, 1, H, W], time [B], text [B, P, width], concepts [C, width], places: of the concepts
    among the prompt's tokens.
    """
    x = x[:, :, 0]
    rows, columns = -(-x.shape[2] // 2), -(-x.shape[3] // 2)
    # The picture's middle is the origin; text goes on along the diagonal from the edge.
    grid = grid_places(rows, columns) - torch.tensor([0, rows // 2, columns // 2])
    start = max(rows // 2, columns // 2)
    text_places = (start + torch.arange(text.shape[1]))[:, None].expand(-1, 3)
    own_places = (start + torch.tensor(places))[:, None].expand(-1, 3)
    embedder = "time_text_embed.timestep_embedder.linear"
    vec = silu(silu_pair(weights, f"{embedder}_1", f"{embedder}_2", sinusoid(time, 256)))
    image = linear(weights, "img_in", patches(x))
    text, own = (_text_in(weights, tokens) for tokens in (text, concepts))
    own = own.expand(x.shape[0], -1, -1)
    found = []
    for layer in range(1 + max(int(k.split(".")[1]) for k in weights if "_blocks." in k)):
        name = f"transformer_blocks.{layer}"
        image_mod, text_mod = (
            linear(weights, f"{name}.{side}_mod.1", vec)[:, None].chunk(6, -1) for side in _SIDES
        )
        image_qkv = _qkv(weights, name, "img", image, image_mod, grid)
        text_qkv = _qkv(weights, name, "txt", text, text_mod, text_places)
        own_qkv = _qkv(weights, name, "txt", own, text_mod, own_places)
        joint = attention(*(torch.cat(pair, 2) for pair in zip(text_qkv, image_qkv, strict=True)))
        text_out, image_out = joint.split([text.shape[1], image.shape[1]], 1)
        keys, values = (torch.cat([own_qkv[i], image_qkv[i]], 2) for i in (1, 2))
        own_out = attention(own_qkv[0], keys, values)
        found.append((own_out, image_out))
        image = _rest(weights, name, "img", image, image_out, image_mod)
        text = _rest(weights, name, "txt", text, text_out, text_mod)
        own = _rest(weights, name, "txt", own, own_out, text_mod)
    return found


def _text_in(weights: Weights, tokens: Tensor) -> Tensor:
    return linear(weights, "txt_in", root_mean_square(tokens, weights["txt_norm.weight"]))


def _qkv(
    weights: Weights, block: str, side: str, x: Tensor, mod: Sequence[Tensor], places: Tensor
) -> list[Tensor]:
    x = centred(x) * (1 + mod[1]) + mod[0]
    names = [f"{block}.attn.{name}" for name in _SIDES[side]]
    q, k, v = (heads(linear(weights, name, x)) for name in names[:3])
    turned = (
        rotated(root_mean_square(part, weights[f"{norm}.weight"]), places, _AXES)
        for part, norm in ((q, names[3]), (k, names[4]))
    )
    return [*turned, v]


def _rest(
    weights: Weights, block: str, side: str, x: Tensor, attended: Tensor, mod: Sequence[Tensor]
) -> Tensor:
    x = x + mod[2] * linear(weights, f"{block}.attn.{_SIDES[side][5]}", attended)
    hidden = centred(x) * (1 + mod[4]) + mod[3]
    mlp = f"{block}.{side}_mlp.net"
    return x + mod[5] * gelu_pair(weights, f"{mlp}.0.proj", f"{mlp}.2", hidden)
