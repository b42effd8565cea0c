"""The pocket model's latents: a fixed linear projection of 8 x 8 pixel blocks to 16 numbers.

The sixteen directions are the principal components of the picture book. So the transformer can be
trained without a VAE, and the VAE's encoder is known in closed form (see `encoder_state`).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from .prompts import example

BLOCK, CHANNELS = 8, 16


def fit(seeds: range) -> tuple[Tensor, Tensor]:
    """Projection [16, 192] and mean [192] of the blocks of these seeds' pictures.

    Rows are scaled so that the latents have unit variance on average, and the strong directions
    keep more of it than the weak ones (the square root of their deviation).
    """
    pictures = torch.stack([torch.from_numpy(example(seed)[0].picture) for seed in seeds])
    blocks = to_blocks(pictures).permute(0, 2, 3, 1).reshape(-1, 3 * BLOCK * BLOCK).double()
    mean = blocks.mean(0)
    covariance = (blocks - mean).T @ (blocks - mean) / len(blocks)
    values, vectors = torch.linalg.eigh(covariance)
    values, vectors = values.flip(0)[:CHANNELS], vectors.flip(1)[:, :CHANNELS]
    signs = vectors.sum(0).sign()
    deviation = values.sqrt()
    wanted = deviation.sqrt()
    wanted = wanted / wanted.square().mean().sqrt()
    projection = (vectors * signs * (wanted / deviation)).T
    return projection.float(), mean.float()


def to_blocks(pictures: Tensor) -> Tensor:
    """uint8 [B, H, W, 3] -> float [B, 192, H / 8, W / 8] in 0..1; channel order (colour, row,
    column).
    """
    return functional.pixel_unshuffle(pictures.permute(0, 3, 1, 2).float() / 255, BLOCK)


def encode(pictures: Tensor, projection: Tensor, mean: Tensor) -> Tensor:
    """uint8 [B, H, W, 3] -> latents [B, 16, H / 8, W / 8] as the transformer sees them."""
    blocks = to_blocks(pictures) - mean[:, None, None]
    return torch.einsum("cp,bphw->bchw", projection, blocks)
