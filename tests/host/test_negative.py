"""Concepts beside the negative prompt: its rows and no others, or an error that says why not."""

import comfy.samplers
import pytest
import torch

from concept_attention.core.errors import ConceptAttentionError

from .attached import attach, collect, same
from .models import (
    DISTINCT,
    FAMILIES,
    capture_of,
    captured,
    concepts,
    counting,
    custom,
    error,
    inputs,
    latent,
    model,
    node,
    plain,
    prompt,
    sigmas,
)

ROUNDING = 1e-5  # of the largest magnitude: the same sums in another order
SWAPPED = {"cfg": 3.0, "steps": 1}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("batch", [1, 2])
def test_the_negative_capture_is_the_positive_one_of_swapped_prompts(family, batch):
    """At the first step, which sees the same noise either way."""
    image = latent(family, batch)
    asked = {"latent_image": image, **SWAPPED}
    host = plain(model(family), **inputs(family, **asked))
    ours, negative = captured(
        model(family),
        **inputs(family, **asked),
        concepts=concepts(family),
        conditioning="negative",
        baselines="all",
    )
    assert torch.equal(host, ours)
    swapped = {"positive": prompt(family, 2), "negative": prompt(family, 1)}
    positive = capture_of(family, **asked, **swapped, baselines="all")
    assert error(negative.scores, positive.scores) < ROUNDING
    assert error(negative.norms, positive.norms) < ROUNDING
    for space, part in positive.spaces.items():
        assert error(negative.spaces[space].scores, part.scores) < ROUNDING
    assert error(negative.scores, capture_of(family, **asked).scores) > 1e-3


def _guiders(patcher, family):
    one, two, three = (prompt(family, seed) for seed in (2, 1, 3))  # negative: 1
    pair = {"model": patcher, "positive": one, "negative": two}
    dual = {"model": patcher, "cond1": one, "cond2": three, "negative": two}
    scales = {"cfg_conds": 3.0, "cfg_cond2_negative": 2.0}
    return {
        "cfg": node("CFGGuider", **pair, cfg=3.0),
        "dual": node("DualCFGGuider", **dual, **scales, style="regular"),
        "dual nested": node(
            "DualCFGGuider", **dual, **{**scales, "cfg_cond2_negative": 1.0}, style="nested"
        ),
        "dual model": node("DualModelGuider", **pair, model_negative=patcher.clone(), cfg=3.0),
        "perp-neg": node("PerpNegGuider", **pair, empty_conditioning=three, cfg=3.0, neg_scale=1.0),
    }


@pytest.mark.parametrize("family", DISTINCT)
def test_every_guider_with_a_negative_prompt_gives_its_scores(family):
    patcher = model(family)
    expected = capture_of(family).scores[:, 0]
    levels = sigmas(patcher)
    for name, guider in _guiders(patcher, family).items():
        host, _ = custom(guider, latent(family), levels)
        asked = {"concepts": concepts(family), "conditioning": "negative"}
        ours, capture = custom(guider, latent(family), levels, **asked)
        assert torch.equal(host, ours), name
        assert error(capture.scores[:, 0], expected) < ROUNDING, name
        assert capture.steps == (0, 1), name


def test_attach_takes_it_and_both_prompts_are_captured_in_one_run():
    asked = inputs("dev", cfg=3.0)
    first, positive = attach("dev")
    both, negative = attach("dev", first, conditioning="negative")
    out = plain(both, **asked)
    assert torch.equal(out, plain(model("dev"), **asked))
    assert same(collect(positive, out), capture_of("dev", cfg=3.0))
    assert same(collect(negative, out), capture_of("dev", cfg=3.0, conditioning="negative"))


def _refused(guider_of, match):
    counted, calls = counting(model("dev"))
    with pytest.raises(ConceptAttentionError, match=match):
        custom(
            guider_of(counted),
            latent("dev"),
            sigmas(counted),
            concepts=concepts("dev"),
            conditioning="negative",
        )
    assert calls == []


def test_a_basic_guider_has_none():
    _refused(
        lambda patcher: node("BasicGuider", model=patcher, conditioning=prompt("dev")),
        r"conditioning: negative was chosen, and the guider has no negative prompt .*Basic",
    )


def test_a_strength_at_which_the_host_leaves_it_out_is_an_error_before_the_model_runs():
    pair = {"positive": prompt("dev"), "negative": prompt("dev", 2)}
    dual = {"cond1": prompt("dev"), "cond2": prompt("dev", 3), "negative": prompt("dev", 2)}
    dual |= {"cfg_conds": 3.0, "cfg_cond2_negative": 1.0, "style": "regular"}
    perp = {"empty_conditioning": prompt("dev", 3), "cfg": 3.0, "neg_scale": 0.0}
    cases = {
        "cfg is 1.0": lambda patcher: node("CFGGuider", model=patcher, **pair, cfg=1.0),
        "cfg_cond2_negative is 1.0": lambda patcher: node("DualCFGGuider", model=patcher, **dual),
        "neg_scale is 0.0": lambda patcher: node("PerpNegGuider", model=patcher, **pair, **perp),
    }
    for match, guider_of in cases.items():
        _refused(guider_of, f"conditioning: negative was chosen, and {match}: the host then never")
    with pytest.raises(ConceptAttentionError, match=r"and cfg is 1\.0: the host then never"):
        capture_of("dev", conditioning="negative")


def test_samplers_and_patches_that_need_it_at_1_are_let_pass():
    capture = capture_of("dev", conditioning="negative", sampler_name="euler_cfg_pp")
    assert capture.steps == (0, 1)
    patcher = model("dev").clone()
    patcher.disable_model_cfg1_optimization()
    capture = capture_of("dev", patcher, conditioning="negative")
    assert error(
        capture.scores[:, 0], capture_of("dev", positive=prompt("dev", 2)).scores[:, 0]
    ) < (ROUNDING)


def test_a_guider_of_another_pack_that_never_evaluates_it_is_an_error_that_says_so():
    class Other(comfy.samplers.CFGGuider):
        pass

    guider = Other(model("dev"))
    guider.set_conds(prompt("dev"), prompt("dev", 2))
    guider.set_cfg(1.0)
    with pytest.raises(ConceptAttentionError, match="The negative prompt was never evaluated"):
        custom(
            guider,
            latent("dev"),
            sigmas(model("dev")),
            concepts=concepts("dev"),
            conditioning="negative",
        )


def test_a_regional_negative_prompt_is_an_error_where_concepts_ride_on_it():
    region = prompt("dev", 2, area=(2, 4, 0, 0), strength=1.0)
    with pytest.raises(ConceptAttentionError, match="negative: regional prompts"):
        capture_of("dev", negative=region, cfg=3.0, conditioning="negative")


def test_another_word_is_an_error():
    with pytest.raises(
        ConceptAttentionError, match="conditioning: 'middle' is not one of positive"
    ):
        capture_of("dev", conditioning="middle")
