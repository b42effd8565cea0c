"""The pictures, maps and colours that the browser's code is tested with are what core makes."""

import json

import numpy as np
import pytest

from concept_attention.core import colormaps

from . import paint_cases


def stored(name):
    return json.loads((paint_cases.FOLDER / name).read_text(encoding="utf-8"))


def test_the_painted_pictures_are_those_of_blend():
    made, kept = paint_cases.painted(), stored(paint_cases.PAINT)
    assert {**made, "cases": None} == {**kept, "cases": None}
    assert len(made["cases"]) == len(kept["cases"])
    for one, other in zip(made["cases"], kept["cases"], strict=True):
        assert (one["table"], one["opacity"]) == (other["table"], other["opacity"])
        # A value between two bytes may be rounded either way on another processor.
        assert np.abs(np.subtract(one["expected"], other["expected"])).max() <= 1


def test_the_resized_maps_are_those_of_resize():
    made, kept = paint_cases.resized(), stored(paint_cases.RESIZE)
    assert len(made) == len(kept)
    for one, other in zip(made, kept, strict=True):
        assert one["expected"] == pytest.approx(other["expected"], abs=2e-6)
        assert {**one, "expected": None} == {**other, "expected": None}


def test_the_winners_are_those_of_the_segments():
    assert paint_cases.won() == stored(paint_cases.WINNERS)


def test_the_hues_are_those_of_the_live_maps():
    for one, other in zip(paint_cases.coloured(), stored(paint_cases.HUES), strict=True):
        assert one == pytest.approx(other, abs=0.01)


def test_the_browser_s_colour_tables_are_the_shipped_ones():
    path = paint_cases.FOLDER.parents[2] / "web" / "data" / "colormaps.bin"
    tables = np.load(paint_cases.FOLDER.parents[2] / "core" / "data" / "colormaps.npy")
    assert tables.shape == (len(colormaps.NAMES), 256, 3)
    assert path.read_bytes() == tables.astype(np.uint8).tobytes()
