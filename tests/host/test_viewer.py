"""Heatmap Viewer inside the host: what it puts out, what it writes, what it says."""

import json
import shutil
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import folder_paths
import numpy as np
import pytest
import torch
from PIL import Image

from concept_attention.core.errors import ConceptAttentionError
from concept_attention.core.runs import Runs
from concept_attention.core.segments import segments
from concept_attention.core.types import Capture, Heatmaps
from concept_attention.nodes import view_files
from concept_attention.nodes.decode import HeatmapDecode
from concept_attention.nodes.viewer import HeatmapViewer
from hosting import pack
from hosting.workflow import to_prompt


def make(batch=1, spans=(1,), steps=2, layers=2, names=("dragon", "rock", "sky"), grid=(4, 3)):
    """A capture of a picture of 56 x 40 under 4 x 3 tokens of 16 pixels, padded."""
    generator = torch.Generator().manual_seed(0)
    tokens = len(spans) * grid[0] * grid[1]
    scores = torch.randn(batch, steps, layers, len(names) + 1, tokens, generator=generator)
    return Capture(
        scores=scores,
        norms=torch.ones(scores.shape[:-1]),
        grid=(len(spans), *grid),
        picture=(grid[0] * 16 - 8, grid[1] * 16 - 8),
        steps=tuple(range(steps)),
        layers=tuple((layer,) for layer in range(layers)),
        sigmas=(1.0,) * steps,
        total_steps=steps,
        total_layers=layers,
        labels=(*names, "background"),
        background=(*(False for _ in names), True),
        family="flux",
        spans=spans,
    )


def pictures(count=1, size=(56, 40)):
    return torch.rand(count, *size, 3, generator=torch.Generator().manual_seed(1))


def folder_of(bundle):
    return Path(folder_paths.get_temp_directory()) / bundle["files"]["subfolder"]


def shown(*args, **inputs):
    return HeatmapViewer.execute(*args, **inputs).ui


@pytest.fixture
def runs(monkeypatch):
    """The record of folders, with room for a few small ones."""
    fresh = Runs(room=30_000)
    monkeypatch.setattr(view_files, "RUNS", fresh)
    return fresh


def test_outputs_are_those_of_heatmap_decode_with_the_same_settings():
    image = pictures(5)
    capture = make(spans=(1, 4))
    choice = {"layers": "1", "steps": "0", "temperature": 0.5, "concept": "sky, dragon"}
    passed, maps, mask = HeatmapViewer.execute(image, capture=capture, **choice).result
    theirs, masks, _ = HeatmapDecode.execute(capture, image=image, **choice).result
    assert passed is image
    assert torch.equal(maps.values, theirs.values) and maps.labels == ("sky", "dragon")
    assert torch.equal(mask, masks)


def test_a_threshold_makes_the_mask_hard():
    capture, image = make(), pictures()
    soft = HeatmapViewer.execute(image, capture=capture).result[2]
    hard = HeatmapViewer.execute(image, capture=capture, threshold=0.3).result[2]
    assert torch.equal(hard, (soft >= 0.3).float())
    assert 0 < hard.mean() < 1


def test_a_threshold_is_a_share_whatever_the_heatmaps_were_stretched_to():
    capture, image = make(), pictures()
    expected = HeatmapViewer.execute(image, capture=capture, threshold=0.3).result[2]
    for normalize in ("none", "shared", "per concept"):
        maps = HeatmapDecode.execute(capture, image=image, normalize=normalize).result[0]
        given, mask = HeatmapViewer.execute(image, heatmaps=maps, threshold=0.3).result[1:]
        assert given is maps
        assert (mask != expected).float().mean() < 0.001  # a rounding at the very threshold


def test_segments_are_those_of_all_concepts_whichever_are_put_out():
    capture, image = make(), pictures()
    for concept in ("", "sky"):
        maps, mask = HeatmapViewer.execute(
            image, capture=capture, concept=concept, threshold=0.9, segments=True
        ).result[1:]
        every = HeatmapDecode.execute(capture, image=image).result[0]
        wins = segments(every).float()
        assert torch.equal(mask, wins[[every.labels.index(label) for label in maps.labels], 0, 0])
    given = HeatmapViewer.execute(image, heatmaps=every, concept="sky", segments=True)
    assert torch.equal(given.result[2], mask)
    assert 0 < mask.mean() < 1


def test_heatmaps_come_with_their_background():
    maps = HeatmapDecode.execute(make(), image=pictures(), normalize="shared").result[0]
    (bundle,) = shown(pictures(), heatmaps=maps)["concept_attention_view"]
    assert bundle["labels"] == [*maps.labels, "background"]
    assert bundle["background"] == [False, False, False, True]
    assert bundle["value_range"] == [*(list(maps.value_range[0]) for _ in maps.labels), [0.0, 1.0]]
    values = np.fromfile(folder_of(bundle) / "scores-00000.f16", "<f2").reshape(4, *bundle["grid"])
    assert values[3] == pytest.approx(maps.background[0, 0].numpy(), abs=1e-3)


def test_smoothing_calms_the_maps():
    plain, calm = (
        HeatmapViewer.execute(pictures(), capture=make(), smoothing=sigma).result[2]
        for sigma in (0.0, 1.0)
    )
    assert calm.std() < plain.std()


def test_the_files_are_the_scores_and_the_pictures():
    capture, image = make(batch=2, spans=(1, 4)), pictures(10)
    ui = shown(image, capture=capture)
    assert all(isinstance(value, list) for value in ui.values())
    (bundle,) = ui["concept_attention_view"]
    assert (bundle["batch"], bundle["spans"], bundle["pictures"]) == (2, [1, 4], 10)
    for item in (0, 9):
        with Image.open(folder_of(bundle) / f"picture-{item:05}.png") as file:
            assert np.array_equal(np.asarray(file), (image[item] * 255).round().byte().numpy())
    for item in (0, 1):
        for frame in (0, 1):
            file = folder_of(bundle) / f"scores-{item * 2 + frame:05}.f16"
            read = torch.from_numpy(np.fromfile(file, "<f2").reshape(2, 2, 4, 12).astype("f4"))
            part = capture.scores[item, ..., frame * 12 : frame * 12 + 12]
            assert (read.softmax(2) - part.softmax(2)).abs().max() < 1e-3


def test_a_picture_for_each_frame_of_the_token_grid_is_enough():
    ui = HeatmapViewer.execute(pictures(2), capture=make(spans=(1, 4)))
    assert ui.ui["concept_attention_view"][0]["spans"] == [1, 1]
    assert ui.result[1].values.shape == (3, 1, 2, 56, 40)
    assert ui.result[2].shape == (6, 56, 40)


def test_the_sheet_is_an_ordinary_picture():
    (record,) = shown(pictures(), capture=make())["concept_attention_sheet"]
    path = Path(folder_paths.get_temp_directory()) / record["subfolder"] / record["filename"]
    assert record["type"] == "temp" and path.suffix == ".png"
    with Image.open(path) as sheet:
        assert min(sheet.size) > 56


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, "capture, heatmaps: neither is connected"),
        ({"capture": True, "heatmaps": True}, "capture, heatmaps: both are connected"),
        ({"heatmaps": True, "layers": "0"}, "layers: '0' needs a capture"),
        ({"heatmaps": True, "steps": "0"}, "steps: '0' needs a capture"),
        ({"heatmaps": True, "temperature": 2.0}, "temperature: '2.0' needs a capture"),
        ({"heatmaps": True, "smoothing": 1.0}, "smoothing: '1.0' needs a capture"),
        ({"capture": True, "image": 3}, "a batch of 3 pictures does not fit"),
        ({"heatmaps": True, "image": 3}, "a batch of 3 pictures does not fit"),
        ({"capture": True, "concept": "cat"}, r"'cat' .* It has: dragon, rock, sky\."),
        ({"capture": True, "layers": "7"}, "layers: '7': this model has 2 layers"),
        ({"capture": True, "image_b": True}, "image_b: it has no capture"),
        ({"capture": True, "capture_b": (8, 3)}, "capture_b: it is of a picture of 40 x 120"),
    ],
)
def test_what_does_not_fit_is_named(inputs, message):
    made = dict(inputs)
    image = pictures(made.pop("image", 1))
    if "capture" in made:
        made["capture"] = make(batch=2)
    if "heatmaps" in made:
        made["heatmaps"] = Heatmaps(torch.rand(3, 2, 1, 56, 40), ("a", "b", "c"), ((0.0, 1.0),))
    if "image_b" in made:
        made["image_b"] = pictures()
    if "capture_b" in made:
        made["capture_b"] = make(grid=made["capture_b"])
    with pytest.raises(ConceptAttentionError, match=message):
        HeatmapViewer.execute(image, **made)


def test_a_second_capture_is_a_second_bundle_at_its_own_defaults():
    other = make(steps=3, layers=5, names=("dragon", "tree"))
    ui = shown(pictures(), capture=make(), capture_b=other, layers="1", concept="sky")
    first, second = ui["concept_attention_view"]
    assert first["chosen"]["layers"] == [1] and first["chosen"]["concepts"] == ["sky"]
    assert second["chosen"]["layers"] == [1, 2, 3, 4] == second["auto"]["layers"]
    assert second["labels"] == ["dragon", "tree", "background"]
    assert folder_of(second).is_dir()


@pytest.mark.parametrize("second", [False, True])
def test_the_message_stays_small(second):
    names = tuple(f"concept number {i}" for i in range(8))
    capture = make(spans=(4,) * 500, steps=1000, layers=60, names=names, grid=(1, 1))
    capture = replace(capture, picture=(8, 8))
    other = {"capture_b": capture} if second else {}
    ui = shown(pictures(size=(8, 8)), capture=capture, steps="0-998", **other)
    assert len(json.dumps(ui)) < 20_000
    for bundle in ui["concept_attention_view"]:
        if more := bundle.get("more"):
            bundle.update(json.loads((folder_of(bundle) / more).read_text(encoding="utf-8")))
        assert bundle["steps"] == list(range(1000)) and len(bundle["spans"]) == 500
    assert ui["concept_attention_view"][0]["chosen"]["steps"] == list(range(999))


def test_equal_content_is_not_written_again():
    (first,) = shown(pictures(), capture=make())["concept_attention_view"]
    before = {path: path.stat().st_mtime_ns for path in folder_of(first).iterdir()}
    (again,) = shown(pictures(), capture=make(), layers="1")["concept_attention_view"]
    assert again["id"] == first["id"]
    assert all(path.stat().st_mtime_ns == time for path, time in before.items())
    (other,) = shown(pictures() * 0.5, capture=make())["concept_attention_view"]
    assert other["id"] != first["id"]


def test_the_least_recently_used_files_go_first_and_a_run_brings_them_back(runs):
    images = [pictures() * share for share in (0.2, 0.4, 0.6, 0.8)]

    def run(image):
        return folder_of(shown(image, capture=make())["concept_attention_view"][0])

    folders = [run(images[0])]
    size = sum(path.stat().st_size for path in folders[0].iterdir())
    runs._room = int(size * 2.5)
    folders.append(run(images[1]))
    assert run(images[0]) == folders[0] and runs.deletions == 0
    before = HeatmapViewer.fingerprint_inputs(concept="")
    folders.append(run(images[2]))
    assert [folder.is_dir() for folder in folders] == [True, False, True]
    assert HeatmapViewer.fingerprint_inputs(concept="") != before
    assert run(images[1]) == folders[1] and folders[1].is_dir()


def test_files_that_someone_deleted_are_written_by_the_next_run(runs):
    (bundle,) = shown(pictures() * 0.3, capture=make())["concept_attention_view"]
    before = HeatmapViewer.fingerprint_inputs(concept="")
    assert HeatmapViewer.fingerprint_inputs(concept="") == before
    shutil.rmtree(folder_of(bundle))
    assert HeatmapViewer.fingerprint_inputs(concept="") != before
    shown(pictures() * 0.3, capture=make())
    assert folder_of(bundle).is_dir()


def test_through_the_server_the_files_are_fetched_by_view(client):
    (example,) = pack.ROOT.glob("example_workflows/Pocket - concept heatmaps.json")
    prompt = to_prompt(json.loads(example.read_text(encoding="utf-8")), client.object_info())
    by_kind = {node["class_type"]: key for key, node in prompt.items()}
    (image,) = [
        node["inputs"]["image"]
        for node in prompt.values()
        if node["class_type"] == "ConceptAttentionOverlay"
    ]
    capture = prompt[by_kind["ConceptAttentionDecode"]]["inputs"]["capture"]
    widgets = {"concept": "", "threshold": 0.0, "layers": "auto", "steps": "auto"}
    inputs = {"image": image, "capture": capture, **widgets, "temperature": 0.0, "smoothing": 0.5}
    prompt["viewer"] = {"class_type": "ConceptAttentionViewer", "inputs": inputs}
    shown = client.wait(client.queue(prompt))["outputs"]["viewer"]
    (bundle,) = shown["concept_attention_view"]
    size = len(bundle["steps"]) * len(bundle["layers"]) * len(bundle["labels"])
    scores = client.view({"filename": "scores-00000.f16", **bundle["files"]})
    values = np.frombuffer(scores, "<f2").reshape(size, *bundle["grid"])
    assert values.max() == 0
    picture = client.view({"filename": "picture-00000.png", **bundle["files"]})
    with Image.open(BytesIO(picture)) as file:
        assert [file.height, file.width] == bundle["size"]
    (record,) = shown["concept_attention_sheet"]
    assert client.view(record).startswith(b"\x89PNG")
