"""Time of a run with capture in units of the run without, on the CPU."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

import bench_evaluate
import bench_models
from bench_models import Size
from bench_naive import Naive
from bench_timing import Spread, Times, in_turn, ratios, spread

FEW, MANY = 4, 64  # concepts


@dataclass(frozen=True)
class Figure:
    """One measured figure: by the clock, in processor time, and its limit by the clock.

    percent: whether it reads best in percent.
    """

    name: str
    wall: Spread
    cpu: Spread
    limit: float | None = None
    percent: bool = False


def mid(rounds: int = 9) -> list[Figure]:
    """A random Flux of middle size, one evaluation at a time; with the slope over concepts."""
    size = bench_models.SIZES["mid"]
    model = bench_models.build(size)
    times = measure(model, size, steps=1, rounds=rounds, counts=(FEW, MANY))
    return [
        ratio(f"mid size, {FEW} concepts", times, f"capture {FEW}", 1.05),
        ratio(f"mid size, {MANY} concepts", times, f"capture {MANY}"),
        slope("mid size, each concept more", times, 0.003),
        ratio(f"mid size, {FEW} concepts, naive", times, "naive"),
    ]


def pocket(rounds: int = 15) -> list[Figure]:
    """The pocket model, 20 steps at a time; a random model of its size where it is not trained."""
    size, name = bench_models.SIZES["pocket"], "pocket model"
    if bench_models.POCKET_FILE.exists():
        model = bench_models.load_pocket()
    else:
        model, name = bench_models.build(size), "random model of pocket size"
    times = measure(model, size, steps=20, rounds=rounds, counts=(FEW,))
    return [
        ratio(f"{name}, {FEW} concepts", times, f"capture {FEW}", 1.20),
        ratio(f"{name}, {FEW} concepts, naive", times, "naive"),
    ]


def measure(
    model: nn.Module,
    size: Size,
    steps: int,
    rounds: int,
    counts: tuple[int, ...],
    synchronize: Callable[[], object] = lambda: None,
) -> dict[str, Times]:
    """Times of runs of `steps` steps: "plain", "capture <count>" for every count, and "naive"."""
    given = bench_models.inputs(model, size)
    functions: dict[str, Callable[[], object]] = {
        "plain": lambda: bench_evaluate.plain(model, given, steps)
    }
    for count in counts:
        concepts = bench_models.concepts(model, size, count)
        functions[f"capture {count}"] = lambda concepts=concepts: bench_evaluate.captured(
            model, given, concepts, steps
        )
    naive = Naive(model, bench_models.concepts(model, size, counts[0]))
    functions["naive"] = lambda: naive.run(given, steps)
    with torch.inference_mode():
        return in_turn(functions, rounds, synchronize)


def ratio(name: str, times: dict[str, Times], of: str, limit: float | None = None) -> Figure:
    plain = times["plain"]
    wall = ratios(times[of].wall, plain.wall)
    return Figure(name, spread(wall), spread(ratios(times[of].cpu, plain.cpu)), limit)


def slope(name: str, times: dict[str, Times], limit: float) -> Figure:
    """Share of the plain run's time that one more concept takes."""
    few, many, plain = (times[key] for key in (f"capture {FEW}", f"capture {MANY}", "plain"))

    def slopes(kind: str) -> Spread:
        rows = zip(*(getattr(part, kind) for part in (few, many, plain)), strict=True)
        return spread([(b - a) / (MANY - FEW) / whole for a, b, whole in rows])

    return Figure(name, slopes("wall"), slopes("cpu"), limit, percent=True)
