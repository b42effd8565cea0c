"""Existing pictures: one forward that ends at the last layer read, in units of a whole forward."""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import torch

import bench_evaluate
import bench_flops
import bench_models
from bench_timing import Spread, in_turn, ratios, spread

TOLERANCE = 0.10  # of the operations' ratio, for the ratio of times


@dataclass(frozen=True)
class Share:
    """What a partial forward takes of a whole one.

    operations: counted. wall, cpu: time by the clock and of the processor, where it was taken.
    """

    name: str
    operations: float
    wall: Spread | None = None
    cpu: Spread | None = None

    def off(self, time: Spread) -> float:
        """How far a time's share is from that of the operations, relative to the latter."""
        return time.median / self.operations - 1


def counted(arch: str, last: int) -> Share:
    """Operations of a capture up to a layer, bfloat16, without memory."""
    partial = bench_flops.operations(arch, bench_flops.CONCEPTS, layers=f"0-{last}", stop=True)
    return Share(f"up to layer {last}", partial / bench_flops.operations(arch, 0))


def timed(arch: str, lasts: tuple[int, ...], rounds: int = 7) -> list[Share]:
    """Operations and times of captures up to some layers, on the CPU, in turn."""
    size = bench_models.SIZES[arch]
    model = bench_models.build(size)
    given = bench_models.inputs(model, size)
    items = bench_models.concepts(model, size, bench_flops.CONCEPTS)
    functions: dict[str, Callable[[], object]] = {
        "plain": lambda: bench_evaluate.plain(model, given, 1)
    }
    for last in lasts:
        captured = functools.partial(bench_evaluate.captured, model, given, items, 1)
        functions[f"{last}"] = functools.partial(captured, layers=f"0-{last}", stop=True)
    with torch.inference_mode():
        times = in_turn(functions, rounds, lambda: None)
    shares = []
    for last in lasts:
        found, partial, plain = counted(arch, last), times[f"{last}"], times["plain"]
        wall, cpu = ratios(partial.wall, plain.wall), ratios(partial.cpu, plain.cpu)
        shares.append(Share(found.name, found.operations, spread(wall), spread(cpu)))
    return shares
