"""The host's CogVideoX blocks written so that they can be trained and compiled, at any distance of
tokens.

The same modules and numbers as the host's own forward; a test compares the two.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


def forward(
    model: nn.Module, latents: Tensor, time: Tensor, txt: Tensor, stride: float
) -> tuple[Tensor, Tensor]:
    """Prediction [B, 16, T, H, W] for latents of that shape at `time` [B] (0..999) given text `txt`
    [B, K, width], and each block's share of every text token's attention that goes to the video
    [layers, B, K]. stride: distance of neighbouring tokens at full resolution.
    """
    from comfy.ldm.cogvideo.model import get_timestep_embedding

    b, _, t, h, w = latents.shape
    rows, columns = h // 2, w // 2
    emb = get_timestep_embedding(time, model.time_proj_dim, model.time_proj_flip)
    emb = model.time_embedding_linear_2(functional.silu(model.time_embedding_linear_1(emb)))
    txt = model.patch_embed.text_proj(txt).float()
    video = model.patch_embed.proj(latents.transpose(1, 2).flatten(0, 1)).float()
    video = video.view(b, t, -1, rows * columns).transpose(2, 3).flatten(1, 2)
    cos, sin = _rotations(model, (t, rows, columns), stride)
    looks = []
    for one in model.blocks:
        video, txt, look = block(one, video, txt, emb, cos, sin)
        looks.append(look)
    shift, scale = model.norm_out.linear(functional.silu(emb)).chunk(2, 1)
    video = _norm(_norm(video, model.norm_final), model.norm_out.norm)
    out = model.proj_out(video * (1 + scale)[:, None] + shift[:, None])
    out = out.view(b, t, rows, columns, -1, 2, 2).permute(0, 4, 1, 2, 5, 3, 6)
    return out.reshape(b, -1, t, h, w), torch.stack(looks)


def block(
    one: nn.Module, video: Tensor, txt: Tensor, emb: Tensor, cos: Tensor, sin: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """One block: video and text streams, and the text tokens' attention to the video."""
    length = txt.shape[1]
    both, video_gate, txt_gate = _modulated(one.norm1, video, txt, emb)
    q, k, v = (
        project(both).unflatten(-1, (one.num_heads, -1)).transpose(1, 2)
        for project in (one.q, one.k, one.v)
    )
    q = _rotate(_norm(q, one.norm_q), length, cos, sin)
    k = _rotate(_norm(k, one.norm_k), length, cos, sin)
    out, weights = attend(q, k, v)
    look = weights[:, :, :length, length:].float().sum(-1).mean(1)
    out = one.attn_out(out)
    video, txt = video + video_gate * out[:, length:], txt + txt_gate * out[:, :length]
    both, video_gate, txt_gate = _modulated(one.norm2, video, txt, emb)
    out = one.ff_out(functional.gelu(one.ff_proj(both), approximate="tanh"))
    return video + video_gate * out[:, length:], txt + txt_gate * out[:, :length], look


def attend(q: Tensor, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    """Attention [B, N, heads d] of [B, heads, N, d], and its weights [B, heads, N, N]."""
    # Written out: on a CPU torch's fused attention takes three times as long to train.
    q, k = q.to(v.dtype), k.to(v.dtype)
    scores = ((q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)).float()
    weights = scores.softmax(-1).to(v.dtype)
    return (weights @ v).transpose(1, 2).flatten(2), weights


def _modulated(
    norm: nn.Module, video: Tensor, txt: Tensor, emb: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    parts = norm.linear(functional.silu(emb))[:, None].chunk(6, -1)
    shift, scale, gate, txt_shift, txt_scale, txt_gate = parts
    video = _norm(video, norm.norm) * (1 + scale) + shift
    txt = _norm(txt, norm.norm) * (1 + txt_scale) + txt_shift
    return torch.cat((txt, video), 1), gate, txt_gate


def _norm(x: Tensor, norm: nn.Module) -> Tensor:
    x = x.float()
    return functional.layer_norm(x, x.shape[-1:], norm.weight, norm.bias, norm.eps)


def _rotations(
    model: nn.Module, grid: tuple[int, int, int], stride: float
) -> tuple[Tensor, Tensor]:
    """Cosines and sines [tokens, d / 2] of the host's angles: a quarter of them for the frame, the
    rest in halves for row and column.
    """
    t, rows, columns = grid
    d, device = model.attention_head_dim, model.proj_out.weight.device
    angles = []
    for axis, (count, width) in enumerate(zip(grid, (d // 4, d // 8 * 3, d // 8 * 3), strict=True)):
        places = torch.arange(count, dtype=torch.float32, device=device)
        if axis:
            places = (places * stride + (stride - 1) / 2) * model.spatial_interpolation_scale
        turns = torch.arange(0, width, 2, dtype=torch.float32, device=device) / width
        own = torch.outer(places, 10000.0**-turns)
        shape = [1, 1, 1, -1]
        shape[axis] = count
        angles.append(own.view(shape).expand(t, rows, columns, -1))
    joined = torch.cat(angles, -1).flatten(0, 2)
    return joined.cos(), joined.sin()


def _rotate(x: Tensor, length: int, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn the video's part of x [B, heads, tokens, d]; the text stays."""
    a, b = x[:, :, length:].unflatten(-1, (-1, 2)).unbind(-1)
    turned = torch.stack((a * cos - b * sin, a * sin + b * cos), -1).flatten(-2)
    return torch.cat((x[:, :, :length], turned), 2)
