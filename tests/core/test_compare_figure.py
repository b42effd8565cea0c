"""The figure of a comparison: what is drawn where, and in which colour."""

import pytest
import torch

from concept_attention.core.colormaps import colorize, colorize_signed
from concept_attention.core.compare import compare
from concept_attention.core.compare_figure import Look, differences, figure
from concept_attention.core.errors import ConceptAttentionError
from concept_attention.core.types import Heatmaps

WHOLE = ((0.0, 1.0),)


def run(values, labels=("dragon", "rock")):
    values = torch.tensor(values)
    return Heatmaps(values, labels, WHOLE, 1 - values.sum(0))


def halves(left, right):
    """A map of 64 x 96 with one share in each half, so that its panel of 96 is not resized."""
    return [[[[left] * 48 + [right] * 48] * 64]]


A = run([*[halves(0.8, 0.1)], *[halves(0.1, 0.4)]])
B = run([*[halves(0.3, 0.6)], *[halves(0.1, 0.4)]])


def left_of(sheet, colour):
    """First column of the sheet in which a colour is."""
    hit = torch.isclose(sheet, colour, atol=1e-4).all(-1).any(0)
    return int(hit.nonzero()[0]) if bool(hit.any()) else None


def test_a_row_has_both_maps_on_one_scale_and_their_difference():
    sheet = figure(compare(A, B), Look(panel=96))[0, 60:110]  # the dragon's panels
    shares = [(0.8, 0), (0.3, 1), (0.6, 1)]  # 0.8 is the largest share: the end of the scale
    columns = [left_of(sheet, colorize(torch.tensor(share / 0.8))) for share, _ in shares]
    signed = [left_of(sheet, colorize_signed(torch.tensor(d), 0.8)) for d in (-0.5, 0.5)]
    assert None not in columns + signed
    # Panels of 96 with gaps of 12.
    assert columns + signed == [12, 120, 168, 228, 276]


def test_without_another_range_full_colour_is_the_largest_share():
    comparison = compare(A, B)
    drawn = differences(comparison, 0.0)
    assert drawn.shape == (2, 64, 96, 3)
    assert torch.equal(drawn, colorize_signed(comparison.difference.flatten(0, 2), 0.8))
    assert torch.equal(drawn[1], colorize_signed(torch.zeros(64, 96), 1.0))  # the rock is the same
    faint = differences(comparison, 0.5)
    ends = torch.tensor([-0.5, 0.5])
    assert torch.allclose(faint[0, 0, [0, -1]], colorize_signed(ends, 0.5))


def test_pictures_are_shown_plain_and_under_their_maps():
    red = torch.tensor([1.0, 0.0, 0.0])
    blue = torch.tensor([0.0, 0.0, 1.0, 0.5])  # with an alpha channel
    comparison = compare(A, B)
    (bare,) = figure(comparison, Look(panel=96))
    (sheet,) = figure(
        comparison, Look(panel=96), red.expand(1, 20, 30, 3), blue.expand(1, 64, 96, 4)
    )
    assert sheet.shape[0] > bare.shape[0]
    assert left_of(sheet, red) < left_of(sheet, blue[:3])
    (one,) = figure(comparison, Look(panel=96), image_b=blue.expand(1, 64, 96, 4))
    assert left_of(one, red) is None and left_of(one, blue[:3]) is not None


def test_every_batch_item_or_frame_has_a_sheet():
    maps = torch.tensor([[halves(0.8, 0.1)[0], halves(0.1, 0.8)[0]]])  # C, B, F, H, W
    two = Heatmaps(maps, ("dragon",), WHOLE, 1 - maps[0])
    film = Heatmaps(maps.transpose(1, 2), ("dragon",), WHOLE, 1 - maps[0].transpose(0, 1))
    for runs in ((two, two), (film, film)):
        sheets = figure(compare(*runs), Look(panel=96))
        assert sheets.shape[0] == 2
        assert not torch.equal(sheets[0], sheets[1])
    pictures = torch.rand(2, 64, 96, 3)
    assert figure(compare(two, A), Look(panel=96), pictures, pictures[:1]).shape[0] == 2
    with pytest.raises(
        ConceptAttentionError,
        match=r"image_b: a batch of 3 pictures does not fit 2 compared .* Give 1 or 2",
    ):
        figure(compare(two, two), Look(panel=96), image_b=torch.rand(3, 64, 96, 3))


@pytest.mark.parametrize("size", [(1, 200), (200, 1), (2, 3), (90, 160)])
def test_maps_of_every_shape_are_drawn(size):
    values = torch.rand(2, 1, 1, *size) / 2
    one = Heatmaps(values, ("a concept with a name that is far too long", "岩石"), WHOLE)
    other = Heatmaps(values.flip(0), ("岩石", "another concept that is not in the first"), WHOLE)
    drawn = figure(compare(one, other), Look(("a long name " * 9, "B"), 64))
    assert drawn.min() >= 0 and drawn.max() <= 1


def test_a_look_out_of_range_is_refused():
    with pytest.raises(ConceptAttentionError, match="panel: 32 pixels are fewer than 64"):
        figure(compare(A, B), Look(panel=32))
    with pytest.raises(ConceptAttentionError, match=r"difference_range: 1\.5 is not between 0"):
        differences(compare(A, B), 1.5)
