"""Which thing is where in a picture that nobody labelled: a reader of generated pictures.

A tiny convolutional network on the latents of a picture, trained on scenes of the picture book with
known label maps (`train`, two minutes on a CPU). It never saw a generated picture,
and the pocket model never saw it.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from . import clips, latents
from .prompts import example
from .things import THINGS
from .world import FIRST_THING, LABELS

FILE = Path(__file__).parent / "reader.safetensors"
CLIPS_FILE = FILE.with_name("reader-clips.safetensors")  # of the frames of clips
SEEDS = range(3 * 10**8, 3 * 10**8 + 1200)
WIDTH, DILATIONS = 32, (1, 2, 4, 8, 4, 2, 1)
# A thing is there when it takes as many 8 x 8 blocks as this, about a sixth of a small one.
LEAST_BLOCKS = 8


class Reader(nn.Module):
    """Reads pictures uint8 [B, H, W, 3] with H and W multiples of 8."""

    def __init__(self, projection: Tensor, mean: Tensor):
        super().__init__()
        self.register_buffer("projection", projection)
        self.register_buffer("mean", mean)
        self.first = nn.Conv2d(latents.CHANNELS + 1, WIDTH, 1)
        self.layers = nn.ModuleList(
            nn.Conv2d(WIDTH, WIDTH, 3, padding=dilation, dilation=dilation)
            for dilation in DILATIONS
        )
        self.last = nn.Conv2d(WIDTH, len(LABELS), 1)

    @classmethod
    def load(cls, path: Path = FILE) -> Reader:
        """The reader that ships with the pack."""
        reader = cls(torch.zeros(latents.CHANNELS, 192), torch.zeros(192))
        reader.load_state_dict({key: value.float() for key, value in load_file(path).items()})
        return reader.eval()

    def save(self, path: Path = FILE) -> None:
        """Write the reader's weights."""
        save_file({key: value.contiguous() for key, value in self.state_dict().items()}, path)

    def scores(self, latent: Tensor) -> Tensor:
        """Logits of every label in each block: [B, 16, h, w] -> [B, labels, h, w]."""
        rows = torch.linspace(-1, 1, latent.shape[2], device=latent.device)
        height = rows[:, None].expand_as(latent[:, :1])
        x = self.first(torch.cat((latent, height), 1))
        for layer in self.layers:
            x = x + functional.relu(layer(x))
        return self.last(x)

    @torch.no_grad()
    def read(self, pictures: Tensor) -> Tensor:
        """Logits of every label in each block of the pictures: [B, labels, H / 8, W / 8]."""
        return self.scores(latents.encode(pictures, self.projection, self.mean))

    def labels(self, pictures: Tensor) -> Tensor:
        """Label map at full size, indices into LABELS: [B, H, W]."""
        scores = self.read(pictures)
        full = functional.interpolate(scores, scale_factor=8, mode="bilinear", align_corners=False)
        return full.argmax(1)

    def present(self, pictures: Tensor) -> Tensor:
        """Which things are there: bool [B, things], in the order of THINGS."""
        return self.blocks(pictures) >= LEAST_BLOCKS

    def blocks(self, pictures: Tensor) -> Tensor:
        """Number of blocks that each thing takes: [B, things]."""
        best = self.read(pictures).argmax(1)
        return torch.stack([(best == FIRST_THING + i).sum((1, 2)) for i in range(len(THINGS))], 1)


def scene_of(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Picture and labels of a scene."""
    drawn = example(seed)[0]
    return drawn.picture, drawn.labels


def frame_of(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A frame of a clip and its labels."""
    drawn, frame = clips.clip(seed), random.Random(seed).randrange(clips.FRAMES)
    return drawn.frames[frame], drawn.labels[frame]


def train(
    seeds: range = SEEDS,
    steps: int = 700,
    batch: int = 16,
    draw: Callable[[int], tuple[np.ndarray, np.ndarray]] = scene_of,
) -> Reader:
    """Train a reader on what `draw` makes of these seeds, with a little noise at random."""
    torch.manual_seed(0)
    rng = random.Random(0)
    reader = Reader(*latents.fit(seeds[:200]))
    latent, shares = _examples(reader, seeds, draw)
    optimiser = torch.optim.AdamW(reader.parameters(), 4e-3, weight_decay=0.01)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, steps)
    for _ in range(steps):
        rows = rng.sample(range(len(latent)), batch)
        noise = torch.rand(batch, 1, 1, 1) * 0.3
        noisy = latent[rows] + noise * torch.randn(batch, *latent.shape[1:])
        loss = functional.cross_entropy(reader.scores(noisy), shares[rows])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        rate.step()
    return reader.eval()


def _examples(
    reader: Reader, seeds: range, draw: Callable[[int], tuple[np.ndarray, np.ndarray]]
) -> tuple[Tensor, Tensor]:
    """Latents [B, 16, h, w] and shares of the labels in each block [B, labels, h, w]."""
    latent, shares = [], []
    for seed in seeds:
        pixels, marks = draw(seed)
        picture = torch.from_numpy(pixels)[None]
        labels = functional.one_hot(torch.from_numpy(marks).long(), len(LABELS))
        latent.append(latents.encode(picture, reader.projection, reader.mean)[0])
        shares.append(functional.avg_pool2d(labels.permute(2, 0, 1).float(), 8))
    return torch.stack(latent), torch.stack(shares)
