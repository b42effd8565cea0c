"""The host's Flux blocks written without in-place updates, so that they can be trained and
compiled; and what other models' blocks have in common with them.

The same modules and numbers as the host's own forward; a test compares the two.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


def bfloat16(device: str) -> torch.autocast:
    """Autocast to bfloat16 where the device computes it faster than float32, else to nothing."""
    kind = torch.device(device).type
    if kind == "cuda":
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        fast = torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return torch.autocast(kind, torch.bfloat16, enabled=fast)


def forward(
    model: nn.Module, latents: Tensor, time: Tensor, txt: Tensor, stride: float
) -> tuple[Tensor, Tensor]:
    """Velocity [B, N, 64] of latents [B, 16, H, W] at `time` [B] given text `txt` [B, T, width],
    and each double block's share of every text token's attention that goes to the image
    [layers, B, T]. stride: distance of neighbouring tokens at full resolution.
    """
    from comfy.ldm.flux.layers import timestep_embedding

    vec = model.time_in(timestep_embedding(time, 256))
    img, txt = model.img_in(to_tokens(latents)).float(), model.txt_in(txt).float()
    txt_ids = torch.zeros(1, txt.shape[1], 3, device=txt.device)
    pe = model.pe_embedder(torch.cat((txt_ids, _positions(latents, stride)), 1))
    cos, sin = pe[..., 0, 0], pe[..., 1, 0]
    looks = []
    for block in model.double_blocks:
        img, txt, look = double(block, img, txt, vec, cos, sin)
        looks.append(look)
    both = torch.cat((txt, img), 1)
    for block in model.single_blocks:
        both = single(block, both, vec, cos, sin)
    return model.final_layer(both[:, txt.shape[1] :], vec), torch.stack(looks)


def to_tokens(latents: Tensor) -> Tensor:
    """[B, C, H, W] -> [B, H / 2 * W / 2, 4 C], in the order of the host's Flux."""
    b, c, h, w = latents.shape
    return latents.view(b, c, h // 2, 2, w // 2, 2).permute(0, 2, 4, 1, 3, 5).reshape(b, -1, 4 * c)


def _positions(latents: Tensor, stride: float) -> Tensor:
    height, width = latents.shape[2] // 2, latents.shape[3] // 2
    ids = torch.zeros(height, width, 3, device=latents.device)
    ids[..., 1] = torch.arange(height, device=latents.device)[:, None] * stride
    ids[..., 2] = torch.arange(width, device=latents.device) * stride
    ids[..., 1:] += (stride - 1) / 2
    return ids.reshape(1, -1, 3)


def double(
    block: nn.Module, img: Tensor, txt: Tensor, vec: Tensor, cos: Tensor, sin: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """One double block: image and text streams, and the text tokens' attention to the image."""
    (i1, i2), (t1, t2) = block.img_mod(vec), block.txt_mod(vec)
    iq, ik, iv = _qkv(block.img_attn, block.img_attn.qkv(_modulate(img, i1)), block.num_heads)
    tq, tk, tv = _qkv(block.txt_attn, block.txt_attn.qkv(_modulate(txt, t1)), block.num_heads)
    q, k, v = torch.cat((tq, iq), 2), torch.cat((tk, ik), 2), torch.cat((tv, iv), 2)
    length = txt.shape[1]
    out, weights = attend(_rotate(q, cos, sin), _rotate(k, cos, sin), v)
    look = weights[:, :, :length, length:].float().sum(-1).mean(1)
    img = img + i1.gate * block.img_attn.proj(out[:, length:])
    img = img + i2.gate * block.img_mlp(_modulate(img, i2))
    txt = txt + t1.gate * block.txt_attn.proj(out[:, :length])
    txt = txt + t2.gate * block.txt_mlp(_modulate(txt, t2))
    return img, txt, look


def single(block: nn.Module, x: Tensor, vec: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """One single block."""
    mod, _ = block.modulation(vec)
    width = block.hidden_dim
    qkv, mlp = block.linear1(_modulate(x, mod)).split((3 * width, block.mlp_hidden_dim), -1)
    q, k, v = _qkv(block, qkv, block.num_heads)
    out, _ = attend(_rotate(q, cos, sin), _rotate(k, cos, sin), v)
    return x + mod.gate * block.linear2(torch.cat((out, block.mlp_act(mlp)), 2))


def _modulate(x: Tensor, mod) -> Tensor:
    return modulate(x, mod.shift, mod.scale)


def modulate(x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    """Layer norm of x [B, N, D], then scale and shift [B, 1, D]."""
    return functional.layer_norm(x, x.shape[-1:], eps=1e-6) * (1 + scale) + shift


def _qkv(owner: nn.Module, qkv: Tensor, heads: int) -> tuple[Tensor, Tensor, Tensor]:
    q, k, v = by_heads(qkv, heads)
    return rms(q, owner.norm.query_norm), rms(k, owner.norm.key_norm), v


def by_heads(qkv: Tensor, heads: int) -> tuple[Tensor, Tensor, Tensor]:
    """Queries, keys and values [B, heads, N, d] of [B, N, 3 heads d]."""
    b, n, _ = qkv.shape
    q, k, v = qkv.view(b, n, 3, heads, -1).permute(2, 0, 3, 1, 4)
    return q, k, v


def rms(x: Tensor, norm: nn.Module) -> Tensor:
    """The norm of queries and keys, over the last dimension, in float32."""
    x = x.float()
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6) * norm.weight


def attend(q: Tensor, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    """Attention [B, N, heads d] of [B, heads, N, d], and its weights [B, heads, N, N]."""
    # Written out: on a CPU torch's fused attention takes three times as long to train.
    q, k = q.to(v.dtype), k.to(v.dtype)
    scores = ((q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)).float()
    weights = scores.softmax(-1).to(v.dtype)
    return (weights @ v).transpose(1, 2).flatten(2), weights


def _rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    a, b = x.unflatten(-1, (-1, 2)).unbind(-1)
    return torch.stack((a * cos - b * sin, a * sin + b * cos), -1).flatten(-2)
