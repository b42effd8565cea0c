"""Regions of hand-made shares on 2 x 3 tokens, each a pixel of the picture: all of it by hand."""

import pytest
import torch

from concept_attention.core.coco import data_set
from concept_attention.core.errors import ConceptAttentionError
from concept_attention.core.types import Heatmaps

DRAGON = [[0.5, 0.25, 0.25], [0.25, 0.375, 0.75]]
ROCK = [[0.25, 0.25, 0.25], [0.25, 0.25, 0.25]]
BACKGROUND = [[0.25, 0.5, 0.25], [0.5, 0.375, 0.0]]


def regions(background=BACKGROUND, concepts=(DRAGON, ROCK)):
    """Run lengths, area, bbox and score by category."""
    labels = ("dragon", "rock")[: len(concepts)]
    behind = None if background is None else torch.tensor(background)[None, None]
    heatmaps = Heatmaps(torch.tensor(concepts)[:, None, None], labels, ((0.0, 1.0),), behind)
    return {
        each["category_id"]: (
            each["segmentation"]["counts"],
            each["area"],
            each["bbox"],
            each["score"],
        )
        for each in data_set(heatmaps, (2, 3), "run_")["annotations"]
    }


def test_what_the_background_has_as_much_of_belongs_to_no_concept():
    # Of the dragon's places the lower middle one and the upper right one are ties.
    assert regions() == {1: ([0, 1, 4, 1], 2, [0, 0, 3, 2], 0.75)}


def test_of_equal_concepts_the_first_wins():
    assert regions(None) == {1: ([0, 6], 6, [0, 0, 3, 2], 0.75)}
    assert regions(None, (ROCK, DRAGON)) == {
        1: ([1, 2, 1, 1, 1], 3, [0, 0, 3, 2], 0.25),
        2: ([0, 1, 2, 1, 1, 1], 3, [0, 0, 3, 2], 0.75),
    }


def test_a_constant_map_gives_no_concept_anything():
    even = [[0.5] * 3] * 2
    assert regions(even, (even,)) == {}
    third = [[1 / 3] * 3] * 2
    assert regions(third, (third, third)) == {}


def test_a_concept_that_is_alone_has_no_region():
    with pytest.raises(ConceptAttentionError, match=r"export: coco needs two .* 'dragon' is alone"):
        regions(None, (DRAGON,))
