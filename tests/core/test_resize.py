"""From tokens to pixels, on grids that are not square and cover more than the picture."""

from dataclasses import replace

import pytest
import torch

from concept_attention.core.errors import ConceptAttentionError
from concept_attention.core.resize import common_batch, covered, resize, resized
from concept_attention.core.types import Heatmaps

MODES = ["nearest", "bilinear", "bicubic", "edge-guided"]


@pytest.mark.parametrize(
    ("grid", "picture", "pixels"),
    [
        ((64, 64), (1024, 1024), (1024, 1024)),
        ((13, 9), (200, 136), (208, 144)),  # tokens of 16: padded by 8
        ((8, 8), (120, 120), (128, 128)),  # 120 / 8 is whole, and yet padded
        ((2, 3), (24, 40), (32, 48)),
        ((1, 3), (8, 48), (16, 48)),
        ((25, 17), (200, 136), (200, 136)),  # tokens of 8
        ((7, 10), (200, 320), (224, 320)),  # tokens of 32
        ((12, 12), (48, 48), (48, 48)),  # tokens of 4
        ((2, 9), (16, 18), (16, 18)),  # tokens of 8 x 2: not square, stretched
    ],
)
def test_the_pixels_that_a_grid_covers(grid, picture, pixels):
    assert covered(grid, picture) == pixels


def test_tokens_lie_where_their_pixels_are():
    rows = torch.arange(13.0)[:, None].expand(13, 9) / 13
    tall = (resize(rows, (200, 136), "nearest", picture=(200, 136))[:, 0] * 13).round()
    assert tall[[0, 15, 16, 175, 176, 199]].tolist() == [0, 0, 1, 10, 11, 12]
    columns = torch.arange(9.0).expand(13, 9) / 9
    wide = (resize(columns, (200, 136), "nearest", picture=(200, 136))[0] * 9).round()
    assert wide[[0, 15, 16, 127, 128, 135]].tolist() == [0, 0, 1, 7, 8, 8]


def test_tokens_lie_where_they_are_at_another_size_too():
    rows = torch.arange(13.0)[:, None].expand(13, 9) / 13
    half = (resize(rows, (100, 68), "nearest", picture=(200, 136))[:, 0] * 13).round()
    assert half[[0, 7, 8, 87, 88, 99]].tolist() == [0, 0, 1, 10, 11, 12]


def test_bilinear_runs_straight_between_the_tokens_centres():
    row = torch.tensor([[0.0, 0.5, 1.0]])
    assert resize(row, (1, 6)).tolist() == [[0.0, 0.125, 0.375, 0.625, 0.875, 1.0]]
    # Tokens of 16 pixels have their centres at 8, 24 and 40, pixel i its own at i + 0.5.
    long = resize(row, (8, 40), picture=(8, 40))
    assert long.shape == (8, 40)
    assert long[0, [7, 8, 23, 24, 39]].tolist() == pytest.approx(
        [0.0, 1 / 64, 31 / 64, 33 / 64, 63 / 64]
    )


def test_bicubic_does_not_leave_the_range():
    edge = torch.tensor([[0.0, 0.0, 1.0, 1.0]]).expand(3, 4)
    sized = resize(edge, (24, 32), "bicubic")
    assert sized.min() == 0 and sized.max() == 1


def test_smaller_is_a_mean():
    checks = (torch.arange(8)[:, None] + torch.arange(12)).remainder(2).float()
    assert resize(checks, (2, 3))[0, 1] == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("size", [(200, 136), (208, 144), (13, 9), (5, 7), (1, 1), (333, 77)])
def test_any_size_from_a_padded_grid(mode, size):
    maps = torch.rand(3, 2, 1, 13, 9, generator=torch.Generator().manual_seed(0))
    image = torch.rand(2, 200, 136, 3, generator=torch.Generator().manual_seed(1))
    sized = resize(maps, size, mode, (200, 136), image)
    assert sized.shape == (3, 2, 1, *size)
    assert sized.min() >= 0 and sized.max() <= 1


def step_picture(column, height=32, width=48):
    """Dark to the left of a column, light from it on."""
    return (
        (torch.arange(width) >= column)
        .float()
        .expand(1, height, width)[..., None]
        .repeat(1, 1, 1, 3)
    )


def test_edge_guided_puts_the_maps_edge_on_the_pictures():
    maps = torch.tensor([[0.0, 0.5, 1.0]]).expand(1, 2, 3)
    for column in (20, 28):
        sized = resize(maps, (32, 48), "edge-guided", (32, 48), step_picture(column))
        jumps = sized[0, 16].diff()
        assert jumps.argmax() == column - 1
        assert jumps.max() > 0.3
    assert resize(maps, (32, 48), "bilinear", (32, 48))[0, 16].diff().max() < 0.04


def test_edge_guided_keeps_a_sum_of_one():
    share = torch.rand(1, 13, 9, generator=torch.Generator().manual_seed(0)) * 0.2 + 0.4
    image = torch.rand(1, 200, 136, 3, generator=torch.Generator().manual_seed(1))
    both = resize(torch.cat((share, 1 - share)), (200, 136), "edge-guided", (200, 136), image)
    assert both.sum(0).sub(1).abs().max() < 1e-4


def test_edge_guided_leaves_a_constant_map_constant():
    image = torch.rand(1, 32, 48, 3, generator=torch.Generator().manual_seed(1))
    sized = resize(torch.full((1, 2, 3), 0.25), (32, 48), "edge-guided", (32, 48), image)
    assert sized.sub(0.25).abs().max() < 1e-5


def test_every_batch_item_follows_its_own_picture():
    maps = torch.tensor([[0.0, 0.5, 1.0]]).expand(2, 2, 1, 2, 3)  # C B F H W
    pictures = torch.cat((step_picture(20), step_picture(28)))
    sized = resize(maps, (32, 48), "edge-guided", (32, 48), pictures)
    for concept in (0, 1):
        for item, column in enumerate((20, 28)):
            assert sized[concept, item, 0, 16].diff().argmax() == column - 1


def test_what_is_missing_or_does_not_fit_is_named():
    maps = torch.rand(3, 2, 3)
    with pytest.raises(ConceptAttentionError, match="edge-guided needs an image"):
        resize(maps, (32, 48), "edge-guided")
    with pytest.raises(ConceptAttentionError, match="interpolation: 'lanczos' is not one of"):
        resize(maps, (32, 48), "lanczos")
    with pytest.raises(ConceptAttentionError, match="image: 2 pictures do not fit 3 maps"):
        resize(maps, (32, 48), "edge-guided", (32, 48), torch.rand(2, 32, 48, 3))
    with pytest.raises(ConceptAttentionError, match=r"batch of 3 pictures .* heatmaps of 2 "):
        common_batch(3, 2)


def test_one_serves_all():
    assert [common_batch(*pair) for pair in ((1, 1), (1, 5), (5, 1), (4, 4))] == [1, 5, 5, 4]


def test_heatmaps_are_resized_with_their_background():
    maps = Heatmaps(torch.rand(2, 1, 1, 2, 3), ("dragon", "rock"), ((0.0, 1.0),))
    maps = replace(maps, background=1 - maps.values.amax(0))
    sized = resized(maps, (32, 48), "bilinear", (32, 48))
    assert sized.values.shape == (2, 1, 1, 32, 48)
    assert torch.equal(sized.background, resize(maps.background, (32, 48), "bilinear", (32, 48)))
    pictures = torch.rand(4, 32, 48, 3)
    guided = resized(maps, (32, 48), "edge-guided", (32, 48), pictures)
    assert guided.values.shape == (2, 4, 1, 32, 48)
    assert guided.background.shape == (4, 1, 32, 48)
    assert resized(replace(maps, background=None), (4, 6)).background is None
