"""A place in words: the viewer's own words, at the places where the viewer says them."""

import re

import pytest
import torch

from concept_attention.core.report.words import COLUMNS, EVERYWHERE, ROWS, place
from hosting import pack

VIEWER = (pack.ROOT / "web" / "viewer" / "words.mjs").read_text(encoding="utf-8")


def at(*places):
    """A map of 3 x 6 with these places at 1."""
    values = torch.zeros(3, 6)
    for row, column in places:
        values[row, column] = 1
    return values


@pytest.mark.parametrize(
    ("where", "words"),
    [  # those of tests/web/words.test.mjs
        ((0, 0), "upper left"),
        ((0, 2), "upper centre"),
        ((0, 5), "upper right"),
        ((1, 1), "middle left"),
        ((1, 3), "middle centre"),
        ((1, 4), "middle right"),
        ((2, 0), "lower left"),
        ((2, 3), "lower centre"),
        ((2, 5), "lower right"),
    ],
)
def test_a_place_is_one_of_nine(where, words):
    assert place(at(where)) == words


def test_a_map_without_form_is_everywhere():
    assert place(torch.full((3, 6), 0.1)) == EVERYWHERE
    assert place(torch.zeros(3, 6)) == EVERYWHERE
    assert place(at((0, 0), (2, 5))) == EVERYWHERE


def test_the_words_are_those_of_the_viewer():
    for name, words in (("ROWS", ROWS), ("COLUMNS", COLUMNS)):
        (found,) = re.findall(rf"const {name} = \[(.*)\];", VIEWER)
        assert tuple(re.findall(r'"(\w+)"', found)) == words
    assert "const SPREAD = 0.85;" in VIEWER and f'"{EVERYWHERE}"' in VIEWER
