"""Two runs compared, on a grid of 2 x 3: exact figures, matched by label, never invented."""

import json
import math

import pytest
import torch

from concept_attention.core import agreement
from concept_attention.core.compare import Figures, compare, mean_figures
from concept_attention.core.compare_words import as_json, describe
from concept_attention.core.decode import normalized
from concept_attention.core.errors import ConceptAttentionError
from concept_attention.core.types import Heatmaps

WHOLE = ((0.0, 1.0),)
# Shares of "dragon" and "rock"; the background has the rest.
DRAGON = [[0.8, 0.1, 0.1], [0.6, 0.1, 0.1]]
ROCK = [[0.1, 0.1, 0.1], [0.1, 0.7, 0.7]]
MOVED = [[0.1, 0.1, 0.8], [0.1, 0.1, 0.6]]


class WithoutFloat64(torch.Tensor):
    """Numbers as on a device that has none of 64 bits."""

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        if func is torch.Tensor.cpu:
            return args[0].as_subclass(torch.Tensor)
        found = super().__torch_function__(func, types, args, kwargs or {})
        if isinstance(found, cls) and found.dtype == torch.float64:
            raise TypeError("no float64 here")
        return found


def run(*maps, labels=("dragon", "rock"), background=True):
    """One batch item and frame of each map, [C, 1, 1, H, W]."""
    values = torch.tensor(maps)[:, None, None]
    behind = 1 - values.sum(0) if background else None
    return Heatmaps(values, labels, WHOLE, behind)


A = run(DRAGON, ROCK)
B = run(MOVED, ROCK)


def test_maps_of_a_device_without_float64_are_measured_on_the_cpu(monkeypatch):
    def elsewhere(values):
        return values.as_subclass(WithoutFloat64)

    others = [
        Heatmaps(elsewhere(each.values), each.labels, WHOLE, elsewhere(each.background))
        for each in (A, B)
    ]
    with pytest.raises(TypeError, match="no float64"):
        compare(*others)
    monkeypatch.setattr(agreement, "_NO_FLOAT64", ("cpu",))
    assert compare(*others).figures == compare(A, B).figures


def test_a_run_agrees_with_itself():
    for figures in compare(A, A).figures:
        (one,) = figures
        assert (one.correlation, one.iou, one.soft_iou) == pytest.approx((1, 1, 1))
        assert (one.right, one.down, one.moved, one.moved_share) == (0, 0, 0, 0)
        assert (one.mean_difference, one.change) == (0, 0)


def test_figures_of_a_concept_that_moved():
    comparison = compare(A, B)
    assert comparison.labels == ("dragon", "rock")
    ((dragon,), (rock,)) = comparison.figures
    # From 0.3: A (5, -2, -2, 3, -2, -2) / 10 squared 0.5, B the same with its ends swapped.
    assert dragon.correlation == pytest.approx((-10 + 4 - 10 - 6 + 4 - 6) / 50)
    # A wins the first column, B the last; nobody else wins there.
    assert dragon.iou == 0
    assert dragon.soft_iou == pytest.approx(0.6 / 3.0)
    assert (dragon.right, dragon.down, dragon.moved) == pytest.approx((2, 0, 2))
    assert dragon.moved_share == pytest.approx(2 / math.sqrt(13))
    assert dragon.mean_difference == pytest.approx((0.7 * 2 + 0.5 * 2) / 6)
    assert (dragon.share_a, dragon.share_b) == pytest.approx((0.3, 0.3))
    # The dragon's 0.6 does not take the rock's 0.7: it keeps both of its places.
    assert (rock.correlation, rock.iou, rock.soft_iou) == pytest.approx((1, 1, 1))
    difference = comparison.difference[0, 0, 0].flatten().tolist()
    assert difference == pytest.approx([-0.7, 0, 0.7, -0.5, 0, 0.5])
    assert comparison.top == pytest.approx(0.8)
    assert comparison.notes == ()


def test_segments_have_the_background_and_the_concepts_of_their_own_run_as_rivals():
    # Without a background the dragon wins the second and third pixel too: 0.1 is first of equals.
    free = compare(run(DRAGON, ROCK, background=False), A)
    assert free.figures[0][0].iou == pytest.approx(2 / 4)
    assert free.notes == ("A has no background, so its concepts share all of the picture.",)
    # A rival that only B has takes the dragon's second place.
    knight = [[0.0, 0.0, 0.0], [0.65, 0.0, 0.0]]
    lower = [[0.8, 0.1, 0.1], [0.3, 0.1, 0.1]]
    rivals = compare(A, run(lower, ROCK, knight, labels=("dragon", "rock", "knight")))
    assert rivals.figures[0][0].iou == pytest.approx(1 / 2)
    assert rivals.only_b == ("knight",)
    assert rivals.notes[0].startswith("The runs have different concepts")


def test_what_has_no_rival_has_no_segment():
    alone = run(DRAGON, labels=("dragon",), background=False)
    assert compare(alone, alone).figures[0][0].iou is None
    nowhere = [[0.1, 0.1, 0.1], [0.1, 0.1, 0.2]]
    never = run(nowhere, labels=("dragon",))
    assert compare(never, never).figures[0][0].iou is None


def test_a_constant_map_has_no_centre_and_no_correlation():
    flat = [[0.2] * 3] * 2
    (figures,) = compare(run(flat, ROCK), B).figures[0]
    assert figures.correlation is figures.moved is figures.right is figures.moved_share is None
    assert figures.share_a == pytest.approx(0.2)
    assert "no centre to compare" in describe(compare(run(flat, ROCK), B), ("one", "other"))


def test_concepts_are_matched_by_label_and_the_others_are_listed():
    b = run(ROCK, DRAGON, DRAGON, labels=("  ROCK", "sky", "Castle"))
    comparison = compare(A, b)
    assert comparison.labels == ("rock",)
    assert (comparison.only_a, comparison.only_b) == (("dragon",), ("sky", "Castle"))
    assert torch.equal(comparison.a[0], comparison.b[0])
    text = describe(comparison, ("one", "other"))
    assert "Only in A: dragon." in text and "Only in B: sky, Castle." in text
    assert comparison.top == pytest.approx(0.8)  # the dragon's, which is drawn on the same scale


def test_stretched_maps_are_compared_in_softmax_units():
    plain = compare(A, B)
    for way in ("shared", "per concept"):
        stretched = compare(normalized(A, way), normalized(B, "per concept"))
        for one, other in zip(plain.figures, stretched.figures, strict=True):
            assert one[0].share_a == pytest.approx(other[0].share_a)
            assert one[0].mean_difference == pytest.approx(other[0].mean_difference, abs=1e-6)
            assert one[0].iou == other[0].iou


def test_another_grid_is_fitted_to_a_s():
    """4 x 6 against 2 x 3: columns of 0.9, 0.1 and 0.1 twice, smoothed by a tent of 2 pixels."""
    fine = [[0.9, 0.9, 0.1, 0.1, 0.1, 0.1]] * 4
    rest = [[0.1, 0.1, 0.6, 0.6, 0.6, 0.6]] * 4
    comparison = compare(A, run(fine, rest))
    assert comparison.b.shape == (2, 1, 1, 2, 3)
    # At 1 the tent weighs columns 0, 1, 2 by 3, 3 and 1; at 3 columns 1 to 4 by 1, 3, 3, 1.
    dragon = [(6 * 0.9 + 0.1) / 7, (0.9 + 7 * 0.1) / 8, 0.1]
    assert comparison.b[0, 0, 0].flatten().tolist() == pytest.approx(dragon * 2, abs=1e-6)
    assert comparison.figures[0][0].share_b == pytest.approx(sum(dragon) / 3, abs=1e-6)
    assert comparison.notes == ("B's maps, 6 x 4, were fitted to A's, 3 x 2.",)
    larger = compare(run(fine, rest), A)
    assert larger.a.shape == (2, 1, 1, 4, 6)
    assert larger.notes == ("B's maps, 3 x 2, were fitted to A's, 6 x 4.",)


def test_pictures_of_another_shape_are_stretched_and_it_is_said():
    square = run([[0.9, 0.1], [0.1, 0.1]], [[0.1, 0.1], [0.1, 0.9]])
    (note,) = compare(A, square).notes
    assert note.endswith("; the two have different shapes, so B was stretched.")


def test_every_batch_item_and_frame_has_its_figures():
    maps = torch.tensor([DRAGON, MOVED])
    video = Heatmaps(maps[None, None], ("dragon",), WHOLE, 1 - maps[None])  # 1 item, 2 frames
    still = Heatmaps(maps[None, :1, None], ("dragon",), WHOLE, 1 - maps[:1, None])
    comparison = compare(video, still)
    assert [each.moved for each in comparison.figures[0]] == pytest.approx([0, 2])
    assert comparison.difference.shape == (1, 1, 2, 2, 3)
    assert mean_figures(comparison.figures[0]).moved == pytest.approx(1)
    (concept,) = json.loads(as_json(comparison, ("film", "still")))["concepts"]
    assert [(each["item"], each["frame"]) for each in concept["items"]] == [(0, 0), (0, 1)]
    batch = Heatmaps(maps[None, :, None], ("dragon",), WHOLE, 1 - maps[:, None])
    crossed = compare(video, batch)  # each of 2 items with each of 2 frames
    assert [each.moved for each in crossed.figures[0]] == pytest.approx([0, 2, 2, 0])


def test_a_figure_that_some_items_lack_is_the_mean_of_the_others():
    one = Figures(0.5, None, 1.0, 2.0, 0.0, 2.0, 0.1, 0.2, 0.3, 0.4)
    other = Figures(None, None, 0.5, None, None, None, None, 0.4, 0.1, 0.2)
    mean = mean_figures((one, other))
    assert (mean.correlation, mean.iou, mean.soft_iou, mean.moved) == (0.5, None, 0.75, 2.0)
    assert (mean.mean_difference, mean.share_a, mean.change) == pytest.approx((0.3, 0.2, 0.1))


def test_the_words_and_the_json_say_the_same():
    comparison = compare(A, B)
    text = describe(comparison, ("seed 1", "seed 2"))
    assert text.splitlines()[:2] == [
        "A: seed 1. B: seed 2. Compared at 3 x 2 pixels.",
        "dragon: correlation -0.48, segments overlap 0.00 (IoU), soft IoU 0.20, moved 2 px right "
        "(55.5 % of the diagonal), share 30.0 % to 30.0 % of the picture, mean difference 0.400.",
    ]
    assert "centre in the same place" in text.splitlines()[2]
    document = json.loads(as_json(comparison, ("seed 1", "seed 2")))
    assert (document["a"], document["b"]) == ("seed 1", "seed 2")
    assert (document["width"], document["height"]) == (3, 2)
    dragon = document["concepts"][0]
    assert dragon["label"] == "dragon"
    assert dragon["mean"]["correlation"] == pytest.approx(-0.48)
    assert dragon["mean"]["change"] == pytest.approx(0)
    assert document["only_in_a"] == document["only_in_b"] == document["notes"] == []


def test_runs_that_cannot_be_compared_are_refused():
    with pytest.raises(
        ConceptAttentionError,
        match=r"heatmaps_b: none of its concepts is in heatmaps_a\. A has: dragon, rock\. B has: x",
    ):
        compare(A, run(DRAGON, labels=("x",)))
    with pytest.raises(ConceptAttentionError, match="heatmaps_b: 'Rock' and 'rock ' count as one"):
        compare(A, run(DRAGON, ROCK, labels=("Rock", "rock ")))
    maps = torch.rand(2, 3, 1, 2, 3)
    three = Heatmaps(maps, ("dragon", "rock"), WHOLE)
    with pytest.raises(ConceptAttentionError, match="2 batch items do not fit the 3 batch items"):
        compare(three, Heatmaps(maps[:, :2], ("dragon", "rock"), WHOLE))
    film = Heatmaps(maps.transpose(1, 2), ("dragon", "rock"), WHOLE)
    with pytest.raises(ConceptAttentionError, match="3 frames do not fit the 2 frames"):
        compare(Heatmaps(maps[:, :2].transpose(1, 2), ("dragon", "rock"), WHOLE), film)
