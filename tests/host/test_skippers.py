"""Patches that keep the model from being read: partial captures, or an error that says so."""

import pytest
import torch

from concept_attention.core.errors import ConceptAttentionError

from .models import STEPS, both, capture_of, inputs, model, node, plain


@pytest.mark.parametrize("leave", ["removed", "replaced"])
def test_a_patch_that_changes_the_override_itself_does_not_break_the_run(leave):
    """It loses us the layer at most, and says so; its own override stays in force."""
    calls = []

    def own(func, *args, **kwargs):
        calls.append("own")
        return func(*args, **kwargs)

    def meddle(args, extra):
        if leave == "removed":
            args["transformer_options"].pop("optimized_attention_override", None)
        else:
            args["transformer_options"]["optimized_attention_override"] = own
        return extra["original_block"](args)

    patcher = model("dev").clone()
    patcher.set_model_patch_replace(meddle, "dit", "double_block", 0)
    plain(patcher, **inputs("dev"))
    alone = len(calls)
    calls.clear()
    with pytest.raises(ConceptAttentionError, match=r"layers \[0, 1, 2\].*seen: layers \[1, 2\]"):
        capture_of("dev", patcher)
    assert len(calls) == alone == (0 if leave == "removed" else STEPS * 4)


def test_an_override_that_a_patch_keeps_reads_nothing_after_its_block():
    """The patch hands ours on to later blocks inside its own, and skips the block itself."""

    def keep(args, extra):
        options = args["transformer_options"]
        ours = options.get("optimized_attention_override")
        if ours is not None:
            options["optimized_attention_override"] = lambda func, *a, **k: ours(func, *a, **k)
        return args

    patcher = model("dev").clone()
    patcher.set_model_patch_replace(keep, "dit", "double_block", 1)
    with pytest.raises(ConceptAttentionError, match="no attention was captured"):
        capture_of("dev", patcher, capture_layers="1")


def _skipping(family, **changes):
    options = {"reuse_threshold": 3.0, "start_percent": 0.0, "end_percent": 1.0, "verbose": False}
    return node("EasyCache", model=model(family), **{**options, **changes})


@pytest.mark.parametrize("family", ["dev", "flux2"])
def test_steps_that_easycache_skips_have_no_maps(family, caplog):
    patcher = _skipping(family)
    host, ours, capture = both(family, patcher, steps=6)
    assert torch.equal(host, ours)
    assert 0 < len(capture.steps) < 6
    skipped = [step for step in range(6) if step not in capture.steps]
    assert f"Steps {skipped} were not computed" in caplog.text
    everything = capture_of(family, steps=6)
    assert torch.equal(capture.scores[:, 0], everything.scores[:, 0])


def test_nothing_captured_is_an_error_that_says_what_was_expected():
    skipped = [s for s in range(6) if s not in capture_of("dev", _skipping("dev"), steps=6).steps]
    with pytest.raises(ConceptAttentionError) as caught:
        capture_of("dev", _skipping("dev"), steps=6, capture_steps=f"{skipped[0]}")
    message = str(caught.value)
    assert "no attention was captured" in message
    assert f"flux in layers [0, 1, 2] at steps [{skipped[0]}]" in message
    assert "EasyCache" in message


def test_a_replaced_forward_is_an_error():
    patcher = model("dev").clone()
    patcher.add_object_patch("diffusion_model.forward", lambda x, *args, **kwargs: x * 0.5)
    with pytest.raises(ConceptAttentionError, match=r"no attention was captured.*replaces"):
        capture_of("dev", patcher)
    assert torch.equal(*both("dev")[:2])


def test_a_blocks_replacement_that_skips_attention_is_an_error_naming_the_layer():
    patcher = model("dev").clone()
    patcher.set_model_patch_replace(lambda args, extra: args, "dit", "double_block", 1)
    with pytest.raises(ConceptAttentionError, match=r"seen: layers \[0, 2\]"):
        capture_of("dev", patcher)
    assert capture_of("dev", patcher, capture_layers="0").layers == ((0,),)
