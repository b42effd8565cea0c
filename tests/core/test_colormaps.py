"""The shipped colour tables."""

import pytest
import torch

from concept_attention.core.colormaps import DIVERGING, NAMES, colorize, colorize_signed, table
from concept_attention.core.errors import ConceptAttentionError

# First, middle (128) and last colour, as published.
ENDS = {
    "inferno": [(0, 0, 4), (188, 55, 84), (252, 255, 164)],
    "viridis": [(68, 1, 84), (33, 145, 140), (253, 231, 37)],
    "magma": [(0, 0, 4), (183, 55, 121), (252, 253, 191)],
    "cividis": [(0, 34, 78), (125, 124, 120), (254, 232, 56)],
    "turbo": [(48, 18, 59), (164, 252, 60), (122, 4, 3)],
    "grey": [(0, 0, 0), (128, 128, 128), (255, 255, 255)],
}


@pytest.mark.parametrize("name", NAMES)
def test_tables_are_the_published_ones(name):
    colours = (table(name) * 255).round().int()
    assert colours.shape == (256, 3)
    assert [tuple(colours[i].tolist()) for i in (0, 128, 255)] == ENDS[name]


def test_each_colour_has_an_equal_part():
    values = torch.tensor([[0.0, 1 / 256 - 1e-6, 1 / 256], [0.5, 1 - 1e-6, 1.0]])
    grey = (colorize(values, "grey") * 255).round()
    assert grey.shape == (2, 3, 3)
    assert grey[..., 0].tolist() == [[0, 0, 1], [128, 255, 255]]


def test_inferno_is_the_default():
    assert torch.equal(colorize(torch.tensor([0.3])), colorize(torch.tensor([0.3]), "inferno"))


def test_an_unknown_name_is_named():
    with pytest.raises(ConceptAttentionError, match="colour map: 'jet' is not one of inferno, "):
        table("jet")


def test_signed_values_are_blue_below_and_red_above_black():
    ends = [[158, 176, 255], [25, 12, 9], [255, 173, 173]]
    assert (table(DIVERGING)[[0, 128, 255]] * 255).round().int().tolist() == ends
    drawn = colorize_signed(torch.tensor([-0.7, -0.5, 0.0, 0.5, 0.7]), 0.5)
    expected = [ends[0], ends[0], ends[1], ends[2], ends[2]]
    assert (drawn * 255).round().int().tolist() == expected
