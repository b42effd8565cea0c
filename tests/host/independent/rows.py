"""What the maths of one picture has in common: rows [L, D]; a block's numbers are a dictionary."""

import torch


def part(weights, name):
    """The tensors under `name.`, by the rest of their names."""
    return {
        key[len(name) + 1 :]: tensor
        for key, tensor in weights.items()
        if key.startswith(f"{name}.")
    }


def sinusoid(t, width=256):
    """[width] cosines, then sines, of a number."""
    half = width // 2
    angles = t * 10000.0 ** (-torch.arange(half, dtype=torch.float64) / half)
    return torch.cat([angles.cos(), angles.sin()])


def angles(places, widths, theta):
    """Rotations [L, d / 2] at places [L, axes]."""
    rows = []
    for axis, width in enumerate(widths):
        rates = theta ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)
        rows.append(places[:, axis, None].double() * rates)
    return torch.cat(rows, dim=1)


def rotate(x, angle):
    """Neighbouring numbers of x [L, heads, d] turned by angles [L, d / 2]."""
    cos, sin = angle.cos()[:, None], angle.sin()[:, None]
    a, b = x[..., 0::2], x[..., 1::2]
    return torch.stack([a * cos - b * sin, a * sin + b * cos], dim=-1).flatten(-2)


def attention(q, k, v):
    """[L, heads * d] of q [L, heads, d] and k, v [M, heads, d]."""
    weights = torch.einsum("lhd,mhd->hlm", q, k) / q.shape[-1] ** 0.5
    return torch.einsum("hlm,mhd->lhd", weights.softmax(-1), v).flatten(1)
