"""Holes, components, discs and soft edges, on grids small enough to see."""

import numpy as np
import pytest

from concept_attention.core.shapes import (
    feathered,
    grown,
    grown_soft,
    without_holes,
    without_small,
)


def plane(*rows):
    """A plane as one draws it: # is in the shape."""
    return np.array([[mark == "#" for mark in row] for row in rows])


def drawn(made):
    return ["".join(".#"[int(value)] for value in row) for row in made]


def test_a_hole_is_what_a_shape_encloses_and_a_bay_is_not():
    made = without_holes(plane("###.#.", "#.#.##", "###...", "......"))
    assert drawn(made) == ["###.#.", "###.##", "###...", "......"]


def test_a_diagonal_line_closes_a_hole_and_its_pixels_are_one_component():
    ring = plane(".#....", "#.#...", ".#....", "......")
    assert drawn(without_holes(ring)) == [".#....", "###...", ".#....", "......"]
    assert drawn(without_small(ring, 4)) == drawn(ring)
    assert drawn(without_small(ring, 5)) == ["......"] * 4


def test_components_below_the_smallest_area_go_and_one_of_just_that_area_stays():
    three = plane("#..##.", "...#..", "#.....", "#.....")
    assert drawn(without_small(three, 2)) == ["...##.", "...#..", "#.....", "#....."]
    assert drawn(without_small(three, 3)) == ["...##.", "...#..", "......", "......"]
    assert drawn(without_small(three, 0)) == drawn(three)


def test_a_shape_grows_by_a_disc_and_shrinks_by_one():
    dot = plane(".....", ".....", "..#..", ".....", ".....", ".....")
    assert drawn(grown(dot, 1)) == [".....", "..#..", ".###.", "..#..", ".....", "....."]
    two = ["..#..", ".###.", "#####", ".###.", "..#..", "....."]
    assert drawn(grown(dot, 2)) == two
    assert drawn(grown(plane(*two), -2)) == drawn(dot)
    assert drawn(grown(plane(*two), -3)) == ["....."] * 6


def test_nothing_shrinks_from_the_border():
    assert drawn(grown(plane("##....", "##....", "##...."), -1)) == ["#.....", "#.....", "#....."]


@pytest.mark.parametrize("pixels", [5, -5])
@pytest.mark.parametrize("value", [0, 1])
def test_an_empty_plane_stays_empty_and_a_full_one_full(pixels, value):
    constant = np.full((4, 6), value)
    for change in (lambda x: grown(x, pixels), without_holes, lambda x: without_small(x, 3)):
        assert np.array_equal(change(constant == 1), constant)
    soft = constant.astype(np.float32)
    assert np.array_equal(grown_soft(soft, pixels), soft)
    assert np.allclose(feathered(soft, 5.0), soft, rtol=0, atol=1e-6)


@pytest.mark.parametrize("pixels", [-40, -3, -2, -1, 0, 1, 2, 3, 5, 7, 40])
def test_a_soft_plane_grows_by_the_same_disc(pixels):
    shape = np.random.default_rng(1).random((19, 26)) > 0.9
    shape = shape if pixels > 0 else ~shape
    assert np.array_equal(grown_soft(shape.astype(np.float32), pixels), grown(shape, pixels))


def test_a_soft_plane_takes_the_largest_or_the_smallest_share_nearby():
    soft = np.array([[0.1, 0.2, 0.3], [0.9, 0.4, 0.5]], dtype=np.float32)
    larger = np.array([[0.9, 0.4, 0.5], [0.9, 0.9, 0.5]], dtype=np.float32)
    assert np.array_equal(grown_soft(soft, 1), larger)
    smaller = np.array([[0.1, 0.1, 0.2], [0.1, 0.2, 0.3]], dtype=np.float32)
    assert np.array_equal(grown_soft(soft, -1), smaller)


def test_a_feather_is_a_gaussian_that_keeps_the_area_inside_the_picture():
    soft = np.zeros((31, 41), dtype=np.float32)
    soft[15, 20] = 1.0
    made = feathered(soft, 1.0)
    assert made.sum() == pytest.approx(1.0, abs=1e-5)
    assert made[15, 21] / made[15, 20] == pytest.approx(np.exp(-0.5), abs=1e-5)
    assert made[15, 25] == 0  # beyond 4 sigma
    assert np.array_equal(feathered(soft, 0.0), soft)
