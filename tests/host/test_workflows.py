"""The example workflows: what the files say, and the pocket one run by the real server.

The server here has a second pack, made by this file, that counts how often the model is called.
"""

import io
import json
import os
import sys
from pathlib import Path

import comfyui_workflow_templates
import pytest
import torch
from PIL import Image
from safetensors.torch import load

import workflows
from graphs import blueprint, examples
from graphs.problems import problems
from hosting import locate, pack, workflow
from hosting.errors import HostError
from hosting.server import Server

FILES = sorted((pack.ROOT / "example_workflows").glob("*.json"))
POCKET = pack.ROOT / "example_workflows" / "Pocket - concept heatmaps.json"
ANY = POCKET.with_name("Pocket - any sampler.json")
POCKET_VIDEO = POCKET.with_name("Pocket video - concept heatmaps.json")
POCKET_SD3 = POCKET.with_name("Pocket SD3.5 - concept heatmaps.json")
INPAINT = POCKET.with_name("Pocket - inpaint a concept.json")
LOADER = "ConceptAttentionPocket"
RELEASED = sorted((pack.ROOT / "tests" / "workflows").glob("*.json"))
SHOWN = ("house", "tree", "grass", "sky", "boat")

# The host's own template for each example of a model that is not ours.
TEMPLATES = {
    "FLUX.1 schnell - concept heatmaps": "flux_schnell_full_text_to_image",
    "SD3.5 Large - concept heatmaps": "sd3.5_simple_example",
    "FLUX.1 dev - concept heatmaps": "flux_dev_full_text_to_image",
    "FLUX.2 Klein - concept heatmaps": "image_flux2_klein_text_to_image",
    "Chroma1-HD - concept heatmaps": "image_chroma_text_to_image",
    "Qwen-Image - concept heatmaps": "image_qwen_Image_2512",
    "Z-Image Turbo - concept heatmaps": "image_z_image_turbo",
    "HunyuanVideo - concept heatmaps": "hunyuan_video_text_to_video",
    "HunyuanVideo 1.5 - concept heatmaps": "video_hunyuan_video_1.5_720p_t2v",
}
# Settings that make the picture; texts, seeds and file prefixes are each workflow's own.
SETTINGS = ("UNETLoader", "DualCLIPLoader", "CLIPLoader", "VAELoader", "CFGGuider")
SETTINGS += ("KSamplerSelect", "Flux2Scheduler", "EmptySD3LatentImage", "EmptyFlux2LatentImage")
SETTINGS += ("BasicScheduler", "ModelSamplingAuraFlow", "T5TokenizerOptions")
SETTINGS += ("ModelSamplingAuraFlow", "ModelSamplingSD3", "FluxGuidance", "BasicScheduler")
SETTINGS += ("EmptyHunyuanLatentVideo", "EmptyHunyuanVideo15Latent", "VAEDecodeTiled")

COUNTING_PACK = """
from aiohttp import web
from comfy.ldm.flux.model import Flux
from server import PromptServer

calls = 0
plain = Flux.forward

def forward(*args, **kwargs):
    global calls
    calls += 1
    return plain(*args, **kwargs)

Flux.forward = forward

@PromptServer.instance.routes.get("/model_calls")
async def model_calls(request):
    return web.json_response(calls)

NODE_CLASS_MAPPINGS = {}
"""


class CountingServer(Server):
    """The real server, with a pack beside ours that counts the calls of the model."""

    def command(self):
        arguments = super().command()
        packs = self.workspace / "custom_nodes"
        (packs / "counting").mkdir(parents=True)
        (packs / "counting" / "__init__.py").write_text(COUNTING_PACK)
        arguments.insert(arguments.index("--whitelist-custom-nodes") + 1, "counting")
        if "--extra-model-paths-config" not in arguments:  # the checkout lies in a ComfyUI
            paths = self.workspace / "counting.yaml"
            paths.write_text(json.dumps({"counting": {"custom_nodes": str(packs)}}))
            arguments += ["--extra-model-paths-config", str(paths)]
        return arguments


@pytest.fixture(scope="module")
def counting(tmp_path_factory):
    folder = Path(os.environ["COMFYUI_DIR"]).resolve()
    inside = locate.name_inside(folder, pack.ROOT)
    host = locate.Host(folder, Path(sys.executable), owned=False, pack_inside=inside)
    with CountingServer(host, tmp_path_factory.mktemp("counting"), cpu=True) as running:
        yield running


@pytest.fixture(scope="module")
def object_info(counting):
    return counting.client.object_info()


class Run:
    """One run of a prompt: what it gave, which nodes worked, how often the model was called."""

    def __init__(self, client, prompt, document=None):
        before = client.get("/model_calls")
        self._client, self.prompt, self.events = client, prompt, []
        entry = client.run(prompt, document, lambda kind, data: self.events.append((kind, data)))
        self.outputs = entry["outputs"]
        self.model_calls = client.get("/model_calls") - before

    def node(self, wanted):
        """The id of the node of that type or title."""
        return next(
            key
            for key, node in self.prompt.items()
            if wanted in (node["class_type"], node["_meta"]["title"])
        )

    def cached(self):
        return {
            key for kind, data in self.events if kind == "execution_cached" for key in data["nodes"]
        }

    def pictures(self, title):
        records = self.outputs[self.node(title)]["images"]
        return [Image.open(io.BytesIO(self._client.view(record))) for record in records]

    def capture(self):
        (record,) = self.outputs[self.node("ConceptAttentionSave")]["captures"]
        return self._client.view(record)


@pytest.fixture(scope="module")
def pocket(object_info):
    document = json.loads(POCKET.read_text(encoding="utf-8"))
    return document, workflow.to_prompt(document, object_info)


@pytest.fixture(scope="module")
def first(counting, pocket):
    document, prompt = pocket
    return Run(counting.client, prompt, document)


@pytest.fixture(scope="module")
def any_sampler(counting, object_info):
    document = json.loads(ANY.read_text(encoding="utf-8"))
    return Run(counting.client, workflow.to_prompt(document, object_info), document)


def changed(prompt, kind, **inputs):
    """The prompt with other inputs for the node of that type."""
    return {
        key: node | {"inputs": node["inputs"] | inputs} if node["class_type"] == kind else node
        for key, node in prompt.items()
    }


def pixels(pictures):
    return [picture.convert("RGB").tobytes() for picture in pictures]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_example_fits_the_host_s_nodes_and_is_tidy(path, object_info):
    document = json.loads(path.read_text(encoding="utf-8"))
    assert problems(document, object_info) == []
    assert len({node["id"] for node in document["nodes"]}) == len(document["nodes"])
    assert all(group["title"] for group in document["groups"])


def test_the_examples_are_what_the_tool_builds(object_info):
    assert {path.stem for path in FILES} == set(examples.EXAMPLES)
    for path in FILES:
        built = examples.build(path.stem, object_info, workflows.pack_version())
        saved = json.loads(path.read_text(encoding="utf-8"))
        assert workflow.to_prompt(saved, object_info) == workflow.to_prompt(built, object_info)


def test_the_blueprint_is_what_the_tool_builds(object_info):
    path = workflows.BLUEPRINTS / f"{blueprint.NAME}.json"
    built = blueprint.build(object_info, workflows.pack_version())
    assert json.loads(path.read_text(encoding="utf-8")) == built
    assert {each.stem for each in path.parent.iterdir()} == {blueprint.NAME}


@pytest.mark.parametrize("name", TEMPLATES)
def test_examples_have_the_files_and_settings_of_the_host_s_own_templates(name):
    ours = json.loads((POCKET.parent / f"{name}.json").read_text(encoding="utf-8"))["nodes"]
    theirs = template_nodes(TEMPLATES[name])
    for kind in SETTINGS:
        assert values(ours, kind) == values(theirs, kind), kind
    assert models(ours) == models(theirs)
    sampler = values(ours, "ConceptAttentionSampler")
    # steps, cfg, sampler, scheduler, denoise; before them the seed, behind them the capture's
    assert [each[2:7] for each in sampler] == [each[2:7] for each in values(theirs, "KSampler")]


def template_nodes(name):
    """The nodes that run in a template of the host, inside its subgraphs too."""
    path = comfyui_workflow_templates.get_asset_path(name, f"{name}.json")
    document = json.loads(Path(path).read_text(encoding="utf-8"))
    inner = {
        each["id"]: each["nodes"] for each in document.get("definitions", {}).get("subgraphs", ())
    }
    active = [node for node in document["nodes"] if node["mode"] == 0]
    return [part for node in active for part in inner.get(node["type"], [node])]


def values(nodes, kind):
    found = (node["widgets_values"] for node in nodes if node["type"] == kind)
    # The editor leaves 3.1000000000000005 behind.
    return [[round(v, 9) if isinstance(v, float) else v for v in each] for each in found]


def models(nodes):
    """The files, but for those of a LoRA, which the template that has one switches off."""
    kept = (node for node in nodes if node["type"] != "LoraLoaderModelOnly")
    files = (file for node in kept for file in node["properties"].get("models", ()))
    found = {file["name"]: {**file, "url": file["url"].split("?")[0]} for file in files}
    return [found[name] for name in sorted(found)]


def test_only_a_workflow_that_was_run_has_a_thumbnail():
    thumbnails = set(POCKET.parent.glob("*.jpg"))
    assert thumbnails == {path.with_suffix(".jpg") for path in POCKET.parent.glob("Pocket*.json")}
    for path in thumbnails:
        with Image.open(path) as picture:
            assert picture.width >= 400


def test_the_pocket_workflow_gives_picture_maps_overlay_and_capture(first):
    (picture,) = first.pictures("Picture")
    assert picture.size == (256, 256)
    assert json.loads(picture.info["workflow"])["id"]  # dropped on the editor, it opens again
    maps = first.pictures("Heatmaps")
    assert [each.size for each in maps] == [(256, 256)] * len(SHOWN)
    assert len(set(pixels(maps))) == len(SHOWN)
    (sheet,) = first.pictures("Overlay")
    assert sheet.width > 2 * 256 and sheet.height > 2 * 256


def test_the_pocket_workflow_saves_a_capture_of_every_step_and_layer(first):
    raw = first.capture()
    header = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
    plain = json.loads(header["__metadata__"]["capture"])
    assert plain["labels"] == [*SHOWN, "background"]
    assert plain["steps"] == list(range(20))
    scores = load(raw)["scores"]
    tokens = plain["grid"][1] * plain["grid"][2]
    assert scores.shape == (1, 20, plain["total_layers"], len(SHOWN) + 1, tokens)
    assert scores.isfinite().all()
    assert (scores.std(-1) > 0).all()  # no map is constant


def test_the_workflow_of_the_sd3_kind_gives_picture_and_maps_too(counting, object_info):
    document = json.loads(POCKET_SD3.read_text(encoding="utf-8"))
    run = Run(counting.client, workflow.to_prompt(document, object_info), document)
    assert len(run.pictures("Picture")) == len(run.pictures("Overlay")) == 1
    maps = run.pictures("Heatmaps")
    assert len(set(pixels(maps))) == len(maps) == 5
    raw = run.capture()
    header = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
    assert json.loads(header["__metadata__"]["capture"])["family"] == "sd3"


def test_the_workflow_of_the_video_model_gives_films_of_the_clip_and_of_its_overlay(
    counting, object_info
):
    document = json.loads(POCKET_VIDEO.read_text(encoding="utf-8"))
    run = Run(counting.client, workflow.to_prompt(document, object_info), document)
    (clip,), (overlay,) = run.pictures("Video"), run.pictures("Overlay")
    assert clip.size == (320, 256)
    assert overlay.width > 2 * 320 and overlay.height > 2 * 256
    for film in (clip, overlay):
        assert film.n_frames == 13
        frames = []
        for number in range(film.n_frames):
            film.seek(number)
            frames.append(film.convert("RGB").tobytes())
        assert len(set(frames)) == 13  # the maps glide with the things
    raw = run.capture()
    header = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
    plain = json.loads(header["__metadata__"]["capture"])
    assert (plain["family"], plain["grid"], plain["spans"]) == (
        "cogvideox",
        [4, 8, 10],
        [1, 4, 4, 4],
    )


def test_the_inpainting_workflow_changes_the_picture_where_the_mask_is(counting, object_info):
    document = json.loads(INPAINT.read_text(encoding="utf-8"))
    run = Run(counting.client, workflow.to_prompt(document, object_info), document)
    (row,) = run.pictures("Before, mask and after")
    assert row.size == (3 * 256 + 2 * 8, 256)
    sides = (row.convert("RGB").crop((left, 0, left + 256, 256)) for left in (0, 264, 528))
    before, mask, after = (
        torch.frombuffer(bytearray(s.tobytes()), dtype=torch.uint8) for s in sides
    )
    changed = (before.int() - after.int()).abs().view(256, 256, 3).amax(-1).float()
    inside = mask.view(256, 256, 3)[..., 0] > 127
    assert 0.05 < inside.float().mean() < 0.3
    assert changed[inside].mean() > 20 > 4 > changed[~inside].mean()
    assert (changed[:, 192:] < 16).all()  # the far side of the picture, the tree's
    (text,) = run.outputs[run.node("ConceptAttentionMasks")]["text"]
    assert text.startswith("house: ") and "empty" not in text
    (segments,) = run.pictures("Segmentation")
    assert segments.width == 256 and segments.height > 256


def test_a_capture_does_not_change_the_picture(first, counting, pocket):
    """Swapping the node back to the host's KSampler gives the same picture, bit for bit."""
    _, prompt = pocket
    plain = json.loads(json.dumps(prompt))
    sampler = plain[first.node("ConceptAttentionSampler")]
    sampler["class_type"] = "KSampler"
    for name in ("concepts", "capture_layers", "capture_steps", "memory_mb"):
        del sampler["inputs"][name]
    kept = {"Picture", "VAE Decode", "Prompt", "Negative prompt", "Load Pocket Model"}
    kept |= {sampler["_meta"]["title"], plain[first.node("EmptySD3LatentImage")]["_meta"]["title"]}
    plain = {key: node for key, node in plain.items() if node["_meta"]["title"] in kept}
    again = Run(counting.client, plain)
    assert again.model_calls >= 20
    assert pixels(again.pictures("Picture")) == pixels(first.pictures("Picture"))


@pytest.mark.parametrize(
    "inputs",
    [{"temperature": 3.0}, {"layers": "0"}, {"steps": "50%-100%"}, {"order": "scores first"}],
    ids=lambda inputs: next(iter(inputs)),
)
def test_decoding_again_calls_the_model_not_once(inputs, counting, pocket):
    _, prompt = pocket
    before = Run(counting.client, prompt)  # the host keeps the results of the last prompt
    again = Run(counting.client, changed(prompt, "ConceptAttentionDecode", **inputs))
    assert again.model_calls == 0
    assert again.node("ConceptAttentionSampler") in again.cached()
    assert again.node("ConceptAttentionDecode") not in again.cached()
    assert pixels(again.pictures("Heatmaps")) != pixels(before.pictures("Heatmaps"))


def test_the_counter_of_model_calls_counts(first, counting, pocket):
    """The control for the test above: another seed does call the model."""
    _, prompt = pocket
    steps, passes = 20, 2  # the positive and the negative prompt, together or one by one
    assert steps <= first.model_calls <= steps * passes
    other = Run(counting.client, changed(prompt, "ConceptAttentionSampler", seed=2))
    assert steps <= other.model_calls <= steps * passes
    assert pixels(other.pictures("Picture")) != pixels(first.pictures("Picture"))


def test_any_sampler_gives_the_same_picture_and_maps(first, any_sampler):
    assert any_sampler.model_calls == first.model_calls
    for title in ("Picture", "Heatmaps", "Overlay"):
        assert pixels(any_sampler.pictures(title)) == pixels(first.pictures(title)), title


@pytest.mark.parametrize(
    ("kind", "inputs"),
    [("ConceptAttentionDecode", {"temperature": 3.0}), ("ConceptAttentionCollect", {"run": 1})],
)
def test_a_change_behind_any_sampler_samples_nothing(kind, inputs, any_sampler, counting):
    """Collect Capture finds the capture of the sampler whose result the host has kept."""
    before = Run(counting.client, any_sampler.prompt)
    again = Run(counting.client, changed(any_sampler.prompt, kind, **inputs))
    assert before.model_calls == again.model_calls == 0
    assert again.node("KSampler") in again.cached()
    assert again.node(kind) not in again.cached()
    assert pixels(again.pictures("Picture")) == pixels(before.pictures("Picture"))
    same = pixels(again.pictures("Heatmaps")) == pixels(before.pictures("Heatmaps"))
    assert same is (kind == "ConceptAttentionCollect")


def test_any_sampler_without_the_attached_model_is_an_error(any_sampler, counting):
    other = changed(any_sampler.prompt, "KSampler", model=[any_sampler.node(LOADER), 0])
    with pytest.raises(HostError, match=r"Collect.* latent: it was not sampled with the MODEL"):
        Run(counting.client, other)


def test_each_release_left_its_workflow_here():
    assert f"pocket-{workflows.pack_version()}.json" in [path.name for path in RELEASED]


@pytest.mark.parametrize("path", RELEASED, ids=lambda path: path.stem)
def test_a_released_workflow_runs_for_ever(path, counting, object_info):
    document = json.loads(path.read_text(encoding="utf-8"))
    prompt = workflow.to_prompt(document, object_info)
    run = Run(counting.client, changed(prompt, "ConceptAttentionSampler", seed=3), document)
    assert run.model_calls >= 20
    assert len(run.pictures("Picture")) == len(run.pictures("Overlay")) == 1
    assert len(run.pictures("Heatmaps")) == len(SHOWN)
    assert torch.isfinite(load(run.capture())["scores"]).all()
