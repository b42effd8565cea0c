"""Evaluations become scores [B, S, L, C, N]: sums of conditionings, then means of evaluations."""

import pytest
import torch

from concept_attention.core.plan import Plan
from concept_attention.core.recorder import Evaluation, Recorder

B, C, N, D = 2, 3, 6, 4  # a grid of 2 x 3
PLAN = Plan(steps=(1, 4), layers=((0,), (2,)), note="")
GROUPED = Plan(steps=(1,), layers=((0, 2), (5,)), note="")


def _vectors(seed, rows=B):
    generator = torch.Generator().manual_seed(seed)
    concept_out = torch.randn(rows, C, D, generator=generator)
    return concept_out, torch.randn(rows, N, D, generator=generator)


def _scores(seed, rows=B):
    concept_out, image_out = _vectors(seed, rows)
    return concept_out @ image_out.mT


def _norms(seed, rows=B):
    return _vectors(seed, rows)[0].norm(dim=-1)


def _evaluation(plan, seed):
    """Every planned layer scored from the vectors of seed + layer."""
    evaluation = Evaluation(0.5, plan.layers)
    for layer in plan.flat_layers:
        evaluation.add(layer, B, *_vectors(seed + layer))
    return evaluation


def test_shapes_and_places():
    recorder = Recorder(PLAN, B, C, N)
    recorder.commit(1, _evaluation(PLAN, 10))
    recorder.commit(4, _evaluation(PLAN, 20))
    scores, norms = recorder.result()
    assert scores.shape == (B, 2, 2, C, N)
    assert norms.shape == (B, 2, 2, C)
    assert recorder.steps == (1, 4)
    for step, start in enumerate((10, 20)):
        for place, layer in enumerate((0, 2)):
            torch.testing.assert_close(scores[:, step, place], _scores(start + layer))
            torch.testing.assert_close(norms[:, step, place], _norms(start + layer))


@pytest.mark.parametrize("parts", [(4,), (2, 2)])
def test_conditionings_are_averaged_in_one_call_or_two(parts):
    concept_out, image_out = _vectors(30, rows=2 * B)
    evaluation, start = Evaluation(0.5, ((0,),)), 0
    for rows in parts:
        piece = slice(start, start + rows)
        evaluation.add(0, B, concept_out[piece], image_out[piece])
        start += rows
    scores, norms = evaluation.mean(0)
    torch.testing.assert_close(scores, _scores(30, 2 * B).unflatten(0, (2, B)).mean(0))
    torch.testing.assert_close(norms, _norms(30, 2 * B).unflatten(0, (2, B)).mean(0))


def test_evaluations_of_a_step_are_averaged():
    recorder = Recorder(PLAN, B, C, N)
    for seed in (10, 20, 40):
        recorder.commit(1, _evaluation(PLAN, seed))
    scores, _ = recorder.result()
    expected = torch.stack([_scores(seed + 2) for seed in (10, 20, 40)]).mean(0)
    torch.testing.assert_close(scores[:, 0, 1], expected)


def test_layers_of_a_group_are_averaged():
    recorder = Recorder(GROUPED, B, C, N)
    recorder.commit(1, _evaluation(GROUPED, 10))
    scores, norms = recorder.result()
    assert scores.shape[2] == 2
    torch.testing.assert_close(scores[:, 0, 0], (_scores(10) + _scores(12)) / 2)
    torch.testing.assert_close(scores[:, 0, 1], _scores(15))
    torch.testing.assert_close(norms[:, 0, 0], (_norms(10) + _norms(12)) / 2)


def test_steps_that_never_came_are_left_out():
    recorder = Recorder(PLAN, B, C, N)
    recorder.commit(4, _evaluation(PLAN, 20))
    scores, norms = recorder.result()
    assert recorder.steps == (4,)
    assert scores.shape[1] == norms.shape[1] == 1
    torch.testing.assert_close(scores[:, 0, 0], _scores(20))


def test_steps_not_planned_are_ignored():
    recorder = Recorder(PLAN, B, C, N)
    recorder.commit(2, _evaluation(PLAN, 20))
    assert recorder.steps == ()
    with pytest.raises(RuntimeError, match="nothing was recorded"):
        recorder.result()


def test_recording_leaves_the_vectors_and_earlier_results_alone():
    concept_out, image_out = _vectors(10)
    before = concept_out.clone(), image_out.clone()
    evaluation = Evaluation(0.5, ((0,),))
    evaluation.add(0, B, concept_out, image_out)
    first = evaluation.mean(0)[0].clone()
    evaluation.add(0, B, concept_out, image_out)
    torch.testing.assert_close(evaluation.mean(0)[0], first)
    assert torch.equal(concept_out, before[0])
    assert torch.equal(image_out, before[1])


def test_complete_needs_every_layer_from_the_same_number_of_conditionings():
    evaluation = Evaluation(0.5, PLAN.layers)
    assert not evaluation.complete
    evaluation.add(0, B, *_vectors(1))
    assert evaluation.seen == (0,)
    assert not evaluation.complete
    evaluation.add(2, B, *_vectors(2))
    assert evaluation.complete
    evaluation.add(2, B, *_vectors(3))
    assert not evaluation.complete


def test_a_group_of_layers_takes_the_memory_of_one():
    evaluation = _evaluation(GROUPED, 10)
    held = [value for value in vars(evaluation).values() if isinstance(value, dict)]
    tensors = [t for part in held for t in part.values() if isinstance(t, torch.Tensor)]
    assert sum(t.numel() for t in tensors) == len(GROUPED.layers) * (B * C * N + B * C)


def test_what_is_there_so_far_is_a_copy_of_the_first_item_and_tokens():
    recorder = Recorder(PLAN, B, C, N)
    with pytest.raises(RuntimeError, match="nothing was recorded"):
        recorder.so_far(2)
    recorder.commit(4, _evaluation(PLAN, 20))
    scores, norms = recorder.so_far(2)
    assert scores.shape == (1, 1, 2, C, 2)
    assert norms.shape == (1, 1, 2, C)
    torch.testing.assert_close(scores[0, 0, 1], _scores(22)[0, :, :2])
    torch.testing.assert_close(norms[0, 0, 1], _norms(22)[0])
    scores.zero_()
    assert bool((recorder.result()[0] != 0).all())
    recorder.commit(1, _evaluation(PLAN, 10))
    scores, _ = recorder.so_far(N)
    assert torch.equal(scores, recorder.result()[0][:1])
