"""Time and memory of capture on a GPU: a random FLUX.1-dev at full size, 1024 x 1024, bfloat16."""

from collections.abc import Callable
from dataclasses import dataclass

import torch

import bench_evaluate
import bench_models
import bench_speed
from bench_models import Size
from bench_timing import Spread, ratios, spread

TIME_LIMIT = 1.02
MEMORY_LIMIT = 64 * 2**20  # bytes beyond the scores
STEPS = 4
NEEDED = 30 * 2**30  # bytes: the weights are 24 GB


@dataclass(frozen=True)
class Result:
    """Ratios of time, and bytes of peak memory beyond the plain run's and the scores."""

    device: str
    capture: Spread
    naive: Spread
    extra_memory: int


def unavailable() -> str:
    """Why the measurement cannot run here, or an empty text."""
    if not torch.cuda.is_available():
        return "no GPU was there"
    free, _ = torch.cuda.mem_get_info()
    return f"the GPU has {free / 2**30:.0f} GB free, {NEEDED / 2**30:.0f} are needed" * (
        free < NEEDED
    )


def measure(size: Size = bench_models.SIZES["flux1"], rounds: int = 9) -> Result:
    """Measure on the first GPU."""
    count = bench_speed.FEW
    model = bench_models.build(size, "cuda", torch.bfloat16)
    times = bench_speed.measure(model, size, STEPS, rounds, (count,), torch.cuda.synchronize)
    plain = times["plain"].wall
    return Result(
        torch.cuda.get_device_name(),
        spread(ratios(times[f"capture {count}"].wall, plain)),
        spread(ratios(times["naive"].wall, plain)),
        _extra_memory(model, size, count),
    )


@torch.inference_mode()
def _extra_memory(model: torch.nn.Module, size: Size, count: int) -> int:
    given = bench_models.inputs(model, size)
    concepts = bench_models.concepts(model, size, count)
    plain, _ = _peak(lambda: bench_evaluate.plain(model, given, STEPS))
    captured, (_, capture) = _peak(lambda: bench_evaluate.captured(model, given, concepts, STEPS))
    return captured - plain - capture.scores.nbytes - capture.norms.nbytes


def _peak(function: Callable[[], object]) -> tuple[int, object]:
    """Peak of allocated bytes above those allocated before, and the function's result."""
    torch.cuda.synchronize()
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    result = function()
    torch.cuda.synchronize()
    return torch.cuda.max_memory_allocated() - before, result
