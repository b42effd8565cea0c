"""Invariant 1: the picture does not change; 6: any grid; 7: scores are raw dot products."""

from dataclasses import replace

import comfy.sd
import pytest
import torch

from concept_attention.core.types import Concepts

from .models import (
    DISTINCT,
    FAMILIES,
    TINY,
    both,
    capture_of,
    concepts,
    custom,
    error,
    formula,
    host_node,
    latent,
    model,
    node,
    observed,
    prompt,
    seeded,
    sigmas,
)

ROUNDING = 1e-5  # of the largest magnitude: the same sums in another order


@pytest.mark.parametrize("family", (*FAMILIES, "radiance"))
@pytest.mark.parametrize(("batch", "cfg"), [(1, 1.0), (1, 3.0), (2, 1.0), (2, 3.0)])
def test_latent_is_the_hosts_for_batches_and_guidance(family, batch, cfg):
    host, ours, capture = both(family, latent_image=latent(family, batch), cfg=cfg)
    assert torch.equal(host, ours)
    assert capture.scores.shape[0] == batch


@pytest.mark.parametrize("family", DISTINCT)
@pytest.mark.parametrize("sampler", ["heun", "dpmpp_2s_ancestral", "uni_pc", "seeds_3"])
def test_latent_is_the_hosts_for_samplers(family, sampler):
    host, ours, capture = both(family, sampler_name=sampler, steps=4)
    assert torch.equal(host, ours)
    assert capture.steps == (0, 1, 2, 3)


@pytest.mark.parametrize("family", [family for family in FAMILIES if TINY[family].masks])
def test_latent_is_the_hosts_for_partial_denoise_and_a_noise_mask(family):
    image = latent(family)
    image["samples"] = seeded(*image["samples"].shape, seed=5)
    image["noise_mask"] = torch.zeros(1, 1, 80, 112)
    image["noise_mask"][..., :40, :] = 1.0
    host, ours, capture = both(family, latent_image=image, denoise=0.5)
    assert torch.equal(host, ours)
    assert error(host[..., -1, :], image["samples"][..., -1, :]) < ROUNDING
    assert capture.total_steps == 2
    assert capture.sigmas[0] == pytest.approx(float(sigmas(model(family), 4)[2]))


@pytest.mark.parametrize("family", (*FAMILIES, "radiance"))
@pytest.mark.parametrize(("rows", "columns"), [(9, 13), (2, 15)])
def test_any_aspect_ratio_and_odd_sizes(family, rows, columns):
    """The last row and column of tokens reach over the latent's edge where the patch allows it."""
    tiny = TINY[family]
    frames = (tiny.frames + 2,) if tiny.frames else ()
    sides = tuple(
        side * tiny.patch - (tiny.patch > 1 and not tiny.whole) for side in (rows, columns)
    )
    image = {"samples": torch.zeros(1, tiny.channels, *frames, *sides)}
    host, ours, capture = both(family, latent_image=image)
    assert torch.equal(host, ours)
    grid_frames = -(-frames[0] // tiny.frames_patch) if frames else 1
    assert capture.grid == (grid_frames, rows, columns)
    assert capture.picture == tuple(side * tiny.pixels for side in sides)
    assert capture.scores.shape[-1] == grid_frames * rows * columns


@pytest.mark.parametrize("family", DISTINCT)
def test_custom_sampler_gives_the_hosts_latents(family):
    patcher = model(family)
    guider = node("CFGGuider", model=patcher, positive=prompt(family, 1), negative=[], cfg=1.0)
    noise, sampler = node("RandomNoise", noise_seed=3), node("KSamplerSelect", sampler_name="euler")
    with torch.inference_mode():
        host = host_node("SamplerCustomAdvanced").execute(
            noise, guider, sampler, sigmas(patcher), latent(family)
        )
    ours, capture = custom(guider, latent(family), sigmas(patcher), concepts=concepts(family))
    assert torch.equal(host.result[0]["samples"], ours)
    assert capture.steps == (0, 1)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_second_conditioning_input_such_as_guidance_is_respected(family):
    if family == "dev":
        weak = capture_of(family, positive=prompt(family, guidance=1.0))
        strong = capture_of(family, positive=prompt(family, guidance=9.0))
        assert error(weak.scores, strong.scores) > 1e-3
    host, ours, _ = both(family, positive=prompt(family, guidance=9.0))
    assert torch.equal(host, ours)


@pytest.mark.parametrize("family", FAMILIES)
def test_scores_are_the_dot_products_of_the_vectors(family):
    capture, vectors = observed(family, latent_image=latent(family, 2))
    layers = len(capture.layers)
    for step in range(2):
        for layer, concept_out, image_out in vectors[step * layers : (step + 1) * layers]:
            products = torch.einsum("bcd,bnd->bcn", concept_out.double(), image_out.double())
            assert error(capture.scores[:, step, layer], products) < ROUNDING
            norms = concept_out.double().norm(dim=-1)
            assert error(capture.norms[:, step, layer], norms) < ROUNDING
    assert capture.scores.dtype == capture.norms.dtype == torch.float32


@pytest.mark.parametrize("family", FAMILIES)
def test_permuting_the_concepts_permutes_the_scores(family):
    named = concepts(family, 4)
    order = [2, 0, 3, 1]
    shuffled = Concepts(tuple(named.items[i] for i in order), named.encoder)
    straight = capture_of(family, concepts=named)
    permuted = capture_of(family, concepts=shuffled)
    assert permuted.labels == tuple(straight.labels[i] for i in order)
    assert error(permuted.scores, straight.scores[:, :, :, order]) < ROUNDING


@pytest.mark.parametrize("family", FAMILIES)
def test_no_map_is_constant(family):
    scores = capture_of(family).scores
    assert (scores.std(-1) > 1e-3 * scores.abs().amax(-1)).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_concepts_attend_to_concepts_and_image_only(family):
    """At the first block nothing but its tokens comes from the prompt, and they play no part."""
    pooled = seeded(1, 32, seed=8)
    short, long = (
        capture_of(
            family,
            positive=prompt(family, seed, tokens=tokens, pooled_output=pooled),
            capture_layers="0",
        )
        for seed, tokens in ((1, 3), (2, 9))
    )
    assert error(short.norms[:, 0], long.norms[:, 0]) < ROUNDING
    assert error(short.scores[:, 0], long.scores[:, 0]) > ROUNDING


def test_an_inpainting_model_with_more_input_channels():
    """FLUX.1 Fill: noise, picture and mask enter side by side; the grid is the latent's."""
    tiny = TINY["dev"]
    weights = formula.weights(tiny.arch, tiny.extra, seed=7)
    weights["img_in.weight"] = seeded(256, 4 * 96, seed=3) * 0.05
    patcher = comfy.sd.load_diffusion_model_state_dict(weights, {"dtype": torch.float32})
    values = {"concat_latent_image": seeded(1, 16, 10, 14, seed=5)}
    values["concat_mask"] = torch.ones(1, 1, 80, 112)
    prompts = {"positive": prompt("dev", 1, **values), "negative": prompt("dev", 2, **values)}
    host, ours, capture = both("dev", patcher, **prompts, cfg=3.0)
    assert torch.equal(host, ours)
    assert capture.scores.shape == (1, 2, 3, 3, 35)


@pytest.mark.parametrize("family", ["cog5b", "cog15"])
def test_image_to_video(family):
    """The first picture's latent enters beside the noise; 1.5 also takes its time offset."""
    tiny = TINY[family]
    weights = formula.weights(tiny.arch, tiny.extra, seed=7)
    shape = list(weights["patch_embed.proj.weight"].shape)
    shape[1] *= 2
    weights["patch_embed.proj.weight"] = seeded(*shape, seed=3) * 0.05
    if family == "cog15":
        for i in (1, 2):
            weights[f"ofs_embedding_linear_{i}.weight"] = seeded(64, 64, seed=i) * 0.1
            weights[f"ofs_embedding_linear_{i}.bias"] = seeded(64, seed=4 + i) * 0.1
    patcher = comfy.sd.load_diffusion_model_state_dict(weights, {"dtype": torch.float32})
    values = {"concat_latent_image": seeded(1, 16, 3, 10, 14, seed=5)}
    prompts = {"positive": prompt(family, 1, **values), "negative": prompt(family, 2, **values)}
    host, ours, capture = both(family, patcher, **prompts, cfg=3.0)
    assert torch.equal(host, ours)
    assert capture.grid == ((3, 5, 7) if family == "cog5b" else (2, 5, 7))
    without = capture_of(family, patcher, cfg=3.0)
    assert error(capture.scores, without.scores) > 1e-3


@pytest.mark.parametrize(("family", "matters"), [("dev", False), ("flux2", True)])
def test_a_concept_stands_where_it_would_stand_as_the_whole_prompt(family, matters):
    """FLUX.2 pads prompts to 512 tokens on the left; FLUX.1 has no positions in its text."""

    def at(index, length):
        named = concepts(family)
        items = (replace(concept, indices=(index,), length=length) for concept in named.items)
        return capture_of(family, concepts=Concepts(tuple(items), named.encoder)).scores

    assert torch.equal(at(10, 20), at(502, 512))
    assert torch.equal(at(3, 512), at(510, 512)) is not matters


def test_layers_of_a_picture_have_maps_of_their_own():
    """Qwen-Image-Layered: the frames of the latent are pictures, and no video."""
    layers = {"samples": torch.zeros(1, 16, 4, 10, 14)}
    host, ours, capture = both("qwen", latent_image=layers)
    assert torch.equal(host, ours)
    assert (capture.grid, capture.spans) == ((4, 5, 7), (1, 1, 1, 1))


def test_a_latent_without_frames_is_a_picture_to_a_model_of_videos():
    """As ComfyUI's empty latent of SD3 is to Qwen-Image."""
    flat = {"samples": torch.zeros(1, 16, 10, 14)}
    host, ours, capture = both("qwen", latent_image=flat)
    assert torch.equal(host, ours)
    assert torch.equal(capture.scores, capture_of("qwen").scores)


def test_padding_of_a_prompt_takes_no_part():
    """A prompt filled up, with the mask that says so, has the scores of the bare prompt."""
    bare = prompt("qwen")
    filled = torch.cat([bare[0][0], seeded(1, 3, 48, seed=9)], 1)
    mask = torch.tensor([[1] * 6 + [0] * 3])
    host, ours, capture = both("qwen", positive=[[filled, {"attention_mask": mask}]])
    assert torch.equal(host, ours)
    assert error(capture.scores[:, 0], capture_of("qwen", positive=bare).scores[:, 0]) < ROUNDING
