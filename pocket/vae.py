"""The pocket model's VAE in the layout of TAESD: an encoder in closed form, a decoder that is
trained.

Needs ComfyUI on the import path for the training only.
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

from . import fast, latents
from .prompts import example
from .world import FIRST_THING

WIDTH = 64  # the host's TAESD has 64 channels everywhere
# TAESD clamps softly at 3, the strongest latents reach 6: the VAE works on half of what the
# transformer sees.
GAIN = 0.5
# The host hands (latent - shift) * scale to a model; TAESD's own shift and scale undo that.
FORMATS = {"flux": (0.1159, 0.3611), "sd3": (0.0609, 1.5305)}
CROP, BATCH, RATE = 8, 8, 2e-3
DECODER_WIDTHS = (64, 48, 32, 24)
_CONVS = (0, 2, 6, 10, 14)  # the encoder's plain convolutions; the other layers are residual blocks
_BLOCKS = (1, 3, 4, 5, 7, 8, 9, 11, 12, 13)


def latent_format(model: str) -> dict[str, Tensor]:
    """The part of the VAE's weights that depends on which model it is for."""
    shift, scale = FORMATS[model]
    return {"vae_shift": torch.tensor(shift), "vae_scale": torch.tensor(scale * GAIN)}


def encoder_state(projection: Tensor, mean: Tensor) -> dict[str, Tensor]:
    """TAESD encoder weights that compute exactly GAIN * `latents.encode`, keys as in the host.

    Two strided convolutions move 2 x 2 pixels into channels (3, 12, 48); the third does the last
    such move and the projection at once, each direction as a positive and a negative half so that
    ReLU loses nothing. The residual blocks add zero; every value they see is at least zero.
    """
    state: dict[str, Tensor] = {}
    kernels = [torch.zeros(WIDTH, 3, 3, 3)] + [torch.zeros(WIDTH, WIDTH, 3, 3) for _ in range(3)]
    for colour in range(3):
        kernels[0][colour, colour, 1, 1] = 1
    for level, channels in ((1, 3), (2, 12)):
        for channel in range(channels):
            for part in range(4):
                kernels[level][channel * 4 + part, channel, 1 + part // 2, 1 + part % 2] = 1
    for column in range(projection.shape[1]):
        channel, row, col = _unpack(column)
        kernels[3][:16, channel, row, col] = projection[:, column]
        kernels[3][16:32, channel, row, col] = -projection[:, column]
    last = torch.zeros(latents.CHANNELS, WIDTH, 3, 3)
    for i in range(latents.CHANNELS):
        last[i, i, 1, 1], last[i, 16 + i, 1, 1] = GAIN, -GAIN
    for layer, kernel in zip(_CONVS, (*kernels, last), strict=True):
        state[f"{layer}.weight"] = kernel
    state["0.bias"], state["14.bias"] = torch.zeros(WIDTH), -GAIN * (projection @ mean)
    for layer in _BLOCKS:
        for conv in (0, 2, 4):
            state[f"{layer}.conv.{conv}.weight"] = torch.zeros(WIDTH, WIDTH, 3, 3)
            state[f"{layer}.conv.{conv}.bias"] = torch.zeros(WIDTH)
    return {f"taesd_encoder.{key}": value for key, value in state.items()}


def _unpack(column: int) -> tuple[int, int, int]:
    """Channel (of 48) and kernel row and column of one of the 192 numbers (colour, row, column) of
    a block.
    """
    colour, row, col = column // 64, column // 8 % 8, column % 8
    # Bits of the row from fine to coarse: first, second and third strided convolution.
    first, second, third = ((row >> i & 1) * 2 + (col >> i & 1) for i in range(3))
    return (colour * 4 + first) * 4 + second, 1 + third // 2, 1 + third % 2


class Block(nn.Module):
    """TAESD's residual block, its last convolution starting at zero."""

    def __init__(self, width: int):
        super().__init__()
        convs = [nn.Conv2d(width, width, 3, padding=1) for _ in range(3)]
        nn.init.zeros_(convs[2].weight)
        self.conv = nn.Sequential(convs[0], nn.ReLU(), convs[1], nn.ReLU(), convs[2])

    def forward(self, x: Tensor) -> Tensor:
        """Residual sum, then ReLU."""
        return functional.relu(self.conv(x) + x)


def build_decoder() -> nn.Sequential:
    """A TAESD decoder that is narrower at full size; `decoder_state` widens it to the host's 64
    channels.

    Layers that are left out (identity) are the host's residual blocks with zero weights.
    """
    eighth, quarter, half, full = DECODER_WIDTHS
    keep = nn.Identity
    return nn.Sequential(
        *(_Clamp(), nn.Conv2d(latents.CHANNELS, eighth, 3, padding=1), nn.ReLU()),
        *(Block(eighth), Block(eighth), keep(), nn.Upsample(scale_factor=2)),
        *(
            _between(eighth, quarter),
            Block(quarter),
            Block(quarter),
            keep(),
            nn.Upsample(scale_factor=2),
        ),
        *(_between(quarter, half), Block(half), Block(half), keep(), nn.Upsample(scale_factor=2)),
        *(_between(half, full), Block(full), nn.Conv2d(full, 3, 3, padding=1)),
    )


class _Clamp(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(x / 3) * 3


def _between(n_in: int, n_out: int) -> nn.Conv2d:
    return nn.Conv2d(n_in, n_out, 3, padding=1, bias=False)


def decoder_state(small: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights of the narrow decoder, padded with zeros to the host's TAESD decoder, keys as in the
    host.
    """
    state = {}
    for layer in (3, 4, 5, 8, 9, 10, 13, 14, 15, 18):
        for conv in (0, 2, 4):
            state[f"{layer}.conv.{conv}.weight"] = torch.zeros(WIDTH, WIDTH, 3, 3)
            state[f"{layer}.conv.{conv}.bias"] = torch.zeros(WIDTH)
    state["1.weight"] = torch.zeros(WIDTH, latents.CHANNELS, 3, 3)
    state["1.bias"] = torch.zeros(WIDTH)
    for layer in (7, 12, 17):
        state[f"{layer}.weight"] = torch.zeros(WIDTH, WIDTH, 3, 3)
    state["19.weight"], state["19.bias"] = torch.zeros(3, WIDTH, 3, 3), torch.zeros(3)
    for key, value in small.items():
        state[key][tuple(slice(n) for n in value.shape)] = value
    return {f"taesd_decoder.{key}": value for key, value in state.items()}


class Crops(torch.utils.data.IterableDataset):
    """Endless batches of crops, mostly of things: uint8 [B, 8 CROP, 8 CROP, 3]."""

    def __iter__(self) -> Iterator[Tensor]:
        torch.set_num_threads(1)
        rng, seed = random.Random(1), 2 * 10**8
        while True:
            crops = []
            while len(crops) < BATCH * 4:
                drawn = example(seed)[0]
                picture, seed = torch.from_numpy(drawn.picture), seed + 1
                spots = np.argwhere(drawn.labels >= FIRST_THING) // 8
                for i in range(8):
                    spot = spots[rng.randrange(len(spots))] if i and len(spots) else (99, 99)
                    y, x = (_start(rng, int(at)) for at in spot)
                    crops.append(picture[y : y + 8 * CROP, x : x + 8 * CROP])
            rng.shuffle(crops)
            for i in range(4):
                yield torch.stack(crops[i * BATCH : (i + 1) * BATCH])


def _start(rng: random.Random, spot: int) -> int:
    """First pixel of a crop that holds block `spot`, or any crop where there is no such block."""
    last = 32 - CROP
    low, high = (max(0, spot - CROP + 1), min(last, spot)) if spot <= 31 else (0, last)
    return 8 * rng.randint(low, high)


def train_decoder(
    path: Path,
    projection: Tensor,
    mean: Tensor,
    minutes: float,
    device: str,
    report: Callable[[str], None],
) -> nn.Module:
    """Train the decoder for so many minutes with the rate running out, or load it from `path`."""
    torch.manual_seed(2)
    decoder = build_decoder().to(device, memory_format=torch.channels_last)
    if path.exists():
        decoder.load_state_dict(torch.load(path, map_location=device, weights_only=True))
        return decoder
    optimiser = torch.optim.AdamW(
        decoder.parameters(), RATE, betas=(0.9, 0.98), weight_decay=0, fused=True
    )
    crops = iter(
        torch.utils.data.DataLoader(Crops(), batch_size=None, num_workers=1, prefetch_factor=8)
    )
    start, step, losses = time.monotonic(), 0, []
    while (progress := (time.monotonic() - start) / (60 * minutes)) < 1:
        for group in optimiser.param_groups:
            group["lr"] = RATE * min(1.0, step / 200) * (1 - progress)
        losses.append(_decoder_step(decoder, next(crops), projection, mean, device))
        nn.utils.clip_grad_norm_(decoder.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
        step += 1
        if step % 100 == 0:
            report(f"decoder {progress:6.1%}  step {step}  loss {sum(losses) / len(losses):.4f}")
            losses = []
    decoder = decoder.to(memory_format=torch.contiguous_format)
    torch.save(decoder.state_dict(), path)
    return decoder


def _decoder_step(
    decoder: nn.Module, pictures: Tensor, projection: Tensor, mean: Tensor, device: str
) -> float:
    """Gradients of the absolute error; a little noise on the latents, as sampled ones have."""
    clean = latents.encode(pictures, projection, mean)
    noise = torch.rand(len(clean), 1, 1, 1) * 0.15
    noisy = (GAIN * (clean + noise * torch.randn_like(clean))).to(
        device, memory_format=torch.channels_last
    )
    target = pictures.permute(0, 3, 1, 2).to(device).float() / 255
    with fast.bfloat16(device):
        out = decoder(noisy).float()
    error = out - target
    loss = error.abs().mean() + 2 * error.square().mean()
    loss.backward()
    return loss.item()
