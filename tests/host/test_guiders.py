"""Invariant 5: the conditioning named positive, and no other, per item, in any arrangement."""

import comfy.samplers
import pytest
import torch

from concept_attention.core.errors import ConceptAttentionError

from .models import (
    DISTINCT,
    FAMILIES,
    REPLACEABLE,
    TINY,
    both,
    capture_of,
    concepts,
    counting,
    custom,
    error,
    inputs,
    latent,
    model,
    node,
    observed,
    plain,
    prompt,
    seeded,
    sigmas,
)

ROUNDING = 1e-5  # of the largest magnitude: the same sums in another order


@pytest.mark.parametrize("family", FAMILIES)
def test_guidance_does_not_change_the_first_steps_scores(family):
    """Later steps start from another latent; the first one is the same picture of noise."""
    alone, guided = capture_of(family), capture_of(family, cfg=3.0)
    assert error(guided.scores[:, 0], alone.scores[:, 0]) < ROUNDING
    assert error(guided.scores[:, 1], alone.scores[:, 1]) > ROUNDING


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("item", [0, 1])
def test_a_batch_item_has_the_scores_of_its_own_run(family, item):
    together = capture_of(family, latent_image=latent(family, 2), cfg=3.0)
    alone = capture_of(family, latent_image={**latent(family), "batch_index": [item]}, cfg=3.0)
    assert error(together.scores[item], alone.scores[0]) < ROUNDING
    assert error(together.norms[item], alone.norms[0]) < ROUNDING


@pytest.mark.parametrize("family", FAMILIES)
def test_split_calls_have_the_scores_of_one_call(family, monkeypatch):
    counted, calls = counting(model(family))
    options = {"cfg": 3.0, "latent_image": latent(family, 2), "patcher": counted}
    joined = capture_of(family, **options)
    assert calls == [4, 4]
    calls.clear()
    monkeypatch.setattr(type(counted), "get_free_memory", lambda self, device: 0)
    split = capture_of(family, **options)
    assert calls == [2, 2, 2, 2]
    assert error(split.scores, joined.scores) < ROUNDING


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("tokens", [6, 9])  # equal lengths are one call, others two
def test_several_positive_prompts_give_the_mean_of_their_scores(family, tokens):
    if TINY[family].arch == "cogvideox" and tokens != 6:
        tokens = 6  # else the host repeats both prompts up to a common length, which changes them
    one, other = prompt(family, 1), prompt(family, 4, tokens=tokens)
    scores = [capture_of(family, positive=each).scores[:, 0] for each in (one, other)]
    host, ours, mixed = both(family, positive=one + other, cfg=3.0)
    assert torch.equal(host, ours)
    assert error(mixed.scores[:, 0], (scores[0] + scores[1]) / 2) < ROUNDING


@pytest.mark.parametrize("family", FAMILIES)
def test_positive_used_as_negative_too_is_read_once(family):
    same = prompt(family, 1)
    capture = capture_of(family, positive=same, negative=same, cfg=3.0)
    assert error(capture.scores[:, 0], capture_of(family).scores[:, 0]) < ROUNDING


def test_rows_have_the_guidance_of_their_own_prompt():
    """Both prompts go through the model in one call, the negative one first."""
    positive, negative = prompt("dev", 1, guidance=1.0), prompt("dev", 2, guidance=9.0)
    guided = capture_of("dev", positive=positive, negative=negative, cfg=3.0)
    alone = capture_of("dev", positive=positive)
    assert error(guided.scores[:, 0], alone.scores[:, 0]) < ROUNDING


def _guiders(patcher, one, two, three):
    pair = {"model": patcher, "positive": one, "negative": two}
    dual = {"model": patcher, "cond1": one, "cond2": two, "negative": three}
    scales = {"cfg_conds": 2.0, "cfg_cond2_negative": 3.0}
    return {
        "basic": node("BasicGuider", model=patcher, conditioning=one),
        "cfg": node("CFGGuider", **pair, cfg=3.0),
        "dual": node("DualCFGGuider", **dual, **scales, style="regular"),
        "dual nested": node("DualCFGGuider", **dual, **scales, style="nested"),
        "dual model": node("DualModelGuider", **pair, model_negative=patcher.clone(), cfg=3.0),
        "dual model, no text": node(
            "DualModelGuider", model=patcher, positive=one, model_negative=patcher.clone(), cfg=1.0
        ),
        "perp-neg": node("PerpNegGuider", **pair, empty_conditioning=three, cfg=3.0, neg_scale=1.0),
    }


@pytest.mark.parametrize("family", FAMILIES)
def test_every_guider_gives_the_positive_prompts_scores(family):
    patcher = model(family)
    expected = capture_of(family).scores[:, 0]
    levels = sigmas(patcher)
    guiders = _guiders(patcher, *(prompt(family, seed) for seed in (1, 2, 3)))
    # The host runs neither of these without a pooled text vector.
    if TINY[family].arch in ("sd3", "hunyuan", "hunyuan15"):
        del guiders["dual model, no text"]
    for name, guider in guiders.items():
        host, _ = custom(guider, latent(family), levels)
        ours, capture = custom(guider, latent(family), levels, concepts=concepts(family))
        assert torch.equal(host, ours), name
        assert error(capture.scores[:, 0], expected) < ROUNDING, name
        assert capture.steps == (0, 1), name


@pytest.mark.parametrize("family", [family for family in DISTINCT if family in REPLACEABLE])
def test_skip_layer_guidance_stays_out(family):
    """Its third pass has the positive prompt's uuid, and a block skipped."""
    skipping = {"double_layers": "1", "single_layers": "", "scale": 3.0}
    skipping |= {"start_percent": 0.0, "end_percent": 1.0}
    guided = node("SkipLayerGuidanceDiT", model=model(family), **skipping)
    counted, calls = counting(guided)
    host, ours, capture = both(family, counted, cfg=3.0)
    assert calls == [2, 1] * 4  # two steps, twice
    assert torch.equal(host, ours)
    assert capture.steps == (0, 1)
    assert error(capture.scores[:, 0], capture_of(family).scores[:, 0]) < ROUNDING


@pytest.mark.parametrize("family", DISTINCT)
def test_a_degraded_pass_of_the_same_prompt_stays_out(family):
    """As perturbed attention guidance does it: the prompt again, with attention overridden."""

    def blur(func, q, k, v, *args, **kwargs):
        return func(q, k, v.mean(2, keepdim=True).expand_as(v), *args, **kwargs)

    def post_cfg(args):
        options = dict(args["model_options"])
        transformer = {**options["transformer_options"], "optimized_attention_override": blur}
        options["transformer_options"] = transformer
        (degraded,) = comfy.samplers.calc_cond_batch(
            args["model"], [args["cond"]], args["input"], args["sigma"], options
        )
        return args["denoised"] + args["cond_denoised"] - degraded

    perturbed = model(family).clone()
    perturbed.set_model_sampler_post_cfg_function(post_cfg)
    host, ours, capture = both(family, perturbed)
    assert torch.equal(host, ours)
    assert not torch.equal(host, plain(model(family), **inputs(family)))
    assert error(capture.scores[:, 0], capture_of(family).scores[:, 0]) < ROUNDING


@pytest.mark.parametrize("family", DISTINCT)
def test_a_prompt_with_a_time_range_speaks_for_its_steps(family):
    early = prompt(family, 1, start_percent=0.0, end_percent=0.3)
    late = prompt(family, 4, start_percent=0.3, end_percent=1.0)
    host, ours, capture = both(family, positive=early + late, steps=4)
    assert torch.equal(host, ours)
    assert capture.steps == (0, 1, 2, 3)
    assert error(capture.scores[:, 0], capture_of(family, steps=4).scores[:, 0]) < ROUNDING


def test_steps_without_an_active_positive_prompt_have_no_maps(caplog):
    early = prompt("dev", 1, start_percent=0.0, end_percent=0.3)
    capture = capture_of("dev", positive=early, cfg=3.0, steps=4)
    missing = [step for step in range(4) if step not in capture.steps]
    assert capture.scores.shape[1] == len(capture.steps) < 4
    assert f"Steps {missing} were not computed" in caplog.text


@pytest.mark.parametrize(
    "region", [{"area": (2, 4, 0, 0), "strength": 1.0}, {"mask": torch.ones(1, 80, 112)}]
)
def test_a_regional_prompt_is_an_error_before_the_model_runs(region):
    counted, calls = counting(model("dev"))
    with pytest.raises(ConceptAttentionError, match=r"positive: regional.*(area|mask)"):
        capture_of("dev", counted, positive=prompt("dev", **region))
    assert calls == []


def test_a_regional_negative_is_allowed():
    negative = prompt("dev", 2, area=(6, 6, 0, 0), strength=1.0)
    host, ours, capture = both("dev", negative=negative, cfg=3.0)
    assert torch.equal(host, ours)
    assert error(capture.scores[:, 0], capture_of("dev").scores[:, 0]) < ROUNDING


def test_a_guider_without_a_positive_prompt_is_an_error_before_the_model_runs():
    counted, calls = counting(model("dev"))
    guider = comfy.samplers.CFGGuider(counted)
    guider.inner_set_conds({"prompt": prompt("dev")})
    with pytest.raises(ConceptAttentionError, match=r"guider: .* named positive"):
        custom(guider, latent("dev"), sigmas(counted), concepts=concepts("dev"))
    assert calls == []


REFERENCES = [
    ("dev", "offset"),
    ("dev", "index"),
    ("dev", "uxo"),
    ("schnell", None),
    ("flux2", None),
    ("flux2", "index"),
    ("flux2", "index_timestep_zero"),
    ("qwen", None),
    ("qwen", "offset"),
    ("qwen", "negative_index"),
    ("qwen", "index_timestep_zero"),
]


@pytest.mark.parametrize(("family", "method"), REFERENCES)
def test_reference_pictures_take_part_and_have_no_map(family, method):
    shape = latent(family, size=(4, 3))["samples"].shape
    values = {"reference_latents": [seeded(*shape, seed=i) for i in (5, 6)]}
    if method:
        values["reference_latents_method"] = method
    host, ours, capture = both(family, positive=prompt(family, **values), cfg=3.0)
    assert torch.equal(host, ours)
    assert capture.grid == (1, 5, 7)
    assert capture.scores.shape[-1] == 35
    assert error(capture.scores[:, 0], capture_of(family).scores[:, 0]) > ROUNDING


def test_reference_scores_are_those_of_the_main_picture():
    """The image vectors scored are the first tokens after the text, as the host computed them."""
    outs = []

    def spy(func, *args, **kwargs):
        outs.append(func(*args, **kwargs))
        return outs[-1]

    spied = model("dev").clone()
    spied.model_options["transformer_options"]["optimized_attention_override"] = spy
    values = {"reference_latents": [seeded(1, 16, 6, 6, seed=5)]}
    _, vectors = observed("dev", spied, positive=prompt("dev", **values))
    double = [out for i, out in enumerate(outs) if i % 4 < 3]  # three double blocks, then a single
    assert [out.shape[1] for out in double] == [6 + 35 + 9] * 6
    for out, (_, _, image_out) in zip(double, vectors, strict=True):
        assert torch.equal(out[:, 6 : 6 + 35], image_out)
