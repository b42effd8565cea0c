"""Compare Heatmaps and Heatmap Timeline inside the host."""

import json

import pytest
import torch

from concept_attention.core import labels
from concept_attention.core.errors import ConceptAttentionError
from concept_attention.nodes.compare import CompareHeatmaps
from concept_attention.nodes.decode import HeatmapDecode
from concept_attention.nodes.pocket import LoadPocketModel
from concept_attention.nodes.timeline import HeatmapTimeline

from .models import capture_of
from .test_decode_nodes import make


def decoded(capture, **options):
    return HeatmapDecode.execute(capture, **options).result[0]


def shown(output):
    (text,) = output.ui.as_dict()["text"]
    return text


def test_a_run_compared_with_itself_differs_nowhere():
    maps = decoded(make())
    output = CompareHeatmaps.execute(maps, maps, image_a=torch.rand(1, 56, 40, 3))
    figure, difference, text_json, text = output.result
    assert figure.shape[0] == 1 and figure.shape[-1] == 3 and figure.dtype == torch.float32
    assert difference.shape == (3, 56, 40, 3)
    assert len(torch.unique(difference.flatten(0, -2), dim=0)) == 1  # one colour: no difference
    document = json.loads(text_json)
    assert [each["mean"]["iou"] for each in document["concepts"]] == [1, 1, 1]
    assert text.startswith("Compared at 40 x 56 pixels.")
    assert shown(output) == text


def test_runs_of_other_families_sizes_and_stretches_are_compared():
    one = decoded(capture_of("cog5b"), normalize="per concept")
    film = CompareHeatmaps.execute(one, one, "first", " ")
    assert film.result[0].shape[0] == 9  # a sheet for each frame
    assert film.result[3].startswith("A: first. B: B. ")
    flux, sd3 = (decoded(capture_of(name)) for name in ("dev", "sd35"))
    text = CompareHeatmaps.execute(flux, sd3).result[3]
    assert "concept 0: correlation" in text
    with pytest.raises(ConceptAttentionError, match="heatmaps_b: 9 frames do not fit the 3 frames"):
        CompareHeatmaps.execute(decoded(capture_of("cog5b"), frames="latent"), one)


def test_a_batch_is_compared_item_by_item():
    maps = decoded(make(batch=2, frames=2))
    figure, difference, text_json, _ = CompareHeatmaps.execute(maps, decoded(make())).result
    assert figure.shape[0] == 4 and difference.shape[0] == 12
    items = json.loads(text_json)["concepts"][0]["items"]
    assert [(each["item"], each["frame"]) for each in items] == [(0, 0), (0, 1), (1, 0), (1, 1)]


def test_numbers_in_the_figure_are_explained_on_the_node(monkeypatch):
    monkeypatch.setattr(labels, "font_folders", list)
    maps = decoded(make(names=("dragon", "岩石")))
    assert shown(CompareHeatmaps.execute(maps, maps)).endswith("#2 = 岩石")
    timeline = HeatmapTimeline.execute(make(names=("岩石",)))
    assert shown(timeline).endswith("#1 = 岩石")


def test_a_timeline_has_a_sheet_a_film_and_curves():
    output = HeatmapTimeline.execute(make(), concept="rock", image=torch.rand(1, 56, 40, 3))
    sheet, film, curves, text_json, text = output.result
    assert sheet.shape[0] == curves.shape[0] == 1
    assert film.shape[0] == 2 and film.shape[2:] == (40, 3)
    assert all(each.dtype == torch.float32 for each in (sheet, film, curves))
    document = json.loads(text_json)
    assert document["concept"] == "rock" and document["answer"] == text == shown(output)
    assert [each["step"] for each in document["steps"]] == [0, 1]
    up_to = HeatmapTimeline.execute(make(), concept="rock", animation="up to each step").result[1]
    assert up_to.shape[0] == 2


def test_a_timeline_of_a_video_is_of_one_frame():
    capture = capture_of("cog5b")  # 3 frames of the grid for 9 of the video
    pictures = torch.rand(9, 80, 112, 3)
    options = {"image": pictures, "truth": torch.ones(9, 80, 112), "layers": "0"}
    found = [HeatmapTimeline.execute(capture, item=item, **options).result for item in (4, 5, 8)]
    numbers = [json.loads(each[3])["steps"] for each in found]
    assert numbers[0] != numbers[1] == numbers[2]  # frames 5 to 8 share a map
    assert not torch.equal(found[1][1], found[2][1])  # over pictures of their own
    with pytest.raises(ConceptAttentionError, match=r"item: 9 .* 1 x 9 frames, 0 to 8"):
        HeatmapTimeline.execute(capture, item=9)
    with pytest.raises(ConceptAttentionError, match="image: a batch of 2 pictures does not fit a"):
        HeatmapTimeline.execute(capture, image=pictures[:2])


def test_the_pocket_model_can_be_loaded_anew_to_be_trained():
    with torch.inference_mode():
        model = LoadPocketModel.execute("FLUX.1").args[0]
        copy = model.clone(force_deepcopy=True)
    ours, theirs = (each.model.diffusion_model.state_dict() for each in (model, copy))
    assert copy.model is not model.model
    assert all(torch.equal(value, theirs[name]) for name, value in ours.items())
    assert not any(value.data_ptr() == theirs[name].data_ptr() for name, value in ours.items())
