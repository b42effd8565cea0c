"""The figures of motion in `truth_motion` and `truth_video` of tools/, on hand-made maps."""

import pytest
import torch

from truth_motion import centres, correlation, follow, motion_summary, motion_table
from truth_video import over_frames, there, way

WAY = torch.tensor([[1.0, 2.0], [1.0, 4.0], [1.0, 6.0], [1.0, 8.0]])


def test_a_centre_is_that_of_what_is_above_half_of_the_highest_value():
    maps = torch.full((2, 4, 6), 0.4)
    maps[0, 1, 2] = maps[0, 1, 3] = 1
    maps[1, 3, 5] = 1
    assert centres(maps).tolist() == [[1.5, 3.0], [3.5, 5.5]]


def test_a_map_without_values_has_a_centre_too():
    assert centres(torch.zeros(1, 4, 6)).isfinite().all()


def test_correlation_is_along_the_way():
    assert correlation(WAY * 3 + 5, WAY) == pytest.approx(1)
    assert correlation(WAY.flip(0), WAY) == pytest.approx(-1)
    across = WAY.flip(1)  # moves in rows where the other moves in columns
    assert correlation(across, WAY) == pytest.approx(0, abs=1e-6)


def test_what_stands_still_does_not_correlate():
    assert correlation(torch.ones(4, 2), WAY) == 0


def test_distances_are_to_the_own_and_to_the_other_way():
    found = follow(WAY + torch.tensor([3.0, 4.0]), WAY, WAY.flip(0))
    assert found["correlation"] == pytest.approx(1)
    assert found["distance"] == pytest.approx(5)
    assert found["other correlation"] == pytest.approx(-1)


def test_a_way_has_one_place_for_each_latent_frame():
    seen = torch.zeros(5, 4, 12, dtype=torch.bool)
    for frame, column in enumerate((2, 4, 5, 6, 7)):
        seen[frame, 1:3, column] = True
    assert way(seen).tolist() == [[2.0, 2.5], [2.0, 6.0]]


def test_figures_of_a_clip_are_means_over_its_frames_and_highest_peaks():
    truth = torch.zeros(2, 2, 4, 6, dtype=torch.bool)
    truth[0, :, :, :2], truth[1, :, :, 2:] = True, True
    heat = torch.zeros(3, 2, 4, 6)
    heat[:2, 0] = truth[:, 0] * 0.9  # the first frame right, the second wrong
    heat[:2, 1] = truth[:, 1].flip(0) * 0.8
    found = over_frames(heat, truth, [True, False])
    assert found["pixel accuracy"] == pytest.approx(0.5)
    assert found["mIoU"] == pytest.approx(0.5)
    assert found["present"] == pytest.approx([0.9])
    assert found["absent"] == 0


def test_a_thing_is_there_when_half_of_the_frames_show_enough_of_it():
    assert there(torch.tensor([5, 9, 0, 0]))
    assert not there(torch.tensor([5, 4, 0, 0]))


def test_the_table_has_the_kinds_that_there_are():
    figures = [follow(WAY, WAY, WAY.flip(0))]
    rows = [{"output": figures, "chance": figures}] * 3
    text = motion_table("Clips", rows)
    assert "| output space (this pack) | 1.000 (1.000 to 1.000) |" in text
    assert "| -1.000 |" in text
    assert "chance" in text and "value space" not in text
    assert motion_summary(rows) == {
        "correlation, median": 1.0,
        "correlation, mean": 1.0,
        "distance in pixels": 0.0,
    }
