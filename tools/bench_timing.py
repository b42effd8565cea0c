"""Times things in turn, so that whatever else the machine does falls on all of them alike."""

import functools
import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Spread:
    """Median and quartiles of `count` values."""

    median: float
    low: float
    high: float
    count: int


def spread(values: list[float]) -> Spread:
    """Median and quartiles; a single value is all three."""
    if len(values) == 1:
        return Spread(values[0], values[0], values[0], 1)
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return Spread(median, low, high, len(values))


@dataclass(frozen=True)
class Times:
    """Seconds of one function, one for each round: by the clock, and of all processor cores."""

    wall: list[float]
    cpu: list[float]


def in_turn(
    functions: dict[str, Callable[[], object]], rounds: int, synchronize: Callable[[], object]
) -> dict[str, Times]:
    """Times of every function in each of `rounds` rounds, after one round that is not counted.

    Every other round goes backwards, so that none always follows the same neighbour.
    """
    times = {name: Times([], []) for name in functions}
    for number in range(rounds + 1):
        order = list(functions)
        for name in order if number % 2 else reversed(order):
            wall, cpu = _time(functions[name], synchronize)
            if number:
                times[name].wall.append(wall)
                times[name].cpu.append(cpu)
    return times


class Stopwatch:
    """Adds up the time spent in the functions that it wraps."""

    def __init__(self) -> None:
        self.wall = self.cpu = 0.0

    def wrap(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, timed; the wrapped ones may follow but not call one another."""

        @functools.wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            wall, cpu = time.perf_counter(), time.process_time()
            try:
                return function(*args, **kwargs)
            finally:
                self.wall += time.perf_counter() - wall
                self.cpu += time.process_time() - cpu

        return timed


def ratios(of: list[float], to: list[float]) -> list[float]:
    """Times of one function in units of another's time in the same round."""
    return [a / b for a, b in zip(of, to, strict=True)]


def _time(function: Callable[[], object], synchronize: Callable[[], object]) -> tuple[float, float]:
    gc.collect()
    gc.disable()
    try:
        synchronize()
        wall, cpu = time.perf_counter(), time.process_time()
        function()
        synchronize()
        return time.perf_counter() - wall, time.process_time() - cpu
    finally:
        gc.enable()
