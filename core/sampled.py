"""What is sampled, in the method's words: a latent's shape as tokens, pixels and frames."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from .families import Family
from .frames import spans


@dataclass(frozen=True)
class Sampled:
    """A batch of `batch` pictures or videos; the rest as in `types.Capture`.

    tokens: image tokens of each. sigmas: the noise levels of all steps, and the last one.
    """

    batch: int
    grid: tuple[int, int, int]
    tokens: int
    picture: tuple[int, int]
    spans: tuple[int, ...]
    sigmas: tuple[float, ...]
    family: str
    total_layers: int


def sampled_of(
    family: Family,
    model: nn.Module,
    shape: Sequence[int],
    sigmas: Sequence[float],
    pixels: int,
    compression: int,
) -> Sampled:
    """What a latent of this shape is to a model, for a noise schedule.

    pixels: side of a latent pixel in the picture. compression: frames of a video behind each latent
    frame but the first, which is one frame.
    """
    grid = family.grid(model, shape)
    latents = shape[2] if len(shape) == 5 else 1
    return Sampled(
        batch=shape[0],
        grid=grid,
        tokens=math.prod(grid),
        picture=(shape[-2] * pixels, shape[-1] * pixels),
        spans=spans(latents, grid[0], compression if family.video else 1),
        sigmas=tuple(float(sigma) for sigma in sigmas),
        family=family.name,
        total_layers=len(family.blocks(model)),
    )
