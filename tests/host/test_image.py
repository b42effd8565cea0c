"""Attention Capture from Image: the samplers' scores, at one noise level, of existing pictures."""

import comfy.sd
import pytest
import torch

from concept_attention.core import pictures as core_pictures
from concept_attention.nodes.decode import HeatmapDecode
from concept_attention.nodes.image import capture_pictures
from concept_attention.nodes.once import sigma_at
from concept_attention.nodes.sources import source_of

from .images import captured, pictures
from .models import (
    FAMILIES,
    TINY,
    capture_of,
    concepts,
    counting,
    custom,
    error,
    formula,
    model,
    node,
    prompt,
    seeded,
)

ROUNDING = 1e-5  # of the largest magnitude: the same sums in another order


def sampled(family, patcher=None, level=0.5, given=None, conditioning=None):
    """The capture of a sampler that starts at that noise level of the schedule."""
    patcher = patcher or model(family)
    conditioning = conditioning or prompt(family)
    guider = node("BasicGuider", model=patcher, conditioning=conditioning)
    levels = torch.tensor([sigma_at(patcher, level), 0.0])
    given = given or pictures(family)
    return custom(guider, given, levels, concepts=concepts(family))[1]


@pytest.mark.parametrize("family", FAMILIES)
def test_scores_are_those_of_a_sampler_at_that_noise_level(family):
    looked, expected = captured(family, noise_level=0.4), sampled(family, level=0.4)
    assert torch.equal(looked.scores, expected.scores)
    assert torch.equal(looked.norms, expected.norms)
    assert looked.sigmas == expected.sigmas
    assert (looked.grid, looked.picture) == (expected.grid, expected.picture)
    assert (looked.steps, looked.total_steps, looked.layers) == ((0,), 1, expected.layers)


def test_a_tool_can_see_the_vectors_that_are_scored():
    seen = []
    with torch.inference_mode():
        capture = capture_pictures(
            model("dev"),
            source_of(model("dev"), None, pictures("dev"), None),
            prompt("dev"),
            concepts("dev"),
            observe=lambda layer, own, image: seen.append((layer, own @ image.mT)),
        )
    assert [layer for layer, _ in seen] == [0, 1, 2]
    assert error(torch.stack([each for _, each in seen], 1), capture.scores[:, 0]) < ROUNDING


@pytest.mark.parametrize("family", FAMILIES)
def test_several_samples_are_the_mean_of_the_seeds_that_follow(family):
    three = captured(family, samples=3, seed=8)
    alone = [captured(family, seed=seed) for seed in (8, 9, 10)]
    for name in ("scores", "norms"):
        mean = sum(getattr(each, name) for each in alone) / 3
        assert error(getattr(three, name), mean) < ROUNDING
    assert error(alone[0].scores, alone[1].scores) > 1e-3


def test_the_seed_after_the_largest_is_zero():
    last = captured("dev", samples=2, seed=2**64 - 1)
    mean = (captured("dev", seed=2**64 - 1).scores + captured("dev", seed=0).scores) / 2
    assert error(last.scores, mean) < ROUNDING


@pytest.mark.parametrize("family", FAMILIES)
def test_a_picture_has_its_own_scores_in_any_batch(family):
    batch = pictures(family, 3)
    together = captured(family, latent=batch)
    assert together.scores.shape[0] == 3
    for i in range(3):
        alone = captured(family, latent={"samples": batch["samples"][i : i + 1]})
        assert error(together.scores[i], alone.scores[0]) < ROUNDING
        assert error(together.norms[i], alone.norms[0]) < ROUNDING


def each_its_own(family, batch):
    """A conditioning with another prompt for every picture."""
    cross = torch.cat([prompt(family, seed)[0][0] for seed in range(batch)])
    values = prompt(family)[0][1]
    if family != "lumina2":  # the host's model of that name runs without them alone
        values = {**values, "reference_latents": references(family, batch)}
    return [[cross, values]]


def references(family, batch):
    return [pictures(family, batch)["samples"].flip(0)]


@pytest.mark.parametrize("family", FAMILIES)
def test_parts_of_a_batch_give_what_all_in_one_go_gives(family, monkeypatch):
    patcher, calls = counting(model(family))
    options = {"latent": pictures(family, 5), "conditioning": each_its_own(family, 5), "samples": 2}
    whole = captured(family, patcher, **options)
    assert calls == [5, 5]
    calls.clear()
    tokens = whole.scores.shape[-1]
    monkeypatch.setattr(core_pictures, "_TOKENS", 2 * tokens + 1)
    cut = captured(family, patcher, **options)
    assert calls == [2, 2, 2, 2, 1, 1]
    assert error(cut.scores, whole.scores) < ROUNDING
    assert error(cut.norms, whole.norms) < ROUNDING


@pytest.mark.parametrize("family", FAMILIES)
def test_several_prompts_give_the_mean_of_their_scores(family):
    one, other = prompt(family, 1), prompt(family, 4)
    scores = [captured(family, conditioning=each).scores for each in (one, other)]
    mixed = captured(family, conditioning=one + other)
    assert error(mixed.scores, sum(scores) / 2) < ROUNDING


def test_guidance_of_a_distilled_model_is_respected():
    weak, strong = (
        captured("dev", conditioning=prompt("dev", guidance=guidance)) for guidance in (1.0, 9.0)
    )
    assert error(weak.scores, strong.scores) > 1e-3
    usual = captured("dev", conditioning=prompt("dev"))
    assert torch.equal(usual.scores, sampled("dev").scores)


@pytest.mark.parametrize("family", ["dev", "flux2"])
def test_reference_pictures_are_seen_and_have_no_map(family):
    """Kontext and FLUX.2 editing: the references' tokens follow those of the picture."""
    reference = seeded(1, TINY[family].channels, 8, 4, seed=6)
    conditioning = prompt(family, reference_latents=[reference])
    looked = captured(family, conditioning=conditioning)
    expected = sampled(family, conditioning=conditioning)
    assert torch.equal(looked.scores, expected.scores)
    assert looked.scores.shape[-1] == 6
    assert error(looked.scores, captured(family).scores) > 1e-3


def test_an_inpainting_model_takes_picture_and_mask_beside_the_noise():
    """FLUX.1 Fill, whose output has fewer channels than what it takes."""
    tiny = TINY["dev"]
    weights = formula.weights(tiny.arch, tiny.extra, seed=7)
    weights["img_in.weight"] = seeded(256, 4 * 96, seed=3) * 0.05
    patcher = comfy.sd.load_diffusion_model_state_dict(weights, {"dtype": torch.float32})
    values = {"concat_latent_image": seeded(1, 16, 4, 6, seed=5)}
    values["concat_mask"] = torch.ones(1, 1, 32, 48)
    for conditioning in (prompt("dev", **values), prompt("dev")):
        given = {**pictures("dev"), "noise_mask": torch.ones(1, 32, 48)}
        looked = captured("dev", patcher, conditioning=conditioning, latent=given)
        expected = sampled("dev", patcher, given=given, conditioning=conditioning)
        assert torch.equal(looked.scores, expected.scores)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_noise_level_is_a_fraction_of_the_schedule(family):
    patcher = model(family)
    schedule = patcher.get_model_object("model_sampling")
    middle = schedule.percent_to_sigma(0.5)
    assert captured(family, noise_level=0.5).sigmas[0] == pytest.approx(float(middle))
    for level, sigma in ((0.0, schedule.sigma_min), (1.0, schedule.sigma_max)):
        capture = captured(family, noise_level=level)
        assert capture.sigmas[0] == pytest.approx(float(sigma))
        assert torch.isfinite(capture.scores).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_heatmap_decode_takes_it_as_it_is(family):
    """Its auto settings too, which for FLUX.2 are the last steps of many."""
    capture = captured(family)
    masks = HeatmapDecode.execute(capture).result[1]
    frames, height, width = sum(capture.spans), *capture.picture
    assert masks.shape == (2 * frames, height, width)
    assert 0 < masks.min() < masks.max() < 1
    assert capture.labels == capture_of(family).labels
