"""Attention of the concepts over themselves and the image, and the score of image tokens."""

from collections.abc import Sequence

import torch
from torch import Tensor


def attend(q: Tensor, own_k: Tensor, own_v: Tensor, image_k: Tensor, image_v: Tensor) -> Tensor:
    """Attention output of the concepts: softmax(q [own_k; image_k]^T / sqrt(d)) [own_v; image_v].

    q, own_k, own_v: [B, heads, C, d]; image_k, image_v: [B, heads, N, d], normally views of the
    host's tensors. Returns [B, C, heads * d] float32. Only the logits are joined, [B, heads, C,
    C + N]: image keys and values are read where they lie, never copied (paper, section 4).
    """
    if q.shape[0] > 1 and not (_one_stride(image_k) and _one_stride(image_v)):
        # One product over batch and heads would have to copy them into one row first.
        parts = (x.split(1) for x in (q, own_k, own_v, image_k, image_v))
        return torch.cat([attend(*item) for item in zip(*parts, strict=True)])
    scale = q.shape[-1] ** -0.5
    logits = torch.cat([matmul(q, own_k.mT), matmul(q, image_k.mT)], dim=-1)
    weights = torch.softmax(logits.mul_(scale), dim=-1).to(q.dtype)
    own, image = weights.split([own_k.shape[2], image_k.shape[2]], dim=-1)
    out = matmul(own, own_v) + matmul(image, image_v)
    return out.transpose(1, 2).flatten(2)


def average(out: Tensor, counts: Sequence[int]) -> Tensor:
    """Mean over each concept's tokens: [B, T, D] to [B, C, D].

    counts: tokens of each concept, in the order of T. Scores are linear in the concept's vector, so
    that of the mean is the mean of the tokens' scores.
    """
    if out.shape[1] == len(counts):
        return out
    return torch.cat([own.mean(1, keepdim=True) for own in out.split(list(counts), 1)], dim=1)


def score(concept_out: Tensor, image_out: Tensor) -> Tensor:
    """Raw dot products of concept and image vectors, float32 [B, C, N].

    concept_out: [B, C, D] float32; image_out: [B, N, D] in the host's dtype. Image vectors in half
    precision are not widened: the concept vectors are split into parts of that precision instead,
    whose products are exact in float32 and add up to the full one.
    """
    if image_out.dtype == torch.float32:
        return torch.matmul(concept_out, image_out.mT)
    parts = [concept_out.to(image_out.dtype)]
    rest = concept_out - parts[0]
    for _ in range(_PARTS[image_out.dtype] - 1):
        parts.append(rest.to(image_out.dtype))
        rest = rest - parts[-1]
    products = matmul(torch.cat(parts, dim=1), image_out.mT)
    return products.unflatten(1, (len(parts), -1)).sum(1)


def matmul(a: Tensor, b: Tensor) -> Tensor:
    """a @ b in float32, whatever the dtype: [..., I, K] and [..., K, J] to [..., I, J]."""
    if a.dtype == torch.float32:
        return torch.matmul(a, b)
    if _widens(a.device):
        out = torch.bmm(a.flatten(0, -3), _flatten_batch(b), out_dtype=torch.float32)
        return out.unflatten(0, a.shape[:-2])
    # Elsewhere a half-precision product is rounded on the way out; widening in slices of the longer
    # side keeps the extra memory small.
    if b.shape[-1] >= b.shape[-2]:
        return torch.cat([a.float() @ part.float() for part in b.split(_SLICE, -1)], dim=-1)
    parts = zip(a.split(_SLICE, -1), b.split(_SLICE, -2), strict=True)
    return torch.stack([x.float() @ y.float() for x, y in parts]).sum(0)


def _widens(device: torch.device) -> bool:
    """Whether torch.bmm can give float32 products of half-precision factors on the device."""
    return device.type == "cuda" and torch.version.hip is None and _TORCH >= (2, 8)


def rotate(x: Tensor, angles: Tensor) -> Tensor:
    """Rotary position: x [B, heads, C, d], angles [1, 1, C, d / 2, 2, 2] rotation matrices."""
    pairs = x.to(angles.dtype).unflatten(-1, (-1, 1, 2))
    return (angles * pairs).sum(-1).flatten(-2).type_as(x)


def by_heads(x: Tensor, heads: int) -> Tensor:
    """[B, L, heads * d] or [B, L, heads, d] as a view [B, heads, L, d]."""
    return (x if x.ndim == 4 else x.unflatten(-1, (heads, -1))).transpose(1, 2)


_TORCH = tuple(int(part) for part in torch.__version__.split(".")[:2])
_SLICE = 1024
# Parts that hold a float32's 24 binary digits: bfloat16 has 8; float16 has 11, and the last two are
# below what the sum rounds off.
_PARTS = {torch.bfloat16: 3, torch.float16: 2}


def _one_stride(x: Tensor) -> bool:
    """Whether batch and heads of [B, heads, N, d] can be seen as one dimension."""
    return x.stride(0) == x.shape[1] * x.stride(1)


def _flatten_batch(b: Tensor) -> Tensor:
    """[..., K, J] to [M, K, J] without a copy where the strides allow one batch dimension."""
    return b.reshape(-1, *b.shape[-2:]) if b.ndim > 3 else b
