"""Attention Capture from Image with the trained pocket model, and through the real server."""

import io
import json
import random

import nodes
import pytest
import torch
from PIL import Image

from concept_attention.nodes.decode import HeatmapDecode
from concept_attention.nodes.encode import encode_concepts
from concept_attention.nodes.image import AttentionCaptureImage
from concept_attention.nodes.pocket import LoadPocketModel
from concept_attention.pocket.prompts import prompt_of
from concept_attention.pocket.things import THINGS
from concept_attention.pocket.world import LABELS, scene
from hosting import pack, workflow
from truth_figures import judge

EXAMPLE = pack.ROOT / "example_workflows" / "Pocket - existing picture.json"
HELD_OUT = 10**9  # training never reached these scenes
SHOWN = ("house", "tree", "grass", "sky", "boat")


@pytest.fixture(scope="module")
def pocket():
    with torch.inference_mode():
        return LoadPocketModel.execute().args


def figures(pocket, seed, prompted):
    """How well the maps of a drawn scene follow its label map."""
    model, clip, vae = pocket
    drawn = scene(seed)
    names = [*drawn.things, drawn.ground, drawn.sky]
    absent = next(thing for thing in THINGS if thing not in drawn.things)
    words = prompt_of(random.Random(seed), drawn) if prompted else ""
    picture = torch.from_numpy(drawn.picture)[None].float() / 255
    with torch.inference_mode():
        (conditioning,) = nodes.CLIPTextEncode().encode(clip, words)
        concepts = encode_concepts(clip, [*names, absent], ["background"])
        capture = AttentionCaptureImage.execute(
            model, conditioning, concepts, 0.5, 1, seed, image=picture, vae=vae
        ).result[0]
        masks = HeatmapDecode.execute(capture).result[1]
    wanted = torch.tensor([LABELS.index(name) for name in names])
    truth = torch.from_numpy(drawn.labels).long()[None] == wanted[:, None, None]
    return judge(masks, truth, [name in THINGS for name in names])


@pytest.mark.parametrize("prompted", [True, False], ids=["its prompt", "an empty prompt"])
def test_maps_of_pictures_never_seen_follow_their_labels(pocket, prompted):
    found = [figures(pocket, HELD_OUT + i, prompted) for i in range(6)]
    assert sum(each["mIoU"] for each in found) / len(found) > 0.6  # 0.78 with both
    assert sum(each["pixel accuracy"] for each in found) / len(found) > 0.8  # 0.92 and 0.93


@pytest.fixture(scope="module")
def example(client):
    document = json.loads(EXAMPLE.read_text(encoding="utf-8"))
    return document, workflow.to_prompt(document, client.object_info())


def run(client, prompt, document=None):
    """What the nodes with these titles saved, as pictures."""
    outputs = client.run(prompt, document, lambda kind, data: None)["outputs"]
    titles = {key: node["_meta"]["title"] for key, node in prompt.items()}
    return {
        titles[key]: [Image.open(io.BytesIO(client.view(each))) for each in saved["images"]]
        for key, saved in outputs.items()
        if "images" in saved
    }


def test_the_example_shows_a_map_of_every_concept(example, client):
    document, prompt = example
    shown = run(client, prompt, document)
    assert [each.size for each in shown["Heatmaps"]] == [(256, 256)] * len(SHOWN)
    assert len({each.tobytes() for each in shown["Heatmaps"]}) == len(SHOWN)
    (sheet,) = shown["Overlay"]
    assert sheet.width > 2 * 256 and sheet.height > 2 * 256


def test_a_file_of_odd_size_takes_the_place_of_the_picture(example, client, server):
    """As the example's note says; the maps are as large as the file, without an image at Decode."""
    _, prompt = example
    prompt = json.loads(json.dumps(prompt))
    Image.fromarray(scene(7).picture).resize((251, 187)).save(
        server.workspace / "input" / "odd.png"
    )
    keys = {node["class_type"]: key for key, node in prompt.items()}
    for kind in ("KSampler", "EmptySD3LatentImage"):
        del prompt[keys[kind]]
    picture = prompt[keys["VAEDecode"]]
    picture |= {"class_type": "LoadImage", "inputs": {"image": "odd.png"}}
    del prompt[keys["ConceptAttentionDecode"]]["inputs"]["image"]
    shown = run(client, prompt)
    assert [each.size for each in shown["Heatmaps"]] == [(251, 187)] * len(SHOWN)
