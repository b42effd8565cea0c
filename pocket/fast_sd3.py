"""The host's SD3 blocks written so that they can be trained and compiled; see `fast`."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from . import fast

# The host spreads a square grid's tokens evenly over 0 to 15, whatever their number.
_CENTRE = 7.5


def forward(
    model: nn.Module, latents: Tensor, time: Tensor, txt: Tensor, stride: float
) -> tuple[Tensor, Tensor]:
    """Velocity [B, N, 64] of latents [B, 16, H, W] at `time` [B] given text `txt` [B, T, width],
    tokens in the order of `fast.to_tokens`; and each block's share of every text token's attention
    that goes to the image [layers, B, T]. stride: distance of neighbouring tokens at full
    resolution.
    """
    vec = model.t_embedder(time * 1000, torch.float32)
    img = _patches(model, latents) + _positions(model, latents, stride)
    txt = model.context_embedder(txt).float()
    looks = []
    for block in model.joint_blocks[:-1]:
        img, txt, look = joint(block, img, txt, vec)
        looks.append(look)
    img, look = last(model.joint_blocks[-1], img, txt, vec)
    out = model.final_layer(img, vec)
    # The host's order within a patch is (row, column, channel) here, (channel, row, column) there.
    return out.unflatten(-1, (4, -1)).transpose(-1, -2).flatten(-2), torch.stack([*looks, look])


def joint(block: nn.Module, img: Tensor, txt: Tensor, vec: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """One joint block: image and text streams, and the text tokens' attention to the image."""
    i, t = _modulation(block.x_block, vec, 6), _modulation(block.context_block, vec, 6)
    out, look = _attention(block, fast.modulate(img, *i[:2]), fast.modulate(txt, *t[:2]))
    length = txt.shape[1]
    img = _rest(block.x_block, img, out[:, length:], i)
    return img, _rest(block.context_block, txt, out[:, :length], t), look


def last(block: nn.Module, img: Tensor, txt: Tensor, vec: Tensor) -> tuple[Tensor, Tensor]:
    """The last block, whose text has no more than queries, keys and values."""
    i, t = _modulation(block.x_block, vec, 6), _modulation(block.context_block, vec, 2)
    out, look = _attention(block, fast.modulate(img, *i[:2]), fast.modulate(txt, *t))
    return _rest(block.x_block, img, out[:, txt.shape[1] :], i), look


def _attention(block: nn.Module, img: Tensor, txt: Tensor) -> tuple[Tensor, Tensor]:
    pairs = zip(_qkv(block.context_block.attn, txt), _qkv(block.x_block.attn, img), strict=True)
    out, weights = fast.attend(*(torch.cat(pair, 2) for pair in pairs))
    length = txt.shape[1]
    return out, weights[:, :, :length, length:].float().sum(-1).mean(1)


def _qkv(attn: nn.Module, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    q, k, v = fast.by_heads(attn.qkv(x), attn.num_heads)
    return fast.rms(q, attn.ln_q), fast.rms(k, attn.ln_k), v


def _modulation(half: nn.Module, vec: Tensor, parts: int) -> tuple[Tensor, ...]:
    return half.adaLN_modulation(vec)[:, None].chunk(parts, -1)


def _rest(half: nn.Module, x: Tensor, out: Tensor, mod: tuple[Tensor, ...]) -> Tensor:
    _, _, gate, shift, scale, mlp_gate = mod
    x = x + gate * half.attn.proj(out)
    return x + mlp_gate * half.mlp(fast.modulate(x, shift, scale))


def _patches(model: nn.Module, latents: Tensor) -> Tensor:
    """The patch embedding as a product of matrices, which trains faster than a convolution."""
    proj = model.x_embedder.proj
    return nn.functional.linear(fast.to_tokens(latents), proj.weight.flatten(1), proj.bias).float()


def _positions(model: nn.Module, latents: Tensor, stride: float) -> Tensor:
    from comfy.ldm.modules.diffusionmodules.mmdit import get_2d_sincos_pos_embed_torch

    height, width = latents.shape[2] // 2, latents.shape[3] // 2
    return get_2d_sincos_pos_embed_torch(
        model.hidden_size,
        width,
        height,
        val_center=_CENTRE,
        val_magnitude=_CENTRE - (stride - 1) / 2,
        device=latents.device,
    )
