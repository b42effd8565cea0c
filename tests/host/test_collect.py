"""Collect Capture in workflows: the host's executor and caches, samplers of another pack."""

import execution
import pytest
import torch

from concept_attention.core.history import MOST_RUNS

from .executor import Host, node
from .models import FAMILIES, capture_of, inputs

CACHES = [each for each in execution.CacheType if each is not execution.CacheType.NONE]


@pytest.fixture
def host():
    return Host()


def workflow(family="dev", kind="Sample", model=("attach", 0), seed=3, **nodes):
    """Attach Capture, a sampler of another pack and Collect Capture behind it; more or other nodes.

    A node that is None is left out.
    """
    prompts = {"positive": ("load", 2), "negative": ("load", 3), "latent": ("load", 4)}
    made = {
        "load": node("Load", family=family),
        "attach": node("ConceptAttentionAttach", model=("load", 0), concepts=("load", 1)),
        "sample": node(kind, model=model, seed=seed, **prompts),
        "collect": node("ConceptAttentionCollect", handle=("attach", 1), latent=("sample", 0)),
        "keep": node("Keep", value=("collect", 2), name="capture"),
        **nodes,
    }
    return {key: each for key, each in made.items() if each is not None}


def sampler(model, seed=4, **links):
    """Another sampler of the other pack."""
    prompts = {"positive": ("load", 2), "negative": ("load", 3), "latent": ("load", 4)}
    return node("Sample", model=model, seed=seed, **{**prompts, **links})


def pictured(**inputs):
    """Collect Capture with a picture."""
    return node("ConceptAttentionCollect", handle=("attach", 1), **inputs)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_workflow_gives_latent_and_capture(host, family):
    kept = host.run(workflow(family, out=node("Keep", value=("collect", 0), name="latent")))
    expected = capture_of(family, **inputs(family))
    assert torch.equal(kept["capture"].scores, expected.scores)
    alone = Host().run(
        workflow(
            family,
            model=("load", 0),
            collect=None,
            attach=None,
            keep=node("Keep", value=("sample", 0), name="latent"),
        )
    )
    assert torch.equal(kept["latent"]["samples"], alone["latent"]["samples"])


@pytest.mark.parametrize("cache", CACHES, ids=lambda cache: cache.name)
def test_queueing_again_samples_nothing_and_has_the_same_capture(cache):
    host = Host(cache)
    first = host.run(workflow())["capture"]
    again = host.run(workflow(other=node("Keep", value=("collect", 2), name="again")))
    assert {"load", "attach", "sample", "collect"} <= host.cached
    assert again["again"] is first


@pytest.mark.parametrize("cache", CACHES, ids=lambda cache: cache.name)
def test_a_collect_that_comes_later_finds_the_run_of_the_cached_sampler(cache):
    host = Host(cache)
    first = host.run(workflow())["capture"]
    later = node("ConceptAttentionCollect", handle=("attach", 1), latent=("sample", 0), run=1)
    again = host.run(workflow(collect=later))["capture"]
    assert "sample" in host.cached
    assert "collect" not in host.cached
    assert again is first


def test_without_a_cache_everything_is_sampled_and_collected_anew():
    host = Host(execution.CacheType.NONE)
    first, again = (host.run(workflow())["capture"] for _ in range(2))
    assert again is not first
    assert torch.equal(again.scores, first.scores)


def test_another_seed_is_another_capture(host):
    first = host.run(workflow())["capture"]
    second = host.run(workflow(seed=4))["capture"]
    assert {"load", "attach"} <= host.cached
    assert "sample" not in host.cached
    assert torch.equal(second.scores, capture_of("dev", seed=4).scores)
    assert not torch.equal(second.scores, first.scores)


def test_other_settings_are_another_capture(host):
    first = host.run(workflow())["capture"]
    links = {"model": ("load", 0), "concepts": ("load", 1)}
    attach = node("ConceptAttentionAttach", **links, capture_layers="0")
    second = host.run(workflow(attach=attach))["capture"]
    assert torch.equal(second.scores, first.scores[:, :, :1])


def test_two_samplers_of_one_attached_model_each_have_their_capture(host):
    kept = host.run(
        workflow(
            sample2=sampler(("attach", 0)),
            collect2=pictured(latent=("sample2", 0)),
            keep2=node("Keep", value=("collect2", 2), name="second"),
        )
    )
    for name, seed in (("capture", 3), ("second", 4)):
        assert torch.equal(kept[name].scores, capture_of("dev", seed=seed).scores)


def test_one_sampler_again_leaves_the_other_s_capture(host):
    two = {"sample2": sampler(("attach", 0)), "collect2": pictured(latent=("sample2", 0))}
    two["keep2"] = node("Keep", value=("collect2", 2), name="second")
    host.run(workflow(**two))
    two["collect"] = pictured(latent=("sample", 0), run=1)  # asked again, of the cached sampler
    kept = host.run(workflow(**{**two, "sample2": sampler(("attach", 0), seed=5)}))
    assert "sample" in host.cached
    assert torch.equal(kept["capture"].scores, capture_of("dev").scores)
    assert torch.equal(kept["second"].scores, capture_of("dev", seed=5).scores)


def test_a_latent_of_the_model_without_capture_is_an_error_even_if_it_is_equal(host):
    """It would be found in this session, and not in the next one."""
    host.run(workflow())
    with pytest.raises(ValueError, match=r"collect: latent: it was not sampled with the MODEL"):
        host.run(workflow(model=("load", 0)))


def test_a_latent_of_another_attached_model_is_an_error(host):
    other = node("ConceptAttentionAttach", model=("load", 0), concepts=("load", 1))
    collect = node("ConceptAttentionCollect", handle=("other", 1), latent=("sample", 0))
    with pytest.raises(ValueError, match=r"latent: it was not sampled .* \(node other\)"):
        host.run(workflow(other=other, collect=collect))


def test_a_latent_that_was_changed_behind_the_sampler_is_an_error(host):
    size = {"width": 96, "height": 64, "crop": "disabled", "upscale_method": "nearest-exact"}
    changed = node("LatentUpscale", samples=("sample", 0), **size)
    with pytest.raises(ValueError, match=r"latent: no run .* changed or put together behind"):
        host.run(workflow(up=changed, collect=pictured(latent=("up", 0))))


def test_both_passes_of_an_upscale_workflow_are_collected(host):
    size = {"width": 88, "height": 64, "crop": "disabled", "upscale_method": "nearest-exact"}
    second = {"up": node("LatentUpscale", samples=("sample", 0), **size)}
    second["sample2"] = node(
        "KSampler",
        model=("attach", 0),
        positive=("load", 2),
        negative=("load", 3),
        latent_image=("up", 0),
        seed=5,
        steps=2,
        cfg=1.0,
        sampler_name="euler",
        scheduler="simple",
        denoise=0.5,
    )
    second["collect2"] = pictured(latent=("sample2", 0))
    second["keep2"] = node("Keep", value=("collect2", 2), name="second")
    kept = host.run(workflow(**second))
    assert kept["capture"].grid == (1, 5, 7)
    assert kept["second"].grid == (1, 4, 6)


@pytest.mark.parametrize("run", [1, 2])
@pytest.mark.parametrize("result", [{"latent": ("sample", 0)}, {"image": ("sample", 1)}])
def test_a_tile_of_a_sampler_is_collected_by_its_number(host, result, run):
    kept = host.run(workflow(kind="SampleTiles", collect=pictured(**result, run=run)))
    assert kept["capture"].grid == (1, 5, (4, 3)[run - 1])
    # The same tile of the cached sampler, asked for anew.
    other = node("Keep", value=("another", 2), name="again")
    collects = {"collect": pictured(**result, run=3 - run), "another": pictured(**result, run=run)}
    again = host.run(workflow(kind="SampleTiles", **collects, other=other))
    assert "sample" in host.cached
    assert again["again"] is kept["capture"]
    assert again["capture"].grid == (1, 5, (3, 4)[run - 1])


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ({"latent": ("sample", 0)}, r"latent: no run .* choose one by run"),
        ({"image": ("sample", 1)}, r"run: image is the work of several.* made 2 runs.*: 1, 2"),
        ({"latent": ("sample", 0), "run": 3}, r"there is no run 3 .* made 2 runs"),
    ],
)
def test_tiles_together_have_no_capture(host, result, message):
    with pytest.raises(ValueError, match=message):
        host.run(workflow(kind="SampleTiles", collect=pictured(**result)))


def test_a_picture_belongs_to_the_run_that_it_was_decoded_from(host):
    image = {"decode": node("Picture", latent=("sample", 0))}
    image["collect"] = pictured(image=("decode", 0))
    image["out"] = node("Keep", value=("collect", 1), name="image")
    kept = host.run(workflow(**image))
    assert torch.equal(kept["capture"].scores, capture_of("dev").scores)
    assert kept["image"].shape == (1, 10, 14, 3)
    # A second pass behind the first: the picture is the second one's.
    second = {"sample2": sampler(("attach", 0), latent=("sample", 0))}
    second["decode"] = node("Picture", latent=("sample2", 0))
    second["latent"] = node("Keep", value=("sample", 0), name="latent")
    kept = host.run(workflow(**{**image, **second}))
    expected = capture_of("dev", latent_image=kept["latent"], seed=4)
    assert torch.equal(kept["capture"].scores, expected.scores)


def test_the_same_picture_of_a_cached_sampler_has_the_same_capture(host):
    decode = node("Picture", latent=("sample", 0))
    first = host.run(workflow(decode=decode, collect=pictured(image=("decode", 0))))["capture"]
    collect = pictured(image=("decode", 0), run=1)
    again = host.run(workflow(decode=decode, collect=collect))["capture"]
    assert "sample" in host.cached
    assert "collect" not in host.cached
    assert again is first


def test_another_picture_of_a_cached_sampler_proves_nothing(host):
    decode = node("Picture", latent=("sample", 0))
    host.run(workflow(decode=decode, collect=pictured(image=("decode", 0))))
    decode = node("Picture", latent=("sample", 0), brightness=0.5)
    changed = workflow(decode=decode, collect=pictured(image=("decode", 0)))
    with pytest.raises(ValueError, match=r"nothing proves .*Sample \(node sample\).* the cache"):
        host.run(changed)
    assert "sample" in host.cached
    changed["sample"]["inputs"]["seed"] = 6
    assert torch.equal(host.run(changed)["capture"].scores, capture_of("dev", seed=6).scores)


def test_a_picture_of_an_earlier_queue_run_is_not_given_the_newest_capture():
    """The cache may go back to a result that was sampled before the last one."""
    host = Host(execution.CacheType.RAM_PRESSURE)
    decode = node("Picture", latent=("sample", 0))
    image = {"decode": decode, "collect": pictured(image=("decode", 0))}
    first = host.run(workflow(**image))["capture"]
    second = host.run(workflow(seed=4, **image))["capture"]
    assert not torch.equal(first.scores, second.scores)
    image["collect"] = pictured(image=("decode", 0), run=1)
    assert host.run(workflow(**image))["capture"] is first
    assert "sample" in host.cached
    image["collect"] = pictured(latent=("sample", 0))
    assert host.run(workflow(**image))["capture"] is first
    image["decode"] = node("Picture", latent=("sample", 0), brightness=0.5)
    with pytest.raises(ValueError, match="nothing proves"):
        host.run(workflow(**{**image, "collect": pictured(image=("decode", 0))}))


@pytest.mark.parametrize("attached", ["outside", "inside"])
def test_a_node_that_the_host_expands_is_captured(host, attached):
    inside = {"model": ("load", 0), "concepts": ("load", 1)}
    links = {"model": ("attach", 0)} if attached == "outside" else inside
    sample = {**sampler(**links, seed=3), "class_type": "Expand"}
    handle = ("attach", 1) if attached == "outside" else ("sample", 1)
    collect = node("ConceptAttentionCollect", handle=handle, latent=("sample", 0))
    capture = host.run(workflow(sample=sample, collect=collect))["capture"]
    assert torch.equal(capture.scores, capture_of("dev").scores)


def test_pictures_of_one_plain_colour_are_told_apart_by_the_workflow(host):
    """As after a failure: the values say nothing."""
    black = {"decode": node("Picture", latent=("sample", 0), brightness=0.0)}
    black["collect"] = pictured(image=("decode", 0))
    for seed in (3, 4):
        capture = host.run(workflow(seed=seed, **black))["capture"]
        assert torch.equal(capture.scores, capture_of("dev", seed=seed).scores)
    black["collect"] = pictured(image=("decode", 0), run=1)
    with pytest.raises(ValueError, match="nothing proves"):
        host.run(workflow(seed=4, **black))


def test_a_picture_behind_another_collect_capture_is_collected(host):
    """Two attached models, one behind the other, and a Collect Capture on the way."""
    nodes = {"both": node("ConceptAttentionAttach", model=("attach", 0), concepts=("load", 1))}
    nodes["sample"] = sampler(("both", 0), seed=3)
    nodes["decode"] = node("Picture", latent=("collect", 0))
    nodes["second"] = node("ConceptAttentionCollect", handle=("both", 1), image=("decode", 0))
    kept = host.run(workflow(**nodes, out=node("Keep", value=("second", 2), name="second")))
    for name in ("capture", "second"):
        assert torch.equal(kept[name].scores, capture_of("dev").scores)


def test_a_picture_that_another_model_had_a_part_in_is_an_error(host):
    second = {"sample2": sampler(("load", 0), latent=("sample", 0))}
    second["decode"] = node("Picture", latent=("sample2", 0))
    with pytest.raises(ValueError, match=r"image: nothing proves .*Sample \(node sample2\)"):
        host.run(workflow(**second, collect=pictured(image=("decode", 0))))


def test_a_picture_of_two_runs_is_an_error(host):
    both = {"sample2": sampler(("attach", 0))}
    both["one"] = node("Picture", latent=("sample", 0))
    both["two"] = node("Picture", latent=("sample2", 0))
    both["pair"] = node("ImageBatch", image1=("one", 0), image2=("two", 0))
    with pytest.raises(ValueError, match=r"image: it comes from 2 nodes that sampled"):
        host.run(workflow(**both, collect=pictured(image=("pair", 0))))


@pytest.mark.parametrize(
    "results", [{}, {"latent": ("sample", 0), "image": ("sample", 1)}], ids=["none", "both"]
)
def test_one_result_is_connected_or_the_host_refuses_to_begin(host, results):
    with pytest.raises(ValueError, match="latent, image: connect one of them"):
        host.run(workflow(collect=pictured(**results)))


def test_nodes_behind_the_result_that_is_not_connected_are_skipped(host):
    image = node("Keep", value=("collect", 1), name="image")
    assert set(host.run(workflow(out=image))) == {"capture"}


def test_a_handle_does_not_grow_over_queue_runs(host):
    """The host keeps it for as long as the workflow stays."""
    links = {"model": ("load", 0), "concepts": ("load", 1)}
    attach = node("ConceptAttentionAttach", **links, memory_mb=1)
    nodes = {"attach": attach, "handle": node("Keep", value=("attach", 1), name="handle")}
    history = host.run(workflow(**nodes))["handle"].history
    one = history.size
    for seed in (3, 3, 4, 4, 5):
        host.run(workflow(seed=seed, **nodes))
    assert (len(history), history.size) == (3, 3 * one)
    for seed in range(MOST_RUNS):
        host.run(workflow(seed=seed, **nodes))
    assert (len(history), history.size) == (MOST_RUNS, MOST_RUNS * one)
