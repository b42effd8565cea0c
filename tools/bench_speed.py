"""Time of a run with capture in units of the run without, on the CPU."""

import contextlib
import functools
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


def mid(rounds: int = 7) -> list[Figure]:
    """A random Flux of middle size, one evaluation at a time; with the slope over concepts."""
    size = bench_models.SIZES["mid"]
    model = bench_models.build(size)
    times = measure(model, size, steps=1, rounds=rounds, counts=(FEW, MANY))
    return [
        *_figures("mid size", f"capture {FEW}", times, 1.05),
        *_figures("mid size", f"capture {MANY}", times),
        slope("mid size, each concept more", times, 0.003),
        *_figures("mid size", "naive", times),
    ]


def pocket(rounds: int = 11) -> list[Figure]:
    """The pocket model, 20 steps at a time."""
    size, model = bench_models.SIZES["pocket"], bench_models.load_pocket()
    times = measure(model, size, steps=20, rounds=rounds, counts=(FEW,))
    return [
        *_figures("pocket", f"capture {FEW}", times, 1.20),
        *_figures("pocket", "naive", times),
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

    "rest of <name>" is the same run less what the capturing code itself did in it.
    """
    given = bench_models.inputs(model, size)
    concepts = {count: bench_models.concepts(model, size, count) for count in counts}
    naive = Naive(model, concepts[counts[0]])
    runs: dict[str, Callable[[], object]] = {
        "plain": lambda: bench_evaluate.plain(model, given, steps),
        "naive": lambda: naive.run(given, steps),
    }
    for count, items in concepts.items():
        runs[f"capture {count}"] = functools.partial(
            bench_evaluate.captured, model, given, items, steps
        )
    watches: dict[str, list[Stopwatch]] = {name: [] for name in runs}
    functions = {name: _watched(run, watches[name]) for name, run in runs.items()}
    with torch.inference_mode():
        times = in_turn(functions, rounds, synchronize)
    rest = {f"rest of {name}": _less(times[name], watches[name][-rounds:]) for name in runs}
    return times | rest


@contextlib.contextmanager
def own_work() -> Iterator[Stopwatch]:
    """Times what capture does between the host's operations: the calls below hold all of it."""
    from concept_attention.core.recorder import Recorder
    from concept_attention.core.stream import StreamReader

    calls = {
        StreamReader: ("__init__", "enter", "attention", "leave"),
        Recorder: ("commit", "result"),
        Naive: ("start", "enter", "attend", "finish"),
    }
    watch = Stopwatch()
    with contextlib.ExitStack() as stack:
        for owner, name in ((owner, name) for owner, names in calls.items() for name in names):
            timed = watch.wrap(getattr(owner, name))
            stack.enter_context(mock.patch.object(owner, name, timed))
        yield watch


def ratio(
    name: str, times: dict[str, Times], of: str, to: str = "plain", limit: float | None = None
) -> Figure:
    """Time of one run in units of another's."""
    wall, cpu = (
        spread(ratios(getattr(times[of], kind), getattr(times[to], kind))) for kind in KINDS
    )
    return Figure(name, wall, cpu, limit)


def slope(name: str, times: dict[str, Times], limit: float) -> Figure:
    """How much the own work of a run grows with one concept more, as a share of the rest."""

    def slopes(kind: str) -> Spread:
        def of(count: int) -> list[float]:
            names = f"capture {count}", f"rest of capture {count}"
            return ratios(*(getattr(times[name], kind) for name in names))

        pairs = zip(of(FEW), of(MANY), strict=True)
        return spread([(many - few) / (MANY - FEW) for few, many in pairs])

    return Figure(name, *(slopes(kind) for kind in KINDS), limit, percent=True)


def _figures(
    name: str, run: str, times: dict[str, Times], limit: float | None = None
) -> list[Figure]:
    """The ratio to the plain run in turn, and to the same run less its own work."""
    return [
        ratio(f"{name}, {run}, in turn", times, run, "plain", limit),
        ratio(f"{name}, {run}, own work", times, run, f"rest of {run}", limit),
    ]


def _watched(run: Callable[[], object], watches: list[Stopwatch]) -> Callable[[], None]:
    def watched() -> None:
        with own_work() as watch:
            run()
        watches.append(watch)

    return watched


def _less(times: Times, watches: list[Stopwatch]) -> Times:
    wall = [seconds - watch.wall for seconds, watch in zip(times.wall, watches, strict=True)]
    cpu = [seconds - watch.cpu for seconds, watch in zip(times.cpu, watches, strict=True)]
    return Times(wall, cpu)
