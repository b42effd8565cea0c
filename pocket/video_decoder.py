"""The decoder of the pocket video model's VAE, and its training.

A TAEHV decoder with fewer channels and blocks (`video_vae.decoder_state` fills it up). Needs
ComfyUI on the import path for the training only.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from . import clips, fast
from .video_latents import CHANNELS, Latents
from .video_vae import GAIN, GROWTH, MEMORIES, WIDTHS
from .world import FIRST_THING

LEAD = 3  # frames before the first, which are cut off
CROP, BATCH, RATE = 8, 4, 2e-3


class Memory(nn.Module):
    """A MemBlock, its last convolution starting at zero: sees this step and the one before."""

    def __init__(self, width: int):
        super().__init__()
        sizes = ((2 * width, width), (width, width), (width, width))
        first, second, third = (nn.Conv2d(*size, 3, padding=1) for size in sizes)
        nn.init.zeros_(third.weight)
        self.conv = nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), third)

    def forward(self, x: Tensor, steps: int) -> Tensor:
        """x: [B * steps, width, H, W]."""
        past = functional.pad(x.unflatten(0, (-1, steps)), (0,) * 6 + (1, 0))[:, :-1].flatten(0, 1)
        return functional.relu(self.conv(torch.cat((x, past), 1)) + x)


class Level(nn.Module):
    """What happens at one resolution, and the way to the next."""

    def __init__(self, level: int):
        super().__init__()
        width, after, growth = WIDTHS[level], WIDTHS[level + 1], GROWTH[level]
        self.memories = nn.ModuleList(Memory(width) for _ in range(MEMORIES[level]))
        self.grow = nn.Conv2d(width, width * growth, 1, bias=False)
        self.out = nn.Conv2d(width, after, 3, padding=1, bias=False)

    def forward(self, x: Tensor, steps: int) -> Tensor:
        """[B * steps, width, H, W] -> [B * steps * growth, next width, 2 H, 2 W]."""
        for memory in self.memories:
            x = memory(x, steps)
        # The host enlarges first; a 1 x 1 convolution before it gives the same for a quarter.
        x = self.grow(x).reshape(-1, *x.shape[1:])
        return self.out(functional.interpolate(x, scale_factor=2.0))


class Decoder(nn.Module):
    """Latents of the VAE [B, 16, T, h, w] -> frames [B, 4 T - 3, 3, 8 h, 8 w] in 0..1."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(CHANNELS, WIDTHS[0], 3, padding=1)
        self.levels = nn.ModuleList(Level(level) for level in range(3))
        self.last = nn.Conv2d(WIDTHS[3], 3, 3, padding=1)

    def forward(self, latents: Tensor) -> Tensor:
        """Frames, not clamped."""
        steps = latents.shape[2]
        x = latents.transpose(1, 2).flatten(0, 1).contiguous(memory_format=torch.channels_last)
        x = functional.relu(self.first(torch.tanh(x / 3) * 3))
        for level, growth in zip(self.levels, GROWTH, strict=True):
            x, steps = level(x, steps), steps * growth
        return self.last(functional.relu(x)).unflatten(0, (-1, steps))[:, LEAD:]


def crops(latents: Latents) -> Iterator[tuple[Tensor, Tensor]]:
    """Endless batches of crops, mostly of things: the model's latents [B, 16, T, CROP, CROP], and
    frames uint8 [B, F, 8 CROP, 8 CROP, 3].
    """
    rng, seed, ready = random.Random(1), 2 * 10**8, []
    while True:
        while len(ready) < BATCH * 8:
            drawn, seed = clips.example(seed)[0], seed + 1
            frames = torch.from_numpy(drawn.frames)[None]
            whole = latents.encode(frames)
            spots = np.argwhere(drawn.labels >= FIRST_THING)[:, 1:] // 8
            for i in range(4):
                spot = spots[rng.randrange(len(spots))] if i and len(spots) else None
                y, x = (
                    _start(rng, size, None if spot is None else int(spot[axis]))
                    for axis, size in enumerate(whole.shape[-2:])
                )
                pixels = frames[0, :, 8 * y : 8 * (y + CROP), 8 * x : 8 * (x + CROP)]
                ready.append((whole[0, :, :, y : y + CROP, x : x + CROP], pixels))
        rng.shuffle(ready)
        batch, ready = ready[:BATCH], ready[BATCH:]
        clean, pixels = (torch.stack(part) for part in zip(*batch, strict=True))
        yield clean, pixels


def _start(rng: random.Random, size: int, spot: int | None) -> int:
    """First block of a crop that holds block `spot`, or of any crop."""
    last = size - CROP
    low, high = (0, last) if spot is None else (max(0, spot - CROP + 1), min(last, spot))
    return rng.randint(low, high)


def train(
    path: Path, latents: Latents, minutes: float, device: str, report: Callable[[str], None]
) -> dict[str, Tensor]:
    """Train a decoder for so many minutes with the rate running out, or load it from `path`."""
    torch.manual_seed(2)
    decoder = Decoder().to(device, memory_format=torch.channels_last)
    if path.exists():
        return torch.load(path, map_location="cpu", weights_only=True)
    optimiser = torch.optim.AdamW(
        decoder.parameters(), RATE, betas=(0.9, 0.98), weight_decay=0, fused=True
    )
    batches, start, step, errors = crops(latents), time.monotonic(), 0, []
    while (progress := (time.monotonic() - start) / (60 * minutes)) < 1:
        for group in optimiser.param_groups:
            group["lr"] = RATE * min(1.0, step / 200) * (1 - progress)
        errors.append(_step(decoder, *next(batches), device))
        nn.utils.clip_grad_norm_(decoder.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
        step += 1
        if step % 100 == 0:
            report(f"decoder {progress:6.1%}  step {step}  loss {sum(errors) / len(errors):.4f}")
            errors = []
    weights = {key: value.cpu().contiguous() for key, value in decoder.state_dict().items()}
    torch.save(weights, path)
    return weights


def _step(decoder: nn.Module, clean: Tensor, frames: Tensor, device: str) -> float:
    """Gradients of the absolute error; a little noise on the latents, as sampled ones have."""
    noise = torch.rand(len(clean), 1, 1, 1, 1) * 0.15
    noisy = (GAIN * (clean + noise * torch.randn_like(clean))).to(device)
    target = frames.permute(0, 1, 4, 2, 3).to(device).float() / 255
    with fast.bfloat16(device):
        out = decoder(noisy).float()
    error = out - target
    loss = error.abs().mean() + 2 * error.square().mean()
    loss.backward()
    return loss.item()
