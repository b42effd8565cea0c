"""Baselines: what each of them is, that a capture carries them, and that Decode takes them."""

import math
from dataclasses import replace

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from concept_attention.core.decode import decode
from concept_attention.core.errors import ConceptAttentionError
from concept_attention.core.families import Projected
from concept_attention.core.files import load_capture, save_capture
from concept_attention.core.history import History
from concept_attention.core.pictures import Gathered
from concept_attention.core.plan import Plan, row_bytes
from concept_attention.core.recorder import Evaluation, Recorder
from concept_attention.core.spaces import (
    BASELINES,
    Seen,
    chosen_baselines,
    in_space,
    scored,
)
from concept_attention.core.types import Capture, Scored

# Two heads of one number each, two concepts, a grid of 2 x 3.
IMAGE = torch.tensor([[0.0, 1.0, 2.0, 3.0, -1.0, -2.0], [1.0, 1.0, 0.0, 0.0, 2.0, 2.0]])


def _heads(*rows):
    """[1, heads, tokens, 1] of one list for each head."""
    return torch.tensor(rows, dtype=torch.float32)[None, ..., None]


def _seen(counts=(1, 1), **own):
    given = {"q": [[1, 2], [3, 4]], "k": [[1, 0], [0, 2]], "v": [[5, 6], [7, 8]], **own}
    image = (IMAGE[None, ..., None] * scale for scale in (1.0, 10.0, 100.0))
    return Seen(Projected(*(_heads(*given[name]) for name in "qkv")), *image, counts)


def test_cross_attention_is_concept_queries_times_image_keys_over_all_heads():
    found = scored(_seen(), ["cross-attention"])["cross-attention"]
    expected = 10 * torch.stack((IMAGE[0] + 3 * IMAGE[1], 2 * IMAGE[0] + 4 * IMAGE[1]))
    assert torch.equal(found.scores[0], expected)
    torch.testing.assert_close(found.norms[0], torch.tensor([10.0, 20.0]).sqrt())


def test_value_space_is_values_times_values_over_all_heads():
    found = scored(_seen(), ["value"])["value"]
    expected = 100 * torch.stack((5 * IMAGE[0] + 7 * IMAGE[1], 6 * IMAGE[0] + 8 * IMAGE[1]))
    assert torch.equal(found.scores[0], expected)
    torch.testing.assert_close(found.norms[0], torch.tensor([74.0, 100.0]).sqrt())


def test_daam_is_each_heads_softmax_over_the_concepts_and_the_mean_of_heads():
    found = scored(_seen(), ["DAAM"])["DAAM"]
    # Logits of the first token: (0, 0) in the first head, (0, 2) in the second.
    first = (0.5 + 1 / (1 + math.exp(2))) / 2
    assert found.scores[0, 0, 0].item() == pytest.approx(first)
    torch.testing.assert_close(found.scores.sum(1), torch.ones(1, 6))
    assert torch.equal(found.norms, torch.ones(1, 2))


def test_a_concept_of_several_tokens_has_the_mean_of_their_vectors():
    several = _seen((2, 1), q=[[0, 2, 2], [1, 5, 4]], k=[[2, 0, 0], [-1, 1, 2]])
    several = replace(several, own=replace(several.own, v=_heads([4, 6, 6], [7, 7, 8])))
    ours, alone = scored(several, BASELINES), scored(_seen(), BASELINES)
    for space in BASELINES:
        torch.testing.assert_close(ours[space].scores, alone[space].scores)
        torch.testing.assert_close(ours[space].norms, alone[space].norms)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_not_rounded_and_batch_items_keep_apart(dtype):
    """The host's tensors are often [B, N, heads, d] underneath."""
    generator = torch.Generator().manual_seed(0)
    own, image = (
        [torch.randn(2, n, 3, 8, generator=generator).to(dtype).transpose(1, 2) for _ in range(3)]
        for n in (2, 6)
    )
    found = scored(Seen(Projected(*own), *image, (1, 1)), BASELINES)
    q, k, v = (x.double().transpose(1, 2).flatten(2) for x in image)
    assert q.shape == (2, 6, 24)
    own_q, _, own_v = (x.double().transpose(1, 2).flatten(2) for x in own)
    close = {"rtol": 1e-5, "atol": 1e-5}
    torch.testing.assert_close(found["cross-attention"].scores.double(), own_q @ k.mT, **close)
    torch.testing.assert_close(found["value"].scores.double(), own_v @ v.mT, **close)
    logits = own[1].double() @ image[0].double().mT / math.sqrt(8)
    expected = logits.softmax(2).mean(1)
    torch.testing.assert_close(found["DAAM"].scores.double(), expected, **close)


def test_choices_of_baselines():
    assert chosen_baselines("none") == ()
    assert chosen_baselines("value") == ("value",)
    assert chosen_baselines("all") == ("cross-attention", "value", "DAAM")
    with pytest.raises(ConceptAttentionError, match="baselines: 'keys' is not one of none, cross"):
        chosen_baselines("keys")


def make(spaces=BASELINES, family="flux", **changes):
    """2 steps, 1 layer, concepts "a", "b" and a background, a grid of 2 x 3."""
    generator = torch.Generator().manual_seed(1)
    shape = (2, 2, 1, 3, 6)
    baselines = {}
    for space in spaces:
        scores = torch.randn(shape, generator=generator)
        scores = scores.softmax(-2) if space == "DAAM" else scores
        baselines[space] = Scored(scores, torch.rand(shape[:-1], generator=generator) + 0.5)
    plain = {
        "scores": torch.randn(shape, generator=generator),
        "norms": torch.rand(shape[:-1], generator=generator) + 0.5,
        "grid": (1, 2, 3),
        "picture": (32, 48),
        "steps": (0, 1),
        "layers": ((3,),),
        "sigmas": (1.0, 0.5),
        "total_steps": 2,
        "total_layers": 4,
        "labels": ("a", "b", "ground"),
        "background": (False, False, True),
        "family": family,
        "spaces": baselines,
    }
    return Capture(**{**plain, **changes})


@pytest.mark.parametrize("space", ["cross-attention", "value"])
@pytest.mark.parametrize("family", ["flux", "sd3", "flux2"])
def test_a_baseline_is_decoded_as_the_output_would_be(space, family):
    capture = make(family=family)
    part = capture.spaces[space]
    alone = replace(capture, scores=part.scores, norms=part.norms)
    assert torch.equal(decode(capture, space=space).values, decode(alone).values)
    assert not torch.equal(decode(capture, space=space).values, decode(capture).values)
    assert decode(capture, space=space).labels == ("a", "b")


@pytest.mark.parametrize("family", ["flux", "sd3"])
def test_daam_is_decoded_as_the_mean_of_its_weights(family):
    capture = make(family=family)
    expected = capture.spaces["DAAM"].scores.mean((1, 2)).transpose(0, 1)[:, :, None]
    found = decode(capture, space="DAAM")
    torch.testing.assert_close(found.values, expected[:2].unflatten(-1, (2, 3)))
    torch.testing.assert_close(found.background, expected[2].unflatten(-1, (2, 3)))
    late = decode(capture, steps="1", space="DAAM").values
    torch.testing.assert_close(late[0, 1, 0], capture.spaces["DAAM"].scores[1, 1, 0, 0].view(2, 3))


@pytest.mark.parametrize("given", [{"temperature": 2.0}, {"order": "softmax first"}])
def test_daam_has_no_temperature_and_no_order(given):
    (name,) = given
    with pytest.raises(ConceptAttentionError, match=f"{name}: .* was given for DAAM"):
        decode(make(), space="DAAM", **given)


def test_a_space_that_was_not_captured_is_an_error_that_names_those_that_were():
    with pytest.raises(
        ConceptAttentionError, match=r"value was not captured; this capture has: output, DAAM\. Set"
    ):
        decode(make(("DAAM",)), space="value")
    with pytest.raises(ConceptAttentionError, match="this capture has: output"):
        in_space(make(()), "DAAM")
    with pytest.raises(ConceptAttentionError, match="space: 'keys' is not one of output, cross"):
        decode(make(), space="keys")


def test_a_recorder_keeps_every_space_in_a_buffer_of_its_own():
    plan = Plan(steps=(0, 1), layers=((0, 1), (2,)), note="")
    recorder = Recorder(plan, 2, 3, 6, ("value",))
    generator = torch.Generator().manual_seed(2)
    vectors = torch.randn(2, 3, 4, generator=generator), torch.randn(2, 6, 4, generator=generator)
    baselines = [
        Scored(torch.randn(2, 3, 6, generator=generator), torch.rand(2, 3, generator=generator))
        for _ in range(3)
    ]
    evaluation = Evaluation(1.0, plan.layers)
    for layer, baseline in enumerate(baselines):
        evaluation.add(layer, 2, *vectors, {"value": baseline})
    recorder.commit(1, evaluation)
    value = recorder.baselines()["value"]
    assert value.scores.shape == (2, 1, 2, 3, 6)
    mean = (baselines[0].scores + baselines[1].scores) / 2
    torch.testing.assert_close(value.scores[:, 0, 0], mean)
    assert torch.equal(value.scores[:, 0, 1], baselines[2].scores)
    assert torch.equal(value.norms[:, 0, 1], baselines[2].norms)
    plain = Recorder(plan, 2, 3, 6)
    plain.commit(1, evaluation)
    assert plain.baselines() == {}
    assert torch.equal(plain.result()[0], recorder.result()[0])


def test_memory_counts_every_space():
    assert row_bytes(1, 4, 4096, 4) == 4 * row_bytes(1, 4, 4096)
    assert make().nbytes == 4 * make(()).nbytes
    history = History(10**6)
    history.add("node", ["result"], make())
    assert history.size == make().nbytes


def test_draws_of_noise_are_averaged_in_every_space():
    parts = [make(), make()]
    parts[1].spaces["value"].scores.mul_(3)
    gathered = Gathered(2, 2)
    for part in parts:
        gathered.add(slice(0, 2), part)
    whole = gathered.capture(None)
    assert tuple(whole.spaces) == BASELINES
    torch.testing.assert_close(whole.spaces["value"].scores, make().spaces["value"].scores * 2)
    torch.testing.assert_close(whole.spaces["DAAM"].scores, make().spaces["DAAM"].scores)
    assert gathered.so_far(0, 2, None).spaces == {}


def test_baselines_survive_the_disk_bit_for_bit(tmp_path):
    capture = make()
    save_capture(tmp_path / "a", capture)
    loaded = load_capture(tmp_path / "a")
    assert tuple(loaded.spaces) == BASELINES
    for name, part in capture.spaces.items():
        assert torch.equal(loaded.spaces[name].scores, part.scores)
        assert torch.equal(loaded.spaces[name].norms, part.norms)
    assert torch.equal(loaded.scores, capture.scores)


def test_a_baseline_of_another_shape_or_name_is_not_written(tmp_path):
    capture = make(("value",))
    part = capture.spaces["value"]
    cut = Scored(part.scores[..., :5], part.norms)
    with pytest.raises(ConceptAttentionError, match=r"\[2, 2, 1, 3, 5\] in the space 'value'"):
        save_capture(tmp_path / "a", replace(capture, spaces={"value": cut}))
    with pytest.raises(ConceptAttentionError, match=r"space 'keys'; expected .* cross-attention"):
        save_capture(tmp_path / "a", replace(capture, spaces={"keys": part}))
    assert list(tmp_path.iterdir()) == []


def test_a_baseline_of_another_shape_or_half_of_one_is_not_read(tmp_path):
    save_capture(tmp_path / "a", make(("value",)))
    with safe_open(tmp_path / "a", framework="pt") as file:
        tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
        metadata = file.metadata()
    cut = {**tensors, "value/scores": tensors["value/scores"][..., :5].contiguous()}
    save_file(cut, tmp_path / "b", metadata)
    with pytest.raises(ConceptAttentionError, match=r"\[2, 2, 1, 3, 5\] in the space 'value'"):
        load_capture(tmp_path / "b")
    del tensors["value/norms"]
    save_file(tensors, tmp_path / "b", metadata)
    with pytest.raises(ConceptAttentionError, match=r"lacks a part of a capture \(value/norms\)"):
        load_capture(tmp_path / "b")
