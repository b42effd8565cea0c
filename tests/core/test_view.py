"""What the browser gets, on hand-made numbers: a grid of 2 x 3 tokens, two concepts."""

import math
from dataclasses import replace

import pytest
import torch

from concept_attention.core.decode import decode, shares
from concept_attention.core.errors import ConceptAttentionError
from concept_attention.core.types import Capture, Heatmaps
from concept_attention.core.view import Settings, halved, spans_of, view_capture, view_heatmaps

DRAGON = [[3.0, 1.0, -2.0], [0.5, 8.0, 0.0]]
ROCK = [[1.0, 1.0, 2.0], [0.0, -4.0, 0.25]]
DIGIT = 2.0**-11  # the largest relative error of a rounded half precision number


def make(family="flux", batch=1, spans=(1,)):
    """A capture of one step and one layer; every concept vector is of length 2."""
    scores = torch.tensor([DRAGON, ROCK]).flatten(1)[None, None, None]
    scores = scores.repeat(batch, 1, 1, 1, len(spans))
    return Capture(
        scores=scores,
        norms=torch.full(scores.shape[:-1], 2.0),
        grid=(len(spans), 2, 3),
        picture=(32, 48),
        steps=(0,),
        layers=((0,),),
        sigmas=(1.0,),
        total_steps=1,
        total_layers=1,
        labels=("dragon", "rock"),
        background=(False, False),
        family=family,
        spans=spans,
    )


def test_a_file_holds_every_score_less_the_greatest_of_its_place():
    (array,) = view_capture(make(), Settings(), 1, (32, 48)).arrays
    assert array.dtype == "<f2" and array.shape == (1, 1, 2, 2, 3)
    assert array[0, 0, 0].tolist() == [[0, 0, -4], [0, 0, -0.25]]
    assert array[0, 0, 1].tolist() == [[-2, 0, 0], [-0.5, -12, 0]]


def test_scores_are_in_units_of_the_familys_temperature_and_vectors():
    (array,) = view_capture(make("sd3"), Settings(), 1, (32, 48)).arrays
    assert array[0, 0, 1].tolist() == [[-1, 0, 0], [-0.25, -6, 0]]  # divided by the length, 2
    large = replace(make("flux2"), scores=make().scores * 1000)
    view = view_capture(large, Settings(), 1, (32, 48))
    assert view.arrays[0][0, 0, 1].tolist() == [[-2, 0, 0], [-0.5, -12, 0]]
    assert view.bundle["auto"]["temperature"] == 1000.0
    assert view.bundle["auto"]["order"] == "scores first"


def test_what_half_precision_cannot_hold_is_its_lowest_number():
    huge = replace(make(), scores=make().scores * 1e5)
    assert view_capture(huge, Settings(), 1, (32, 48)).arrays[0].min() == -65504


def as_read(capture):
    """The capture whose scores are those of the file."""
    taken = halved(capture).float()[:, 0].flatten(-2)
    return replace(capture, scores=taken)


@pytest.mark.parametrize("temperature", [0.1, 0.5, 1.0, 10.0])
def test_half_precision_costs_less_of_a_share_than_can_be_seen(temperature):
    """No share is off by more than concepts / e of the rounding.

    A softmax moves with the rounding e of its logits by p_i (e_i - sum p_j e_j). A logit x <= 0 is
    rounded by at most DIGIT |x|, its share is at most exp(x), and |x| exp(x) is at most 1 / e.
    """
    generator = torch.Generator().manual_seed(1)
    for spread in (0.5, 3.0, 30.0):
        scores = torch.randn(1, 3, 2, 9, 600, generator=generator) * spread
        capture = replace(
            make(),
            scores=scores,
            norms=torch.ones(scores.shape[:-1]),
            grid=(1, 20, 30),
            steps=(0, 1, 2),
            layers=((0,), (1,)),
            sigmas=(1.0, 0.5, 0.2),
            total_steps=3,
            total_layers=2,
            labels=tuple("abcdefghi"),
            background=(False,) * 9,
        )
        half = as_read(capture)
        exact, rounded = (shares(each, temperature=temperature) for each in (capture, half))
        bound = 9 / math.e * DIGIT * (1 + 2 * DIGIT)
        assert 0 < (exact - rounded).abs().max() < bound
        hard = {"order": "scores first", "temperature": temperature}
        first, second = (shares(each, **hard) for each in (capture, half))
        # Without a winner that all layers share, the bound is that of the largest rounding.
        widest = (scores.amax(-2, keepdim=True) - scores).mean((1, 2)).max().item()
        assert (first - second).abs().max() < 0.5 * DIGIT * widest / temperature + 1e-6


def test_the_bundle_says_what_was_captured_and_chosen():
    capture = replace(
        make(),
        scores=make().scores.repeat(1, 3, 2, 1, 1),
        norms=torch.ones(1, 3, 2, 2),
        steps=(0, 4, 9),
        layers=((0,), (1, 2)),
        sigmas=(1.0, 0.5, 0.1),
        total_steps=10,
        total_layers=7,
        picture=(25, 48),
        background=(False, True),
        splits=(("drag", "on"), ("rock",)),
        choices=("all", "all"),
    )
    settings = Settings("1-2", "4,9", 0.5, 1.5, (), 0.25)
    bundle = view_capture(capture, settings, 1, (50, 96)).bundle
    assert bundle["layers"] == [[0], [1, 2]] and bundle["steps"] == [0, 4, 9]
    assert (bundle["total_layers"], bundle["total_steps"]) == (7, 10)
    assert bundle["splits"] == ["drag|on (all tokens)", "rock"]
    assert bundle["covered"] == [32 / 25, 1.0]
    assert bundle["auto"]["layers"] == [0, 1]  # of the last four, 3 to 6, none was captured
    assert bundle["chosen"] == {
        "layers": [1],
        "steps": [1, 2],
        "temperature": 0.5,
        "smoothing": 1.5,
        "concepts": ["dragon"],
        "threshold": 0.25,
    }


def test_batch_items_and_frames_have_files_of_their_own_in_order():
    capture = make(batch=2, spans=(1, 4))
    scores = capture.scores.clone()
    scores[1, ..., 0, 6] = -5.0  # item 1, frame 1, the first token: 6 less than the rock's
    arrays = view_capture(replace(capture, scores=scores), Settings(), 10, (32, 48)).arrays
    assert [array[0, 0, 0, 0, 0] for array in arrays] == [0, 0, 0, -6]


@pytest.mark.parametrize(("pictures", "spans"), [(1, (1, 4)), (10, (1, 4)), (4, (1, 1))])
def test_pictures_are_one_or_the_videos_or_the_token_grids(pictures, spans):
    assert spans_of(make(batch=2, spans=(1, 4)), pictures) == spans


def test_any_other_number_of_pictures_is_an_error():
    with pytest.raises(ConceptAttentionError, match=r"3 pictures .* Give 1 or 4 or 10\."):
        spans_of(make(batch=2, spans=(1, 4)), 3)


def test_large_heatmaps_are_sent_as_means():
    values = torch.zeros(1, 1, 1, 1024, 3)
    values[..., 0, :2] = 1.0
    view = view_heatmaps(Heatmaps(values, ("dragon",), ((0.1, 0.9),)), Settings(), 1, (1024, 3))
    assert view.bundle["grid"] == [512, 2] and view.arrays[0].shape == (1, 512, 2)
    assert view.arrays[0][0, :2, 0].tolist() == [0.5, 0.0]
    assert view.bundle["value_range"] == [[0.1, 0.9]]
    assert view.bundle["chosen"] == {"smoothing": 0.0, "concepts": ["dragon"], "threshold": 0.0}


def test_heatmaps_up_to_512_are_sent_as_they_are():
    values = torch.tensor([[0.25, 0.5, 0.75], [1.0, 0.0, 0.125]]).expand(2, 1, 3, 2, 3)
    view = view_heatmaps(Heatmaps(values, ("a", "b"), ((0.0, 1.0),)), Settings(), 3, (4, 6))
    assert len(view.arrays) == 3 and view.bundle["spans"] == [1, 1, 1]
    assert view.arrays[2][1].tolist() == values[1, 0, 2].tolist()


def test_decoding_smooths_the_shares():
    constant = replace(make(), scores=torch.zeros(1, 1, 1, 2, 6))
    assert torch.allclose(decode(constant, smoothing=2.0).values, torch.full((1,), 0.5))
    with pytest.raises(ConceptAttentionError, match="smoothing: -1"):
        decode(make(), smoothing=-1.0)
