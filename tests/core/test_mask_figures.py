"""The figures of masks, by hand."""

import pytest
import torch

import bench_masks


def test_intersection_over_union_and_what_an_absent_thing_gets():
    truth = torch.tensor([[[1, 1, 0], [0, 0, 0]], [[0, 0, 0], [1, 1, 1]]]).bool()
    masks = torch.tensor(
        [
            [[1, 0, 0], [1, 0, 0]],  # one pixel of three
            [[0, 0, 0], [1, 1, 1]],
            [[0, 0, 0], [0, 0, 0]],
            [[1, 1, 1], [0, 0, 0]],
        ]
    ).float()
    figures = bench_masks.judge(masks, truth, [True, False])
    assert figures == pytest.approx(((1 / 3 + 1) / 2, 1 / 3, 0.5, 0.25))


def test_a_soft_mask_is_judged_by_smaller_and_larger_values():
    truth = torch.tensor([[[1, 0, 0], [0, 0, 0]]]).bool()
    masks = torch.full((2, 2, 3), 0.5)
    figures = bench_masks.judge(masks, truth, [True])
    assert figures == pytest.approx((0.5 / 3.5, 0.5 / 3.5, 0.0, 0.5))


def test_the_table_has_a_row_for_each_way_with_intervals():
    rows = [{"otsu": (1.0, 0.5, 0.0, 0.25)}] * 3
    last = bench_masks.table("Masks", rows).strip().splitlines()[-1]
    assert last.startswith("| otsu | 1.000 (1.000 to 1.000) | 0.500 (0.500 to 0.500) |")
