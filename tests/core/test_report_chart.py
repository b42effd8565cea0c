"""The chart: a bar as long as the score, the threshold's line, boxes on the picture."""

import pytest
import torch

from concept_attention.core import labels
from concept_attention.core.errors import ConceptAttentionError
from concept_attention.core.hues import hues
from concept_attention.core.report import Settings, chart, report
from concept_attention.core.types import Heatmaps

WIDTH = 2 * 16 + 150 + 260 + 250 + 2 * 14
LEFT = 16 + 150 + 14  # where the bars begin


def heatmaps(items=1, frames=1):
    """A thing at the right, one that is nowhere; 20 x 30."""
    values = torch.zeros(2, items, frames, 20, 30)
    values[0, ..., 5:15, 20:28] = 0.8
    values[1] = 0.1
    return Heatmaps(values, ("thing", "nothing"), ((0.0, 1.0),))


def columns(picture, row, colour):
    """The columns of a row that have that colour."""
    return (picture[row] - colour).abs().amax(-1).lt(1e-3).nonzero().flatten().tolist()


def test_a_bar_is_as_long_as_the_score():
    (drawn,) = chart(report(heatmaps(), Settings()))
    assert drawn.shape[1] == WIDTH and drawn.dtype == torch.float32
    line = LEFT + round(260 * 0.4)
    first = columns(drawn, 16 + 10, hues(2)[0])
    assert first == [i for i in range(LEFT, LEFT + round(260 * 0.8)) if i != line]
    second = columns(drawn, 16 + 10 + 56, hues(2)[1])
    assert second == list(range(LEFT, LEFT + 26))
    text = torch.tensor([236.0, 236.0, 238.0]) / 255
    assert (drawn[16 : 16 + 2 * 56, line] - text).abs().max() < 1e-6


def test_boxes_are_on_the_picture_of_what_is_there():
    picture = torch.zeros(1, 200, 300, 3)
    (drawn,) = chart(report(heatmaps(), Settings()), picture)
    tall, wide = 256, 384  # the least height of the picture
    assert drawn.shape == (tall + 2 * 16, wide + 16 + WIDTH, 3)
    panel = drawn[16 : 16 + tall, 16 : 16 + wide]
    marked = (panel.amax(-1) > 0).nonzero()
    (top, left), (bottom, right) = marked.amin(0).tolist(), marked.amax(0).tolist()
    assert (top, bottom + 1) == (64, 192)  # a quarter and three quarters of the height
    assert (left, right + 1) == (256, 358)  # 20 and 28 thirtieths of the width
    assert panel[top, left].tolist() == pytest.approx(hues(1)[0].tolist())
    assert panel[100, 300].max() == 0  # within the box


def test_every_batch_item_has_its_chart_and_its_picture():
    pictures = torch.stack([torch.full((20, 30, 3), value) for value in (0.2, 0.6)])
    drawn = chart(report(heatmaps(items=2), Settings()), pictures)
    assert drawn.shape[0] == 2
    assert [round(float(each[20, 20, 0]), 6) for each in drawn] == [0.2, 0.6]


def test_a_video_has_one_chart_with_the_frame_that_tells_most():
    maps = heatmaps(frames=3)
    maps.values[0, 0, 0] *= 0.5
    maps.values[0, 0, 2] *= 0.5
    frames = torch.stack([torch.full((20, 30, 3), value) for value in (0.2, 0.4, 0.6)])
    (drawn,) = chart(report(maps, Settings()), frames)
    assert round(float(drawn[20, 20, 0]), 6) == 0.4


def test_a_picture_that_is_a_mere_line_is_drawn():
    (wide,) = chart(report(heatmaps(), Settings()), torch.full((1, 1, 2000, 3), 0.5))
    assert wide.shape[1] == 2000 + 16 + WIDTH
    (narrow,) = chart(report(heatmaps(), Settings()), torch.full((1, 2000, 1, 3), 0.5))
    assert narrow.shape[1] == 1 + 16 + WIDTH


def test_a_failed_check_is_written_below():
    plain = chart(report(heatmaps(), Settings()))
    checks = [
        chart(report(heatmaps(), Settings(**{name: ("nothing",)})))
        for name in ("must_be_present", "must_be_absent")
    ]
    assert all(each.shape[1] > plain.shape[1] for each in checks)
    colours = [(each[0, -40:-16] * 255).flatten(0, 1).amax(0).tolist() for each in checks]
    assert colours[0][0] > colours[0][1] and colours[1][1] > colours[1][0]  # red, green


def test_pictures_that_do_not_fit_are_refused():
    with pytest.raises(ConceptAttentionError, match="image: a batch of 3 pictures does not fit"):
        chart(report(heatmaps(items=2, frames=2), Settings()), torch.zeros(3, 20, 30, 3))


def test_labels_that_no_font_can_draw_become_numbers(monkeypatch):
    monkeypatch.setattr(labels, "font_folders", list)
    values = torch.zeros(2, 1, 1, 20, 30)
    values[:, ..., 5:15, 20:28] = torch.tensor([0.8, 0.7])[:, None, None, None, None]
    maps = Heatmaps(values, ("岩石", "ship"), ((0.0, 1.0),))
    found = report(maps, Settings())
    assert found.items[0].findings[1].rival == "岩石"
    assert chart(found).shape == (1, 2 * 16 + 2 * 56 + 24, WIDTH, 3)
