"""The pocket video model's VAE in the layout of the host's TAEHV: an encoder in closed form, a
decoder that is trained (`video_decoder`).

The encoder computes exactly `video_latents.Latents.encode`. Torch only.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .video_latents import CHANNELS, WIDTH, Latents

WIDTHS, MEMORIES = (80, 56, 32, 24), (3, 2, 1)  # the decoder's channels and MemBlocks
HOST_WIDTHS = (256, 128, 64, 64)
GROWTH = (1, 2, 2)  # frames out of one, on the way to the next resolution
FULL = 64  # channels of the host's TAEHV encoder
GAIN = 1 / 1.15258426  # the host hands latent * 1.15258426 to a CogVideoX of less than 48 heads
_MEMORIES = ((4, 5, 6), (9, 10, 11), (14, 15, 16))  # MemBlocks of the three resolutions
# Channels at half resolution, before time is halved again: 2 x 2 pixels x 3 colours each of the
# first and the second frame of a pair, of the pair before it, and of the second of the one before.
_NOW, _PAST, _OLDEST, _ONE, _KNOWN = range(24), range(24, 48), range(48, 60), 60, 61
_LARGE = 2.0  # more than any colour


def encoder_state(latents: Latents) -> dict[str, Tensor]:
    """Weights of the encoder that gives GAIN * `latents.encode`, keys as in the host.

    The host groups frames as (0, 1, 2, 3), (4, 5, 6, 7) and pads at the end; clips have their first
    frame alone, then (1, 2, 3, 4) and so on. So a group is gathered from memory when its last frame
    has come, and where nothing came before, the first frame takes its place. Every value that a
    ReLU meets is at least zero.
    """
    state = {key: torch.zeros(shape) for key, shape in _shapes().items()}
    _gather(state)
    _project(state, latents)
    return {f"encoder.{key}": value for key, value in state.items()}


def _shapes() -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {"0.weight": (FULL, 3, 3, 3), "0.bias": (FULL,)}
    for level, stride in enumerate((2, 2, 1)):
        pool, conv = 2 + 5 * level, 3 + 5 * level
        shapes[f"{pool}.conv.weight"] = (FULL, stride * FULL, 1, 1)
        shapes[f"{conv}.weight"] = (FULL, FULL, 3, 3)
        for memory in _MEMORIES[level]:
            for layer, inputs in ((0, 2 * FULL), (2, FULL), (4, FULL)):
                shapes[f"{memory}.conv.{layer}.weight"] = (FULL, inputs, 3, 3)
                shapes[f"{memory}.conv.{layer}.bias"] = (FULL,)
    return shapes | {"17.weight": (CHANNELS, FULL, 3, 3), "17.bias": (CHANNELS,)}


def _gather(state: dict[str, Tensor]) -> None:
    """The four frames of a group as 48 channels of 2 x 2 pixels, at every other pair of frames."""
    for colour in range(3):
        state["0.weight"][colour, colour, 1, 1] = 1
    state["0.bias"][3] = 1
    for i in range(3):
        state["2.conv.weight"][i, i] = 1
        state["2.conv.weight"][3 + i, FULL + i] = 1
    state["2.conv.weight"][6, 3] = 1
    for channel in range(6):
        for part in range(4):
            state["3.weight"][channel * 4 + part, channel, 1 + part // 2, 1 + part % 2] = 1
    state["3.weight"][_ONE, 6, 1, 1] = 1
    first, second, third = _MEMORIES[0]
    _remember(state, first, {**dict(zip(_NOW, _PAST, strict=True)), _ONE: _KNOWN})
    _remember(state, second, dict(zip(_PAST[12:], _OLDEST, strict=True)))
    for part in range(12):
        # The first frame where nothing is known, else nothing.
        state[f"{third}.conv.0.weight"][part, part, 1, 1] = 1
        state[f"{third}.conv.0.weight"][part, _KNOWN, 1, 1] = -_LARGE
        state[f"{third}.conv.2.weight"][part, part, 1, 1] = 1
        for target in (_PAST[part], _PAST[12 + part], _OLDEST[part]):
            state[f"{third}.conv.4.weight"][target, part, 1, 1] = 1
    order = (*_OLDEST, *_PAST, *_NOW[:12], _ONE)
    for target, source in enumerate(order):
        state["7.conv.weight"][target, source] = 1


def _remember(state: dict[str, Tensor], block: int, copies: dict[int, int]) -> None:
    """A MemBlock that adds channels of the step before (keys) to channels of this one (values)."""
    for i, (source, target) in enumerate(copies.items()):
        state[f"{block}.conv.0.weight"][i, FULL + source, 1, 1] = 1
        state[f"{block}.conv.2.weight"][i, i, 1, 1] = 1
        state[f"{block}.conv.4.weight"][target, i, 1, 1] = 1


def _project(state: dict[str, Tensor], latents: Latents) -> None:
    """The two steps of the projection; the constant channel 48 lifts the first above zero."""
    inner = latents.inner.double().view(WIDTH, 4, 3, 4, 4)
    lift = inner.clamp_max(0).sum((1, 2, 3, 4)).neg()
    for row in range(4):
        for column in range(4):
            # A pixel's place among 2 x 2 is in the channel, that of the 2 x 2 in the kernel.
            place, part = (1 + row // 2, 1 + column // 2), row % 2 * 2 + column % 2
            for frame in range(4):
                for colour in range(3):
                    channel = frame * 12 + colour * 4 + part
                    own = inner[:, frame, colour, row, column].float()
                    state["8.weight"][:WIDTH, channel, place[0], place[1]] = own
    state["8.weight"][:WIDTH, 48, 1, 1] = lift.float()
    state["8.weight"][WIDTH, 48, 1, 1] = 1
    state["12.conv.weight"][:, :, 0, 0] = torch.eye(FULL)
    outer = latents.outer.double().view(CHANNELS, 2, 2, WIDTH)
    offset = -(outer * lift).sum((1, 2, 3)) - latents.mean.double()
    for sign, start in ((1, 0), (-1, CHANNELS)):
        own = state["13.weight"][start : start + CHANNELS]
        for row in range(2):
            for column in range(2):
                own[:, :WIDTH, 1 + row, 1 + column] = sign * outer[:, row, column].float()
        own[:, WIDTH, 1, 1] = sign * offset.float()
    for i in range(CHANNELS):
        state["17.weight"][i, i, 1, 1] = GAIN
        state["17.weight"][i, CHANNELS + i, 1, 1] = -GAIN


def decoder_state(small: dict[str, Tensor]) -> dict[str, Tensor]:
    """The host's TAEHV decoder weights from those of `video_decoder.Decoder`, padded with zeros."""
    state = {
        "1.weight": _padded(small["first.weight"], (HOST_WIDTHS[0], CHANNELS, 3, 3)),
        "1.bias": _padded(small["first.bias"], (HOST_WIDTHS[0],)),
        "22.weight": _padded(small["last.weight"], (3, HOST_WIDTHS[3], 3, 3)),
        "22.bias": small["last.bias"],
    }
    for level, growth in enumerate(GROWTH):
        width, start, own = HOST_WIDTHS[level], 3 + 6 * level, f"levels.{level}"
        for block in range(3):
            there = block < MEMORIES[level]
            for conv, inputs in ((0, 2), (2, 1), (4, 1)):
                weight, bias = torch.zeros(width, inputs * width, 3, 3), torch.zeros(width)
                if there:
                    key = f"{own}.memories.{block}.conv.{conv}"
                    bias = _padded(small[f"{key}.bias"], (width,))
                    parts = small[f"{key}.weight"].chunk(inputs, 1)
                    weight = torch.cat([_padded(p, (width, width, 3, 3)) for p in parts], 1)
                state[f"{start + block}.conv.{conv}.weight"] = weight
                state[f"{start + block}.conv.{conv}.bias"] = bias
        grown = small[f"{own}.grow.weight"].chunk(growth)
        state[f"{start + 4}.conv.weight"] = torch.cat(
            [_padded(part, (width, width, 1, 1)) for part in grown]
        )
        shape = (HOST_WIDTHS[level + 1], width, 3, 3)
        state[f"{start + 5}.weight"] = _padded(small[f"{own}.out.weight"], shape)
    return {f"decoder.{key}": value for key, value in state.items()}


def _padded(small: Tensor, shape: tuple[int, ...]) -> Tensor:
    full = torch.zeros(shape)
    full[tuple(slice(n) for n in small.shape)] = small
    return full
