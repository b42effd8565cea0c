"""Evaluations are given to sampler steps; tests/host/test_samplers.py plays all real samplers."""

import pytest

from concept_attention.core.steps import StepTracker

LEVELS = [1.0, 0.8, 0.6, 0.4, 0.0]  # four steps


def _play(script, levels=LEVELS):
    """(assigned step, candidates) of the evaluations of a script.

    script: "e0.8" is an evaluation at noise level 0.8, "r1" the report of step 1.
    """
    tracker, found, pending = StepTracker(levels), [], None

    def settle(step):
        nonlocal pending
        found.append((step, pending[1]))
        pending = None

    for word in script.split():
        if word[0] == "e":
            step = tracker.evaluation(pending[0] if pending else None)
            if step is not None:
                settle(step)
            sigma = float(word[1:])
            pending = sigma, tracker.candidates(sigma)
        elif pending:
            settle(tracker.report(int(word[1:]), pending[0]))
        else:
            tracker.report(int(word[1:]), levels[0])
    if pending:
        settle(tracker.last(pending[0]))
    return found


def _steps(script, levels=LEVELS):
    return [step for step, _ in _play(script, levels)]


def test_one_evaluation_a_step():
    found = _play("e1.0 r0 e0.8 r1 e0.6 r2 e0.4 r3")
    assert found == [(0, {0}), (1, {0, 1}), (2, {2}), (3, {3})]


def test_two_evaluations_a_step_as_heun():
    found = _play("e1.0 r0 e0.8 e0.8 r1 e0.6 e0.6 r2 e0.4 e0.4 r3")
    assert [step for step, _ in found] == [0, 0, 1, 1, 2, 2, 3]
    # From the second report on it is known that the second evaluation begins a step.
    assert found[3:] == [(1, {1, 2}), (2, {2}), (2, {2, 3}), (3, {3})]


def test_evaluations_between_the_levels():
    assert _steps("e1.0 r0 e0.9 e0.8 r1 e0.7 e0.6 r2 e0.5 e0.4 r3") == [0, 0, 1, 1, 2, 2, 3]


def test_three_then_fewer_evaluations():
    script = "e1.0 r0 e.8 e.6 e.8 r1 e.6 e.4 e.6 r2 e.4 e.4 r3"
    assert _steps(script) == [0, 0, 0, 1, 1, 1, 2, 2, 3]


def test_the_steps_own_level_again_belongs_to_it():
    """SA-Solver PECE evaluates a step's level a second time from its second step on."""
    found = _play("e1.0 r0 e0.8 r1 e0.8 e0.6 r2 e0.6 e0.4 r3 e0.4")
    assert [step for step, _ in found] == [0, 1, 1, 2, 2, 3, 3]
    assert found[2][1] == {1}


def test_a_level_that_comes_twice_in_the_schedule():
    found = _play("e1.0 r0 e1.0 r1 e0.5 r2", [1.0, 1.0, 0.5, 0.0])
    assert [step for step, _ in found] == [0, 1, 2]
    assert all(step in candidates for step, candidates in found)


def test_an_evaluation_after_the_last_report_belongs_to_the_last_step():
    assert _steps("e1.0 r0 e0.8 r1 e0.6 r2 e0.4 r3 e0.0") == [0, 1, 2, 3, 3]


@pytest.mark.parametrize(
    ("sigma", "step"), [(1.2, 0), (1.0, 0), (0.9, 0), (0.8, 1), (0.45, 2), (0.4, 3), (0.1, 3)]
)
def test_without_a_report_the_noise_level_decides(sigma, step):
    assert _play(f"e{sigma}") == [(step, {step})]


def test_adaptive_samplers_go_by_the_noise_level():
    """They report a step when it is over, count their own steps, and go beyond the schedule."""
    script = "e1.0 e0.95 e0.9 r0 e0.85 e0.7 e0.65 r1 e0.5 e0.3 e0.2 r2 e0.1 e0.1 e0.1 r7"
    found = _play(script)
    assert [step for step, _ in found] == [0, 0, 0, 0, 1, 1, 2, 3, 3, 3, 3, 3]
    assert all(candidates == {step} for step, candidates in found)


def test_a_second_run_of_the_same_sampler_may_start_over():
    assert _steps("e1.0 r0 e0.8 r1 e0.6 r2 e0.4 r3 e1.0 r0 e0.8 r1")[-2:] == [0, 1]


def test_no_step_counts_as_one():
    assert StepTracker([1.0]).total == StepTracker([]).total == 1
