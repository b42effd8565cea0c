"""The figures of the report's benchmark: exact for scores that a person can count."""

import pytest
import torch

from report_figures import _iou
from report_rates import Rates

# Two pictures: scores of what is there, and of what is not.
ROWS = [([0.9, 0.5], [0.1, 0.5]), ([0.4], [0.6, 0.2])]


def test_auc_counts_the_pairs_of_all_pictures_and_of_each():
    rates = Rates(ROWS)
    # 0.9 above all 4; 0.5 above 0.1 and 0.2 and level with 0.5; 0.4 above 0.1 and 0.2
    assert rates.pooled_auc()[0] == pytest.approx((4 + 2.5 + 2) / 12)
    # within the first: 1, 1, 1, 0.5; within the second: 0, 1
    assert rates.picture_auc()[0] == pytest.approx(4.5 / 6)


def test_errors_at_a_threshold():
    rates = Rates(ROWS)
    assert rates.false_absent(0.5)[0] == pytest.approx(1 / 3)
    assert rates.false_present(0.5)[0] == pytest.approx(2 / 4)


def test_the_best_threshold_has_the_fewest_errors():
    assert Rates([([0.8, 0.7], [0.3]), ([0.9], [0.2, 0.1])]).best_threshold() == 0.51
    assert 0.2 < Rates(ROWS).best_threshold() <= 0.4


def test_an_interval_holds_its_figure_and_is_a_point_where_pictures_agree():
    generator = torch.Generator().manual_seed(0)
    drawn = torch.rand(40, 4, generator=generator).tolist()
    value, low, high = Rates([([a + 0.2, b], [c, d]) for a, b, c, d in drawn]).pooled_auc()
    assert low < value < high and high - low < 0.3
    assert Rates([([0.9], [0.1])] * 5).pooled_auc() == (1.0, 1.0, 1.0)


def test_boxes_are_compared_by_what_they_share():
    assert _iou((0, 0, 4, 2), (2, 0, 4, 2)) == pytest.approx(4 / 12)
    assert _iou((0, 0, 1, 1), (3, 3, 1, 1)) == 0
