"""Invariant 2: nothing stays behind, whatever way a run ends."""

import functools
import gc

import comfy.model_management
import pytest
import torch
from comfy.model_patcher import create_model_options_clone

from concept_attention.core.run import CaptureRun

from . import images
from .models import (
    DISTINCT,
    FAMILIES,
    TINY,
    capture_of,
    concepts,
    custom,
    inputs,
    latent,
    model,
    node,
    plain,
    prompt,
    sigmas,
)

_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_state_dict_hooks")


def _state(patcher):
    """All that a run could leave behind on a model, its modules and its options."""
    modules = {
        name: (type(module), sorted(module.__dict__), [len(getattr(module, h)) for h in _HOOKS])
        for name, module in patcher.model.named_modules()
    }
    versions = {name: p._version for name, p in patcher.model.named_parameters()}
    patches = sorted(patcher.object_patches), len(patcher.patches), len(patcher.callbacks)
    options = create_model_options_clone(patcher.model_options)
    return modules, versions, patches, options, sorted(patcher.__dict__)


def _succeed(family, monkeypatch):
    capture_of(family, cfg=3.0)


def _run_twice(family, monkeypatch):
    first, second = capture_of(family), capture_of(family)
    assert torch.equal(first.scores, second.scores)
    assert torch.equal(first.norms, second.norms)


def _run_at_another_size(family, monkeypatch):
    patcher = model(family)
    assert capture_of(family, patcher).grid[1:] == (5, 7)
    assert capture_of(family, patcher, latent_image=latent(family, size=(8, 3))).grid[1:] == (8, 3)


def _share_a_model(family, monkeypatch):
    """Two samplers with a MODEL in common, one with layers and steps of its own."""
    patcher = model(family)
    guider = node("BasicGuider", model=patcher, conditioning=prompt(family))
    options = create_model_options_clone(guider.model_options)
    levels = sigmas(patcher)
    named = {"concepts": concepts(family)}
    _, one = custom(guider, latent(family), levels, **named)
    _, two = custom(guider, latent(family), levels, **named, capture_layers="0", capture_steps="1")
    assert torch.equal(two.scores, one.scores[:, 1:, :1])
    assert guider.model_options == options
    assert set(vars(guider)) == {"model_patcher", "model_options", "original_conds", "cfg"}


def _fail(error, capture=capture_of, number=1):
    def fail(family, monkeypatch):
        with monkeypatch.context() as patch:
            tiny = TINY[family]
            block = getattr(model(family).model.diffusion_model, tiny.blocks)[number]
            norm = block.get_submodule(tiny.late_norm)
            calls = []

            def broken(*args):
                calls.append(1)
                if len(calls) == 2:  # in the second step, in the middle of a block that is read
                    raise error("broken on purpose")
                return type(norm).forward(norm, *args)

            patch.setattr(norm, "forward", broken)
            with pytest.raises(error, match="broken on purpose"):
                capture(family)

    return fail


def _look(family, layers="0"):
    """A picture that exists, in forwards that end early."""
    looked = images.captured(family, samples=2, capture_layers=layers)
    assert looked.total_steps == 1


def _interrupt(family, monkeypatch, capture=capture_of):
    patcher = model(family).clone()

    def stop(func, *args, **kwargs):
        comfy.model_management.interrupt_current_processing()
        return func(*args, **kwargs)

    patcher.model_options["transformer_options"]["optimized_attention_override"] = stop
    with pytest.raises(comfy.model_management.InterruptProcessingException):
        capture(family, patcher)
    assert not comfy.model_management.processing_interrupted()


def _bad_steps(family, monkeypatch):
    with pytest.raises(ValueError, match="this run has 2 steps"):
        capture_of(family, capture_steps="7")


_live = functools.partial(capture_of, live_maps="segments")
_live_look = functools.partial(images.captured, live_maps="segments")

ENDINGS = {
    "success": _succeed,
    "two runs in a row": _run_twice,
    "second pass at another size": _run_at_another_size,
    "two samplers sharing a model": _share_a_model,
    "exception in the model": _fail(RuntimeError),
    "out of memory": _fail(torch.OutOfMemoryError),
    "interrupt": _interrupt,
    "bad input": _bad_steps,
    "forwards that end early": lambda family, monkeypatch: _look(family),
    "exception in the second of them": _fail(RuntimeError, lambda family: _look(family, "1"), 0),
    "interrupt in one of them": functools.partial(_interrupt, capture=images.captured),
    "live maps": lambda family, monkeypatch: _live(family),
    "exception with live maps": _fail(RuntimeError, _live),
    "interrupt with live maps": functools.partial(_interrupt, capture=_live),
    "live maps of a picture": lambda family, monkeypatch: _live_look(family),
}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("ending", ENDINGS)
def test_the_next_run_is_as_if_we_had_not_been_there(family, ending, monkeypatch):
    patcher = model(family)
    expected = plain(patcher, **inputs(family, cfg=3.0))
    before = _state(patcher)
    ENDINGS[ending](family, monkeypatch)
    assert _state(patcher) == before
    assert torch.equal(plain(patcher, **inputs(family, cfg=3.0)), expected)
    assert patcher.model.current_patcher is None or not _wrapped(patcher.model.current_patcher)


def _wrapped(patcher):
    return "concept_attention" in repr(patcher.model_options)


@pytest.mark.parametrize("family", DISTINCT)
def test_a_finished_run_is_freed_with_its_scores(family):
    capture = capture_of(family)
    del capture
    gc.collect()
    assert not [found for found in gc.get_objects() if type(found) is CaptureRun]


def test_a_run_on_a_clone_with_patches_leaves_those_patches():
    def patch(args, extra):
        return extra["original_block"](args)

    patcher = model("dev").clone()
    patcher.set_model_patch_replace(patch, "dit", "double_block", 0)
    patcher.model_options["transformer_options"]["optimized_attention_override"] = (
        lambda func, *args, **kwargs: func(*args, **kwargs)
    )
    before = create_model_options_clone(patcher.model_options)
    capture_of("dev", patcher)
    assert patcher.model_options == before
