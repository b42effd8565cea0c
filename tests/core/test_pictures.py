"""Parts of a batch and draws of noise become one capture; pictures become whole tokens."""

import pytest
import torch

from concept_attention.core.pictures import Gathered, padded, parts
from concept_attention.core.types import Capture


def drawn(value, batch=1, spans=(1,)):
    """A capture [batch, 1, 1, 2, 6] of one value, on a grid of 2 x 3."""
    scores = torch.full((batch, 1, 1, 2, 6 * len(spans)), float(value))
    return Capture(
        scores=scores,
        norms=torch.full((batch, 1, 1, 2), value / 2),
        grid=(len(spans), 2, 3),
        picture=(32, 48),
        steps=(0,),
        layers=((0,),),
        sigmas=(0.5,),
        total_steps=1,
        total_layers=1,
        labels=("a", "background"),
        background=(False, True),
        family="flux",
        spans=spans,
    )


def test_draws_are_averaged_in_their_own_places():
    gathered = Gathered(3, draws=2)
    for items, value in ((slice(0, 2), 1), (slice(0, 2), 3), (slice(2, 3), 10), (slice(2, 3), 20)):
        gathered.add(items, drawn(value, items.stop - items.start))
    capture = gathered.capture(None)
    assert capture.scores[:, 0, 0, 0, 0].tolist() == [2, 2, 15]
    assert capture.norms[:, 0, 0, 0].tolist() == [1, 1, 7.5]
    assert capture.picture == (32, 48)


def test_what_was_added_is_left_as_it_was():
    one, gathered = drawn(4), Gathered(1, draws=2)
    gathered.add(slice(0, 1), one)
    gathered.add(slice(0, 1), drawn(8))
    assert (one.scores == 4).all()


def test_a_padded_video_keeps_its_own_size_and_frames():
    gathered = Gathered(1, 1)
    gathered.add(slice(0, 1), drawn(1, spans=(1, 4, 4)))
    capture = gathered.capture((7, 30, 41))
    assert capture.picture == (30, 41)
    assert capture.spans == (1, 4, 2)


def test_the_mean_so_far_is_of_the_draws_added_and_of_the_first_frame():
    gathered = Gathered(3, draws=4)
    for value in (1, 5):
        gathered.add(slice(1, 3), drawn(value, 2, spans=(1, 4, 4)))
    so_far = gathered.so_far(1, 2, (7, 30, 41))
    rows, columns = so_far.grid[1:]
    assert so_far.grid[0] == 1
    assert so_far.scores.shape[0] == 1
    assert so_far.scores.shape[-1] == rows * columns
    assert (so_far.scores == 3).all()
    assert torch.allclose(so_far.norms, drawn(3, 1).norms)
    assert (so_far.picture, so_far.spans) == ((30, 41), (1,))


def test_nothing_added_is_no_capture():
    with pytest.raises(RuntimeError):
        Gathered(1, 1).capture(None)


@pytest.mark.parametrize(
    ("count", "tokens", "expected"),
    [
        (3, 4096, [(0, 3)]),
        (9, 4096, [(0, 4), (4, 8), (8, 9)]),
        (2, 2**20, [(0, 1), (1, 2)]),
        (1000, 256, [(i, min(i + 64, 1000)) for i in range(0, 1000, 64)]),
    ],
)
def test_a_batch_is_cut_by_its_tokens(count, tokens, expected):
    assert [(part.start, part.stop) for part in parts(count, tokens)] == expected


def test_padding_repeats_what_is_at_the_end():
    values = torch.arange(6).view(1, 2, 3)
    wide = padded(values, (1, 3, 5))
    assert wide[0].tolist() == [[0, 1, 2, 2, 2], [3, 4, 5, 5, 5], [3, 4, 5, 5, 5]]
    assert padded(values, (1, 2, 3)) is values
    assert padded(values, (2, 2, 3)).tolist() == [values[0].tolist()] * 2
