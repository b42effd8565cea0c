"""Segmentation as the paper counts it, in `segment_figures` and `segment_totals` of tools/."""

import numpy as np
import pytest
import torch

from evaluation import in_tokens
from segment_figures import average_precision, multi, paper_blur, single
from segment_totals import REPEATS, difference, multi_figures, paper_miou, sampled, single_figures

# A 2 x 3 grid of tokens of 4 pixels each, row by row.
TOTAL = torch.full((6,), 4.0)
HOUSE = torch.tensor([4.0, 2, 0, 0, 0, 1])
SKY = torch.tensor([0.0, 2, 4, 4, 3, 0])
HEAT = torch.tensor(
    [
        [0.8, 0.6, 0.1, 0.1, 0.1, 0.3],
        [0.1, 0.3, 0.8, 0.7, 0.7, 0.2],
        [0.1, 0.1, 0.1, 0.2, 0.2, 0.5],
    ]
)


def test_one_concept_is_where_its_map_is_above_its_mean():
    heat = torch.tensor([0.9, 0.1, 0.1, 0.7, 0.2, 0.1])  # mean 0.35
    own = torch.tensor([4.0, 0, 0, 2, 1, 0])
    found = single(heat, own, TOTAL)
    assert {name: found[name] for name in ("tp", "fp", "fn", "tn")} == {
        "tp": 6,
        "fp": 2,
        "fn": 1,
        "tn": 15,
    }
    # Object and rest together, from the highest score: 16 of 16, 19 of 20, 21 of 24, 23 of 28, ...
    steps = 16 * 16 / 16 + 3 * 19 / 20 + 2 * 21 / 24 + 2 * 23 / 28 + 1 * 24 / 32
    assert found["ap"] == pytest.approx(steps / 24)


def test_a_constant_map_says_nothing_and_has_the_precision_of_chance():
    own = torch.tensor([4.0, 0, 0, 2, 1, 0])
    found = single(torch.full((6,), 0.5), own, TOTAL)
    assert (found["tp"], found["fp"], found["fn"], found["tn"]) == (0, 0, 7, 17)
    assert found["ap"] == pytest.approx((17 * 17 / 24 + 7 * 24 / 48) / 24)


def test_of_several_concepts_the_highest_takes_a_place():
    own = torch.stack([HOUSE, SKY, torch.zeros(6)])
    found = multi(HEAT, own, TOTAL, [0, 1])
    assert (found["right"], found["pixels"]) == (17, 24)
    assert found["inter"] == [6, 11, 0]
    assert found["union"] == [9, 14, 4]
    house = (4 * 1 + 2 * 6 / 8 + 1 * 7 / 12) / 7
    sky = (4 * 1 + 7 * 11 / 12 + 2 * 13 / 16) / 13
    assert found["ap"] == pytest.approx((house + sky) / 2)


def test_places_of_one_score_are_one_step_of_the_precision():
    score = torch.tensor([[0.5, 0.5, 0.1], [0.5, 0.4, 0.1]])
    own = torch.tensor([[1.0, 0, 0], [1.0, 0, 0]])
    assert average_precision(score, own, torch.ones(3)) == [0.5, 1.0]
    assert average_precision(score[:1], torch.zeros(1, 3), torch.ones(3)) == [0.0]


def test_average_precision_by_hand():
    """Ranked: hit, miss, hit. Precision 1 at the first hit, 2 / 3 at the second."""
    score = torch.tensor([[0.9, 0.8, 0.7, 0.1]])
    own = torch.tensor([[True, False, True, False]])
    found = average_precision(score, own, torch.ones(4, dtype=torch.long))
    assert found == pytest.approx([(1 + 2 / 3) / 2])


def test_average_precision_of_a_constant_is_the_share():
    assert average_precision(torch.zeros(1, 8), torch.arange(8)[None] < 2, torch.ones(8)) == [0.25]


def test_the_paper_s_blur_is_three_by_three_and_mirrored():
    dot = torch.tensor([[1.0, 0, 0], [0, 0, 0]])
    side, middle = 0.27406862, 0.45186276
    expected = torch.tensor(
        [
            [middle * middle, side * middle, 0],
            [2 * side * middle, 2 * side * side, 0],
        ]
    )
    assert torch.allclose(paper_blur(dot), expected, atol=1e-6)
    assert torch.allclose(paper_blur(torch.full((2, 2, 3), 0.3)), torch.full((2, 2, 3), 0.3))


def test_the_totals_of_one_class_are_over_the_pixels_of_all_pictures():
    rows = [
        {"tp": 6, "fp": 2, "fn": 1, "tn": 15, "ap": 0.9},
        {"tp": 2, "fp": 0, "fn": 5, "tn": 17, "ap": 0.5},
    ]
    found = single_figures(rows)
    assert found["accuracy"].value == pytest.approx(40 / 48)
    assert found["mIoU"].value == pytest.approx((8 / 16 + 32 / 40) / 2)
    assert found["mAP"].value == pytest.approx(0.7)
    assert found["mAP"].low == pytest.approx(0.5)
    assert found["mAP"].high == pytest.approx(0.9)


def test_the_paper_s_code_has_a_mean_iou_that_follows_from_the_accuracy():
    accuracy = single_figures([{"tp": 6, "fp": 2, "fn": 1, "tn": 15, "ap": 0}])["accuracy"]
    assert paper_miou(accuracy).value == pytest.approx((21 / 24) / (2 - 21 / 24))
    for published, miou in ((0.8307, 0.7104), (0.7492, 0.5990), (0.7875, 0.6495), (0.4593, 0.2981)):
        assert published / (2 - published) == pytest.approx(miou, abs=1e-4)


def test_the_totals_of_several_classes_are_means_over_classes():
    rows = [
        {
            "right": 17,
            "pixels": 24,
            "inter": [6, 11, 0],
            "union": [9, 14, 4],
            "ap": 0.8,
            "classes": ["house", "sky", None],
        },
        {
            "right": 10,
            "pixels": 24,
            "inter": [9, 1, 0],
            "union": [16, 1, 7],
            "ap": 0.6,
            "classes": ["sky", "tree", "house"],
        },
    ]
    found = multi_figures(rows)
    assert found["accuracy"].value == pytest.approx(27 / 48)
    assert found["mIoU"].value == pytest.approx((6 / 16 + 20 / 30 + 1 / 1) / 3)
    assert found["mAP"].value == pytest.approx(0.7)


def test_repeats_draw_the_same_pictures_for_every_figure():
    values = np.arange(5.0)
    sums, counts = sampled(values), sampled(np.ones((5, 1)))
    assert sums[0] == 10
    assert sums.shape == (1 + REPEATS,)
    assert (counts == 5).all()
    rows = [{"tp": i, "fp": 1, "fn": 2, "tn": 3, "ap": i / 5} for i in range(5)]
    one = single_figures(rows)["mAP"]
    none = difference(one, single_figures(rows)["mAP"])
    assert (none.value, none.low, none.high) == (0, 0, 0)


def test_pixels_of_a_token_are_those_that_the_nearest_neighbour_takes():
    mask = np.zeros((5, 7), dtype=bool)
    mask[0, 0] = mask[2, 3] = mask[3, 3] = mask[4, 6] = mask[4, 5] = True
    assert in_tokens(mask, (2, 3)).tolist() == [1, 1, 0, 0, 1, 2]
    every = torch.nn.functional.interpolate(
        torch.arange(6.0).view(1, 1, 2, 3), (5, 7), mode="nearest"
    )
    expected = [(every == token).sum().item() for token in range(6)]
    assert in_tokens(np.ones((5, 7), dtype=bool), (2, 3)).tolist() == expected
