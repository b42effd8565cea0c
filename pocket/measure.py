"""Which thing is where in a picture that nobody labelled: a reader of generated pictures.

Two ridge regressions on random features, fitted to scenes of the picture book with known label
maps; no training loop, no stored weights, the same result every time. The first reads each 8 x 8
block with its surroundings, the second corrects it with what the first saw further around.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from . import latents
from .prompts import example
from .things import THINGS
from .world import FIRST_THING, LABELS

SEEDS = range(3 * 10**8, 3 * 10**8 + 360)
FEATURES = 2048
REACH = 9  # blocks: the first regression sees 72 x 72 pixels
# A thing is there when it takes as many blocks as this: found on scenes with known labels (see
# `tools`).
LEAST_BLOCKS = 9


class Reader:
    """Reads pictures uint8 [B, H, W, 3] with H and W multiples of 8."""

    def __init__(self, seeds: range = SEEDS, features: int = FEATURES):
        """Fit to the scenes of these seeds; a few hundred take some seconds on an idle machine."""
        self.projection, self.mean = latents.fit(seeds[:100])
        generator = torch.Generator().manual_seed(0)
        inputs = (latents.CHANNELS * REACH**2 + 2, len(LABELS) * 49 + 2)
        self.random = [
            torch.randn(n + 1, features, generator=generator) * (n**-0.5) for n in inputs
        ]
        self.weights: list[Tensor] = []
        drawn = [example(seed)[0] for seed in seeds]
        latent = self._latents(torch.stack([torch.from_numpy(scene.picture) for scene in drawn]))
        labels = torch.stack([torch.from_numpy(scene.labels) for scene in drawn])
        target = _shares(labels).permute(0, 2, 3, 1).flatten(0, 2)
        for stage in range(2):
            self.weights.append(self._fit(stage, latent, target))

    def scores(self, pictures: Tensor) -> Tensor:
        """Share of each label in each block, about 0..1: [B, labels, H / 8, W / 8]."""
        latent = self._latents(pictures)
        return self._run(len(self.weights) - 1, latent)

    def labels(self, pictures: Tensor) -> Tensor:
        """Label map at full size, indices into LABELS: [B, H, W]."""
        scores = self.scores(pictures)
        full = functional.interpolate(scores, scale_factor=8, mode="bilinear", align_corners=False)
        return full.argmax(1)

    def present(self, pictures: Tensor) -> Tensor:
        """Which things are there: bool [B, things], in the order of THINGS."""
        blocks = self.blocks(pictures)
        return blocks >= LEAST_BLOCKS

    def blocks(self, pictures: Tensor) -> Tensor:
        """Number of blocks that each thing takes: [B, things]."""
        best = self.scores(pictures).argmax(1)
        return torch.stack([(best == FIRST_THING + i).sum((1, 2)) for i in range(len(THINGS))], 1)

    def _latents(self, pictures: Tensor) -> Tensor:
        return latents.encode(pictures, self.projection, self.mean)

    def _run(self, stage: int, latent: Tensor) -> Tensor:
        parts = [self._features(stage, part) @ self.weights[stage] for part in latent.split(16)]
        b, _, h, w = latent.shape
        return torch.cat(parts).view(b, h, w, len(LABELS)).permute(0, 3, 1, 2)

    def _features(self, stage: int, latent: Tensor) -> Tensor:
        """Random features of every block: [blocks, features + 1]."""
        if stage == 0:
            padded = functional.pad(latent, (REACH // 2,) * 4, mode="replicate")
            near = functional.unfold(padded, REACH)
        else:
            first = self._run(0, latent).clamp(0, 1)
            padded = functional.pad(first, (9,) * 4, mode="replicate")
            # Seven by seven means of 3 x 3 blocks: 21 blocks around.
            near = functional.unfold(functional.avg_pool2d(padded, 3, 1, 1), 7, dilation=3)
        near = torch.cat((near, _place(latent), torch.ones_like(near[:, :1])), 1)
        flat = near.transpose(1, 2).flatten(0, 1)
        mixed = functional.relu(flat @ self.random[stage])
        return torch.cat((mixed, torch.ones(len(mixed), 1)), 1)

    def _fit(self, stage: int, latent: Tensor, target: Tensor) -> Tensor:
        gram, moment = 0.0, 0.0
        for part, wanted in zip(latent.split(16), target.split(16 * 1024), strict=True):
            features = self._features(stage, part)
            gram = gram + features.T @ features
            moment = moment + features.T @ wanted
        ridge = 1e-3 * gram.diagonal().mean() * torch.eye(len(gram))
        return torch.linalg.solve(gram + ridge, moment)


def _shares(labels: Tensor) -> Tensor:
    """Share of every label in each block: [B, H, W] -> [B, labels, H / 8, W / 8]."""
    hot = torch.stack([labels == i for i in range(len(LABELS))], 1).float()
    return functional.avg_pool2d(hot, 8)


def _place(latent: Tensor) -> Tensor:
    """Row and column of every block, -1..1: [B, 2, blocks]."""
    b, _, h, w = latent.shape
    rows, columns = torch.linspace(-1, 1, h), torch.linspace(-1, 1, w)
    grid = torch.stack(torch.meshgrid(rows, columns, indexing="ij")).flatten(1)
    return 3 * grid.expand(b, -1, -1)
