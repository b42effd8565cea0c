"""What an attached model captured: whose it is, how it is found again, when it is forgotten."""

import gc
import weakref

import pytest
import torch

from concept_attention.core.fingerprint import fingerprint, fingerprints
from concept_attention.core.history import BUDGETS, MOST_RUNS, History
from concept_attention.core.types import Capture


def _capture(value=0.0, tokens=6):
    """Two concepts on a grid of 2 x 3, one step and layer: 48 bytes of scores, 8 of norms."""
    return Capture(
        scores=torch.full((1, 1, 1, 2, tokens), value),
        norms=torch.ones(1, 1, 1, 2),
        grid=(1, 2, tokens // 2),
        picture=(32, 48),
        steps=(0,),
        layers=((0,),),
        sigmas=(1.0,),
        total_steps=1,
        total_layers=1,
        labels=("cat", "background"),
        background=(False, True),
        family="flux",
    )


VALUES = torch.tensor([[0.5, -1.25, 3.0], [0.0, 2.0, 7.5]])


@pytest.mark.parametrize(
    "same",
    [
        VALUES.clone(),
        VALUES.T.contiguous().T,
        VALUES.double(),
        VALUES.half(),
        torch.nn.Parameter(VALUES),
    ],
    ids=["copy", "other strides", "float64", "float16", "with gradients"],
)
def test_equal_values_have_one_fingerprint(same):
    assert fingerprint(same) == fingerprint(VALUES)


@pytest.mark.parametrize(
    "other",
    [VALUES[:, :2], VALUES.T, VALUES.flatten(), VALUES[None], -VALUES, VALUES + 1e-6],
    ids=["part", "turned", "flat", "another axis", "negated", "changed a little"],
)
def test_other_values_have_another(other):
    assert fingerprint(other) != fingerprint(VALUES)


@pytest.mark.parametrize("half", [torch.float16, torch.bfloat16])
def test_a_result_is_known_when_it_was_handed_on_in_half_precision(half):
    values = VALUES / 3
    assert fingerprint(values.to(half)) != fingerprint(values)
    assert fingerprint(values.to(half)) in fingerprints(values)
    assert fingerprint(values.to(half).float()) in fingerprints(values)
    assert fingerprint(values + 1e-6) not in fingerprints(values)


def test_a_run_is_found_by_what_it_returned_and_by_its_origin():
    history = History(1000)
    first, second = _capture(1.0), _capture(2.0)
    history.add("sampler", {"a", "a half"}, first)
    history.add("sampler", {"b"}, second)
    history.add("other", {"c"}, None, "why")
    assert [record.capture for record in history.returned("a half")] == [first]
    assert [record.capture for record in history.of("sampler")] == [first, second]
    assert [record.number for record in history.of("sampler")] == [1, 2]
    assert [(record.number, record.absent) for record in history.of("other")] == [(1, "why")]
    assert history.returned("d") == history.of("nobody") == []
    assert history.origins == {"sampler", "other"}


def test_runs_agree_when_it_does_not_matter_which_is_taken():
    history = History(1000)
    for capture, absent in [(_capture(1.0), "")] * 2 + [(_capture(2.0), ""), (None, "why")]:
        history.add("sampler", {"a"}, capture, absent)
    one, same, other, none = history.returned("a")
    assert one.agrees(same)
    assert none.agrees(none)
    assert not one.agrees(other)
    assert not one.agrees(none)


def test_the_newest_runs_are_kept_within_four_budgets():
    size = 56
    history = History(2 * size)
    assert BUDGETS == 4
    for i in range(20):
        history.add("sampler", {str(i)}, _capture(float(i)))
    assert len(history) == 8
    assert history.size == 8 * size
    assert [record.number for record in history.of("sampler")] == list(range(13, 21))


def test_no_more_runs_are_kept_than_that_however_small():
    history = History(10**9)
    for i in range(MOST_RUNS + 3):
        history.add(i, {str(i)}, None, "why")
    assert len(history) == MOST_RUNS == 64
    assert history.returned("2") == []
    assert len(history.returned("3")) == 1


def test_the_newest_run_is_kept_whatever_it_takes():
    history = History(1)
    history.add("sampler", {"a"}, _capture())
    history.add("sampler", {"b"}, _capture(tokens=60))
    assert [record.number for record in history.of("sampler")] == [2]


def test_a_forgotten_capture_is_freed():
    history = History(14)
    history.add("sampler", {"a"}, _capture())
    forgotten = weakref.ref(history.of("sampler")[0].capture)
    history.add("sampler", {"b"}, _capture())
    gc.collect()
    assert forgotten() is None
