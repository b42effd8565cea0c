"""Masks of hand-made heatmaps: which pixels a method takes, and what becomes of them, exactly."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from concept_attention.core.decode import normalized
from concept_attention.core.errors import ConceptAttentionError
from concept_attention.core.masks import Choice, Cleaning, masks, otsu_threshold, top_threshold
from concept_attention.core.segments import NOBODY, winners
from concept_attention.core.types import Heatmaps

DRAGON = [[0.7, 0.3, 0.1], [0.6, 0.2, 0.2]]
ROCK = [[0.2, 0.5, 0.1], [0.2, 0.3, 0.2]]
BACKGROUND = [[0.1, 0.2, 0.8], [0.2, 0.5, 0.6]]


def maps(dragon=DRAGON, rock=ROCK, background=BACKGROUND):
    """One picture of 2 x 3 pixels: [2, 1, 1, 2, 3]."""
    behind = None if background is None else torch.tensor(background)[None, None]
    values = torch.tensor([dragon, rock])[:, None, None]
    return Heatmaps(values, ("dragon", "rock"), ((0.0, 1.0),), behind)


def single(rows):
    """One concept alone, of one item and one frame."""
    return Heatmaps(torch.tensor(rows)[None, None, None], ("dragon",), ((0.0, 1.0),))


def film(*frames):
    """One concept alone, of one item and several frames: [1, 1, F, H, W]."""
    return Heatmaps(torch.tensor(frames)[None, None], ("dragon",), ((0.0, 1.0),))


def made(heatmaps, method, labels=(), combine="per concept", cleaning=None, **settings):
    return masks(heatmaps, labels, Choice(method, **settings), combine, cleaning)


def plane(mask):
    """The only plane of a mask, as numbers."""
    assert mask.shape[:3] == (1, 1, 1)
    return mask[0, 0, 0].tolist()


def test_a_segmentation_gives_every_pixel_to_the_largest_share_or_to_nobody():
    won = winners(maps())
    assert won.tolist() == [[[[0, 1, NOBODY], [0, NOBODY, NOBODY]]]]
    found = made(maps(), "segmentation")
    assert found.shape == (2, 1, 1, 2, 3) and found.dtype == torch.float32
    assert found[0, 0, 0].tolist() == [[1, 0, 0], [1, 0, 0]]
    assert found[1, 0, 0].tolist() == [[0, 1, 0], [0, 0, 0]]


def test_without_a_background_somebody_has_every_pixel_and_the_first_of_equals_wins():
    assert winners(maps(background=None)).tolist() == [[[[0, 1, 0], [0, 1, 0]]]]


def test_a_share_that_only_equals_the_background_s_wins_nothing():
    third = [[1 / 3] * 3] * 2
    assert (winners(maps(third, third, third)) == NOBODY).all()
    assert made(maps(third, third, third), "segmentation").sum() == 0


def test_concepts_that_are_not_asked_for_still_take_part():
    found = made(maps(background=None), "segmentation", labels=("rock",))
    assert plane(found) == [[0, 1, 0], [0, 1, 0]]
    order = made(maps(), "segmentation", labels=("rock", "dragon"))
    assert torch.equal(order, made(maps(), "segmentation").flip(0))


def test_a_concept_without_a_rival_is_not_segmented():
    with pytest.raises(ConceptAttentionError, match="heatmaps: 'dragon' is alone in them"):
        made(single(DRAGON), "segmentation")
    alone = replace(single(DRAGON), background=torch.tensor(BACKGROUND)[None, None])
    assert plane(made(alone, "segmentation")) == [[1, 1, 0], [1, 0, 0]]


def test_a_threshold_is_absolute_and_reached_by_a_share_that_equals_it():
    assert made(maps(), "threshold", threshold=0.6)[0, 0, 0].tolist() == [[1, 0, 0], [1, 0, 0]]
    assert made(maps(), "threshold", threshold=0.7)[0, 0, 0].tolist() == [[1, 0, 0], [0, 0, 0]]
    assert made(maps(), "threshold", threshold=0.71).sum() == 0


def test_the_mean_is_each_map_s_own():
    found = made(maps(), "mean")  # 0.35 and 0.25
    assert found[0, 0, 0].tolist() == [[1, 0, 0], [1, 0, 0]]
    assert found[1, 0, 0].tolist() == [[0, 1, 0], [0, 1, 0]]


def test_otsu_parts_two_groups_where_their_variance_is_largest():
    rows = [[0.1, 0.1, 0.2, 0.2, 0.1, 0.1], [0.1, 0.6, 0.7, 0.2, 0.1, 0.1]]
    assert plane(made(single(rows), "otsu")) == [[0] * 6, [0, 1, 1, 0, 0, 0]]
    # By hand: five 0 and three 1; every border between them is as good, the first is taken.
    assert otsu_threshold(np.array([0.0] * 5 + [1.0] * 3)) == 1 / 256
    # Groups of 0, 0.5 and 1: 4 below and 3 above gain 12 * 0.83 ** 2, 5 and 2 gain 10 * 0.9 ** 2.
    assert otsu_threshold(np.array([0.0] * 4 + [0.5] + [1.0] * 2)) < 0.5


def test_otsu_s_threshold_has_the_largest_variance_of_all():
    values = np.random.default_rng(0).beta(2, 5, (40, 60))
    counts, edges = np.histogram(values, 256)
    middles = (edges[1:] + edges[:-1]) / 2

    def between(border):
        parts = [(counts[:border], middles[:border]), (counts[border:], middles[border:])]
        means = [np.average(where, weights=count) for count, where in parts]
        sizes = [count.sum() for count, _ in parts]
        return sizes[0] * sizes[1] * (means[0] - means[1]) ** 2

    best = max(range(1, 256), key=between)
    assert otsu_threshold(values) == edges[best]


def test_the_top_percent_are_that_many_pixels_rounded_down():
    rows = [[0.1, 0.2, 0.3, 0.4, 0.5, 0.6], [0.7, 0.8, 0.9, 0.15, 0.25, 0.35]]
    for percent, count in ((0, 0), (8, 0), (8.4, 1), (25, 3), (99, 11), (100, 12)):
        found = made(single(rows), "top-k", top_percent=percent)
        assert found.sum() == count
    assert plane(made(single(rows), "top-k", top_percent=25)) == [[0] * 6, [1, 1, 1, 0, 0, 0]]


def test_equal_shares_are_all_in_the_top_or_none_of_them():
    rows = [[0.9, 0.5, 0.5], [0.5, 0.1, 0.1]]
    assert plane(made(single(rows), "top-k", top_percent=50)) == [[1, 0, 0], [0, 0, 0]]
    assert plane(made(single(rows), "top-k", top_percent=67)) == [[1, 1, 1], [1, 0, 0]]
    assert top_threshold(np.array([0.5, 0.5, 0.1, 0.1]), 25) == np.inf


def test_soft_is_the_share_itself_whatever_the_maps_were_stretched_to():
    assert torch.equal(made(maps(), "soft"), maps().values)
    for stretch in ("shared", "per concept"):
        stretched = normalized(maps(), stretch)
        assert not torch.equal(stretched.values, maps().values)
        assert torch.allclose(made(stretched, "soft"), maps().values, atol=1e-6)
        for method in ("segmentation", "mean", "otsu"):
            assert torch.equal(made(stretched, method), made(maps(), method))


@pytest.mark.parametrize("method", ["mean", "otsu", "top-k"])
@pytest.mark.parametrize("level", [0.0, 0.1, 1 / 3, 1.0])
def test_a_constant_map_has_no_strongest_part(method, level):
    flat = torch.full((1, 1, 1, 40, 60), level)
    assert made(Heatmaps(flat, ("dragon",), ((0.0, 1.0),)), method).sum() == 0
    rounding = flat * (1 + 1e-7 * torch.rand(flat.shape, generator=torch.manual_seed(0)))
    assert made(Heatmaps(rounding, ("dragon",), ((0.0, 1.0),)), method).sum() == 0


def test_an_empty_mask_stays_empty():
    cleaning = Cleaning(fill_holes=True, smallest_percent=1.0, grow=3, feather=2.0)
    for grow in (3, -3):
        found = made(maps(), "threshold", cleaning=replace(cleaning, grow=grow), threshold=0.95)
        assert found.shape == (2, 1, 1, 2, 3) and found.sum() == 0


def test_a_video_s_frames_are_measured_together_and_batch_items_each_on_their_own():
    strong, faint = [[0.9, 0.8, 0.1], [0.1, 0.1, 0.1]], [[0.3, 0.1, 0.1], [0.1, 0.1, 0.1]]
    together = film(strong, faint)
    apart = replace(together, values=together.values.transpose(1, 2))
    whole = [[1, 1, 0], [0, 0, 0]]
    corner, empty = [[1, 0, 0], [0, 0, 0]], [[0, 0, 0], [0, 0, 0]]
    for method in ("mean", "otsu"):
        frames, items = made(together, method), made(apart, method)
        assert frames.shape == (1, 1, 2, 2, 3) and items.shape == (1, 2, 1, 2, 3)
        assert frames[0, 0, 0].tolist() == items[0, 0, 0].tolist() == whole
        assert items[0, 1, 0].tolist() == corner
    # The mean of both frames is 0.24, so the second has its corner too; Otsu parts 0.3 from 0.8.
    assert made(together, "mean")[0, 0, 1].tolist() == corner
    assert made(together, "otsu")[0, 0, 1].tolist() == empty
    assert made(together, "top-k", top_percent=100 / 6)[0, 0].tolist() == [whole, empty]
    assert made(apart, "top-k", top_percent=100 / 6 + 1e-6)[0, 1, 0].tolist() == corner


def test_the_union_is_the_maximum_and_comes_before_the_cleaning():
    assert plane(made(maps(), "segmentation", combine="combined")) == [[1, 1, 0], [1, 0, 0]]
    soft = made(maps(), "soft", combine="combined")
    assert torch.equal(soft, maps().values.amax(0, keepdim=True))
    # Two halves of one pixel each are one component of two.
    two = Cleaning(smallest_percent=100 / 3)
    left, right = [[0.9, 0.0, 0.0], [0.0] * 3], [[0.0, 0.9, 0.0], [0.0] * 3]
    halves = maps(left, right, None)
    assert made(halves, "threshold", cleaning=two).sum() == 0
    assert plane(made(halves, "threshold", combine="combined", cleaning=two)) == [
        [1, 1, 0],
        [0, 0, 0],
    ]


def test_the_order_is_holes_then_components_then_growing_then_the_feather():
    ring = [
        [0, 1, 1, 1, 0, 0],
        [0, 1, 0, 1, 0, 0],
        [0, 1, 1, 1, 0, 0],
        [0, 0, 0, 0, 0, 1],
    ]
    shown = single([[0.9 * each for each in row] for row in ring])
    # 9 of 24 pixels with the hole, 8 without: 37.5 % and 33.3 %.
    kept = Cleaning(fill_holes=True, smallest_percent=37.5)
    full = [[0, 1, 1, 1, 0, 0]] * 3 + [[0] * 6]
    assert plane(made(shown, "threshold", cleaning=kept)) == full
    unfilled = replace(kept, fill_holes=False)
    assert made(shown, "threshold", cleaning=unfilled).sum() == 0
    grown = made(shown, "threshold", cleaning=replace(kept, grow=1))
    assert plane(grown) == [[1, 1, 1, 1, 1, 0]] * 3 + [[0, 1, 1, 1, 0, 0]]
    # The speck in the corner went before it could grow.
    shrunk = made(shown, "threshold", cleaning=replace(kept, grow=-1))
    assert plane(shrunk) == [[0, 0, 1, 0, 0, 0]] * 2 + [[0] * 6] * 2
    soft = made(shown, "threshold", cleaning=replace(kept, grow=1, feather=0.5))
    assert 0 < soft[0, 0, 0, 0, 5] < 0.2 and soft.max() <= 1


def test_a_soft_mask_grows_by_its_shares_and_has_no_holes_and_no_components():
    grown = made(maps(), "soft", labels=("dragon",), cleaning=Cleaning(grow=1))
    expected = torch.tensor([[0.7, 0.7, 0.3], [0.7, 0.6, 0.2]])
    assert torch.equal(grown[0, 0, 0], expected)
    for name, cleaning in (
        ("fill_holes", Cleaning(fill_holes=True)),
        ("smallest_percent", Cleaning(smallest_percent=1.0)),
    ):
        with pytest.raises(ConceptAttentionError, match=f"{name}: the masks of the method soft"):
            made(maps(), "soft", cleaning=cleaning)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"choice": Choice("edges")}, "method: 'edges' is not one of"),
        ({"choice": Choice(threshold=1.5)}, "threshold: 1.5 is not between 0 and 1"),
        ({"choice": Choice(threshold=float("nan"))}, "threshold: nan is not between 0 and 1"),
        ({"choice": Choice(top_percent=101)}, "top_percent: 101 is not between 0 and 100"),
        ({"combine": "both"}, "combine: 'both' is not one of"),
        ({"cleaning": Cleaning(smallest_percent=-1)}, "smallest_percent: -1 is not between"),
        ({"cleaning": Cleaning(feather=-1)}, "feather: -1 is not 0 pixels or more"),
        ({"labels": ("cat",)}, "concept: 'cat' is not in this capture. It has: dragon, rock"),
    ],
)
def test_a_bad_setting_is_named(settings, message):
    with pytest.raises(ConceptAttentionError, match=message):
        masks(maps(), **settings)


def test_the_heatmaps_are_left_as_they_were():
    given = maps()
    before = given.values.clone()
    found = made(given, "soft", cleaning=Cleaning(feather=2.0))
    made(given, "soft").zero_()
    assert torch.equal(given.values, before) and not torch.equal(found, before)
