"""Heatmap Decode and Heatmap Overlay inside the host, and the faces of these and the file nodes."""

import inspect
from dataclasses import replace

import pytest
import torch

from concept_attention.core import labels
from concept_attention.core.colormaps import colorize
from concept_attention.core.errors import ConceptAttentionError
from concept_attention.core.types import Capture
from concept_attention.nodes import NODES
from concept_attention.nodes.decode import HeatmapDecode
from concept_attention.nodes.files import LoadCapture, SaveCapture
from concept_attention.nodes.overlay import HeatmapOverlay

from .models import capture_of, node

OURS = [HeatmapDecode, HeatmapOverlay, SaveCapture, LoadCapture]


def make(batch=1, frames=1, names=("dragon", "rock", "sky")):
    """A capture of 2 steps and 2 layers: a picture of 56 x 40 under 4 x 3 tokens of 16 pixels."""
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(batch, 2, 2, len(names) + 1, frames * 12, generator=generator)
    return Capture(
        scores=scores,
        norms=torch.ones(scores.shape[:-1]),
        grid=(frames, 4, 3),
        picture=(56, 40),
        steps=(0, 1),
        layers=((0,), (1,)),
        sigmas=(1.0, 0.5),
        total_steps=2,
        total_layers=2,
        labels=(*names, "background"),
        background=(*(False for _ in names), True),
        family="flux",
    )


@pytest.mark.parametrize("node", OURS)
def test_inputs_are_the_arguments_of_execute_and_all_explain_themselves(node):
    schema = node.define_schema()
    assert node in NODES
    arguments = list(inspect.signature(node.execute).parameters)
    assert sorted(port.id for port in schema.inputs) == sorted(arguments)
    assert all(len(port.tooltip) > 20 for port in (*schema.inputs, *schema.outputs))
    assert schema.description and "heatmap" in schema.search_aliases
    assert schema.category == "Concept Attention"


@pytest.mark.parametrize("node", OURS)
def test_defaults_of_the_schema_are_those_of_execute(node):
    parameters = inspect.signature(node.execute).parameters
    for port in node.define_schema().inputs:
        default = getattr(port, "default", None)
        if default is not None:
            assert parameters[port.id].default == default


def test_decode_gives_maps_masks_and_colours_of_the_pictures_size():
    heatmaps, mask, image = HeatmapDecode.execute(make(batch=2, frames=2)).result
    assert heatmaps.labels == ("dragon", "rock", "sky")
    assert heatmaps.values.shape == (3, 2, 2, 56, 40)
    assert mask.shape == (12, 56, 40) and mask.dtype == torch.float32
    assert torch.equal(mask[7], heatmaps.values[1, 1, 1])
    assert image.shape == (12, 56, 40, 3) and image.dtype == torch.float32
    assert torch.equal(image, colorize(mask, "inferno"))


def test_a_videos_maps_are_those_of_its_frames_and_go_into_a_video():
    capture = capture_of("cog5b")
    assert capture.spans == (1, 4, 4)
    heatmaps, mask, _ = HeatmapDecode.execute(capture, concept="concept 1, concept 0").result
    assert heatmaps.values.shape == (2, 1, 9, 80, 112)
    assert torch.equal(mask[9 + 4], heatmaps.values[1, 0, 4])
    assert all(torch.equal(mask[1], mask[frame]) for frame in (2, 3, 4))
    assert not torch.equal(mask[4], mask[5])
    latent = HeatmapDecode.execute(capture, frames="latent").result[0]
    assert latent.values.shape == (2, 1, 3, 80, 112)
    gliding = HeatmapDecode.execute(capture, frames="interpolated").result[0]
    assert not torch.equal(gliding.values[:, :, 1], gliding.values[:, :, 2])
    frames = torch.rand(9, 80, 112, 3)
    (sheets,) = HeatmapOverlay.execute(frames, heatmaps).result
    assert sheets.shape[0] == 9
    made = node("CreateVideo", images=sheets, fps=8.0)
    assert made.get_dimensions() == (sheets.shape[2], sheets.shape[1])
    with pytest.raises(ConceptAttentionError, match="a batch of 9 pictures does not fit"):
        HeatmapOverlay.execute(frames, latent)


def test_decode_takes_the_size_of_an_image():
    picture = torch.rand(1, 112, 80, 3)
    for interpolation in ("nearest", "bilinear", "bicubic", "edge-guided"):
        result = HeatmapDecode.execute(make(), image=picture, interpolation=interpolation).result
        assert result[1].shape == (3, 112, 80)


def test_edges_of_several_pictures_give_maps_of_their_own():
    pictures = torch.rand(2, 56, 40, 3)
    heatmaps, mask, _ = HeatmapDecode.execute(
        make(), image=pictures, interpolation="edge-guided"
    ).result
    assert heatmaps.values.shape == (3, 2, 1, 56, 40)
    assert not torch.equal(mask[0], mask[1])


def test_decode_says_what_is_wrong_with_its_inputs():
    with pytest.raises(ConceptAttentionError, match="edge-guided needs an image"):
        HeatmapDecode.execute(make(), interpolation="edge-guided")
    with pytest.raises(ConceptAttentionError, match=r"'cat' .* It has: dragon, rock, sky\."):
        HeatmapDecode.execute(make(), concept="dragon, cat")
    with pytest.raises(ConceptAttentionError, match="layers: '5': this model has 2 layers, 0 to 1"):
        HeatmapDecode.execute(make(), layers="5")
    with pytest.raises(ConceptAttentionError, match="batch of 3 pictures"):
        HeatmapDecode.execute(make(batch=2), image=torch.rand(3, 56, 40, 3))


def test_one_concept_is_the_same_map_as_among_all():
    every = HeatmapDecode.execute(make(), normalize="shared").result
    one = HeatmapDecode.execute(make(), normalize="shared", concept="sky").result
    assert one[0].labels == ("sky",)
    assert one[0].value_range == every[0].value_range
    assert torch.equal(one[1], every[1][2:])


def test_temperature_zero_is_the_familys_own():
    auto, one, ten = (
        HeatmapDecode.execute(make(), temperature=value).result[1] for value in (0.0, 1.0, 10.0)
    )
    assert torch.equal(auto, one)
    assert not torch.equal(auto, ten)


def test_decoding_leaves_the_capture_as_it_was():
    capture = make()
    before = capture.scores.clone()
    HeatmapDecode.execute(capture, order="scores first", normalize="per concept")
    assert torch.equal(capture.scores, before)


def test_overlay_draws_on_the_picture():
    heatmaps = HeatmapDecode.execute(make()).result[0]
    result = HeatmapOverlay.execute(torch.rand(1, 56, 40, 3), heatmaps)
    assert result.result[0].ndim == 4 and result.result[0].dtype == torch.float32
    assert result.ui.as_dict() == {"text": ("",)}
    singles = HeatmapOverlay.execute(
        torch.rand(1, 56, 40, 3),
        heatmaps,
        layout="one image per concept",
        labels=False,
        legend=False,
    ).result[0]
    assert singles.shape == (3, 56, 40, 3)


def test_the_node_says_what_numbers_on_the_picture_stand_for(monkeypatch):
    monkeypatch.setattr(labels, "font_folders", list)
    heatmaps = HeatmapDecode.execute(make(names=("dragon", "岩石"))).result[0]
    shown = HeatmapOverlay.execute(torch.rand(1, 56, 40, 3), heatmaps).ui.as_dict()
    assert shown == {"text": ("#2 = 岩石",)}
    plain = HeatmapOverlay.execute(torch.rand(1, 56, 40, 3), heatmaps, labels=False)
    assert plain.ui.as_dict() == {"text": ("",)}  # takes what was said before off the node


def test_a_capture_of_a_padded_picture_is_cut_not_squeezed():
    scores = torch.zeros(1, 2, 2, 4, 12)
    scores[..., 0, 9:] = (
        50.0  # "dragon" fills the last row of tokens: pixels 48 to 63, 8 of them cut
    )
    mask = HeatmapDecode.execute(
        replace(make(), scores=scores), interpolation="nearest", concept="dragon"
    ).result[1]
    assert (mask[0, :, 0] > 0.5).nonzero().flatten().tolist() == list(range(48, 56))
