"""The arrays and maps that the browser's code is tested with are what core makes."""

import json

import numpy as np
import pytest

from concept_attention.core.view import Settings, view_capture

from . import view_cases

CASES = json.loads((view_cases.FOLDER / "cases.json").read_text(encoding="utf-8"))


def read(case):
    bundle = case["bundle"]
    shape = (len(bundle["steps"]), len(bundle["layers"]), len(bundle["labels"]), *bundle["grid"])
    return np.fromfile(view_cases.FOLDER / case["file"], "<f2").reshape(shape)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["file"])
def test_the_expected_maps_are_those_of_decode(case):
    maps = view_cases.decoded(read(case), case["bundle"], case["selection"])
    assert maps.flatten().tolist() == pytest.approx(case["expected"], abs=1e-6)


@pytest.mark.parametrize("family", view_cases.FAMILIES)
def test_the_stored_arrays_and_bundles_are_those_of_the_export(family):
    view = view_capture(view_cases.capture(family), Settings(), 1, (44, 80))
    stored = [case for case in CASES if case["file"] == f"{family}.f16"]
    assert len(stored) == len(view_cases.SELECTIONS)
    for case in stored:
        assert case["bundle"] == view.bundle
        assert np.array_equal(read(case), view.arrays[0])
