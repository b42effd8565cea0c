"""Measures speed and memory of the pack, the first part of `make bench`, as tables.

Arguments name parts to run (flops, partial, speed, decoding, gpu); without any, all run.
"""

import argparse
import os
import time
from collections.abc import Iterable
from pathlib import Path

# Before torch: worker threads that spin while they wait cost a shared machine most of its time.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch

import bench_flops
import bench_gpu
import bench_models
import bench_partial
import bench_speed
from bench_speed import Figure
from bench_timing import Spread

_DECODING_LIMIT = 150.0  # milliseconds, of the first row
_PARTIAL = {18: 0.45, 9: 0.25}  # last layer of FLUX.1 -> limit of its operations
_NAMES = {"mid": "mid size", "flux1": "FLUX.1-dev", "flux2": "FLUX.2-dev"}
Lines = list[str]


def flops() -> Lines:
    """Counted operations, and bytes kept until the run ends."""
    rows = []
    for arch in bench_flops.ARCHS:
        counts = bench_flops.count(arch)
        rows.append(
            (
                f"{_NAMES[arch]}, {counts.flops / 1e12:.2f} TFLOP",
                f"{counts.ratio:.5f}",
                f"{counts.naive_ratio:.3f}",
                f"{counts.kept / 2**20:.2f} MB",
                f"{counts.naive_kept / 2**20:.0f} MB",
            )
        )
    header = ("one evaluation", "capture", "naive", "kept per step", "naive")
    return _table(header, rows)


def partial() -> Lines:
    """Existing pictures: a forward that ends at the last layer read, in units of a whole one."""
    rows = []
    for last, limit in _PARTIAL.items():
        share = bench_partial.counted("flux1", last)
        verdict = _against(share.operations, limit, f"{limit:.2f} of the operations")
        rows.append((f"FLUX.1-dev, {share.name}", f"{share.operations:.3f}", "", "", verdict))
    rows += [partial_row(share) for share in bench_partial.timed("mid", (3, 1))]
    return _table(("one forward", "operations", "by the clock", "processor time", "limit"), rows)


def speed() -> Lines:
    """Time with capture in units of the time without, on the CPU."""
    figures = [*bench_speed.pocket(), *bench_speed.mid()]
    header = ("run", "by the clock", "processor time", "n", "limit")
    return _table(header, [figure_row(figure) for figure in figures])


def decoding() -> Lines:
    """Time of decoding and drawing, on the CPU."""
    import bench_decode

    rows = []
    for i, (name, median, low, high, unit) in enumerate(bench_decode.rows()):
        limit = _against(median, _DECODING_LIMIT, f"{_DECODING_LIMIT:.0f} {unit}") if i == 0 else ""
        rows.append((name, f"{median:.0f} {unit} ({low:.0f} to {high:.0f})", limit))
    return _table(("part", "time", "limit"), rows)


def gpu() -> Lines:
    """Time and memory at full size on a GPU."""
    reason = bench_gpu.unavailable()
    if reason:
        return [f"Not run: {reason}."]
    found = bench_gpu.measure()
    time_limit, memory_limit = bench_gpu.TIME_LIMIT, bench_gpu.MEMORY_LIMIT / 2**20
    memory = found.extra_memory / 2**20
    in_time = _against(found.capture.median, time_limit, f"{time_limit:.2f}")
    in_memory = _against(memory, memory_limit, f"{memory_limit:.0f} MB")
    rows = [
        ("time with capture", _spread(found.capture), in_time),
        ("time, naive", _spread(found.naive), ""),
        ("peak memory beyond the scores", f"{memory:.1f} MB", in_memory),
    ]
    return [f"{found.device}", "", *_table(("FLUX.1-dev, 1024 x 1024", "", "limit"), rows)]


PARTS = {part.__name__: part for part in (flops, partial, speed, decoding, gpu)}


def main() -> None:
    """Run the parts and print their tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=" ".join(PARTS))
    chosen = parser.parse_args().parts or list(PARTS)
    unknown = [name for name in chosen if name not in PARTS]
    if unknown:
        parser.error(f"no part is called {', '.join(unknown)}; parts are {', '.join(PARTS)}")
    bench_models.prepare(cpu=not torch.cuda.is_available())
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {_processor()}")
    for name in chosen:
        start = time.monotonic()
        lines = PARTS[name]()
        print(f"\n## {PARTS[name].__doc__}\n")
        print("\n".join(lines))
        print(f"\n({time.monotonic() - start:.0f} s)", flush=True)


def partial_row(share: bench_partial.Share) -> tuple[str, ...]:
    """A timed share; its time by the clock has to follow its operations."""
    times = [time for time in (share.wall, share.cpu) if time is not None]
    apart = [share.off(time) for time in times]
    taken = [f"{_spread(time)}, {off:+.1%}" for time, off in zip(times, apart, strict=True)]
    within = _against(abs(apart[0]), bench_partial.TOLERANCE, "within 10 % of the operations")
    return f"mid size, {share.name}", f"{share.operations:.3f}", *taken, within


def figure_row(figure: Figure) -> tuple[str, ...]:
    scale, unit = (100, " %") if figure.percent else (1, "")
    limit = ""
    if figure.limit is not None:
        text = f"{figure.limit * scale:g}{unit}"
        limit = _against(figure.wall.median, figure.limit, text)
    parts = (_spread(spread, scale, unit) for spread in (figure.wall, figure.cpu))
    return figure.name, *parts, str(figure.wall.count), limit


def _spread(spread: Spread, scale: float = 1, unit: str = "") -> str:
    values = (spread.median, spread.low, spread.high)
    median, low, high = (f"{value * scale:.3f}" for value in values)
    return f"{median}{unit} ({low} to {high})"


def _against(value: float, limit: float, text: str) -> str:
    return f"{text}, {'met' if value <= limit else 'MISSED'}"


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Lines:
    lines = [header, ("---",) * len(header), *rows]
    return ["| " + " | ".join(line) + " |" for line in lines]


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    if not path.exists():
        return "processor unknown"
    names = [line for line in path.read_text().splitlines() if line.startswith("model name")]
    return names[0].partition(": ")[2] if names else "processor unknown"


if __name__ == "__main__":
    main()
