"""The parts that transformers share, written out."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

Weights = Mapping[str, Tensor]


def linear(weights: Weights, name: str, x: Tensor) -> Tensor:
    """x [..., I] to [..., O], with a bias where there is one."""
    out = x @ weights[f"{name}.weight"].T
    return out + weights[f"{name}.bias"] if f"{name}.bias" in weights else out


def silu_pair(weights: Weights, first: str, second: str, x: Tensor) -> Tensor:
    """Two linear layers with a SiLU between them."""
    return linear(weights, second, functional.silu(linear(weights, first, x)))


def gelu_pair(weights: Weights, first: str, second: str, x: Tensor) -> Tensor:
    """Two linear layers with a GELU, by its tanh form, between them."""
    hidden = linear(weights, first, x)
    cubic = math.sqrt(2 / math.pi) * (hidden + 0.044715 * hidden**3)
    return linear(weights, second, 0.5 * hidden * (1 + torch.tanh(cubic)))


def centred(x: Tensor) -> Tensor:
    """Mean 0 and variance 1 over the last axis."""
    x = x - x.mean(-1, keepdim=True)
    return x / torch.sqrt((x**2).mean(-1, keepdim=True) + 1e-6)


def root_mean_square(x: Tensor, scale: Tensor, epsilon: float = 1e-6) -> Tensor:
    """Mean square 1 over the last axis, then scaled."""
    return x / torch.sqrt((x**2).mean(-1, keepdim=True) + epsilon) * scale


def sinusoid(time: Tensor, width: int) -> Tensor:
    """Cosines, then sines, of a thousand times a time [B]: [B, width]."""
    rates = torch.exp(-math.log(10000) * torch.arange(width // 2, dtype=time.dtype) / (width // 2))
    angle = 1000.0 * time[:, None] * rates
    return torch.cat([angle.cos(), angle.sin()], -1)


def rotated(x: Tensor, places: Tensor, axes: tuple[int, ...]) -> Tensor:
    """Neighbours in x [B, H, L, d] turned by places [L, axes]; axes: the part of d for each."""
    angles = []
    for axis, width in enumerate(axes):
        rates = 10000.0 ** (-torch.arange(0, width, 2, dtype=x.dtype) / width)
        angles.append(places[:, axis, None] * rates)
    turn = torch.polar(torch.ones(()).to(x), torch.cat(angles, -1))
    pairs = torch.view_as_complex(x.unflatten(-1, (-1, 2)).contiguous())
    return torch.view_as_real(pairs * turn).flatten(-2)


def heads(x: Tensor, width: int = 128) -> Tensor:
    """[B, L, H d] to [B, H, L, d]."""
    return x.unflatten(-1, (-1, width)).transpose(1, 2)


def attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """[B, H, L, d] each to [B, L, H d]."""
    weights = torch.softmax(q @ k.mT / math.sqrt(q.shape[-1]), -1)
    return (weights @ v).transpose(1, 2).flatten(2)


def patches(x: Tensor) -> Tensor:
    """[B, C, H, W] in squares of 2 x 2, odd sides continued from the other end: [B, N, 4 C]."""
    x = functional.pad(x, (0, x.shape[3] % 2, 0, x.shape[2] % 2), mode="circular")
    x = x.unflatten(3, (-1, 2)).unflatten(2, (-1, 2))
    return x.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)


def grid_places(rows: int, columns: int) -> Tensor:
    """(0, row, column) of every place of a grid: [N, 3]."""
    row, column = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    return torch.stack([torch.zeros_like(row), row, column], -1).flatten(0, 1).double()
