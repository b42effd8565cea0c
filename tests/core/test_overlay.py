"""Heatmaps over pictures: exact colours, exact places, every batch item its own."""

import pytest
import torch

from concept_attention.core.colormaps import colorize
from concept_attention.core.errors import ConceptAttentionError
from concept_attention.core.overlay import Style, columns, font_pixels, overlay
from concept_attention.core.types import Heatmaps

BARE = Style(labels=False, legend=False)


def heatmaps(values, labels=("dragon", "岩石"), pairs=((0.0, 1.0),)):
    return Heatmaps(values, labels, pairs)


def scene(items=1, height=40, width=60, concepts=2, frames=1):
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(items, height, width, 3, generator=generator)
    values = torch.rand(concepts, items, frames, height, width, generator=generator)
    return image, values


def bare(**changes):
    return Style(**{"labels": False, "legend": False, **changes})


def test_one_image_per_concept_is_concept_major_and_keeps_the_size():
    image, values = scene(items=3)
    drawn = overlay(image, heatmaps(values), bare(layout="one image per concept", opacity=0.25))
    assert drawn.shape == (6, 40, 60, 3)
    grey = 0.299 * image[2, ..., :1] + 0.587 * image[2, ..., 1:2] + 0.114 * image[2, ..., 2:]
    faded = 0.75 * image[2] + 0.25 * grey
    expected = 0.75 * faded + 0.25 * colorize(values[1, 2, 0])
    assert torch.allclose(drawn[5], expected, atol=1e-6)


def test_opacity_reaches_from_the_picture_to_the_map():
    image, values = scene()
    alone = [
        overlay(image, heatmaps(values), bare(layout="one image per concept", opacity=opacity))
        for opacity in (0.0, 1.0)
    ]
    assert torch.equal(alone[0], torch.cat((image, image)))
    assert torch.equal(alone[1], colorize(values[:, 0, 0]))


def test_a_sheet_has_the_plain_picture_first_and_then_every_concept():
    image, values = scene(height=40, width=60)
    sheet = overlay(image, heatmaps(values), bare(opacity=1.0, colormap="grey"))
    margin = round(font_pixels(40, 60) * 0.8)
    assert margin == 10
    # Three panels of 60 x 40: two columns, two rows.
    assert sheet.shape == (1, 3 * 10 + 2 * 40, 3 * 10 + 2 * 60, 3)
    assert torch.equal(sheet[0, 10:50, 10:70], image[0])
    assert torch.equal(sheet[0, 10:50, 80:140], colorize(values[0, 0, 0], "grey"))
    assert torch.equal(sheet[0, 60:100, 10:70], colorize(values[1, 0, 0], "grey"))
    empty = (sheet[0, 60:100, 80:140] * 255).round()
    assert torch.equal(empty, torch.tensor([24.0, 24.0, 27.0]).expand(40, 60, 3))


def test_every_batch_item_and_frame_has_its_own_sheet():
    _, values = scene(items=2, frames=3)
    image, _ = scene(items=6)
    sheets = overlay(image, heatmaps(values), bare(opacity=1.0))
    assert sheets.shape[0] == 6
    for item in range(6):
        assert torch.equal(sheets[item, 10:50, 10:70], image[item])
        expected = colorize(values[0, item // 3, item % 3])
        assert torch.equal(sheets[item, 10:50, 80:140], expected)


@pytest.mark.parametrize(("pictures", "items"), [(1, 4), (4, 1)])
def test_a_single_picture_or_map_serves_all(pictures, items):
    image, _ = scene(items=pictures)
    _, values = scene(items=items)
    assert overlay(image, heatmaps(values), BARE).shape[0] == 4


def test_batches_that_do_not_fit_are_an_error_with_both_sizes():
    image, _ = scene(items=3)
    _, values = scene(items=2)
    with pytest.raises(ConceptAttentionError, match=r"batch of 3 pictures .* heatmaps of 2 "):
        overlay(image, heatmaps(values), BARE)


def test_maps_of_another_size_are_fitted_to_the_picture():
    image, _ = scene(height=40, width=60)
    _, values = scene(height=4, width=6)
    drawn = overlay(image, heatmaps(values), bare(layout="one image per concept"))
    assert drawn.shape == (2, 40, 60, 3)


def test_an_alpha_channel_is_left_out():
    image, values = scene()
    image = torch.cat((image, torch.zeros(1, 40, 60, 1)), dim=-1)
    assert overlay(image, heatmaps(values), BARE).shape[-1] == 3


@pytest.mark.parametrize("size", [(16, 24), (40, 600), (256, 256), (300, 40)])
@pytest.mark.parametrize("layout", ["sheet", "one image per concept"])
@pytest.mark.parametrize("pairs", [((0.0, 1.0),), ((0.0, 1.0), (0.013, 0.4))])
def test_labels_and_legend_fit_every_size(size, layout, pairs):
    image, values = scene(height=size[0], width=size[1])
    style = Style(layout=layout)
    drawn = overlay(image, heatmaps(values, pairs=pairs), style)
    assert drawn.dtype == torch.float32
    assert drawn.min() >= 0 and drawn.max() <= 1
    assert drawn.shape[0] == (1 if layout == "sheet" else 2)
    assert drawn.shape[1] > size[0]


def test_labels_are_above_and_the_legend_below_the_picture():
    image, values = scene(height=200, width=200)
    image.zero_()
    style = Style(layout="one image per concept", opacity=0.0)
    drawn = overlay(image, heatmaps(values), style)[0]
    head = (drawn.shape[0] - 200) // 2
    assert torch.equal(drawn[head : head + 200], image[0])
    assert drawn[:head].max() > 0.8  # the label's ink
    bar = drawn[head + 200 :].flatten(0, 1)
    assert (bar == colorize(torch.tensor(1.0))).all(1).any()  # the colour map's last colour


def test_each_concepts_own_range_is_written_beside_its_label():
    image, values = scene(height=200, width=300)
    one = overlay(image, heatmaps(values), Style(legend=False))
    own = overlay(image, heatmaps(values, pairs=((0.0, 0.5), (0.1, 0.9))), Style(legend=False))
    assert one.shape == own.shape
    assert not torch.equal(one, own)


@pytest.mark.parametrize(
    ("panels", "size", "count"),
    [
        (2, (100, 100), 2),
        (3, (100, 100), 3),
        (4, (100, 100), 2),
        (5, (100, 100), 3),
        (9, (100, 100), 3),
        (5, (100, 200), 2),
        (5, (200, 100), 5),
        (4, (100, 800), 1),
    ],
)
def test_columns_make_a_sheet_of_pleasant_shape(panels, size, count):
    assert columns(panels, *size) == count


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"opacity": 1.5}, "opacity: 1.5 is not between 0 and 1"),
        ({"opacity": float("nan")}, "opacity: nan is not between 0 and 1"),
        ({"layout": "grid"}, "layout: 'grid' is not one of"),
        ({"colormap": "jet"}, "colour map: 'jet' is not one of"),
    ],
)
def test_a_bad_choice_is_named(change, message):
    image, values = scene()
    with pytest.raises(ConceptAttentionError, match=message):
        overlay(image, heatmaps(values), Style(**change))
