"""Live maps: what the node's preview shows, and that nothing but the preview is another."""

from dataclasses import replace

import comfy.model_management
import comfy.utils
import latent_preview
import numpy as np
import pytest
import torch
from comfy.cli_args import LatentPreviewMethod, args
from torch.utils._python_dispatch import TorchDispatchMode

from concept_attention.core.errors import ConceptAttentionError
from concept_attention.core.live import draw
from concept_attention.nodes import live
from concept_attention.nodes.capture import attach_to_model, make_run
from concept_attention.nodes.sampler import AttentionCaptureSamplerCustom

from . import images
from .models import (
    DISTINCT,
    capture_of,
    captured,
    concepts,
    counting,
    custom,
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

METHODS = (LatentPreviewMethod.NoPreviews, LatentPreviewMethod.Latent2RGB)
LONGEST = 512
WITHOUT_COLOURS = "cog5b"  # the host has no colours for its latents

every_method = pytest.mark.parametrize("method", METHODS, ids=lambda method: method.value)


@pytest.fixture
def shown(monkeypatch):
    """What the host's progress bar is given: (value, total, picture [H, W, 3] or None)."""
    calls = []

    def hook(value, total, preview, node_id=None):
        if preview is not None:
            kind, image, longest = preview
            assert kind == "JPEG"
            assert longest >= max(image.size)  # so the host leaves it as it is
            preview = torch.from_numpy(np.array(image))
        calls.append((value, total, preview))

    monkeypatch.setattr(comfy.utils, "PROGRESS_BAR_HOOK", hook)
    monkeypatch.setattr(live, "INTERVAL", 0.0)
    return calls


def previews(calls):
    return [picture for _, _, picture in calls if picture is not None]


def use(method, monkeypatch):
    monkeypatch.setattr(args, "preview_method", method)


def ours(family, **changes):
    return captured(model(family), **inputs(family, **{"concepts": concepts(family), **changes}))


def plain_previews(family, monkeypatch, shown, **changes):
    """The pictures that the host shows of a plain run, each [H, W, 3] in 0..1."""
    with monkeypatch.context() as patch:
        use(LatentPreviewMethod.Latent2RGB, patch)
        plain(model(family), **inputs(family, **changes))
    found = [picture.float() / 255 for picture in previews(shown)]
    shown.clear()
    return found


def until(capture, steps):
    """The part of a capture that is there after some of its recorded steps."""
    kept = {"scores": capture.scores[:, :steps], "norms": capture.norms[:, :steps]}
    return replace(capture, **kept, steps=capture.steps[:steps], sigmas=capture.sigmas[:steps])


def pixels(drawn):
    return (drawn.clamp(0, 1) * 255).round().byte()


@every_method
@pytest.mark.parametrize("family", DISTINCT)
def test_the_latent_and_the_capture_are_those_without(family, method, monkeypatch, shown):
    changes = {"latent_image": latent(family, 2), "cfg": 3.0}
    expected = plain(model(family), **inputs(family, **changes))
    off, capture = ours(family, **changes)
    use(method, monkeypatch)
    for mode in ("segments", "concept"):
        shown.clear()
        out, watched = ours(family, **changes, live_maps=mode)
        assert torch.equal(out, expected)
        assert torch.equal(watched.scores, capture.scores)
        assert torch.equal(watched.norms, capture.norms)
        assert len(previews(shown)) == 2
    assert torch.equal(off, expected)


@every_method
@pytest.mark.parametrize("family", ["dev", "flux2", "sd3", "qwen", "hunyuan"])
@pytest.mark.parametrize(("mode", "concept"), [("segments", None), ("concept", "concept 1")])
def test_one_preview_a_step_has_the_maps_so_far_over_the_hosts_picture(
    family, method, mode, concept, monkeypatch, shown
):
    bases = plain_previews(family, monkeypatch, shown, steps=3)
    use(method, monkeypatch)
    _, capture = ours(family, steps=3, live_maps=mode, live_concept=concept or "")
    assert [call[:2] for call in shown] == [(1, 3), (2, 3), (3, 3)]
    first = replace(capture, spans=capture.spans[:1])
    for step, (found, base) in enumerate(zip(previews(shown), bases, strict=True), 1):
        expected = pixels(draw(until(first, step), base, concept, LONGEST))
        assert torch.equal(found, expected)
        assert found.shape != base.shape


@every_method
def test_a_model_without_colours_for_its_latents_shows_the_maps_alone(method, monkeypatch, shown):
    use(method, monkeypatch)
    _, capture = ours(WITHOUT_COLOURS, live_maps="concept")
    whole, last = previews(shown)
    assert torch.equal(last, pixels(draw(capture, None, "concept 0", LONGEST)))
    assert torch.equal(whole, pixels(draw(until(capture, 1), None, "concept 0", LONGEST)))


@every_method
def test_a_step_that_is_not_captured_shows_the_last_map(method, monkeypatch, shown):
    bases = plain_previews("dev", monkeypatch, shown, steps=3)
    use(method, monkeypatch)
    _, capture = ours("dev", steps=3, capture_steps="1", live_maps="segments")
    before, found, after = previews(shown)
    assert torch.equal(before, pixels(draw(None, bases[0], None, LONGEST)))
    assert torch.equal(found, pixels(draw(capture, bases[1], None, LONGEST)))
    assert torch.equal(after, pixels(draw(capture, bases[2], None, LONGEST)))


@every_method
def test_between_the_first_and_the_last_step_not_every_one_is_shown(method, monkeypatch, shown):
    use(method, monkeypatch)
    monkeypatch.setattr(live, "INTERVAL", 1000.0)
    ours("dev", steps=5, live_maps="segments")
    assert [value for value, _, picture in shown if picture is not None] == [1, 5]
    assert shown[-1][:2] == (5, 5)


@every_method
def test_the_host_s_size_of_previews_is_kept(method, monkeypatch, shown):
    use(method, monkeypatch)
    monkeypatch.setattr(latent_preview, "MAX_PREVIEW_RESOLUTION", 140)
    ours("dev", live_maps="segments")
    assert {picture.shape[1] for picture in previews(shown)} == {140}


@every_method
@pytest.mark.parametrize("family", ["dev", "sd3", "hunyuan"])
def test_both_latents_of_the_custom_sampler_are_the_host_s(family, method, monkeypatch, shown):
    use(method, monkeypatch)
    patcher = model(family)
    guider = node("BasicGuider", model=patcher, conditioning=prompt(family))
    noise, sampler = node("RandomNoise", noise_seed=3), node("KSamplerSelect", sampler_name="heun")
    given = (noise, guider, sampler, sigmas(patcher), latent(family))
    with torch.inference_mode():
        expected = host_node("SamplerCustomAdvanced").execute(*given).result
        shown.clear()
        named = {"concepts": concepts(family), "live_maps": "segments"}
        found = AttentionCaptureSamplerCustom.execute(*given, **named).result
    for mine, host in zip(found[:2], expected, strict=True):
        assert torch.equal(mine["samples"], host["samples"])
    assert len(previews(shown)) == len(shown) == 2


@every_method
def test_callbacks_of_other_packs_are_called_at_every_step(method, monkeypatch, shown):
    """One that wraps the host's callback as it goes in, and one that makes it."""
    use(method, monkeypatch)
    seen = []

    def wrapped(executor, noise, latent_image, sampler, levels, mask, callback, *rest, **named):
        def noted(step, *report):
            seen.append(step)
            callback(step, *report)

        return executor(noise, latent_image, sampler, levels, mask, noted, *rest, **named)

    patcher = model("dev").clone()
    patcher.add_wrapper_with_key("outer_sample", "another pack", wrapped)
    monkeypatch.setattr(live, "INTERVAL", 1000.0)
    options = inputs("dev", steps=4, concepts=concepts("dev"), live_maps="segments")
    captured(patcher, **options)
    assert seen == [0, 1, 2, 3]
    assert len(previews(shown)) == 2
    seen.clear()
    shown.clear()
    prepare = latent_preview.prepare_callback

    def prepared(*given):
        inner = prepare(*given)
        return lambda step, *report: (seen.append(step), inner(step, *report))

    monkeypatch.setattr(latent_preview, "prepare_callback", prepared)
    captured(model("dev"), **options)
    assert seen == [0, 1, 2, 3]
    large = [picture for picture in previews(shown) if max(picture.shape) >= LONGEST]
    assert len(large) == 2  # and the plain ones of the host, which are small


def test_a_previewer_of_another_pack_that_makes_no_picture_is_replaced(monkeypatch, shown):
    class Film(latent_preview.LatentPreviewer):
        def decode_latent_to_preview(self, x0):
            return x0

    bases = plain_previews("dev", monkeypatch, shown)
    monkeypatch.setattr(latent_preview, "get_previewer", lambda *given: Film())
    _, capture = ours("dev", live_maps="segments")
    assert torch.equal(previews(shown)[-1], pixels(draw(capture, bases[-1], None, LONGEST)))


class _Counted(TorchDispatchMode):
    """The names of all tensor operations."""

    def __init__(self):
        super().__init__()
        self.names = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.names.append(str(func))
        return func(*args, **(kwargs or {}))


@every_method
def test_off_costs_no_tensor_operation_no_callback_and_no_preview(method, monkeypatch, shown):
    use(method, monkeypatch)
    patcher, options, asked = model("dev"), inputs("dev"), concepts("dev")
    run = make_run(patcher, asked, "auto", "all", 64, None)
    plain(patcher, **options)  # so that the model is loaded
    shown.clear()
    with _Counted() as bare:
        plain(attach_to_model(patcher, run), **options)
        run.capture()
    expected = [call[:2] for call in shown]
    shown.clear()
    monkeypatch.setattr(live, "Live", None)
    with _Counted() as off:
        captured(patcher, **options, concepts=asked, live_maps="off", live_concept="x")
    assert off.names == bare.names
    assert [call[:2] for call in shown] == expected
    assert all(max(picture.shape) <= 16 for picture in previews(shown))


def test_each_preview_takes_one_copy_of_the_maps_from_the_device(monkeypatch, shown):
    sizes = []
    original = torch.Tensor.cpu

    def counted(self):
        sizes.append(self.numel())
        return original(self)

    monkeypatch.setattr(torch.Tensor, "cpu", counted)
    ours("dev", steps=3)
    assert sizes == []
    ours("dev", steps=3, live_maps="concept")
    maps = 3 * 5 * 7  # concepts, rows, columns
    assert sizes.count(maps) == 3
    assert max(sizes) == 10 * 14 * 3  # the host's picture, which is there already


def test_a_concept_that_is_not_there_is_an_error_before_sampling():
    counted, calls = counting(model("dev"))
    for changes in ({"live_maps": "concept", "live_concept": "boat"}, {"live_maps": "yes"}):
        match = "live_concept: 'boat' .* concept 0, concept 1|live_maps: 'yes' .* segments, concept"
        with pytest.raises(ConceptAttentionError, match=match):
            capture_of("dev", counted, **changes)
        with pytest.raises(ConceptAttentionError, match=match):
            images.captured("dev", counted, **changes)
        guider = node("BasicGuider", model=counted, conditioning=prompt("dev"))
        with pytest.raises(ConceptAttentionError, match=match):
            custom(guider, latent("dev"), sigmas(counted), concepts=concepts("dev"), **changes)
    assert calls == []


@every_method
def test_an_interrupt_by_the_progress_bar_ends_the_run(method, monkeypatch):
    use(method, monkeypatch)
    counted, calls = counting(model("dev"))

    def hook(*given, **named):
        raise comfy.model_management.InterruptProcessingException()

    monkeypatch.setattr(comfy.utils, "PROGRESS_BAR_HOOK", hook)
    with pytest.raises(comfy.model_management.InterruptProcessingException):
        capture_of("dev", counted, steps=4, live_maps="segments")
    assert len(calls) == 1


@pytest.mark.parametrize("family", ["dev", "cog5b"])
def test_a_picture_that_exists_has_the_mean_of_the_draws_so_far_over_it(family, shown):
    """Of a size that is padded; of a video the first frame."""
    frames = 1 if family == "dev" else 5
    pictures = torch.rand(frames, 30, 44, 3, generator=torch.Generator().manual_seed(0))
    vae = images.picture_vae() if family == "dev" else images.video_vae()
    given = {"image": pictures, "vae": vae}
    for mode, concept in (("segments", None), ("concept", "concept 0")):
        every = [images.captured(family, **given, samples=count) for count in (1, 2, 3)]
        shown.clear()
        last = images.captured(family, **given, samples=3, live_maps=mode)
        assert [call[:2] for call in shown] == [(1, 3), (2, 3), (3, 3)]
        assert torch.equal(last.scores, every[-1].scores)
        for found, capture in zip(previews(shown), every, strict=True):
            expected = pixels(draw(capture, pictures[0], concept, LONGEST))
            # The same sums in another order: a pixel between two concepts may go to either.
            assert (found != expected).float().mean() < 1e-3
    assert not torch.equal(previews(shown)[0], previews(shown)[1])


def test_a_latent_is_shown_as_the_hosts_previews_show_it(shown):
    family, given = "dev", images.pictures("dev")
    latents = model(family).model.process_latent_in(given["samples"])
    factors = model(family).get_model_object("latent_format").latent_rgb_factors
    bias = model(family).get_model_object("latent_format").latent_rgb_factors_bias
    image = latent_preview.Latent2RGBPreviewer(factors, bias).decode_latent_to_preview(latents)
    base = torch.from_numpy(np.array(image)).float() / 255
    capture = images.captured(family, latent=given, live_maps="segments")
    (found,) = previews(shown)
    assert torch.equal(found, pixels(draw(capture, base, None, LONGEST)))


def test_a_batch_of_pictures_shows_the_first_of_the_part_at_work(monkeypatch, shown):
    given = {"image": seeded(3, 32, 48, 3, seed=1).sigmoid(), "vae": images.picture_vae()}
    whole = images.captured("dev", **given)
    shown.clear()
    monkeypatch.setattr("concept_attention.core.pictures._TOKENS", 2 * 6)  # two pictures at a time
    images.captured("dev", **given, live_maps="segments")
    assert [value for value, _, _ in shown] == [2, 3]
    for found, item in zip(previews(shown), (0, 2), strict=True):
        own = replace(
            whole, scores=whole.scores[item : item + 1], norms=whole.norms[item : item + 1]
        )
        expected = pixels(draw(own, given["image"][item], None, LONGEST))
        assert (found != expected).float().mean() < 1e-3
