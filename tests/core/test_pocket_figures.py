"""The figures of `tools/bench_truth.py` on hand-made maps."""

import pytest
import torch

from truth_figures import (
    interval,
    judge,
    picture_auc,
    pooled,
    pooled_auc,
    table,
)

TRUTH = torch.zeros(2, 4, 6, dtype=torch.bool)
TRUTH[0, :, :2] = True
TRUTH[1, :, 2:] = True


def heat(first, second, absent):
    """Maps on the picture's own grid: no resizing."""
    return torch.stack(
        [torch.as_tensor(m, dtype=torch.float32).expand(4, 6) for m in (first, second, absent)]
    )


def test_perfect_maps_are_perfect():
    found = judge(heat(TRUTH[0] * 0.9, TRUTH[1] * 0.8, 0.1), TRUTH, [True, False])
    assert found["pixel accuracy"] == found["mIoU"] == found["things' IoU"] == found["mAP"] == 1
    assert found["present"] == pytest.approx([0.9])
    assert found["absent"] == pytest.approx(0.1)


def test_pixels_claimed_by_the_absent_concept_are_wrong():
    absent = torch.zeros(4, 6)
    absent[0] = 1
    found = judge(heat(TRUTH[0] * 0.9, TRUTH[1] * 0.8, absent), TRUTH, [True, False])
    assert found["pixel accuracy"] == pytest.approx(18 / 24)
    assert found["mIoU"] == pytest.approx(0.75)


def test_intersection_over_union_by_hand():
    """The first concept claims columns 0 to 2: 8 right of 12 claimed, 4 taken from the second."""
    claim = torch.zeros(4, 6)
    claim[:, :3] = 1
    found = judge(heat(claim, 0.5, 0.0), TRUTH, [True, False])
    assert found["things' IoU"] == pytest.approx(8 / 12)
    assert found["mIoU"] == pytest.approx((8 / 12 + 12 / 16) / 2)


def test_pixels_of_no_concept_are_left_out():
    truth = TRUTH.clone()
    truth[:, 3] = False
    wrong_there = TRUTH[0] * 0.9
    wrong_there[3] = 1
    assert judge(heat(wrong_there, TRUTH[1] * 0.8, 0.1), truth, [True, True])["mIoU"] == 1


def test_an_interval_holds_its_figure():
    figure, low, high = interval([[True], [True, False], [True, True, True]], pooled)
    assert figure == pytest.approx(5 / 6)
    assert 0.5 <= low <= figure <= high <= 1


def test_present_peaks_are_compared_with_any_picture_s_absent_one_or_their_own():
    figures = [{"present": [0.9, 0.3], "absent": 0.3}, {"present": [0.2], "absent": 0.1}]
    assert picture_auc(figures) == pytest.approx((1 + 0.5 + 1) / 3)
    assert pooled_auc(figures) == pytest.approx((2 + 1.5 + 1) / 6)


def test_the_table_has_a_row_for_every_kind_of_map():
    one = judge(heat(TRUTH[0] * 0.9, TRUTH[1] * 0.8, 0.1), TRUTH, [True, False])
    row = dict.fromkeys(("output", "cross_plain", "cross_rope", "value", "chance"), one)
    text = table("Title", [row, row])
    assert text.count("1.000 (1.000 to 1.000)") == 30
    assert "**Title**" in text
    assert "| cross-attention |" not in text
