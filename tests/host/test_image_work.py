"""Attention Capture from Image computes what it reads and no more, in parts, and says how far."""

import functools

import comfy.model_management
import comfy.utils
import pytest
import torch

from concept_attention.core import pictures as core_pictures
from concept_attention.core.errors import ConceptAttentionError

from .images import captured, pictures
from .models import FAMILIES, TINY, capture_of, counting, error, model, node, prompt

ROUNDING = 1e-5  # of the largest magnitude: the same sums in another order


def work(family, monkeypatch):
    """A list of the joint blocks and single blocks that are run, in order."""
    done = []
    diffusion_model = model(family).get_model_object("diffusion_model")
    for name in (TINY[family].blocks, "single_blocks"):
        for i, block in enumerate(getattr(diffusion_model, name, ())):
            monkeypatch.setattr(block, "forward", _noted(done, (name, i), block.forward))
    return done


def _noted(done, place, plain):
    @functools.wraps(plain)
    def run(*args, **kwargs):
        done.append(place)
        return plain(*args, **kwargs)

    return run


@pytest.mark.parametrize("family", FAMILIES)
def test_nothing_behind_the_last_layer_is_computed(family, monkeypatch):
    every = captured(family)
    done = work(family, monkeypatch)
    blocks, layers = TINY[family].blocks, TINY[family].layers
    first = captured(family, capture_layers="0")
    assert done == [(blocks, 0)]
    done.clear()
    last = captured(family, capture_layers=str(layers - 1), samples=2)
    assert done == [(blocks, i) for i in range(layers)] * 2
    assert torch.equal(first.scores, every.scores[:, :, :1])
    one, other = (captured(family, seed=seed).scores[:, :, -1:] for seed in (3, 4))
    assert error(last.scores, (one + other) / 2) < ROUNDING


@pytest.mark.parametrize("family", FAMILIES)
def test_the_rest_of_the_last_block_is_not_computed_either(family, monkeypatch):
    block = getattr(model(family).get_model_object("diffusion_model"), TINY[family].blocks)[0]
    norm, calls = block.get_submodule(TINY[family].late_norm), []
    plain = norm.forward
    monkeypatch.setattr(norm, "forward", lambda *args: calls.append(1) or plain(*args))
    captured(family, capture_layers="0")
    assert calls == []
    captured(family, capture_layers="1")
    assert calls


@pytest.mark.parametrize("family", ["dev", "flux2", "sd3", "sd35"])
def test_guidance_that_packs_add_costs_no_pass(family):
    skipping = {"double_layers": "1", "single_layers": "", "scale": 3.0}
    guided = node(
        "SkipLayerGuidanceDiT",
        model=model(family),
        **skipping,
        start_percent=0.0,
        end_percent=1.0,
    )
    patcher, calls = counting(guided)
    assert torch.equal(captured(family, patcher).scores, captured(family).scores)
    assert calls == [1]


@pytest.mark.parametrize("family", ["dev", "sd3"])
def test_a_pack_that_swallows_the_early_end_gets_the_whole_forward(family):
    """Slower, and the same scores: nothing depends on the end."""

    def swallowing(executor, *args, **kwargs):
        try:
            return executor(*args, **kwargs)
        except Exception:
            return torch.zeros_like(args[0])

    patcher = model(family).clone()
    patcher.add_wrapper_with_key("diffusion_model", "swallowing", swallowing)
    assert torch.equal(captured(family, patcher).scores, captured(family).scores)


def test_a_folders_worth_is_read_part_by_part(monkeypatch):
    """40 pictures, 8 in a forward; only as many latents as are being looked at are ever there."""
    monkeypatch.setattr(core_pictures, "_TOKENS", 8 * 6)
    patcher, calls = counting(model("dev"))
    reports = []
    monkeypatch.setattr(comfy.utils, "PROGRESS_BAR_HOOK", lambda *args, **_: reports.append(args))
    capture = captured("dev", patcher, latent=pictures("dev", 40), capture_layers="1")
    assert calls == [8] * 5
    assert capture.scores.shape == (40, 1, 1, 3, 6)
    assert reports[-1][:2] == (40, 40)
    assert all(total == 40 for _, total, *_ in reports)


def test_the_budget_is_for_all_pictures_and_is_kept_before_anything_runs(monkeypatch, caplog):
    """1,000 pictures of 30 tokens and 3 concepts take 0.34 MB a layer: three layers do not fit."""
    given = pictures("dev", 1000, (5, 6))
    monkeypatch.setattr(core_pictures, "_TOKENS", 30 * 500)
    patcher, calls = counting(model("dev"))
    capture = captured("dev", patcher, latent=given, memory_mb=1)
    assert capture.layers == ((0, 1), (2,))
    assert capture.scores.nbytes <= 2**20
    assert caplog.text.count("3 layers averaged into 2") == 1
    calls.clear()
    with pytest.raises(ConceptAttentionError, match=r"memory_mb: .* needs 1\.37 MB"):
        captured("dev", patcher, latent=pictures("dev", 4000, (5, 6)), memory_mb=1)
    assert calls == []


@pytest.mark.parametrize("family", ["dev", "cog5b"])
def test_an_interrupt_between_forwards_ends_it(family, monkeypatch):
    patcher, calls = counting(model(family))

    def interrupt(*args, **_):
        comfy.model_management.interrupt_current_processing()

    monkeypatch.setattr(comfy.utils, "PROGRESS_BAR_HOOK", interrupt)
    with pytest.raises(comfy.model_management.InterruptProcessingException):
        captured(family, patcher, samples=5)
    assert calls == [1]
    assert not comfy.model_management.processing_interrupted()


@pytest.mark.parametrize("family", FAMILIES)
def test_a_sampler_after_it_is_as_before(family):
    before = capture_of(family)
    captured(family, conditioning=prompt(family, 2))
    assert torch.equal(capture_of(family).scores, before.scores)
