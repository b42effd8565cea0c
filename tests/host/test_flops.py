"""Invariant 4, counted: with 4 concepts at most 1.01 of the plain forward's operations.

The models have their real sizes on the meta device: shapes without numbers. Reading a number from
it, which on a GPU would wait for the device, is an error, so there is no such wait in a forward.
"""

import functools

import comfy.model_management
import pytest
import torch

import bench_flops

LIMIT = 1.01

operations = functools.cache(bench_flops.operations)


@pytest.fixture(autouse=True)
def _rope_without_kernels(monkeypatch):
    """The host's compiled rope has no meta version; its own other one is plain torch."""
    monkeypatch.setattr(comfy.model_management, "in_training", True)


ARCHS = (
    "mid",
    "flux1",
    "flux2",
    "klein",
    "sd3",
    "cogvideox",
    "chroma",
    "qwen",
    "lumina2",
    "zimage",
    "hunyuan",
    "hunyuan15",
)


@pytest.mark.parametrize("arch", ARCHS)
def test_capture_costs_concept_sized_work(arch):
    ratio = operations(arch, 4) / operations(arch, 0)
    assert 1.0 < ratio <= LIMIT


@pytest.mark.parametrize("arch", ["mid", "flux1", "flux2", "klein", "sd3", "cogvideox"])
def test_concepts_of_four_tokens_cost_concept_sized_work_too(arch):
    ratio = operations(arch, 4, tokens=4) / operations(arch, 0)
    assert operations(arch, 4) / operations(arch, 0) < ratio <= LIMIT


@pytest.mark.parametrize(
    ("arch", "layers", "limit"),
    [
        ("flux1", "0-18", 0.45),
        ("flux1", "0-9", 0.25),
        ("sd3", "0-9", 10 / 38),
        ("cogvideox", "0-9", 10 / 42),
    ],
)
def test_an_existing_picture_costs_the_layers_up_to_the_last_one_read(arch, layers, limit):
    partial = operations(arch, 4, layers=layers, stop=True)
    assert partial <= limit * operations(arch, 0)


def test_capture_costs_no_more_in_float32():
    assert operations("mid", 4, torch.float32) <= operations("mid", 4)


def test_cost_grows_in_proportion_to_the_concepts():
    four, eight, sixteen = (operations("mid", count) for count in (4, 8, 16))
    assert (sixteen - eight) / (eight - four) == pytest.approx(2.0, rel=0.01)
