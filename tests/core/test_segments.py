"""Segments of hand-made shares on a grid of 2 x 3 tokens."""

from dataclasses import replace

import torch

from concept_attention.core.decode import normalized
from concept_attention.core.segments import places_won, rivals, segments, strongest
from concept_attention.core.types import Heatmaps

DRAGON = [[0.5, 0.2, 0.4], [0.1, 0.3, 0.6]]
ROCK = [[0.3, 0.6, 0.4], [0.2, 0.3, 0.1]]
BACKGROUND = [[0.2, 0.2, 0.2], [0.7, 0.4, 0.3]]


def maps(background=True):
    return Heatmaps(
        torch.tensor([DRAGON, ROCK])[:, None, None],
        ("dragon", "rock"),
        ((0.0, 1.0),),
        torch.tensor(BACKGROUND)[None, None] if background else None,
    )


def test_a_place_belongs_to_its_strongest_concept_or_to_none():
    dragon, rock = segments(maps())[:, 0, 0].int().tolist()
    assert dragon == [[1, 0, 1], [0, 0, 1]]  # of equal shares the first counts
    assert rock == [[0, 1, 0], [0, 0, 0]]


def test_without_a_background_every_place_belongs_to_a_concept():
    dragon, rock = segments(maps(background=False))[:, 0, 0].int().tolist()
    assert dragon == [[1, 0, 1], [0, 1, 1]]
    assert rock == [[0, 1, 0], [1, 0, 0]]


def test_a_place_that_the_background_has_as_much_of_belongs_to_no_concept():
    tied = replace(maps(), background=maps().shares.amax(0))
    assert not bool(segments(tied).any())


def test_a_stretch_changes_no_segment():
    for normalize in ("shared", "per concept"):
        assert torch.equal(segments(normalized(maps(), normalize)), segments(maps()))


def test_the_largest_of_several_backgrounds_competes():
    shares = torch.tensor([BACKGROUND, DRAGON, ROCK, ROCK])
    shown, background = rivals(shares, (True, False, True, False))
    assert shown.tolist() == torch.tensor([DRAGON, ROCK]).tolist()
    assert background.tolist() == torch.tensor([[0.3, 0.6, 0.4], [0.7, 0.4, 0.3]]).tolist()
    assert strongest(shown, background).tolist() == [[0, -1, -1], [-1, -1, 0]]
    assert rivals(shares, (False,) * 4)[1] is None


def test_winners_are_stronger_than_all_others_and_the_background():
    shares = torch.tensor([[[0.5, 0.2, 0.1], [0.4, 0.1, 0.3]], [[0.3, 0.3, 0.1], [0.4, 0.1, 0.6]]])
    assert places_won(strongest(shares, None), 2).tolist() == [
        [[True, False, True], [True, True, False]],
        [[False, True, False], [False, False, True]],
    ]
    behind = torch.tensor([[0.2, 0.5, 0.8], [0.2, 0.8, 0.1]])
    assert places_won(strongest(shares, behind), 2).tolist() == [
        [[True, False, False], [True, False, False]],
        [[False, False, False], [False, False, True]],
    ]
