"""Scores, vectors and heatmaps are those of the paper's reference implementation."""

from pathlib import Path

import pytest

import golden

from .models import formula

FOLDER = Path(__file__).resolve().parents[1] / "golden"
COG = ("cogvideox_2b", "cogvideox_5b", "cogvideox_15")
FILES = ("flux1_dev", "flux1_schnell", "flux2", "sd3_large", "sd3_medium", *COG)
KINDS = {
    "out",
    "picture changed",
    "scores",
    "scores, centred",
    "concept_out",
    "image_out",
    "heatmap",
}


@pytest.mark.parametrize("name", FILES)
def test_golden_numbers(name):
    meta, errors = golden.compare(FOLDER / f"{name}.safetensors", formula)
    assert meta["name"] == name
    assert set(errors) == KINDS
    assert errors.pop("picture changed") == 0.0
    assert max(errors.values()) <= golden.LIMIT


def test_the_comparison_would_notice_another_model():
    """One number of the weights changed: the comparison is not blind."""

    class Changed:
        load = staticmethod(formula.load)

        @staticmethod
        def weights(*args):
            state_dict = formula.weights(*args)
            state_dict["double_blocks.0.txt_attn.qkv.weight"][0, 0] += 0.5
            return state_dict

    _, errors = golden.compare(FOLDER / "flux1_dev.safetensors", Changed)
    assert errors["scores, centred"] > golden.LIMIT
    assert errors["concept_out"] > golden.LIMIT
