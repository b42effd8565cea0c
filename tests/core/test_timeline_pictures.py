"""The pictures of a timeline: which cell is where, in which colour, and what the curves show."""

import pytest
import torch

from concept_attention.core.colormaps import colorize
from concept_attention.core.errors import ConceptAttentionError
from concept_attention.core.hues import hues
from concept_attention.core.plot import ACCENT, Chart, Line, plot
from concept_attention.core.timeline import timeline
from concept_attention.core.timeline_curves import curves
from concept_attention.core.timeline_sheet import contact_sheet, film
from concept_attention.core.types import Capture

MARK = torch.tensor(ACCENT) / 255


def make(levels, labels=("dragon", "background"), picture=(128, 128), layers=None):
    """Shares of the first concept, one for each step and layer and the same everywhere in it."""
    own = torch.tensor(levels)[:, :, None, None].expand(-1, -1, 1, 4)  # S L 1 N
    steps, depth = own.shape[:2]
    return Capture(
        scores=torch.cat((own, 1 - own), 2).log()[None],
        norms=torch.ones(1, steps, depth, 2),
        grid=(1, 2, 2),
        picture=picture,
        steps=tuple(range(steps)),
        layers=layers or tuple((i,) for i in range(depth)),
        sigmas=tuple(1 - i / steps for i in range(steps)),
        total_steps=steps,
        total_layers=depth + 8,
        labels=labels,
        background=(False, True),
        family="flux",
    )


LEVELS = [[0.1, 0.2], [0.3, 0.9], [0.5, 0.6]]


def has(picture, colour, tolerance=0.01):
    return torch.isclose(picture, colour, atol=tolerance).all(-1)


def first(picture, colour):
    """(row, column) of the first cell, large enough to be no part of the colour bar."""
    hit = has(picture, colour, 1e-3).float()[None, None]
    blocks = -torch.nn.functional.max_pool2d(-hit, 16, 1)[0, 0] > 0
    return tuple(blocks.nonzero()[0].tolist()) if bool(blocks.any()) else None


def test_rows_are_layers_columns_steps_and_the_last_ones_means():
    sheet = contact_sheet(timeline(make(LEVELS)))
    # The largest share, 0.9, is the end of the scale.
    cells = {
        level: first(sheet, colorize(torch.tensor(level / 0.9)))
        for level in (0.1, 0.2, 0.3, 0.9, 0.5, 0.6, 0.15, 0.55, 2.6 / 6)
    }
    assert None not in cells.values()
    rows = sorted({row for row, _ in cells.values()})
    columns = sorted({column for _, column in cells.values()})
    assert [cells[level] for level in (0.1, 0.3, 0.5)] == [(rows[0], c) for c in columns[:3]]
    assert [cells[level] for level in (0.2, 0.9)] == [(rows[1], c) for c in columns[:2]]
    assert cells[0.15] == (rows[2], columns[0])  # both layers at step 0
    assert cells[0.55] == (rows[2], columns[2])
    assert columns[1] - columns[0] == 131  # cells of 128 and gaps of 3


def test_an_absent_concept_stays_dark_beside_a_strong_one():
    strong = make([[0.9], [0.9]], ("dragon", "rock"))
    both = Capture(**{**vars(strong), "background": (False, False)})
    weak = film(timeline(both, "rock"), "at each step")
    assert bool(has(weak[:, 40:120], colorize(torch.tensor(0.1 / 0.9)), 1e-3).all())


def test_the_step_that_decided_is_marked_on_sheet_film_and_curves():
    found = timeline(make([[0.1], [0.8], [0.9], [0.9]]))
    assert found.decided == 1
    undecided = timeline(make([[0.1], [0.1], [0.1], [0.1]]))
    for draw in (contact_sheet, curves):
        assert bool(has(draw(found), MARK).any())
        assert not bool(has(draw(undecided), MARK).any())
    frames = film(found, "at each step")
    assert [bool(has(frame, MARK).any()) for frame in frames] == [False, True, True, True]
    assert not bool(has(film(undecided, "at each step"), MARK).any())


def test_the_film_has_a_frame_for_each_step_or_for_all_steps_up_to_it():
    found = timeline(make([[0.11], [0.31], [0.8]]))
    levels = {"at each step": (0.11, 0.31, 0.8), "up to each step": (0.11, 0.21, 1.22 / 3)}
    for window, shares in levels.items():
        frames = film(found, window)
        assert frames.shape[0] == 3 and frames.shape[2:] == (128, 3)
        for frame, share in zip(frames, shares, strict=True):
            assert first(frame, colorize(torch.tensor(share / 0.8))) is not None
    with pytest.raises(ConceptAttentionError, match="animation: 'backwards' is not one of"):
        film(found, "backwards")


def test_a_picture_lies_under_the_maps_and_sets_the_size_of_the_film():
    found = timeline(make(LEVELS))
    picture = torch.rand(90, 160, 4)
    frames = film(found, "at each step", picture)
    assert frames.shape[2] == 160
    assert not torch.equal(frames[0], film(found, "at each step", picture.flip(0))[0])
    assert not torch.equal(contact_sheet(found, picture), contact_sheet(found))


@pytest.mark.parametrize("picture", [(64, 1024), (1024, 64), (16, 24)])
@pytest.mark.parametrize("depth", [1, 30])
def test_every_shape_and_number_of_layers_is_drawn(picture, depth):
    groups = tuple((2 * i, 2 * i + 1) for i in range(depth))
    for label in ("a dragon with a name that is much too long for any cell", "竜"):
        capture = make([[0.3] * depth, [0.6] * depth], (label, "background"), picture, groups)
        found = timeline(Capture(**{**vars(capture), "total_layers": 60}))
        for drawn in (
            contact_sheet(found),
            curves(found),
            *film(found, "at each step"),
        ):
            assert drawn.min() >= 0 and drawn.max() <= 1


@pytest.mark.parametrize("label", ["x" * 400, "x " * 200])
def test_a_label_that_is_wider_than_the_pictures_is_cut(label):
    found = timeline(make([[0.3], [0.6]], labels=(label.strip(), "background")))
    assert contact_sheet(found).shape[1] < 700
    assert len(film(found, "at each step")) == 2
    assert curves(found).shape[2] == 3


def test_many_steps_keep_the_sheet_at_a_size_that_can_be_looked_at():
    sheet = contact_sheet(timeline(make([[0.3]] * 50)))
    assert 1400 < sheet.shape[1] < 1800


def test_a_plot_is_of_a_size_and_its_lines_go_through_their_values():
    line = Line("share", (0.0, 0.5, None, 1.0))
    chart = Chart("shares", (line,), tuple((str(i),) for i in range(4)), ("step",), top=1.0)
    drawn = plot(chart, (200, 400), 12)
    assert drawn.shape == (200, 400, 3)
    dots = has(drawn, hues(1)[0]).nonzero()
    inside = dots[dots[:, 0] > 45]  # below the legend
    left, right = inside[inside[:, 1].argmin()], inside[inside[:, 1].argmax()]
    assert left[0] > right[0] + 80  # from 0 at the bottom to 1 at the top
    gap = (left[1] + right[1]) // 2 + 20  # nothing is drawn through a value that is not there
    assert not bool(has(drawn, hues(1)[0])[45:, gap].any())


def test_an_axis_ends_at_the_next_round_number():
    def at(value):
        line = Line("x", (value, value))
        return plot(Chart("", (line,), (("0",), ("1",)), ("step",)), (160, 200), 12)

    assert torch.equal(at(None), at(None))
    assert not torch.equal(at(0.2), at(0.21))  # 0 to 0.2, and 0 to 0.25
    assert at(0.0).isfinite().all()
