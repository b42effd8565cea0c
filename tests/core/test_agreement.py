"""Numbers between maps, each computed by hand on a grid of 2 x 3."""

import math

import pytest
import torch

from concept_attention.core.agreement import (
    average_precision,
    centre,
    constant,
    correlation,
    iou,
    soft_iou,
)

A = torch.tensor([[0.0, 0.2, 0.4], [0.0, 0.2, 0.4]])
FLAT = torch.full((2, 3), 0.25)


def mask(*rows):
    return torch.tensor(rows, dtype=torch.bool)


def test_correlation_is_pearson_s():
    assert float(correlation(A, 2 * A + 0.1)) == pytest.approx(1)
    assert float(correlation(A, 1 - A)) == pytest.approx(-1)
    # A's columns -1, 0, 1 against -1, 2, -1 from the mean: 0.
    b = torch.tensor([[0.0, 0.3, 0.0], [0.0, 0.3, 0.0]])
    assert float(correlation(A, b)) == pytest.approx(0)
    # (-1, 0, 1) and (0, 0, 1) less its mean: 1 / sqrt(2 * 2/3)
    c = torch.tensor([[0.0, 0.0, 0.9], [0.0, 0.0, 0.9]])
    assert float(correlation(A, c)) == pytest.approx(math.sqrt(3) / 2)


def test_a_constant_map_has_no_correlation_and_no_centre_even_after_rounding():
    rounded = FLAT + torch.tensor([[0, 1, 0], [0, 0, 1]]) * 3e-8
    for flat in (FLAT, rounded):
        assert bool(constant(flat))
        assert math.isnan(correlation(A, flat)) and math.isnan(correlation(flat, A))
        assert bool(centre(flat).isnan().all())


def test_iou_of_segments():
    assert float(iou(mask((1, 1, 0), (0, 0, 0)), mask((0, 1, 1), (0, 0, 1)))) == 0.25
    assert float(iou(mask((1, 1, 0), (0, 0, 0)), mask((0, 0, 0), (0, 0, 1)))) == 0
    assert math.isnan(iou(mask((0, 0, 0), (0, 0, 0)), mask((0, 0, 0), (0, 0, 0))))


def test_soft_iou_is_the_smaller_over_the_larger():
    b = torch.tensor([[0.4, 0.2, 0.0], [0.4, 0.2, 0.0]])
    assert float(soft_iou(A, b)) == pytest.approx(0.4 / 2.0)
    assert float(soft_iou(A, A)) == 1
    assert math.isnan(soft_iou(torch.zeros(2, 3), torch.zeros(2, 3)))


def test_the_centre_is_that_of_what_is_above_half_of_the_peak():
    # 0.2 is half of 0.4, not above it: only the last column is left.
    assert centre(A).tolist() == [1.0, 2.5]
    b = torch.tensor([[0.0, 0.0, 0.0], [0.6, 0.0, 0.3001]])
    row, column = centre(b).tolist()
    assert row == 1.5
    assert column == pytest.approx((0.6 * 0.5 + 0.3001 * 2.5) / 0.9001)
    assert centre(torch.stack((A, b))).shape == (2, 2)


def test_average_precision_counts_equal_pixels_together():
    truth = mask((0, 0, 1), (0, 0, 1))
    assert float(average_precision(A, truth)) == 1
    # Falling: 0.4 twice (0 of 2 right), 0.2 twice (1 of 4), 0.0 twice (2 of 6).
    other = mask((1, 1, 0), (0, 0, 0))
    assert float(average_precision(A, other)) == pytest.approx(0.5 * 1 / 4 + 0.5 * 2 / 6)
    assert float(average_precision(FLAT, truth)) == pytest.approx(2 / 6)
    assert math.isnan(average_precision(A, mask((0, 0, 0), (0, 0, 0))))
