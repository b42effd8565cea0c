"""Attach Capture with every way to sample: the picture stays, and each run is captured."""

import comfy.sample
import comfy.samplers
import nodes as host_nodes
import pytest
import torch
from comfy.model_patcher import create_model_options_clone

from concept_attention.core.errors import ConceptAttentionError

from .attached import attach, collect, same
from .models import (
    FAMILIES,
    STEPS,
    TINY,
    capture_of,
    concepts,
    custom,
    error,
    host_node,
    inputs,
    latent,
    model,
    node,
    plain,
    prompt,
    seeded,
    sigmas,
)

ROUNDING = 1e-5  # of the largest magnitude: the same sums in another order


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("batch", "cfg"), [(1, 1.0), (2, 3.0)])
def test_ksampler_gives_the_hosts_latent_and_the_capture_of_our_sampler(family, batch, cfg):
    changes = {"latent_image": latent(family, batch), "cfg": cfg}
    patcher = model(family)
    before = create_model_options_clone(patcher.model_options)
    expected = plain(patcher, **inputs(family, **changes))
    attached, handle = attach(family)
    out = plain(attached, **inputs(family, **changes))
    assert torch.equal(out, expected)
    assert same(collect(handle, out), capture_of(family, **changes))
    assert patcher.model_options == before
    assert torch.equal(plain(patcher, **inputs(family, **changes)), expected)


def _advanced(patcher, family, image, start, end, noise, leftover):
    """KSampler (Advanced), four steps in all."""
    with torch.inference_mode():
        (out,) = host_nodes.KSamplerAdvanced().sample(
            patcher,
            "enable" if noise else "disable",
            3,
            4,
            1.0,
            "euler",
            "simple",
            prompt(family, 1),
            prompt(family, 2),
            image,
            start,
            end,
            "enable" if leftover else "disable",
        )
    return out


@pytest.mark.parametrize("family", FAMILIES)
def test_two_halves_of_ksampler_advanced_are_two_captures(family):
    whole = plain(model(family), **inputs(family, steps=4))
    expected = capture_of(family, steps=4)
    attached, handle = attach(family)
    first = _advanced(attached, family, latent(family), 0, 2, True, True)
    second = _advanced(attached, family, first, 2, 4, False, False)
    assert error(second["samples"], whole) < ROUNDING
    for out, steps in ((first, slice(0, 2)), (second, slice(2, 4))):
        capture = collect(handle, out["samples"])
        assert capture.sigmas == pytest.approx(expected.sigmas[steps])
        assert error(capture.scores, expected.scores[:, steps]) < ROUNDING
        assert (capture.steps, capture.total_steps) == ((0, 1), 2)


def _custom(patcher, family, name="euler"):
    """Both outputs of SamplerCustom."""
    sampler = node("KSamplerSelect", sampler_name=name)
    prompts = {"positive": prompt(family, 1), "negative": prompt(family, 2)}
    values = {"add_noise": True, "noise_seed": 3, "cfg": 1.0, "latent_image": latent(family)}
    with torch.inference_mode():
        out = host_node("SamplerCustom").execute(
            model=patcher, sampler=sampler, sigmas=sigmas(patcher, 3)[:-1], **prompts, **values
        )
    return [each["samples"] for each in out.result]


@pytest.mark.parametrize("family", FAMILIES)
def test_both_outputs_of_sampler_custom_belong_to_their_run(family):
    """The schedule ends early: what is left as noise, and the estimate of the finished latent."""
    attached, handle = attach(family)
    expected, outs = _custom(model(family), family), _custom(attached, family)
    assert not torch.equal(*outs)
    captures = [collect(handle, out) for out in outs]
    assert all(torch.equal(*pair) for pair in zip(outs, expected, strict=True))
    assert captures[0] is captures[1]
    assert captures[0].sigmas == pytest.approx(sigmas(attached, 3)[:2].tolist())


GUIDERS = {
    "basic": lambda patcher, one, two: node("BasicGuider", model=patcher, conditioning=one),
    "cfg": lambda patcher, one, two: node(
        "CFGGuider", model=patcher, positive=one, negative=two, cfg=3.0
    ),
    "dual": lambda patcher, one, two: node(
        "DualCFGGuider",
        model=patcher,
        cond1=one,
        cond2=two,
        negative=two,
        cfg_conds=2.0,
        cfg_cond2_negative=3.0,
        style="regular",
    ),
    "perp-neg": lambda patcher, one, two: node(
        "PerpNegGuider",
        model=patcher,
        positive=one,
        negative=two,
        empty_conditioning=two,
        cfg=3.0,
        neg_scale=1.0,
    ),
}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("kind", GUIDERS)
def test_sampler_custom_advanced_gives_the_capture_of_every_guider(family, kind):
    attached, handle = attach(family)
    prompts = prompt(family, 1), prompt(family, 2)
    levels = sigmas(model(family))
    guider = GUIDERS[kind](model(family), *prompts)
    host, capture = custom(guider, latent(family), levels, concepts=concepts(family))
    guider = GUIDERS[kind](attached, *prompts)
    out, _ = custom(guider, latent(family), levels)
    assert torch.equal(out, host)
    assert same(collect(handle, out), capture)
    assert guider.model_options is attached.model_options


class _ForeignGuider(comfy.samplers.CFGGuider):
    """Of another pack: a guidance of its own."""

    def predict_noise(self, x, timestep, model_options=None, seed=None):
        options = model_options or {}
        positive, negative = comfy.samplers.calc_cond_batch(
            self.inner_model, [self.conds["positive"], self.conds["negative"]], x, timestep, options
        )
        return negative + (positive - negative) * 1.5


def _foreign(patcher, family, size=(5, 7), seed=3, guider=None):
    """What a sampler node of another pack does: it calls the host's sampling itself."""
    image = latent(family, size=size)["samples"]
    noise = comfy.sample.prepare_noise(image, seed)
    prompts = prompt(family, 1), prompt(family, 2)
    with torch.inference_mode():
        if guider is None:
            rest = (noise, STEPS, 1.0, "heun", "normal", *prompts, image)
            return comfy.sample.sample(patcher, *rest, disable_pbar=True, seed=seed)
        made = guider(patcher)
        made.set_conds(*prompts)
        sampler = comfy.samplers.sampler_object("dpmpp_2m")
        return made.sample(noise, image, sampler, sigmas(patcher), disable_pbar=True, seed=seed)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("guider", [None, _ForeignGuider], ids=["sample", "guider"])
def test_a_sampler_of_another_pack_is_captured(family, guider):
    attached, handle = attach(family)
    out = _foreign(attached, family, guider=guider)
    assert torch.equal(out, _foreign(model(family), family, guider=guider))
    capture = collect(handle, out)
    assert capture.steps == (0, 1)
    assert capture.labels == ("concept 0", "concept 1", "concept 2")
    how = {} if guider else {"sampler_name": "heun", "scheduler": "normal"}
    expected = capture_of(family, **how)
    assert error(capture.scores[:, 0], expected.scores[:, 0]) < ROUNDING


@pytest.mark.parametrize("family", FAMILIES)
def test_a_second_pass_at_another_size_is_a_capture_of_its_own(family):
    attached, handle = attach(family)
    first = plain(attached, **inputs(family))
    changes = {"latent_image": _larger(first, family), "denoise": 0.5, "seed": 4}
    second = plain(attached, **inputs(family, **changes))
    assert torch.equal(second, plain(model(family), **inputs(family, **changes)))
    assert collect(handle, first).grid[-2:] == (5, 7)
    assert collect(handle, second).grid[-2:] == (8, 11)
    assert same(collect(handle, first), capture_of(family))
    assert same(collect(handle, second), capture_of(family, **changes))


def _larger(samples, family):
    """Latent Upscale (nearest) from 5 x 7 to 8 x 11 tokens."""
    pixels = TINY[family].patch * 8
    (out,) = host_nodes.LatentUpscale().upscale(
        {"samples": samples}, "nearest-exact", 11 * pixels, 8 * pixels, "disabled"
    )
    return out


def _tiles(patcher, family):
    """Left and right part, sampled one after the other."""
    return [_foreign(patcher, family, size=size, seed=4) for size in ((5, 4), (5, 3))]


@pytest.mark.parametrize("family", FAMILIES)
def test_each_tile_is_a_capture_of_its_own(family):
    attached, handle = attach(family)
    parts = _tiles(attached, family)
    joined = torch.cat(parts, -1)
    assert torch.equal(joined, torch.cat(_tiles(model(family), family), -1))
    assert [collect(handle, part).grid[-2:] for part in parts] == [(5, 4), (5, 3)]
    with pytest.raises(ConceptAttentionError, match=r"latent: no run .* returned it.*by run"):
        collect(handle, joined)
    assert [collect(handle, joined, run=run).grid[-1] for run in (1, 2)] == [4, 3]
    with pytest.raises(ConceptAttentionError, match=r"there is no run 3.*made 2 runs.*here: 1, 2"):
        collect(handle, joined, run=3)


def _shifted(patcher):
    """As a sampling node behind Attach Capture."""
    clone = patcher.clone()
    sampling = type(patcher.get_model_object("model_sampling"))(patcher.model.model_config)
    sampling.set_parameters(shift=1.5)
    clone.add_object_patch("model_sampling", sampling)
    return clone


def _patched(patcher):
    """As a LoRA loader behind Attach Capture: a change of one weight."""
    clone = patcher.clone()
    name = next(name for name in patcher.model.state_dict() if name.endswith("qkv.weight"))
    change = 0.1 * seeded(*patcher.model.state_dict()[name].shape, seed=8)
    assert clone.add_patches({name: ("diff", (change,))}) == [name]
    return clone


@pytest.mark.parametrize("family", ["dev", "flux2", "sd3"])
@pytest.mark.parametrize("change", [_shifted, _patched], ids=["sampling", "LoRA"])
def test_a_later_change_of_the_attached_model_is_captured(family, change):
    attached, handle = attach(family)
    out = plain(change(attached), **inputs(family))
    assert torch.equal(out, plain(change(model(family)), **inputs(family)))
    assert not torch.equal(out, plain(model(family), **inputs(family)))
    assert same(collect(handle, out), capture_of(family, change(model(family))))


def test_two_samplers_share_an_attached_model():
    attached, handle = attach("dev")
    outs = {seed: plain(attached, **inputs("dev", seed=seed)) for seed in (3, 4)}
    for seed, out in outs.items():
        assert same(collect(handle, out), capture_of("dev", seed=seed))


@pytest.mark.parametrize("family", FAMILIES)
def test_two_attached_captures_of_one_model_do_not_mix(family):
    """Different concepts, layers and steps in one sampling; our own sampler besides."""
    one, first = attach(family)
    both, second = attach(family, one, concepts=concepts(family, 2), capture_layers="0")
    options = inputs(family, concepts=concepts(family, 4))
    expected = plain(model(family), **inputs(family))
    assert torch.equal(plain(both, **inputs(family)), expected)
    assert same(collect(first, expected), capture_of(family))
    other = {"concepts": concepts(family, 2), "capture_layers": "0"}
    assert same(collect(second, expected), capture_of(family, **other))
    assert same(capture_of(family, both, **options), capture_of(family, **options))
