"""How long decoding and drawing take: 20 steps, 4 layers, 8 concepts, 64 x 64 to 1024 x 1024."""

import statistics
import sys
import time
from collections.abc import Callable

import torch

from hosting import pack

if pack.ALIAS not in sys.modules:
    pack.register()

from concept_attention.core.colormaps import colorize
from concept_attention.core.decode import decode
from concept_attention.core.overlay import Style, overlay
from concept_attention.core.resize import resize
from concept_attention.core.types import Capture, Heatmaps

Row = tuple[str, float, float, float, str]

_STEPS, _LAYERS, _CONCEPTS, _GRID, _PIXELS = 20, 4, 8, 64, 1024


def rows(rounds: int = 7) -> list[Row]:
    """(name, median, lower quartile, upper quartile, unit) for every part, on the CPU."""
    capture = _capture()
    image = torch.rand(1, _PIXELS, _PIXELS, 3)
    maps = decode(capture)
    full = Heatmaps(_sized(maps, "bilinear", image), maps.labels, maps.value_range)
    parts: dict[str, Callable[[], object]] = {
        "decode to 1024 x 1024, bilinear": lambda: _sized(decode(capture), "bilinear", image),
        "decode on the token grid": lambda: decode(capture),
        "resize, bicubic": lambda: _sized(maps, "bicubic", image),
        "resize, edge-guided": lambda: _sized(maps, "edge-guided", image),
        "colour 8 maps": lambda: colorize(full.values),
        "overlay sheet of 9 panels": lambda: overlay(image, full, Style()),
    }
    return [_row(name, part, rounds) for name, part in parts.items()]


def _capture() -> Capture:
    concepts = _CONCEPTS + 1  # one of them is background
    generator = torch.Generator().manual_seed(0)
    shape = (1, _STEPS, _LAYERS, concepts, _GRID * _GRID)
    return Capture(
        scores=torch.randn(shape, generator=generator),
        norms=torch.ones(shape[:-1]),
        grid=(1, _GRID, _GRID),
        picture=(_PIXELS, _PIXELS),
        steps=tuple(range(_STEPS)),
        layers=tuple((layer,) for layer in range(15, 15 + _LAYERS)),
        sigmas=(1.0,) * _STEPS,
        total_steps=_STEPS,
        total_layers=19,
        labels=tuple(f"concept {number}" for number in range(concepts)),
        background=(*(False,) * _CONCEPTS, True),
        family="flux",
    )


def _sized(heatmaps: Heatmaps, mode: str, image: torch.Tensor) -> torch.Tensor:
    size = (_PIXELS, _PIXELS)
    return resize(heatmaps.values, size, mode, size, image)


def _row(name: str, part: Callable[[], object], rounds: int) -> Row:
    part()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        part()
        times.append(1000 * (time.perf_counter() - start))
    low, median, high = statistics.quantiles(times, n=4, method="inclusive")
    return name, median, low, high, "ms"


if __name__ == "__main__":
    torch.set_num_threads(2)
    for name, median, low, high, unit in rows():
        print(f"{name:32} {median:7.1f} {unit}  ({low:.1f} to {high:.1f})")
