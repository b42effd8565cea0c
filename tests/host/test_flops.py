"""Invariant 4, counted: with 4 concepts at most 1.01 of the plain forward's operations.

The models have their real sizes on the meta device: shapes without numbers. Reading a number from
it, which on a GPU would wait for the device, is an error, so there is no such wait in a forward.
"""

import functools
from dataclasses import dataclass

import comfy.model_management
import comfy.ops
import pytest
import torch
from comfy.ldm.flux.model import Flux
from torch.utils.flop_counter import FlopCounterMode

from concept_attention.core.run import CaptureRun
from concept_attention.core.types import Concept, Concepts

LIMIT = 1.01
_FLUX1 = {
    "vec_in_dim": 768,
    "context_in_dim": 4096,
    "in_channels": 16,
    "out_channels": 16,
    "mlp_ratio": 4.0,
    "axes_dim": [16, 56, 56],
    "theta": 10000,
    "patch_size": 2,
    "qkv_bias": True,
    "guidance_embed": True,
    "txt_ids_dims": [],
}
_FLUX2 = {
    "vec_in_dim": None,
    "context_in_dim": 15360,
    "in_channels": 128,
    "out_channels": 128,
    "mlp_ratio": 3.0,
    "axes_dim": [32, 32, 32, 32],
    "theta": 2000,
    "patch_size": 1,
    "qkv_bias": False,
    "guidance_embed": True,
    "txt_ids_dims": [3],
    "global_modulation": True,
    "mlp_silu_act": True,
    "ops_bias": False,
}


@dataclass(frozen=True)
class Size:
    """Heads of 128, double and single blocks, text tokens, latent [channels, H, W]."""

    params: dict
    heads: int
    blocks: tuple[int, int]
    text: int
    latent: tuple[int, int, int]
    encoder: str


SIZES = {
    "mid-size FLUX.1": Size(_FLUX1, 8, (4, 8), 256, (16, 64, 64), "t5xxl"),
    "FLUX.1 dev": Size(_FLUX1, 24, (19, 38), 512, (16, 128, 128), "t5xxl"),
    "FLUX.2 dev": Size(_FLUX2, 48, (8, 48), 512, (128, 64, 64), "mistral3_24b"),
    "FLUX.2 Klein 4B": Size(_FLUX2, 24, (5, 20), 512, (128, 64, 64), "qwen3_4b"),
}


def _attention(func, q, k, v, *args, **kwargs):
    """The host's backends ask the device for its free memory, which meta does not have."""
    out = torch.nn.functional.scaled_dot_product_attention(q, k, v)
    return out.transpose(1, 2).flatten(2)


@functools.cache
def _model(name: str, dtype: torch.dtype) -> Flux:
    size = SIZES[name]
    return Flux(
        hidden_size=128 * size.heads,
        num_heads=size.heads,
        depth=size.blocks[0],
        depth_single_blocks=size.blocks[1],
        **size.params,
        dtype=dtype,
        device="meta",
        operations=comfy.ops.disable_weight_init,
    )


@functools.cache
def _operations(name: str, concepts: int, dtype: torch.dtype = torch.bfloat16) -> int:
    """Floating point operations of one forward, with a capture when there are concepts."""
    size, model = SIZES[name], _model(name, dtype)
    context = size.params["context_in_dim"]
    x = torch.empty(1, *size.latent, dtype=dtype, device="meta")
    text = torch.empty(1, size.text, context, dtype=dtype, device="meta")
    t, options = torch.empty(1, device="meta"), {"optimized_attention_override": _attention}

    def forward(*args):
        return model(x, t, text, guidance=t, transformer_options=options)

    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        if concepts:
            _capture(size, model, concepts, options, forward)
        else:
            forward()
    return counter.get_total_flops()


def _capture(size: Size, model: Flux, concepts: int, options: dict, forward) -> None:
    context = size.params["context_in_dim"]
    items = tuple(Concept(str(i), torch.zeros(context), 0, 1) for i in range(concepts))
    run = CaptureRun(model, Concepts(items, size.encoder), budget=2**40)
    run.begin((1, *size.latent), [1.0, 0.0], [{"uuid": "positive"}])
    options["uuids"] = ["positive"]
    options["wrappers"] = {"diffusion_model": {"capture": [run.evaluate]}}
    run.predict_noise(forward, torch.empty(0), torch.ones(1))
    run.report(0)
    tokens = size.latent[1] * size.latent[2] // size.params["patch_size"] ** 2
    assert run.capture().scores.shape == (1, 1, size.blocks[0], concepts, tokens)


@pytest.fixture(autouse=True)
def _rope_without_kernels(monkeypatch):
    """The host's compiled rope has no meta version; its own other one is plain torch."""
    monkeypatch.setattr(comfy.model_management, "in_training", True)


@pytest.mark.parametrize("name", SIZES)
def test_capture_costs_concept_sized_work(name):
    ratio = _operations(name, 4) / _operations(name, 0)
    assert 1.0 < ratio <= LIMIT


def test_capture_costs_no_more_in_float32():
    single = _operations("mid-size FLUX.1", 4, torch.float32)
    assert single <= _operations("mid-size FLUX.1", 4, torch.bfloat16)


def test_cost_grows_in_proportion_to_the_concepts():
    four, eight, sixteen = (_operations("mid-size FLUX.1", count) for count in (4, 8, 16))
    assert (sixteen - eight) / (eight - four) == pytest.approx(2.0, rel=0.01)
