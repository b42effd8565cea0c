"""Time of a run with capture in units of the run without, on the CPU."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from unittest import mock

import torch
from torch import nn

import bench_evaluate
import bench_models
from bench_models import Size
from bench_naive import Naive
from bench_timing import Spread, Stopwatch, Times, in_turn, ratios, spread

FEW, MANY = 4, 64  # concepts
KINDS = ("wall", "cpu")


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
        *captures(f"mid size, {FEW} concepts", times, FEW, 1.05),
        *captures(f"mid size, {MANY} concepts", times, MANY),
        slope("mid size, each concept more", times, "plain", 0.003),
        slope("mid size, each concept more, own work", times, "rest", 0.003),
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
        *captures(f"{name}, {FEW} concepts", times, FEW, 1.20),
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
    """Times of runs of `steps` steps: "plain", "capture <count>" for every count, and "naive".

    "rest <count>" is the same run as "capture <count>" less what the pack itself did in it.
    """
    given = bench_models.inputs(model, size)
    watches: dict[int, list[Stopwatch]] = {count: [] for count in counts}
    functions: dict[str, Callable[[], object]] = {
        "plain": lambda: bench_evaluate.plain(model, given, steps)
    }
    for count in counts:
        concepts = bench_models.concepts(model, size, count)

        def captured(concepts: object = concepts, count: int = count) -> None:
            with own_work() as watch:
                bench_evaluate.captured(model, given, concepts, steps)
            watches[count].append(watch)

        functions[f"capture {count}"] = captured
    naive = Naive(model, bench_models.concepts(model, size, counts[0]))
    functions["naive"] = lambda: naive.run(given, steps)
    with torch.inference_mode():
        times = in_turn(functions, rounds, synchronize)
    for count in counts:
        times[f"rest {count}"] = _less(times[f"capture {count}"], watches[count][-rounds:])
    return times


@contextlib.contextmanager
def own_work() -> Iterator[Stopwatch]:
    """Times what the pack does between the host's operations: the calls below hold all of it."""
    from concept_attention.core.recorder import Recorder
    from concept_attention.core.stream import StreamReader

    calls = [(StreamReader, name) for name in ("__init__", "enter", "attention", "leave")]
    watch = Stopwatch()
    with contextlib.ExitStack() as stack:
        for owner, name in (*calls, (Recorder, "commit"), (Recorder, "result")):
            timed = watch.wrap(getattr(owner, name))
            stack.enter_context(mock.patch.object(owner, name, timed))
        yield watch


def captures(
    name: str, times: dict[str, Times], count: int, limit: float | None = None
) -> list[Figure]:
    """The ratio to the plain run in turn, and to the same run less the pack's own work."""
    own = ratio(f"{name}, own work", times, f"capture {count}", f"rest {count}", limit)
    return [ratio(name, times, f"capture {count}", "plain", limit), own]


def ratio(
    name: str, times: dict[str, Times], of: str, to: str = "plain", limit: float | None = None
) -> Figure:
    """Time of one run in units of another's."""
    wall, cpu = (
        spread(ratios(getattr(times[of], kind), getattr(times[to], kind))) for kind in KINDS
    )
    return Figure(name, wall, cpu, limit)


def slope(name: str, times: dict[str, Times], to: str, limit: float) -> Figure:
    """How much a ratio to "plain", or to the "rest" of each, grows with one concept more."""

    def slopes(kind: str) -> Spread:
        def of(count: int) -> list[float]:
            base = times["plain" if to == "plain" else f"{to} {count}"]
            return ratios(getattr(times[f"capture {count}"], kind), getattr(base, kind))

        pairs = zip(of(FEW), of(MANY), strict=True)
        return spread([(many - few) / (MANY - FEW) for few, many in pairs])

    return Figure(name, *(slopes(kind) for kind in KINDS), limit, percent=True)


def _less(times: Times, watches: list[Stopwatch]) -> Times:
    wall = [seconds - watch.wall for seconds, watch in zip(times.wall, watches, strict=True)]
    cpu = [seconds - watch.cpu for seconds, watch in zip(times.cpu, watches, strict=True)]
    return Times(wall, cpu)
