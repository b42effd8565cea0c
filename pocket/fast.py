"""The host's Flux blocks written without in-place updates, so that they can be trained and
compiled.

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
    model: nn.Module, img: Tensor, txt: Tensor, time: Tensor, img_ids: Tensor
) -> tuple[Tensor, Tensor]:
    """Velocity of image tokens `img` [B, N, 64] at `time` [B] given text `txt` [B, T, width], and
    each double block's share of every text token's attention that goes to the image [layers, B, T].
    """
    from comfy.ldm.flux.layers import timestep_embedding

    vec = model.time_in(timestep_embedding(time, 256))
    img, txt = model.img_in(img).float(), model.txt_in(txt).float()
    txt_ids = torch.zeros(1, txt.shape[1], 3, device=txt.device)
    pe = model.pe_embedder(torch.cat((txt_ids, img_ids), 1))
    cos, sin = pe[..., 0, 0], pe[..., 1, 0]
    looks = []
    for block in model.double_blocks:
        img, txt, look = double(block, img, txt, vec, cos, sin)
        looks.append(look)
    both = torch.cat((txt, img), 1)
    for block in model.single_blocks:
        both = single(block, both, vec, cos, sin)
    return model.final_layer(both[:, txt.shape[1] :], vec), torch.stack(looks)


def double(
    block: nn.Module, img: Tensor, txt: Tensor, vec: Tensor, cos: Tensor, sin: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """One double block: image and text streams, and the text tokens' attention to the image."""
    (i1, i2), (t1, t2) = block.img_mod(vec), block.txt_mod(vec)
    iq, ik, iv = _qkv(block.img_attn, block.img_attn.qkv(_modulate(img, i1)), block.num_heads)
    tq, tk, tv = _qkv(block.txt_attn, block.txt_attn.qkv(_modulate(txt, t1)), block.num_heads)
    q, k, v = torch.cat((tq, iq), 2), torch.cat((tk, ik), 2), torch.cat((tv, iv), 2)
    length = txt.shape[1]
    out, weights = _attend(q, k, v, cos, sin)
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
    out, _ = _attend(q, k, v, cos, sin)
    return x + mod.gate * block.linear2(torch.cat((out, block.mlp_act(mlp)), 2))


def _modulate(x: Tensor, mod) -> Tensor:
    return functional.layer_norm(x, x.shape[-1:], eps=1e-6) * (1 + mod.scale) + mod.shift


def _qkv(owner: nn.Module, qkv: Tensor, heads: int) -> tuple[Tensor, Tensor, Tensor]:
    b, n, _ = qkv.shape
    q, k, v = qkv.view(b, n, 3, heads, -1).permute(2, 0, 3, 1, 4)
    return _rms(q, owner.norm.query_norm), _rms(k, owner.norm.key_norm), v


def _rms(x: Tensor, norm: nn.Module) -> Tensor:
    x = x.float()
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6) * norm.weight


def _attend(q: Tensor, k: Tensor, v: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor]:
    # Written out: on a CPU torch's fused attention takes three times as long to train.
    q, k = _rotate(q, cos, sin).to(v.dtype), _rotate(k, cos, sin).to(v.dtype)
    scores = ((q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)).float()
    weights = scores.softmax(-1).to(v.dtype)
    return (weights @ v).transpose(1, 2).flatten(2), weights


def _rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    a, b = x.unflatten(-1, (-1, 2)).unbind(-1)
    return torch.stack((a * cos - b * sin, a * sin + b * cos), -1).flatten(-2)
