"""The gaussian on the token grid, on hand-made numbers."""

import math

import pytest
import torch

from concept_attention.core.errors import ConceptAttentionError
from concept_attention.core.smooth import smooth

SIGMA = 1 / 3  # a radius of one token
BESIDE = math.exp(-4.5)  # what a neighbour weighs against 1


def test_a_value_is_shared_with_its_neighbours_and_the_weights_at_a_border_sum_to_1():
    maps = torch.tensor([[0.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    row = torch.tensor([BESIDE, 1.0]) / (1 + BESIDE)  # two rows: each is at a border
    column = torch.tensor([BESIDE / (1 + BESIDE), 1 / (1 + 2 * BESIDE), BESIDE / (1 + BESIDE)])
    assert torch.allclose(smooth(maps, SIGMA), row[:, None] * column, atol=1e-7)


@pytest.mark.parametrize("sigma", [0.1, 0.5, 1.0, 4.0])
def test_constant_maps_stay_and_shares_still_sum_to_1(sigma):
    assert torch.allclose(smooth(torch.full((2, 3), 0.25), sigma), torch.full((2, 3), 0.25))
    shares = torch.rand(1, 3, 2, 7, 5, generator=torch.Generator().manual_seed(0)).softmax(1)
    assert torch.allclose(smooth(shares, sigma).sum(1), torch.ones(1, 2, 7, 5))


def test_nothing_beyond_three_sigma_counts():
    maps = torch.zeros(1, 9)
    maps[0, 4] = 1
    assert smooth(maps, 1.0)[0].gt(0).tolist() == [False, *[True] * 7, False]


def test_zero_and_a_tiny_sigma_leave_the_maps():
    maps = torch.rand(2, 3)
    assert smooth(maps, 0.0) is maps
    assert torch.equal(smooth(maps, 1e-200), maps)


@pytest.mark.parametrize("sigma", [-0.1, math.inf, math.nan])
def test_what_is_no_width_is_an_error(sigma):
    with pytest.raises(ConceptAttentionError, match=f"smoothing: {sigma} is not a number"):
        smooth(torch.rand(2, 3), sigma)
