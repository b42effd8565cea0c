"""Baselines of real blocks: exact numbers, an unchanged picture, concept-sized work."""

import functools

import comfy.model_management
import pytest
import torch

import bench_flops
from concept_attention.core.decode import decode
from concept_attention.core.errors import ConceptAttentionError
from concept_attention.core.run import CaptureRun
from concept_attention.core.spaces import BASELINES, SPACES, in_space
from concept_attention.nodes.decode import HeatmapDecode

from .attached import attach, collect
from .images import captured as looked
from .joint import TWINS, bare, joint, plain_scores, twins
from .models import (
    DISTINCT,
    FAMILIES,
    capture_of,
    captured,
    concepts,
    error,
    inputs,
    latent,
    model,
    plain,
)

ROUNDING = 1e-5  # of the largest magnitude: the same sums in another order


@pytest.mark.parametrize("family", TWINS)
def test_concepts_that_are_the_prompts_tokens_have_their_scores_in_every_space(family):
    """Computed from what the host's attention was given, without any of our code."""
    asked = {"positive": bare(family), "latent_image": latent(family, 2)}
    capture = capture_of(family, concepts=twins(family), baselines="all", **asked)
    assert tuple(capture.spaces) == BASELINES
    for step, calls in enumerate(joint(family, **asked)):
        for layer, call in enumerate(calls):
            for space in SPACES:
                expected = plain_scores(call, [[0], [1], [2]], slice(3, None), space)
                found = in_space(capture, space).scores[:, step, layer].double()
                assert found.shape == expected.shape
                assert error(found, expected) < ROUNDING, (space, step, layer)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_picture_and_the_maps_are_the_same_with_baselines(family):
    host = plain(model(family), **inputs(family, cfg=3.0))
    ours, capture = captured(
        model(family), **inputs(family, cfg=3.0), concepts=concepts(family), baselines="all"
    )
    assert torch.equal(host, ours)
    without = capture_of(family, cfg=3.0)
    assert torch.equal(capture.scores, without.scores)
    assert torch.equal(capture.norms, without.norms)
    assert without.spaces == {}
    for space in BASELINES:
        found = capture.spaces[space]
        assert found.scores.shape == capture.scores.shape
        assert found.norms.shape == capture.norms.shape
        assert bool(torch.isfinite(found.scores).all())
        assert bool((found.scores.std(-1) > 0).all())  # no map is constant
    torch.testing.assert_close(
        capture.spaces["DAAM"].scores.sum(-2), torch.ones_like(capture.scores[..., 0, :])
    )


def test_one_baseline_is_recorded_alone():
    every = capture_of("dev", baselines="all")
    capture = capture_of("dev", baselines="value")
    assert tuple(capture.spaces) == ("value",)
    assert torch.equal(capture.spaces["value"].scores, every.spaces["value"].scores)


def test_attach_and_a_picture_that_exists_record_them_too():
    attached, handle = attach("dev", baselines="all")
    capture = collect(handle, plain(attached, **inputs("dev")))
    expected = capture_of("dev", baselines="all")
    picture = looked("dev", baselines="DAAM", samples=2)
    assert tuple(picture.spaces) == ("DAAM",)
    for space in BASELINES:
        assert torch.equal(capture.spaces[space].scores, expected.spaces[space].scores)
    sums = picture.spaces["DAAM"].scores.sum(-2)
    torch.testing.assert_close(sums, torch.ones_like(sums))


@pytest.mark.parametrize("space", SPACES)
def test_decode_takes_the_space(space):
    capture = capture_of("dev", baselines="all")
    heatmaps = HeatmapDecode.execute(capture, space=space, interpolation="nearest").result[0]
    small = decode(capture, space=space)
    assert heatmaps.labels == small.labels == ("concept 0", "concept 1")
    corners = heatmaps.values[..., ::16, ::16]
    torch.testing.assert_close(corners, small.values)


def test_decode_says_what_was_captured():
    with pytest.raises(ConceptAttentionError, match="space: DAAM was not captured"):
        HeatmapDecode.execute(capture_of("dev"), space="DAAM")


@pytest.mark.parametrize(("baselines", "notes"), [((), 0), (("value",), 0), (BASELINES, 1)])
def test_the_memory_budget_counts_baselines(baselines, notes):
    """Two spaces of 2 steps, 3 layers, 3 concepts and 35 tokens of 4 bytes fit exactly."""
    said = []
    run = CaptureRun(
        model("schnell").get_model_object("diffusion_model"),
        concepts("schnell"),
        budget=2 * 2 * 3 * 3 * 35 * 4,
        notify=said.append,
        baselines=baselines,
    )
    run.begin((1, 16, 10, 14), [1.0, 0.5, 0.0], [{"uuid": 0}])
    assert len(said) == notes


operations = functools.cache(bench_flops.operations)


@pytest.mark.parametrize("arch", ["mid", "flux1", "flux2", "sd3", "cogvideox"])
def test_all_baselines_cost_concept_sized_work(arch, monkeypatch):
    # The host's compiled rope has no meta version; its own other one is plain torch.
    monkeypatch.setattr(comfy.model_management, "in_training", True)
    plain_run, capture = operations(arch, 0), operations(arch, 4)
    every = operations(arch, 4, baselines=BASELINES)
    assert capture < every
    assert every / plain_run <= 1.01
    # Three products of concepts and image, as attention over the image has two.
    assert every - capture < 2 * (capture - plain_run)


@pytest.mark.parametrize("family", DISTINCT)
def test_an_unknown_choice_is_an_error_before_the_model_runs(family):
    with pytest.raises(ConceptAttentionError, match="baselines: 'keys' is not one of none"):
        capture_of(family, baselines="keys")
