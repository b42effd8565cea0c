"""Invariant 8: bad input is an error that names the input and the remedy, before the model runs."""

import re

import comfy.sd
import pytest
import torch
from comfy import supported_models
from comfy.ldm.wan.model import WanModel
from comfy.model_patcher import ModelPatcher

from concept_attention.core.errors import ConceptAttentionError
from concept_attention.core.run import CaptureRun
from concept_attention.core.types import Concept, Concepts

from .models import (
    FAMILIES,
    TINY,
    capture_of,
    captured,
    concepts,
    counting,
    custom,
    inputs,
    latent,
    model,
    node,
    prompt,
    random_weights,
    sigmas,
)

LAST = {"dev": 2, "flux2": 1}


def _message(family, **changes):
    """The error of both samplers, which must be one and the same, without a call of the model."""
    counted, calls = counting(model(family))
    guider = node("BasicGuider", model=counted, conditioning=prompt(family))
    options = {"concepts": concepts(family), **changes}
    with pytest.raises(ConceptAttentionError) as caught:
        captured(counted, **inputs(family), **options)
    with pytest.raises(ConceptAttentionError) as again:
        custom(guider, latent(family), sigmas(counted), **options)
    assert calls == []
    assert str(caught.value) == str(again.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("family", "encoder", "takes"),
    [
        ("dev", "qwen3_4b", "Krea), takes t5xxl"),
        ("schnell", "clip_l", "Krea), takes t5xxl"),
        ("flux2", "t5xxl", "FLUX.2 (dev, Klein), takes mistral3_24b or qwen3_4b or qwen3_8b"),
    ],
)
def test_concepts_of_another_encoder(family, encoder, takes):
    message = _message(family, concepts=Concepts(concepts(family).items, encoder))
    assert message.startswith(f"concepts: they were encoded by {encoder}")
    assert takes in message
    assert "Concept Encoder" in message


@pytest.mark.parametrize("family", FAMILIES)
def test_concepts_of_another_width(family):
    items = tuple(Concept(name, torch.zeros(1, 64), (0,), 1) for name in ("cat", "dog"))
    message = _message(family, concepts=Concepts(items, TINY[family].encoder))
    assert "64 numbers" in message
    assert "takes 48" in message


def test_no_concepts():
    message = _message("dev", concepts=Concepts((), "t5xxl"))
    assert message.startswith("concepts: there are none")


@pytest.mark.parametrize("family", LAST)
@pytest.mark.parametrize("text", ["9", "0-9", "-9:", "0,9"])
def test_layers_that_the_model_lacks(family, text):
    message = _message(family, capture_layers=text)
    assert message.startswith("capture_layers: ")
    assert f"this model has {LAST[family] + 1} layers, 0 to {LAST[family]}" in message


@pytest.mark.parametrize("text", ["2", "0-2", "-3:"])
def test_steps_that_the_run_lacks(text):
    message = _message("dev", capture_steps=text)
    assert message.startswith("capture_steps: ")
    assert "this run has 2 steps, 0 to 1" in message


@pytest.mark.parametrize("name", ["layers", "steps"])
@pytest.mark.parametrize("text", ["first", "1..2", "2-1", "0,,1", "90%-20%", "1.5"])
def test_texts_that_are_not_understood(name, text):
    message = _message("dev", **{f"capture_{name}": text})
    assert message.startswith(f"capture_{name}: ")
    assert text in message


def test_a_budget_too_small_for_one_map():
    run = CaptureRun(model("dev").model.diffusion_model, concepts("dev"), budget=100)
    with pytest.raises(ConceptAttentionError, match=r"memory_mb: .* Raise it"):
        run.begin((1, 16, 10, 14), [1.0, 0.5, 0.0], [{"uuid": 1}])


def test_a_tight_budget_thins_out_steps_then_averages_layers_and_says_so():
    """Six steps of three layers; one map is 3 concepts x 35 tokens x 4 bytes."""
    notes = []
    levels = [1.0, 0.9, 0.8, 0.6, 0.4, 0.2, 0.0]
    diffusion_model = model("dev").model.diffusion_model

    def plan(maps):
        budget = maps * 3 * 35 * 4
        run = CaptureRun(diffusion_model, concepts("dev"), budget=budget, notify=notes.append)
        run.begin((1, 16, 10, 14), levels, [{"uuid": 1}])
        return run.plan.steps, run.plan.layers

    assert plan(18) == ((0, 1, 2, 3, 4, 5), ((0,), (1,), (2,)))
    assert notes == []
    assert plan(15) == ((0, 1, 2, 4, 5), ((0,), (1,), (2,)))
    assert plan(8) == ((0, 2, 3, 5), ((0, 1), (2,)))
    assert len(notes) == 2
    assert "5 of 6 steps, evenly spaced" in notes[0]
    assert "4 of 6 steps, evenly spaced and 3 layers averaged into 2" in notes[1]


def test_the_note_about_the_budget_comes_before_the_model_runs(caplog):
    seen = []

    def look(executor, *args, **kwargs):
        seen.append("memory budget of 1 MB keeps" in caplog.text)
        return executor(*args, **kwargs)

    patcher = model("dev").clone()
    patcher.add_wrapper_with_key("apply_model", "look", look)
    options = {"concepts": concepts("dev", 80), "memory_mb": 1}
    big = latent("dev", batch=4, size=(30, 30))  # a map: 4 x 80 x 900 x 4 bytes = 1.1 MB
    with pytest.raises(ConceptAttentionError, match="memory_mb: one step of one layer"):
        capture_of("dev", patcher, latent_image=big, **options)
    assert seen == []
    small = latent("dev", batch=2, size=(20, 20))  # 0.24 MB
    capture = capture_of("dev", patcher, latent_image=small, **options)
    assert seen == [True, True]
    assert capture.scores.nbytes <= 2**20
    assert (capture.steps, capture.layers) == ((0, 1), ((0, 1), (2,)))


def test_averaged_layers_are_the_mean_of_those_layers():
    changes = {"concepts": concepts("dev", 60), "latent_image": latent("dev", 2, (20, 20))}
    every = capture_of("dev", **changes)
    few = capture_of("dev", **changes, memory_mb=1)
    assert few.layers == ((0, 1), (2,))
    torch.testing.assert_close(few.scores[:, :, 0], every.scores[:, :, :2].mean(2))
    torch.testing.assert_close(few.norms[:, :, 0], every.norms[:, :, :2].mean(2))
    assert torch.equal(few.scores[:, :, 1], every.scores[:, :, 2])


_UNET = {
    "image_size": 8,
    "in_channels": 4,
    "model_channels": 32,
    "out_channels": 4,
    "num_res_blocks": [1, 1],
    "channel_mult": (1, 2),
    "num_head_channels": 32,
    "transformer_depth": [0, 1],
    "transformer_depth_output": [0, 0, 1, 1],
    "transformer_depth_middle": 1,
    "use_spatial_transformer": True,
    "context_dim": 16,
}
_SDXL = {**_UNET, "adm_in_channels": 8, "num_classes": "sequential"}


def _unet(config_class, unet_config):
    """The host's U-Net, small: the host tells its kinds by sizes that only real ones have."""
    config = config_class(dict(unet_config))
    config.set_inference_dtype(torch.float32, None)
    device = torch.device("cpu")
    return ModelPatcher(config.get_model({}), load_device=device, offload_device=device)


def _wan():
    sizes = {"dim": 128, "ffn_dim": 64, "num_heads": 1, "num_layers": 1}
    weights = random_weights(WanModel, sizes)
    return comfy.sd.load_diffusion_model_state_dict(weights, {"dtype": torch.float32})


def _foreign_engine():
    patcher = model("dev").clone()
    patcher.add_object_patch("diffusion_model", torch.nn.Identity())
    return patcher


UNSUPPORTED = {
    r"SDXL \(comfy\.ldm\..*UNetModel\)": lambda: _unet(supported_models.SDXL, _SDXL),
    r"SD15 \(comfy\.ldm\..*UNetModel\)": lambda: _unet(supported_models.SD15, _UNET),
    r"WAN21 T2V \(comfy\.ldm\.wan\.model\.WanModel\)": _wan,
    r"Flux \(torch\.nn\..*Identity\)": _foreign_engine,
}


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_an_unsupported_model_is_named_with_the_supported_ones(name):
    with pytest.raises(ConceptAttentionError) as caught:
        captured(UNSUPPORTED[name](), **inputs("dev"), concepts=concepts("dev"))
    message = str(caught.value)
    assert re.match(f"model: {name} is not supported", message)
    assert "joint attention" in message
    for supported in ("FLUX.1 (dev, schnell", "FLUX.2 (dev, Klein)", "SD3, SD3.5", "CogVideoX"):
        assert supported in message
