"""Weight formats and LoRA: the picture stays, the scores stay float32 and true."""

import comfy.hooks
import comfy.sd
import pytest
import torch

from concept_attention.core.families import flux

from .models import (
    DISTINCT,
    FAMILIES,
    TINY,
    both,
    capture_of,
    error,
    latent,
    model,
    observed,
    prompt,
    seeded,
)

# Largest rounding of the scores by a weight format, of the largest score.
FORMATS = {torch.bfloat16: 0.03, torch.float16: 0.004, torch.float8_e4m3fn: 0.3}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("dtype", FORMATS, ids=str)
def test_latent_is_the_hosts_in_every_weight_format(family, dtype):
    patcher = model(family, dtype)
    host, ours, capture = both(family, patcher, cfg=3.0, latent_image=latent(family, 2))
    assert torch.equal(host, ours)
    assert capture.scores.dtype == capture.norms.dtype == torch.float32
    exact = capture_of(family, cfg=3.0, latent_image=latent(family, 2))
    assert 0 < error(capture.scores[:, 0], exact.scores[:, 0]) < FORMATS[dtype]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("family", FAMILIES)
def test_half_precision_arithmetic_gives_float32_scores(family, dtype):
    """As on a GPU: the model computes in half precision, so the vectors scored are rounded."""
    patcher = model(family, dtype).clone()
    patcher.set_model_compute_dtype(dtype)
    # The host hands guidance over in the model's precision, which 4 survives and 3.5 does not.
    changes = {"positive": prompt(family, guidance=4.0)}
    host, ours, capture = both(family, patcher, **changes)
    assert torch.equal(host, ours)
    assert capture.scores.dtype == torch.float32
    exact = capture_of(family, **changes)
    assert error(capture.scores[:, 0], exact.scores[:, 0]) < 2 * FORMATS[dtype]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("family", ["dev", "schnell"])
def test_concepts_are_modulated_as_a_prompt_without_a_pooled_vector(family, dtype, monkeypatch):
    """To the last digit, at the precision and the rounding of the host."""
    hosts, ours = [], []
    original = flux._modulation_vector

    def modulation(*args):
        ours.append(original(*args))
        return ours[-1]

    def block(args, extra):
        hosts.append(args["vec"])
        return extra["original_block"](args)

    monkeypatch.setattr(flux, "_modulation_vector", modulation)
    patcher = model(family, dtype).clone()
    patcher.set_model_compute_dtype(dtype)
    patcher.set_model_patch_replace(block, "dit", "double_block", 0)
    pooled = torch.zeros(1, 32)
    capture_of(family, patcher, positive=prompt(family, guidance=3.5, pooled_output=pooled))
    assert len(hosts) == len(ours) == 2
    assert all(torch.equal(*pair) for pair in zip(hosts, ours, strict=True))
    hosts.clear()
    ours.clear()
    capture_of(family, patcher, positive=prompt(family, guidance=3.5))
    assert not any(torch.equal(*pair) for pair in zip(hosts, ours, strict=True))


@pytest.mark.parametrize("family", DISTINCT)
def test_half_precision_scores_are_the_dot_products_of_the_rounded_vectors(family):
    patcher = model(family, torch.bfloat16).clone()
    patcher.set_model_compute_dtype(torch.bfloat16)
    capture, vectors = observed(family, patcher)
    for i, (layer, concept_out, image_out) in enumerate(vectors):
        assert image_out.dtype == torch.bfloat16
        assert concept_out.dtype == torch.float32
        products = concept_out.double() @ image_out.double().mT
        found = capture.scores[:, i // len(capture.layers), layer]
        assert error(found, products) < 1e-6


def _lora(patcher, targets):
    """A LoRA of rank 2 on the layers named."""
    weights = patcher.model.state_dict()
    lora = {}
    for i, name in enumerate(targets):
        rows, columns = weights[f"diffusion_model.{name}.weight"].shape
        lora[f"diffusion_model.{name}.lora_up.weight"] = seeded(rows, 2, seed=20 + i)
        lora[f"diffusion_model.{name}.lora_down.weight"] = seeded(2, columns, seed=40 + i) * 0.1
    return comfy.sd.load_lora_for_models(patcher, None, lora, 1.0, 0.0)[0]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float8_e4m3fn], ids=str)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_lora_changes_picture_and_scores_alike(family, dtype):
    base = model(family, dtype)
    plain_scores = capture_of(family, base).scores
    for side in ("text", "image"):
        targets = TINY[family].linears(side)
        patcher = _lora(base, targets)
        host, ours, capture = both(family, patcher, cfg=3.0)
        assert torch.equal(host, ours)
        assert error(capture.scores[:, 0], plain_scores[:, 0]) > 1e-3
    assert torch.equal(capture_of(family, base).scores, plain_scores)


@pytest.mark.parametrize("family", DISTINCT)
def test_a_lora_of_the_prompt_alone_is_in_force_for_its_scores(family):
    """A hook on the conditioning: the host swaps weights between the calls of one step."""
    name = f"diffusion_model.{TINY[family].linears('text')[0]}"
    rows, columns = model(family).model.state_dict()[f"{name}.weight"].shape
    lora = {
        f"{name}.lora_up.weight": seeded(rows, 2, seed=20),
        f"{name}.lora_down.weight": seeded(2, columns, seed=40) * 0.1,
    }
    hooks = comfy.hooks.create_hook_lora(lora, 1.0, 0.0)
    positive = comfy.hooks.set_hooks_for_conditioning(prompt(family), hooks)
    host, ours, capture = both(family, positive=positive, cfg=3.0)
    assert torch.equal(host, ours)
    whole = comfy.sd.load_lora_for_models(model(family), None, lora, 1.0, 0.0)[0]
    assert error(capture.scores[:, 0], capture_of(family, whole).scores[:, 0]) < 1e-5
