"""The benchmarks measure what they say, on sizes that take no time."""

from types import SimpleNamespace

import pytest
import torch

import bench
import bench_evaluate
import bench_flops
import bench_gpu
import bench_models
import bench_naive
import bench_partial
import bench_speed
import bench_timing

TINY = bench_models.SIZES["tiny"]
DOUBLE, SINGLE = TINY.params["depth"], TINY.params["depth_single_blocks"]
ROWS, COLUMNS = (side // 2 for side in TINY.latent[1:])
CONCEPTS = 3


@pytest.fixture(scope="module")
def tiny():
    model = bench_models.build(TINY)
    concepts = bench_models.concepts(model, TINY, CONCEPTS)
    return SimpleNamespace(
        model=model, given=bench_models.inputs(model, TINY), concepts=concepts, steps=2
    )


@torch.inference_mode()
def test_a_captured_run_gives_the_plain_output_and_the_scores_of_every_step(tiny):
    plain = bench_evaluate.plain(tiny.model, tiny.given, tiny.steps)
    out, capture = bench_evaluate.captured(tiny.model, tiny.given, tiny.concepts, tiny.steps)
    assert torch.equal(plain, out)
    assert capture.scores.shape == (1, tiny.steps, DOUBLE, CONCEPTS, ROWS * COLUMNS)
    assert capture.grid == (1, ROWS, COLUMNS)


@torch.inference_mode()
def test_the_naive_way_keeps_every_vector_and_scores_every_layer(tiny):
    naive = bench_naive.Naive(tiny.model, tiny.concepts)
    scores = naive.run(tiny.given, tiny.steps)
    assert scores.shape == (tiny.steps * DOUBLE, 1, CONCEPTS, ROWS * COLUMNS)
    vectors = tiny.steps * DOUBLE * (CONCEPTS + ROWS * COLUMNS)
    assert naive.held == vectors * 128 * 4


@torch.inference_mode()
def test_every_way_leaves_the_model_as_it_was(tiny):
    before = bench_evaluate.plain(tiny.model, tiny.given, 1)
    bench_naive.Naive(tiny.model, tiny.concepts).run(tiny.given, 1)
    bench_evaluate.captured(tiny.model, tiny.given, tiny.concepts, 1)
    assert torch.equal(before, bench_evaluate.plain(tiny.model, tiny.given, 1))


def test_counting_sees_the_plain_forward_as_it_is_on_paper():
    counts = bench_flops.count("tiny")
    text, image, width = TINY.text[0], ROWS * COLUMNS, 128
    both = text + image
    double = 2 * both * 12 * width**2 + 2 * 12 * width**2  # tokens, and two modulations of one row
    single = 2 * both * 12 * width**2 + 2 * 3 * width**2
    attention = 4 * both**2 * width
    embedders = 2 * (2 * 256 * width + 768 * width + 3 * width**2)
    ends = 2 * image * 2 * 64 * width + 2 * text * 4096 * width + 2 * 2 * width**2
    blocks = DOUBLE * double + SINGLE * single + (DOUBLE + SINGLE) * attention
    assert counts.flops == blocks + embedders + ends
    assert 1.0 < counts.ratio < counts.naive_ratio
    assert counts.kept < counts.naive_kept


def test_times_are_taken_in_turn_and_alternate_their_order():
    calls = []
    functions = {name: (lambda name=name: calls.append(name)) for name in ("a", "b")}
    times = bench_timing.in_turn(functions, 2, lambda: None)
    assert calls == ["b", "a", "a", "b", "b", "a"]
    assert len(times["a"].wall) == len(times["b"].cpu) == 2


def test_spread_is_median_and_quartiles():
    found = bench_timing.spread([5.0, 1.0, 2.0, 4.0, 3.0])
    assert (found.low, found.median, found.high, found.count) == (2.0, 3.0, 4.0, 5)
    assert bench_timing.ratios([3.0, 2.0], [2.0, 4.0]) == [1.5, 0.5]


def test_slope_is_the_share_of_the_rest_that_each_further_concept_takes():
    def times(*seconds):
        return bench_timing.Times(list(seconds), [2 * second for second in seconds])

    measured = {"plain": times(10.0), "capture 4": times(11.0), "capture 64": times(17.0)}
    measured |= {"rest of capture 4": times(10.0), "rest of capture 64": times(8.5)}
    figure = bench_speed.slope("slope", measured, 0.003)
    assert figure.wall.median == figure.cpu.median == pytest.approx(0.015)
    assert bench_speed.ratio("ratio", measured, "capture 4").wall.median == pytest.approx(1.1)


def test_speed_measures_plain_every_count_and_naive(tiny):
    times = bench_speed.measure(tiny.model, TINY, steps=1, rounds=2, counts=(2, 3))
    runs = ("plain", "naive", "capture 2", "capture 3")
    assert set(times) == {*runs, *(f"rest of {run}" for run in runs)}
    for run in runs[1:]:
        whole, rest = times[run], times[f"rest of {run}"]
        assert all(0 < b < a for a, b in zip(whole.wall, rest.wall, strict=True))
    assert times["rest of plain"].wall == times["plain"].wall
    assert all(seconds > 0 for part in times.values() for seconds in part.wall)


def test_a_figure_over_its_limit_is_called_missed():
    over, under = (bench_timing.Spread(value, value, value, 7) for value in (1.06, 1.04))
    figure = bench_speed.Figure("run", over, under, 1.05)
    assert bench.figure_row(figure)[-1] == "1.05, MISSED"
    assert bench.figure_row(bench_speed.Figure("run", under, over, 1.05))[-1] == "1.05, met"


def test_a_partial_forward_is_timed_against_the_whole_one():
    first, last = bench_partial.timed("tiny", (0, 1), rounds=2)
    assert 0 < first.operations < last.operations < 1
    assert first.wall.count == 2
    assert first.off(first.wall) == pytest.approx(first.wall.median / first.operations - 1)


def test_time_that_does_not_follow_the_operations_is_called_missed():
    wall = bench_timing.Spread(0.31, 0.3, 0.32, 7)
    for operations, word in ((0.3, "met"), (0.27, "MISSED"), (0.36, "MISSED")):
        share = bench_partial.Share("up to layer 1", operations, wall, wall)
        assert bench.partial_row(share)[-1] == f"within 10 % of the operations, {word}"


def test_without_a_gpu_its_part_says_that_it_was_not_run(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert bench.gpu() == ["Not run: no GPU was there."]


def test_with_a_gpu_peak_memory_is_counted_beyond_the_scores(monkeypatch, tiny):
    peaks = iter([1000 * 2**20, 1021 * 2**20])
    build = bench_models.build
    monkeypatch.setattr(bench_models, "build", lambda size, *_: build(size))
    for name in ("synchronize", "reset_peak_memory_stats"):
        monkeypatch.setattr(torch.cuda, name, lambda: None)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda: 100 * 2**20)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda: next(peaks))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "a GPU")
    found = bench_gpu.measure(TINY, rounds=1)
    scores = bench_gpu.STEPS * DOUBLE * bench_speed.FEW * (ROWS * COLUMNS + 1) * 4
    assert found.extra_memory == 21 * 2**20 - scores
    assert found.device == "a GPU" and found.capture.median > 0


def test_an_unknown_part_is_refused(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["bench.py", "speed", "sped"])
    with pytest.raises(SystemExit):
        bench.main()
    assert "no part is called sped" in capsys.readouterr().err
