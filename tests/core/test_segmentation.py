"""The segmentation as a picture: whose pixel has whose hue, and what the legend says."""

import pytest
import torch

from concept_attention.core.coverage import coverage, percent
from concept_attention.core.errors import ConceptAttentionError
from concept_attention.core.hues import hues
from concept_attention.core.segmentation import segmentation
from concept_attention.core.types import Heatmaps

DARK = torch.tensor([24.0, 24.0, 27.0]) / 255


def maps(items=1, height=2, width=3):
    """Three concepts: the upper row is theirs, what lies below the background's."""
    values = torch.full((3, items, 1, height, width), 0.2)
    for place in range(3):
        values[place, ..., 0, place] = 0.6
    background = torch.full((items, 1, height, width), 0.3)
    return Heatmaps(values, ("dragon", "rock", "sky"), ((0.0, 1.0),), background)


def test_every_pixel_has_the_hue_of_its_winner_and_nobody_s_is_dark():
    drawn = segmentation(maps(), legend=False)
    assert drawn.shape == (1, 2, 3, 3) and drawn.dtype == torch.float32
    assert torch.equal(drawn[0, 0], hues(3))
    assert torch.equal(drawn[0, 1], DARK.expand(3, 3))


def test_the_hues_lie_over_the_picture_in_grey():
    image = torch.rand(1, 2, 3, 3)
    drawn = segmentation(maps(), image, 0.25, legend=False)
    grey = (image * torch.tensor([0.299, 0.587, 0.114])).sum(-1, keepdim=True)
    faded = 0.75 * image + 0.25 * grey
    colours = torch.stack((hues(3), DARK.expand(3, 3)))
    assert torch.allclose(drawn[0], 0.75 * faded[0] + 0.25 * colours, atol=1e-6)
    assert torch.equal(segmentation(maps(), image, 0.0, legend=False), image)
    alone = segmentation(maps(), legend=False)
    assert torch.equal(segmentation(maps(), image, 1.0, legend=False), alone)
    with_alpha = torch.cat((image, torch.zeros(1, 2, 3, 1)), dim=-1)
    assert torch.equal(segmentation(maps(), with_alpha, 0.25, legend=False), drawn)


@pytest.mark.parametrize(("pictures", "items"), [(1, 4), (4, 1), (4, 4)])
def test_a_single_picture_or_map_serves_all(pictures, items):
    assert segmentation(maps(items), torch.rand(pictures, 2, 3, 3)).shape[0] == 4
    with pytest.raises(ConceptAttentionError, match="a batch of 3 pictures does not fit"):
        segmentation(maps(4), torch.rand(3, 2, 3, 3))


def test_the_legend_has_a_chip_for_every_concept_and_one_for_the_background():
    drawn = segmentation(maps(height=60, width=90))
    assert torch.equal(drawn[:, :60], segmentation(maps(height=60, width=90), legend=False))
    legend = drawn[0, 60:].flatten(0, 1)
    for hue in hues(3):
        assert (legend == hue).all(-1).sum() >= 64
    entries = drawn.shape[1] - 60
    without = maps(height=60, width=90)
    without = Heatmaps(without.values, without.labels, without.value_range)
    assert segmentation(without).shape[1] - 60 < entries


def test_the_legend_counts_each_item_s_own_pixels():
    two = maps(items=2, height=60, width=120)
    assert torch.equal(*(segmentation(two)[item, 60:] for item in (0, 1)))
    two.values[0, 1] = 0.9
    assert not torch.equal(*(segmentation(two)[item, 60:] for item in (0, 1)))


def test_a_concept_without_a_rival_wins_nothing():
    alone = Heatmaps(torch.rand(1, 1, 1, 60, 90), ("dragon",), ((0.0, 1.0),))
    drawn = segmentation(alone)
    assert torch.equal(drawn[0, :60], DARK.expand(60, 90, 3))
    assert drawn[0, 60:].max() > 0.8  # it is named all the same


@pytest.mark.parametrize("size", [(4, 6), (16, 24), (40, 600), (300, 40)])
def test_the_legend_fits_every_size(size):
    drawn = segmentation(maps(height=size[0], width=size[1]))
    assert drawn.shape[2] == size[1] and drawn.shape[1] > size[0]
    assert drawn.min() >= 0 and drawn.max() <= 1


def test_an_opacity_outside_its_range_is_named():
    with pytest.raises(ConceptAttentionError, match="opacity: nan is not between 0 and 1"):
        segmentation(maps(), opacity=float("nan"))


@pytest.mark.parametrize(
    ("part", "text"),
    [(0.0, "0 %"), (1e-7, "<0.1 %"), (0.5, "50.0 %"), (0.9996, "99.9 %"), (1 - 1e-8, "100 %")],
)
def test_a_part_in_percent(part, text):
    assert percent(part) == text


def test_coverage_names_every_mask_and_the_empty_ones():
    half = torch.tensor([[[1.0, 1.0, 0.0], [1.0, 0.0, 0.0]]])
    lines = coverage([half, 0 * half, torch.stack((half, 1 + 0 * half))], ["a", "b", "c"])
    assert lines.splitlines() == ["a: 50.0 %", "b: 0 % (empty)", "c: 75.0 % (50.0 % to 100 %)"]
