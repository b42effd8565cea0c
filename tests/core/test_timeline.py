"""One concept over 3 steps and 2 layers of a 2 x 3 grid, every number by hand."""

import json
from dataclasses import replace

import pytest
import torch

from concept_attention.core import agreement
from concept_attention.core.decode import decode
from concept_attention.core.errors import ConceptAttentionError
from concept_attention.core.timeline import count_items, timeline
from concept_attention.core.timeline_points import decided
from concept_attention.core.timeline_words import answer, as_json, describe, layer_name, sigma
from concept_attention.core.types import Capture

EVEN = [0.2] * 6
FIRST = [0.8, 0.1, 0.1, 0.1, 0.1, 0.1]
BOTH = [0.8, 0.8, 0.1, 0.1, 0.1, 0.1]
# The dragon's shares by step and layer; the rock has 0.05 everywhere, the background the rest.
DRAGON = [[EVEN, EVEN], [FIRST, EVEN], [BOTH, BOTH]]


def make(dragon=DRAGON, **changes):
    own = torch.tensor(dragon)[:, :, None]  # S L 1 N
    rock = torch.full_like(own, 0.05)
    shares = torch.cat((own, rock, 1 - own - rock), 2)
    steps, layers = shares.shape[:2]
    given = {
        "scores": shares.log()[None],
        "norms": torch.ones(1, steps, layers, 3),
        "grid": (1, 2, 3),
        "picture": (32, 48),
        "steps": tuple(range(steps)),
        "layers": tuple((i,) for i in range(layers)),
        "sigmas": (1.0, 0.5, 0.25)[:steps],
        "total_steps": steps,
        "total_layers": layers,
        "labels": ("dragon", "rock", "background"),
        "background": (False, False, True),
        "family": "flux",
        **changes,
    }
    return Capture(**given)


def of_shares(*concepts, labels=("dragon", "background"), background=(False, True)):
    """A capture whose shares are in proportion to these [S][L][N], one for each concept."""
    scores = torch.tensor(concepts).movedim(0, 2).log()[None]  # B S L C N
    steps, layers = scores.shape[1:3]
    return make(
        [[EVEN] * layers] * steps,
        scores=scores,
        norms=torch.ones(scores.shape[:-1]),
        labels=labels,
        background=background,
    )


def flat(maps):
    return maps.flatten(-2).tolist()


def test_maps_of_every_cell_and_their_means():
    maps = timeline(make()).maps
    assert maps.cells.shape == (3, 2, 2, 3)
    assert flat(maps.cells)[1] == [pytest.approx(FIRST), pytest.approx(EVEN)]
    assert flat(maps.by_step)[1] == pytest.approx([0.5, *[0.15] * 5])
    assert flat(maps.so_far)[1] == pytest.approx([0.35, *[0.175] * 5])
    assert flat(maps.so_far)[2] == pytest.approx([0.5, 1.15 / 3, *[0.15] * 4])
    assert flat(maps.by_layer)[0] == pytest.approx([0.6, 1.1 / 3, *[0.4 / 3] * 4])
    assert flat(maps.by_layer)[1] == pytest.approx([0.4, 0.4, *[0.5 / 3] * 4])
    assert flat(maps.whole) == pytest.approx([0.5, 1.15 / 3, *[0.15] * 4])


def test_points_of_every_step_and_layer():
    found = timeline(make())
    steps = found.step_points
    assert [each.share for each in steps] == pytest.approx([0.2, 1.25 / 6, 2 / 6])
    assert [each.peak for each in steps] == pytest.approx([0.2, 0.5, 0.8])
    assert steps[0].change is None
    assert [each.change for each in steps[1:]] == pytest.approx([0.55 / 6, 1.15 / 6])
    # The background has 0.75, then 0.45 in the first token, then 0.15 in the first two.
    assert [each.agreement for each in steps] == pytest.approx([0, 0.5, 1])
    assert steps[0].truth_iou is steps[0].truth_precision is None
    layers = found.layer_points
    assert [each.peak for each in layers] == pytest.approx([0.6, 0.4])
    assert layers[1].change == pytest.approx((0.2 + 0.1 / 3 + 4 * 0.1 / 3) / 6)
    # Both layers together win the first token, as the first does; the second wins none.
    assert [each.agreement for each in layers] == pytest.approx([1, 0])
    assert found.top == pytest.approx(0.8)


def test_the_place_is_decided_when_half_of_it_stays():
    found = timeline(make())
    assert found.decided == 1
    assert answer(found) == (
        "The place of 'dragon' was decided at step 1 (sigma 0.50): from there on its segment "
        "overlaps that of step 2 by at least half (IoU 0.5 or more). At step 0 the overlap was "
        "0.00."
    )
    lost = timeline(make([[BOTH], [EVEN], [BOTH]]))  # found at first, and lost again
    assert lost.decided == 2
    assert answer(lost) == (
        "The place of 'dragon' was decided only at step 2 (sigma 0.25), the last one shown: at "
        "step 1 its segment overlapped that by 0.00."
    )
    early = timeline(make([[FIRST], [BOTH], [BOTH]]))
    assert early.decided == 0
    assert "decided at step 0 (sigma 1.00) already, the first one shown" in answer(early)


def test_where_there_is_no_place_none_is_made_up():
    nowhere = timeline(make([[BOTH], [EVEN], [EVEN]]))
    assert nowhere.decided is None
    assert answer(nowhere).startswith("'dragon' has no place at step 2, the last one shown")
    # Nothing to agree on where neither step has a segment.
    assert [each.agreement for each in nowhere.step_points] == [0, None, None]
    single = timeline(make(), steps="1")
    assert single.decided is None
    assert answer(single).startswith("Only step 1 is shown, which does not tell when")
    assert decided(single.step_points, True) is None


def test_a_true_mask_says_how_well_each_step_and_layer_finds_the_concept():
    truth = torch.tensor([[[1.0, 0.9, 0.5], [0.0, 0.0, 0.0]]])
    found = timeline(make(), truth=truth)
    assert [each.truth_iou for each in found.step_points] == pytest.approx([0, 0.5, 1])
    # Step 0: all alike, 2 of 6. Step 1: one hit first, then all others at once.
    precisions = [each.truth_precision for each in found.step_points]
    assert precisions == pytest.approx([1 / 3, 0.5 + 0.5 / 3, 1])
    assert [each.truth_iou for each in found.layer_points] == pytest.approx([0.5, 0])
    assert [each.truth_precision for each in found.layer_points] == pytest.approx([1, 1])
    assert "Closest to the truth: step 2 with IoU 1.00, layer 0 with 0.50." in describe(found)


def test_a_place_that_the_background_has_as_much_of_is_not_the_concept_s():
    half, most = [0.5, *[0.25] * 5], [0.75, *[0.25] * 5]
    found = timeline(of_shares([[half], [most]], [[[0.5] * 6], [[0.25] * 6]]))
    # A tie in the first token at first; only the last step's segment has it, at 0.75 to 0.25.
    assert [each.agreement for each in found.step_points] == [0, 1]
    even = timeline(of_shares([[[0.5] * 6]] * 2, [[[0.5] * 6]] * 2))
    assert [each.agreement for each in even.step_points] == [None, None]
    assert even.decided is None


def test_of_several_backgrounds_the_strongest_counts_and_they_may_stand_first():
    sky = [[[0.5, *[0.125] * 5]]] * 2
    sea = [[[0.125, *[0.5] * 5]]] * 2
    dragon = [[[0.5] * 6], [[0.5, 0.5, 0.5, 0.75, 0.5, 0.5]]]
    given = {"labels": ("sky", "dragon", "sea"), "background": (True, False, True)}
    capture = of_shares(sky, dragon, sea, **given)
    found = timeline(capture)
    assert found.label == "dragon"
    assert [each.agreement for each in found.step_points] == [0, 1]
    mask = torch.tensor([[[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]]])
    judged = timeline(capture, truth=mask).step_points
    assert [each.truth_iou for each in judged] == [0, 1]


def test_maps_are_measured_where_there_is_float64(monkeypatch):
    monkeypatch.setattr(agreement, "_NO_FLOAT64", ("cpu",))
    moved = []
    cpu = torch.Tensor.cpu
    monkeypatch.setattr(torch.Tensor, "cpu", lambda maps: moved.append(maps.shape) or cpu(maps))
    assert timeline(make()).step_points[-1].agreement == 1
    assert moved[:3] == [(3, 3, 2, 3), (3, 2, 2, 3), (3, 2, 3)]  # by step, by layer, together


def test_a_concept_that_is_alone_has_no_place_to_follow():
    alone = of_shares([[[1.0] * 6]], labels=("dragon",), background=(False,))
    with pytest.raises(ConceptAttentionError, match="capture: 'dragon' is alone in it and"):
        timeline(alone)


def test_maps_are_measured_at_the_size_of_the_true_mask():
    truth = torch.zeros(1, 64, 96)
    truth[:, :32, :64] = 1
    last = timeline(make([[BOTH], [BOTH]]), truth=truth).step_points[-1]
    assert 0.7 < last.truth_iou < 1  # between tokens the smooth map falls off
    assert last.truth_precision > 0.99


@pytest.mark.parametrize("family", ["flux", "flux2", "sd3"])
def test_every_map_is_what_heatmap_decode_makes_of_those_layers_and_steps(family):
    scores = 3 * torch.randn(1, 3, 4, 3, 6, generator=torch.Generator().manual_seed(0))
    capture = make(
        scores=1000 * scores if family == "flux2" else scores,
        norms=torch.rand(1, 3, 4, 3) + 0.5,
        layers=((0,), (1, 2), (3,), (4,)),
        total_layers=5,
        family=family,
    )
    maps = timeline(capture, "rock", "1-2,3,4").maps

    def decoded(layers, steps):
        return decode(capture, layers, steps).values[1, 0, 0]

    assert torch.allclose(maps.by_step[1], decoded("1-4", "1"), atol=1e-6)
    assert torch.allclose(maps.so_far[1], decoded("1-4", "0-1"), atol=1e-6)
    assert torch.allclose(maps.by_layer[0], decoded("1-2", "0-2"), atol=1e-6)
    assert torch.allclose(maps.cells[2, 1], decoded("3", "2"), atol=1e-6)
    assert torch.allclose(maps.whole, decoded("1-4", "0-2"), atol=1e-6)
    hot = timeline(capture, "rock", temperature=7.0).maps.whole
    assert torch.allclose(hot, decode(capture, "all", "all", 7.0).values[1, 0, 0], atol=1e-6)


def test_an_item_is_a_batch_item_or_a_frame_of_the_video():
    scores = torch.randn(2, 3, 2, 3, 12, generator=torch.Generator().manual_seed(0))
    film = make(scores=scores, norms=torch.ones(2, 3, 2, 3), grid=(2, 2, 3), spans=(1, 4))
    assert count_items(film) == 10
    for item, (batch, frame) in {0: (0, 0), 1: (0, 1), 4: (0, 1), 5: (1, 0), 9: (1, 1)}.items():
        expected = decode(film, "all", "all", frames="latent").values[0, batch, frame]
        assert torch.allclose(timeline(film, item=item).maps.whole, expected, atol=1e-6)
    with pytest.raises(ConceptAttentionError, match=r"item: 10 is .* 2 x 5 frames, 0 to 9"):
        timeline(film, item=10)
    batch = make(scores=scores[..., :6], norms=torch.ones(2, 3, 2, 3))
    with pytest.raises(ConceptAttentionError, match=r"item: 2 is not .* 2 batch items, 0 to 1"):
        timeline(batch, item=2)
    with pytest.raises(ConceptAttentionError, match=r"item: -1 is not"):
        timeline(batch, item=-1)


def test_the_true_mask_of_an_item_is_its_own():
    scores = make().scores.expand(2, -1, -1, -1, -1)
    both = make(scores=scores, norms=torch.ones(2, 3, 2, 3))
    masks = torch.zeros(2, 2, 3)
    masks[0, 0, :2], masks[1, 1] = 1, 1
    found = [timeline(both, item=item, truth=masks).step_points[-1].truth_iou for item in (0, 1)]
    assert found == [1, 0]
    assert timeline(both, item=1, truth=masks[:1]).step_points[-1].truth_iou == 1


def test_layers_and_steps_choose_rows_and_columns():
    found = timeline(make(), layers="1", steps="1-2")
    assert (found.layers, found.steps, found.sigmas) == (((1,),), (1, 2), (0.5, 0.25))
    assert found.maps.cells.shape == (2, 1, 2, 3)
    assert flat(found.maps.by_step)[0] == pytest.approx(EVEN)
    # The family's default: the last four layers.
    assert timeline(make(total_layers=6, layers=((1,), (2,))), layers="auto").layers == ((2,),)


def test_layers_that_were_averaged_are_called_so():
    found = timeline(make(layers=((0, 1, 2), (3, 5)), total_layers=6))
    assert [layer_name(entry) for entry in found.layers] == [
        "layers 0-2 averaged",
        "layers 3,5 averaged",
    ]
    assert layer_name((7,)) == "layer 7"
    text = describe(found)
    assert "Recorded as averages, which hides what each layer does: layers 0-2 averaged," in text


def test_the_json_has_all_numbers_and_the_answer():
    found = timeline(make(), truth=torch.tensor([[[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]]]))
    document = json.loads(as_json(found))
    assert (document["concept"], document["family"], document["item"]) == ("dragon", "flux", 0)
    assert document["decided"] == {"step": 1, "sigma": 0.5, "iou": 0.5}
    assert document["answer"] == describe(found)
    assert document["steps"][1] == {
        "step": 1,
        "sigma": 0.5,
        "share": pytest.approx(0.208333),
        "peak": 0.5,
        "change": pytest.approx(0.091667),
        "agreement": 0.5,
        "truth_iou": 0.5,
        "truth_precision": pytest.approx(0.666667),
    }
    assert document["layers"][0]["layers"] == [0]
    assert document["steps"][0]["change"] is None


def test_noise_levels_are_short():
    assert [sigma(each) for each in (0.95, 14.614, 4518.7)] == ["0.95", "14.6", "4519"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"concept": "cat"}, r"concept: 'cat' is not .* Allowed: dragon, rock, or empty"),
        ({"concept": "dragon, rock"}, "One at a time is followed"),
        ({"concept": "background"}, "concept: 'background' is not one of"),
        ({"layers": "5"}, "layers: '5': this model has 2 layers"),
        ({"steps": "3"}, "steps: '3': this run has 3 steps"),
        ({"temperature": 0.0}, r"temperature: 0\.0 is not a number above 0"),
        ({"truth": torch.ones(2, 2, 3)}, r"truth: 2 masks do not fit\. Give 1 mask\."),
        ({"truth": torch.ones(1, 4, 4)}, "truth: a mask of 4 x 4 has another shape than the pict"),
        ({"truth": torch.zeros(1, 2, 3)}, r"truth: nothing of mask 0 is above 0\.5"),
    ],
)
def test_what_cannot_be_followed_is_named(options, message):
    with pytest.raises(ConceptAttentionError, match=message):
        timeline(make(), **options)


def test_scores_that_overflowed_are_refused():
    broken = replace(make(), scores=torch.full((1, 3, 2, 3, 6), float("inf")))
    with pytest.raises(ConceptAttentionError, match="capture: its scores are not finite"):
        timeline(broken)
