"""What a run records, within its memory budget."""

import pytest

from concept_attention.core.errors import ConceptAttentionError
from concept_attention.core.plan import make_plan, row_bytes

ROW = 100  # bytes of one step and layer


def _plan(layers="auto", steps="all", total_layers=19, total_steps=20, rows=10**6):
    return make_plan(layers, steps, total_layers, total_steps, ROW, rows * ROW)


@pytest.mark.parametrize("text", ["auto", "all", "", " all "])
def test_everything_is_recorded_by_default(text):
    plan = _plan(layers=text)
    assert plan.steps == tuple(range(20))
    assert plan.layers == tuple((layer,) for layer in range(19))
    assert plan.note == ""


def test_layers_and_steps_asked_for():
    plan = _plan("15-18, 0", "70%-100%")
    assert plan.flat_layers == (0, 15, 16, 17, 18)
    assert plan.steps == tuple(range(14, 20))


def test_a_real_run_fits_the_default_budget():
    """FLUX.1: 19 layers, 20 steps, 4 concepts, 4,096 tokens are 25 MB."""
    size = row_bytes(1, 4, 4096)
    assert size * 19 * 20 == 24_903_680
    assert make_plan("auto", "all", 19, 20, size, 64 * 2**20).note == ""


@pytest.mark.parametrize(
    ("rows", "steps", "groups"),
    [
        (24, (0, 1, 2, 3, 4, 5), ((0,), (1,), (2,), (3,))),
        (23, (0, 1, 2, 4, 5), ((0,), (1,), (2,), (3,))),
        (16, (0, 2, 3, 5), ((0,), (1,), (2,), (3,))),
        (15, (0, 2, 3, 5), ((0,), (1, 2), (3,))),
        (8, (0, 2, 3, 5), ((0, 1), (2, 3))),
        (4, (0, 2, 3, 5), ((0, 1, 2, 3),)),
        (3, (0, 2, 5), ((0, 1, 2, 3),)),
        (2, (0, 5), ((0, 1, 2, 3),)),
        (1, (3,), ((0, 1, 2, 3),)),
    ],
)
def test_steps_are_thinned_out_evenly_then_layers_averaged(rows, steps, groups):
    plan = _plan(total_layers=4, total_steps=6, rows=rows)
    assert (plan.steps, plan.layers) == (steps, groups)


@pytest.mark.parametrize("rows", [1, 2, 3, 5, 7, 18, 19, 20, 37, 38, 75, 76, 77, 200, 379, 380])
@pytest.mark.parametrize(("layers", "steps"), [("all", "all"), ("-4:", "all"), ("all", "3-9")])
def test_a_plan_keeps_to_its_budget_and_its_choice(rows, layers, steps):
    every, plan = _plan(layers, steps), _plan(layers, steps, rows=rows)
    assert len(plan.steps) * len(plan.layers) <= rows
    assert plan.flat_layers == every.flat_layers
    assert set(plan.steps) <= set(every.steps)
    assert list(plan.steps) == sorted(set(plan.steps))
    gaps = {b - a for a, b in zip(plan.steps, plan.steps[1:], strict=False)}
    assert not gaps or max(gaps) - min(gaps) <= 1
    sizes = {len(group) for group in plan.layers}
    assert max(sizes) - min(sizes) <= 1
    assert (plan.note == "") == (plan == every)


def test_a_video_keeps_to_the_budget():
    """49 frames of 720 x 480 in CogVideoX 5B, 8 concepts: all of it would be 1.1 GB."""
    size = row_bytes(1, 8, 13 * 30 * 45)
    assert 42 * 50 * size > 1.1e9
    plan = make_plan("auto", "all", 42, 50, size, 64 * 2**20)
    assert len(plan.steps) * len(plan.layers) * size <= 64 * 2**20
    assert plan.flat_layers == tuple(range(42))
    assert len(plan.steps) == 4
    assert plan.note == (
        "The memory budget of 64 MB keeps 4 of 50 steps, evenly spaced and 42 layers averaged "
        "into 29."
    )


def test_the_note_says_what_was_kept():
    note = make_plan("all", "all", 4, 6, 2**20, 8 * 2**20).note
    assert note == (
        "The memory budget of 8 MB keeps 4 of 6 steps, evenly spaced and 4 layers averaged into 2."
    )


def test_a_budget_below_one_map_is_an_error_with_both_sizes():
    with pytest.raises(ConceptAttentionError) as caught:
        make_plan("all", "all", 19, 20, 3 * 2**20, 2 * 2**20)
    assert "needs 3 MB, the budget is 2 MB" in str(caught.value)


@pytest.mark.parametrize(
    ("layers", "steps", "message"),
    [
        ("19", "all", "this model has 19 layers, 0 to 18"),
        ("all", "0-20", "this run has 20 steps, 0 to 19"),
        ("some", "all", "'some' is not understood"),
    ],
)
def test_bad_choices_name_the_real_range(layers, steps, message):
    with pytest.raises(ConceptAttentionError, match=message):
        _plan(layers, steps)
