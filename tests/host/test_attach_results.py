"""A capture belongs to the run that made the result, while it is kept; errors say why not."""

import gc
import weakref

import comfy.model_management
import comfy.samplers
import pytest
import torch
from comfy.model_patcher import create_model_options_clone

from concept_attention.core.errors import ConceptAttentionError
from concept_attention.core.history import MOST_RUNS
from concept_attention.core.run import CaptureRun
from concept_attention.nodes.collect import CollectCapture

from .attached import attach, collect, same
from .models import (
    capture_of,
    concepts,
    counting,
    custom,
    inputs,
    latent,
    model,
    plain,
    prompt,
    seeded,
    sigmas,
)


@pytest.mark.parametrize(
    "handed_on",
    [
        torch.clone,
        lambda out: out.cpu().contiguous(),
        lambda out: out.half(),
        lambda out: out.bfloat16().float(),
        lambda out: torch.cat([out]),
    ],
    ids=["clone", "cpu", "half", "bfloat16 and back", "joined"],
)
def test_a_result_is_known_again_when_it_was_copied(handed_on):
    attached, handle = attach("dev")
    out = plain(attached, **inputs("dev"))
    assert collect(handle, handed_on(out)) is collect(handle, out)


def _nudged(out):
    changed = out.clone()
    changed[0, 0, 0, 0] += 1e-4
    return changed


@pytest.mark.parametrize(
    "other",
    [
        lambda out: plain(model("dev"), **inputs("dev", seed=4)),
        lambda out: plain(attach("dev")[0], **inputs("dev", seed=4)),
        _nudged,
        lambda out: out[:, :, :4],
        lambda out: out.flip(-1),
        lambda out: torch.cat([out, out]),
    ],
    ids=["unattached", "another attached", "a number", "a part", "mirrored", "repeated"],
)
def test_a_result_of_another_run_is_an_error(other):
    attached, handle = attach("dev")
    out = plain(attached, **inputs("dev"))
    with pytest.raises(ConceptAttentionError, match="latent: no run of this Attach Capture"):
        collect(handle, other(out))
    assert collect(handle, out).steps == (0, 1)


def test_a_handle_that_saw_no_run_says_so():
    _, handle = attach("dev")
    with pytest.raises(ConceptAttentionError, match="latent: no run of this Attach Capture"):
        collect(handle, latent("dev")["samples"])


def test_a_sampling_without_a_step_is_no_run():
    attached, handle = attach("dev")
    image = latent("dev")
    image["samples"] = seeded(*image["samples"].shape, seed=5)
    out = plain(attached, **inputs("dev", latent_image=image, denoise=0.0))
    with pytest.raises(ConceptAttentionError, match="or without a step"):
        collect(handle, out)


def test_runs_with_one_result_and_other_captures_are_not_told_apart():
    """A mask that changes nothing: whatever the prompt, the latent comes back as it was."""
    image = latent("dev")
    image["samples"] = seeded(*image["samples"].shape, seed=5)
    image["noise_mask"] = torch.zeros(1, 1, 80, 112)
    attached, handle = attach("dev")
    outs = [
        plain(attached, **inputs("dev", latent_image=image, positive=prompt("dev", seed)))
        for seed in (1, 4)
    ]
    assert torch.equal(*outs)
    with pytest.raises(ConceptAttentionError, match="run: latent is the work of several"):
        collect(handle, outs[0])
    assert not same(collect(handle, outs[0], run=1), collect(handle, outs[0], run=2))


def test_a_handle_does_not_grow_over_runs():
    attached, handle = attach("dev", memory_mb=1, capture_layers="0")
    outs, freed = [], []
    for seed in range(MOST_RUNS + 3):
        outs.append(plain(attached, **inputs("dev", seed=seed, steps=1)))
        freed.append(weakref.ref(collect(handle, outs[-1])))
    gc.collect()
    assert len(handle.history) == MOST_RUNS
    assert [ref() is None for ref in freed] == [True] * 3 + [False] * MOST_RUNS
    with pytest.raises(ConceptAttentionError, match="the newest 64 are"):
        collect(handle, outs[2])
    assert collect(handle, outs[3]) is freed[3]()


def test_a_handle_keeps_to_four_times_the_memory():
    attached, handle = attach("dev", memory_mb=1, concepts=concepts("dev", 1000))
    outs = [plain(attached, **inputs("dev", seed=seed)) for seed in range(6)]
    size = 1000 * (35 + 1) * 3 * 2 * 4  # concepts, tokens and a norm, layers, steps, bytes
    assert len(handle.history) == 4 == 4 * 2**20 // size
    assert handle.history.size == 4 * size
    assert collect(handle, outs[2]).scores.shape == (1, 2, 3, 1000, 35)
    with pytest.raises(ConceptAttentionError, match="within 4 times memory_mb"):
        collect(handle, outs[1])


def _interrupt(attached):
    def stop(args, extra):
        comfy.model_management.interrupt_current_processing()
        return extra["original_block"](args)

    clone = attached.clone()
    clone.set_model_patch_replace(stop, "dit", "double_block", 1)
    with pytest.raises(comfy.model_management.InterruptProcessingException):
        plain(clone, **inputs("dev"))


def _fail(attached):
    calls = []

    def fail(args, extra):
        calls.append(1)
        if len(calls) == 2:  # in the second step
            raise RuntimeError("broken on purpose")
        return extra["original_block"](args)

    clone = attached.clone()
    clone.set_model_patch_replace(fail, "dit", "double_block", 1)
    with pytest.raises(RuntimeError, match="broken on purpose"):
        plain(clone, **inputs("dev"))


@pytest.mark.parametrize("ending", [_interrupt, _fail])
def test_a_run_that_ends_early_leaves_nothing(ending):
    patcher = model("dev")
    before = create_model_options_clone(patcher.model_options)
    attached, handle = attach("dev")
    ending(attached)
    gc.collect()
    assert len(handle.history) == 0
    assert not [found for found in gc.get_objects() if type(found) is CaptureRun]
    assert patcher.model_options == before
    out = plain(attached, **inputs("dev"))
    assert same(collect(handle, out), capture_of("dev"))


def test_a_finished_run_is_freed_and_its_capture_goes_with_the_handle():
    attached, handle = attach("dev")
    capture = weakref.ref(collect(handle, plain(attached, **inputs("dev"))))
    gc.collect()
    assert not [found for found in gc.get_objects() if type(found) is CaptureRun]
    assert capture() is not None
    del attached, handle
    gc.collect()
    assert capture() is None


def _no_positive(patcher):
    guider = comfy.samplers.CFGGuider(patcher)
    guider.inner_set_conds({"prompt": prompt("dev")})
    custom(guider, latent("dev"), sigmas(patcher))


def _regional(patcher):
    plain(patcher, **inputs("dev", positive=prompt("dev", area=(2, 4, 0, 0), strength=1.0)))


@pytest.mark.parametrize(
    ("sample", "message"), [(_no_positive, "guider: .* named positive"), (_regional, "regional")]
)
def test_what_cannot_be_captured_is_an_error_before_the_model_runs(sample, message):
    counted, calls = counting(model("dev"))
    attached, handle = attach("dev", counted)
    with pytest.raises(ConceptAttentionError, match=rf"{message}.*goes into Attach Capture"):
        sample(attached)
    assert calls == []
    assert len(handle.history) == 0


def test_steps_that_a_run_does_not_have_are_an_error_before_the_model_runs():
    counted, calls = counting(model("dev"))
    attached, _ = attach("dev", counted, capture_steps="7")
    with pytest.raises(ConceptAttentionError, match=r"this run has 2 steps.*goes into Attach"):
        plain(attached, **inputs("dev"))
    assert calls == []


def test_a_run_that_was_not_seen_makes_its_picture_and_collect_says_why():
    """As an engine that replaces the model's blocks."""

    def skip(args, extra):
        return {"img": args["img"], "txt": args["txt"]}

    attached, handle = attach("dev")
    engine = attached.clone()
    for layer in range(3):
        engine.set_model_patch_replace(skip, "dit", "double_block", layer)
    out = plain(engine, **inputs("dev"))
    with pytest.raises(ConceptAttentionError, match="capture: sampling ended and no attention"):
        collect(handle, out)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"concepts": concepts("flux2")}, "concepts: .* encoded by qwen3_4b"),
        ({"capture_layers": "9"}, "capture_layers: '9': this model has 3 layers"),
    ],
)
def test_bad_input_is_an_error_of_attach_capture(settings, message):
    with pytest.raises(ConceptAttentionError, match=message):
        attach("dev", **settings)


def test_a_collect_without_a_result_or_with_two_is_an_error():
    _, handle = attach("dev")
    for given in ({}, {"latent": latent("dev"), "image": torch.zeros(1, 8, 8, 3)}):
        with pytest.raises(ConceptAttentionError, match="latent, image: connect one of them"):
            CollectCapture.execute(handle, **given)


def test_a_picture_belongs_to_the_only_run_of_a_script():
    attached, handle = attach("dev")
    plain(attached, **inputs("dev"))
    image = torch.zeros(1, 80, 112, 3)
    _, passed, capture = CollectCapture.execute(handle, image=image).result
    assert passed is image
    assert same(capture, capture_of("dev"))
    plain(attached, **inputs("dev", seed=4))
    with pytest.raises(ConceptAttentionError, match=r"run: image is the work of several.*: 1, 2"):
        CollectCapture.execute(handle, image=image + 1)
    chosen = CollectCapture.execute(handle, image=image + 1, run=2).result[2]
    assert same(chosen, capture_of("dev", seed=4))
