"""The picture of a live preview: which pixel has which colour, and how often it is drawn."""

import pytest
import torch

from concept_attention.core.colormaps import colorize
from concept_attention.core.decode import decode
from concept_attention.core.errors import ConceptAttentionError
from concept_attention.core.hues import hues
from concept_attention.core.labels import line_height
from concept_attention.core.live import Throttle, chosen, draw
from concept_attention.core.overlay import Style, blend, font_pixels
from concept_attention.core.types import Capture

LABELS = ("house", "tree", "background")
HIDDEN = (False, False, True)
# Who is strongest on a grid of 2 x 3: house, tree, background above; tree, tree, house below.
WINNERS = torch.tensor([[0, 1, 2], [1, 1, 0]])
SIZE = (42, 63)  # drawn with a longest side of 63, 21 pixels for each token
# The middles of the six tokens, where smooth maps say what the token says.
MIDDLES = [(row, column) for row in (10, 31) for column in (10, 31, 52)]


def capture(winners=WINNERS, strength=8.0, **changes):
    scores = strength * torch.nn.functional.one_hot(winners, 3).movedim(-1, 0).flatten(1).float()
    given = {
        "scores": scores[None, None, None],
        "norms": torch.ones(1, 1, 1, 3),
        "grid": (1, *winners.shape),
        "picture": (32, 48),
        "steps": (0,),
        "layers": ((0,),),
        "sigmas": (1.0,),
        "total_steps": 4,
        "total_layers": 1,
        "labels": LABELS,
        "background": HIDDEN,
        "family": "flux",
        **changes,
    }
    return Capture(**given)


def picture(height=4, width=6):
    return torch.rand(height, width, 3, generator=torch.Generator().manual_seed(0))


def at(drawn, places=MIDDLES):
    return torch.stack([drawn[place] for place in places])


def test_segments_have_the_hue_of_the_strongest_concept_and_background_shows_the_picture():
    under = draw(None, picture(), None, 63)
    assert under.shape == (*SIZE, 3)
    drawn = draw(capture(), picture(), None, 63)
    luma = at(under) @ torch.tensor([0.299, 0.587, 0.114])
    tinted = torch.lerp(luma[:, None].expand(6, 3), hues(2)[WINNERS.flatten() % 2], 0.5)
    hidden = WINNERS.flatten() == 2
    expected = torch.where(hidden[:, None], at(under), tinted)
    assert torch.allclose(at(drawn), expected, atol=1e-6)


def test_what_the_background_has_as_much_of_is_left_to_it():
    even = capture(scores=torch.zeros(1, 1, 1, 3, 6))
    dark = torch.tensor([24.0, 24.0, 27.0]) / 255
    drawn = draw(even, None, None, 63)[: SIZE[0]]
    assert torch.equal(drawn, dark.expand(*SIZE, 3))
    assert torch.equal(draw(even, picture(), None, 63)[: SIZE[0]], draw(None, picture(), None, 63))


def test_of_equal_concepts_the_first_has_the_place_and_where_scores_overflowed_none_has():
    scores = torch.zeros(1, 1, 1, 3, 6)
    scores[..., 3:] = torch.nan
    drawn = draw(capture(scores=scores, background=(False,) * 3), None, None, 63)
    dark = torch.tensor([[24.0, 24.0, 27.0]]) / 255
    assert torch.allclose(at(drawn), torch.cat((hues(1).expand(3, 3), dark.expand(3, 3))))


def test_segments_without_a_picture_are_plain_colours():
    drawn = draw(capture(), None, None, 63)
    dark = torch.tensor([[24.0, 24.0, 27.0]]) / 255
    assert torch.allclose(at(drawn), torch.cat((hues(2), dark))[WINNERS.flatten()])


def test_below_segments_every_concept_has_its_hue_and_absent_ones_are_muted():
    drawn = draw(capture(torch.tensor([[0, 2, 2], [2, 2, 2]])), None, None, 600)
    legend = drawn[400:]
    assert legend.shape == (line_height(font_pixels(600, 600)), 600, 3)
    for hue in hues(2):
        assert bool((legend == hue).all(-1).any())
    inks = [(torch.tensor(ink) / 255) for ink in ((236, 236, 238), (150, 150, 156))]
    assert all(bool(torch.isclose(legend, ink, atol=1e-3).all(-1).any()) for ink in inks)
    every = draw(capture(), None, None, 600)[400:]
    assert not bool(torch.isclose(every, inks[1], atol=1e-3).all(-1).any())


def test_a_legend_has_as_many_lines_as_its_names_need():
    many = tuple(f"a name that is long {i}" for i in range(5))
    rows = torch.nn.functional.one_hot(torch.tensor([[0, 1, 4]]), 5).movedim(-1, 0).float()
    wide = capture(
        scores=rows.flatten(1)[None, None, None],
        norms=torch.ones(1, 1, 1, 5),
        grid=(1, 1, 3),
        picture=(16, 48),
        labels=many,
        background=(False,) * 5,
    )
    drawn = draw(wide, None, None, 90)
    assert drawn.shape == (30 + 5 * line_height(12), 90, 3)


@pytest.mark.parametrize("concept", [None, "house"])
@pytest.mark.parametrize("width", [1, 12, 30])
def test_a_very_narrow_picture_is_drawn_too(width, concept):
    drawn = draw(capture(picture=(480, width)), picture(), concept, 480)
    assert drawn.shape[0] > 480
    assert drawn.shape[1] == width


@pytest.mark.parametrize("concept", ["house", "tree"])
def test_a_concept_has_the_colours_of_the_overlay_and_of_the_default_decoding(concept):
    shown = capture(strength=1.0)
    values = decode(shown).values[LABELS.index(concept)].flatten()
    drawn = draw(shown, picture(), concept, 63)
    head = (drawn.shape[0] - SIZE[0]) // 2  # the title above, the colour bar below
    under = at(draw(None, picture(), None, 63))[None, :, None]
    expected = blend(under[0], values[:, None], Style())[:, 0]
    assert torch.allclose(at(drawn[head:]), expected, atol=1e-6)
    alone = draw(shown, None, concept, 63)
    assert torch.allclose(at(alone[head:]), colorize(values), atol=1e-6)


def test_the_first_item_and_frame_are_shown():
    first = capture(torch.tensor([[0, 1, 0]]))
    other = capture(torch.tensor([[1, 2, 2]]))
    both = capture(
        torch.tensor([[0, 1, 0]]),
        scores=torch.cat(
            (
                torch.cat((first.scores, other.scores), -1),
                torch.cat((other.scores, other.scores), -1),
            )
        ),
        norms=torch.ones(2, 1, 1, 3),
        grid=(2, 1, 3),
        spans=(1, 4),
    )
    assert torch.equal(draw(both, None, None, 63), draw(first, None, None, 63))


def test_a_grid_that_covers_more_than_the_picture_is_cut_as_when_decoded():
    """A grid of 2 x 3 tokens of 16 pixels over 24 x 48: half of the second row is left."""
    drawn = draw(capture(picture=(24, 48)), None, None, 96)
    assert torch.equal(drawn[39, 9], hues(2)[1])
    assert torch.equal(drawn[8, 9], hues(2)[0])
    assert bool((drawn[48] == drawn[60, 0]).all(-1).any())  # the legend begins


def test_before_anything_was_captured_the_picture_stands_alone():
    assert draw(None, picture(4, 4), "house", 8).shape == (8, 8, 3)
    assert draw(None, None, "house", 8) is None


def test_scores_that_overflowed_are_drawn_as_nothing():
    shown = capture(scores=torch.full((1, 1, 1, 3, 6), float("nan")))
    assert bool(torch.isfinite(draw(shown, picture(), "house", 63)).all())


def test_the_first_hues_are_the_same_for_every_number_of_concepts_and_none_comes_twice():
    many = hues(24)
    assert torch.equal(hues(3), many[:3])
    assert torch.equal((many[0] * 255).round(), torch.tensor([230.0, 159.0, 0.0]))
    distances = torch.cdist(many, many) + torch.eye(24)
    assert float(distances.min()) > 0.05
    assert float(many.min()) >= 0 and float(many.max()) <= 1


def test_a_throttle_lets_the_first_the_last_and_some_between_through():
    now = iter([10.0, 10.1, 10.34, 10.4, 10.7, 10.75])
    throttle = Throttle(1 / 3, lambda: next(now))
    lasts = (False, False, False, False, False, True)
    assert [throttle.due(last) for last in lasts] == [True, False, True, False, True, True]


def test_a_concept_is_the_first_one_or_the_one_named():
    assert chosen("", LABELS, HIDDEN) == "house"
    assert chosen(" tree ", LABELS, HIDDEN) == "tree"
    for wrong in ("Tree", "background", "house, tree"):
        with pytest.raises(ConceptAttentionError, match=r"live_concept: .* house, tree, or empty"):
            chosen(wrong, LABELS, HIDDEN)
