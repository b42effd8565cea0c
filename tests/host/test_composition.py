"""Invariant 3: patches of other packs in the same slots still run, with the same result."""

import comfy.controlnet
import pytest
import torch
from comfy.ldm.modules.attention import attention_basic

from concept_attention.core.run import CaptureRun
from concept_attention.nodes.capture import attach_to_model

from .models import (
    FAMILIES,
    FLUX,
    REPLACEABLE,
    STEPS,
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
    plain,
    prompt,
    seeded,
    sigmas,
    width,
)

ROUNDING = 1e-5  # of the largest magnitude: the same sums in another order


def _transformer_options(patcher):
    return patcher.model_options["transformer_options"]


def _check_both(family, patcher, calls, **changes):
    """Same picture as the host's with the patch, and the patch ran as often; the capture."""
    expected = plain(patcher, **inputs(family, **changes))
    alone = list(calls)
    calls.clear()
    host, ours, capture = both(family, patcher, **changes)
    assert torch.equal(host, ours)
    assert torch.equal(host, expected)
    assert calls == alone * 2
    assert alone
    return capture


@pytest.mark.parametrize("family", REPLACEABLE)
def test_a_block_replacement_runs_inside_ours(family):
    calls = []

    def shift(args, extra):
        calls.append(0)
        out = extra["original_block"](args)
        return {"img": out["img"].roll(1, 1), "txt": out["txt"]}

    patcher = model(family).clone()
    patcher.set_model_patch_replace(shift, "dit", "double_block", 0)
    capture = _check_both(family, patcher, calls)
    unpatched = capture_of(family)
    assert error(capture.scores[:, 0, 0], unpatched.scores[:, 0, 0]) < ROUNDING
    assert error(capture.scores[:, 0, 1], unpatched.scores[:, 0, 1]) > ROUNDING


@pytest.mark.parametrize("family", ["dev", "flux2"])
def test_a_block_replacement_added_by_a_wrapper_inside_ours_runs_outside(family):
    """A wrapper nearer to the model than ours replaces the block after we did, calling ours."""
    calls = []

    def late(executor, *args, **kwargs):
        options = dict(args[-1])
        blocks = dict(options["patches_replace"]["dit"]) if "patches_replace" in options else {}
        earlier = blocks.get(("double_block", 0))

        def shift(args, extra):
            calls.append(0)
            out = earlier(args, extra) if earlier else extra["original_block"](args)
            return {"img": out["img"].roll(1, 1), "txt": out["txt"]}

        blocks["double_block", 0] = shift
        options["patches_replace"] = {"dit": blocks}
        return executor(*args[:-1], options, **kwargs)

    patcher = model(family).clone()
    run = CaptureRun(patcher.get_model_object("diffusion_model"), concepts(family))
    attached = attach_to_model(patcher, run)
    attached.add_wrapper_with_key("diffusion_model", "late", late)
    patcher.add_wrapper_with_key("diffusion_model", "late", late)
    expected = plain(patcher, **inputs(family))
    alone = len(calls)
    assert torch.equal(plain(attached, **inputs(family)), expected)
    assert len(calls) == 2 * alone == 2 * STEPS
    assert run.capture().steps == (0, 1)


@pytest.mark.parametrize("family", FAMILIES)
def test_an_attention_override_runs_in_the_hosts_place(family):
    calls = []

    def override(func, q, k, v, heads, *args, **kwargs):
        calls.append(tuple(q.shape))
        return func(q * 1.1, k, v, heads, *args, **kwargs)

    patcher = model(family).clone()
    _transformer_options(patcher)["optimized_attention_override"] = override
    capture = _check_both(family, patcher, calls)
    assert error(capture.scores[:, 0, 0], capture_of(family).scores[:, 0, 0]) > ROUNDING


def test_an_override_that_falls_back_to_another_wrapped_attention_works():
    """As the host's own backends do: the mark of the outer call goes with the keywords."""
    calls = []

    def override(func, *args, **kwargs):
        calls.append(func.__name__)
        return attention_basic(*args, **kwargs)

    patcher = model("dev").clone()
    _transformer_options(patcher)["optimized_attention_override"] = override
    _check_both("dev", patcher, calls)


@pytest.mark.parametrize("family", FLUX)  # the host has these patches for no other family here
def test_attention_patches_run(family):
    calls = []

    def before(q, k, v, pe=None, attn_mask=None, extra_options=None):
        calls.append("before")
        return {"q": q * 1.1, "k": k, "v": v}

    def after(attn, extra_options):
        calls.append("after")
        attn *= 0.9  # in place, as some packs do: what was read must not change with it
        return attn

    patcher = model(family).clone()
    patcher.set_model_attn1_patch(before)
    patcher.set_model_patch(after, "attn1_output_patch")
    capture = _check_both(family, patcher, calls)
    alone = model(family).clone()
    alone.set_model_attn1_patch(before)
    kept = capture_of(family, alone)
    assert error(capture.scores[:, 0, 0], kept.scores[:, 0, 0]) < ROUNDING


@pytest.mark.parametrize("family", ["dev", "flux2"])
def test_a_patch_that_appends_tokens_to_the_keys_does_not_enter_the_concepts(family):
    """As IP-Adapter-like packs do: the concepts still attend to concepts and image only."""
    calls = []

    def append(q, k, v, pe=None, attn_mask=None, extra_options=None):
        calls.append(k.shape[2])
        extra = seeded(1, k.shape[1], 4, k.shape[3], seed=6).expand(k.shape[0], -1, -1, -1)
        tail = pe[:, :, -4:]
        return {
            "q": torch.cat([q, extra], 2),
            "k": torch.cat([k, extra], 2),
            "v": torch.cat([v, extra], 2),
            "pe": torch.cat([pe, tail], 2),
        }

    def cut(attn, extra_options):
        return attn[:, :-4]

    patcher = model(family).clone()
    patcher.set_model_attn1_patch(append)
    patcher.set_model_patch(cut, "attn1_output_patch")
    capture = _check_both(family, patcher, calls)
    assert error(capture.norms[:, 0, 0], capture_of(family).norms[:, 0, 0]) < ROUNDING


@pytest.mark.parametrize("kind", ["diffusion_model", "apply_model", "predict_noise"])
@pytest.mark.parametrize("family", ["dev", "flux2", "cog5b"])
def test_wrappers_run(family, kind):
    calls = []

    def wrapper(executor, *args, **kwargs):
        calls.append(kind)
        return executor(*args, **kwargs) * 0.9

    patcher = model(family).clone()
    patcher.add_wrapper_with_key(kind, "other pack", wrapper)
    assert _check_both(family, patcher, calls).steps == (0, 1)


def test_a_wrapper_that_passes_everything_by_name_works():
    names = ("x", "timestep", "context", "y", "guidance", "ref_latents", "control")
    calls = []

    def wrapper(executor, *args, **kwargs):
        calls.append(1)
        named = dict(zip((*names, "transformer_options"), args, strict=True))
        return executor(**named, **kwargs)

    patcher = model("dev").clone()
    patcher.add_wrapper_with_key("diffusion_model", "other pack", wrapper)
    expected = capture_of("dev").scores
    assert torch.equal(capture_of("dev", patcher).scores, expected)


@pytest.mark.parametrize("family", REPLACEABLE)
def test_a_controlnets_residuals_are_added(family):

    class Control(comfy.controlnet.ControlBase):
        calls = 0

        def get_control(self, x, t, cond, batched_number, transformer_options):
            self.calls += 1
            tokens = 35 * (TINY[family].frames or 1)
            add = seeded(1, tokens, width(family), seed=4).expand(x.shape[0], -1, -1)
            return {"input": [add, None], "output": [add]}

    control = Control()
    host, ours, capture = both(family, positive=prompt(family, control=control))
    assert control.calls == 2 * STEPS
    assert torch.equal(host, ours)
    free = capture_of(family)
    assert error(capture.scores[:, 0, 0], free.scores[:, 0, 0]) < ROUNDING
    assert error(capture.scores[:, 0, 1], free.scores[:, 0, 1]) > ROUNDING


@pytest.mark.parametrize("family", REPLACEABLE)
def test_notes_of_a_patch_reach_the_blocks_to_come(family):
    """Some packs hand values from block to block through the transformer options."""
    notes = []

    def write(args, extra):
        args["transformer_options"]["note"] = "from block 0"
        return extra["original_block"](args)

    def read(args, extra):
        notes.append(args["transformer_options"].get("note"))
        return extra["original_block"](args)

    patcher = model(family).clone()
    patcher.set_model_patch_replace(write, "dit", "double_block", 0)
    patcher.set_model_patch_replace(read, "dit", "double_block", 1)
    patcher.set_model_patch_replace(read, "dit", "single_block", 0)
    _check_both(family, patcher, notes)
    assert set(notes) == {"from block 0"}


def test_a_function_wrapper_around_the_model_runs():
    calls = []

    def wrapper(apply_model, args):
        calls.append(args["cond_or_uncond"])
        return apply_model(args["input"], args["timestep"], **args["c"]) * 0.9

    patcher = model("dev").clone()
    patcher.set_model_unet_function_wrapper(wrapper)
    assert _check_both("dev", patcher, calls, cfg=3.0).steps == (0, 1)


def test_a_wrapper_that_samples_twice_leaves_one_runs_scores():
    def twice(executor, *args, **kwargs):
        executor(*args, **kwargs)
        return executor(*args, **kwargs)

    run = CaptureRun(model("dev").get_model_object("diffusion_model"), concepts("dev"))
    attached = attach_to_model(model("dev"), run)
    attached.add_wrapper_with_key("outer_sample", "twice", twice)
    changes = {"sampler_name": "heun", "steps": 3}
    plain(attached, **inputs("dev", **changes))
    assert error(run.capture().scores, capture_of("dev", **changes).scores) < ROUNDING


def test_sampler_without_concepts_is_the_hosts():
    counted, calls = counting(model("dev"))
    guider = node("BasicGuider", model=counted, conditioning=prompt("dev"))
    _, blocked = custom(guider, latent("dev"), sigmas(counted))
    assert type(blocked).__name__ == "ExecutionBlocker"
    assert calls == [1] * STEPS
