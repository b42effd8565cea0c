"""Decoding on hand-made numbers: a grid of 2 x 3 tokens, two concepts."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from concept_attention.core.decode import decode, normalized, only, shares
from concept_attention.core.defaults import defaults
from concept_attention.core.errors import ConceptAttentionError
from concept_attention.core.families import FAMILIES
from concept_attention.core.types import Capture, Heatmaps

GOLDEN = Path(__file__).resolve().parents[1] / "golden"

# Weights of "dragon" and "rock" before the softmax, for one step; in two layers.
DRAGON = [[[3.0, 1.0, 1.0], [1.0, 9.0, 1.0]], [[1.0, 1.0, 3.0], [1.0, 1.0, 1.0]]]
ROCK = [[[1.0, 1.0, 3.0], [1.0, 1.0, 1.0]], [[4.0, 1.0, 1.0], [1.0, 1.0, 4.0]]]


def make(background=(False, False), layers=((2,), (3,)), family="flux", total_layers=4):
    """A capture of one step whose scores are logarithms of the weights above."""
    weights = torch.tensor([DRAGON, ROCK]).flatten(2)  # C L N
    scores = weights.log().movedim(0, 1)[None, None]  # B S L C N
    return Capture(
        scores=scores,
        norms=torch.full(scores.shape[:-1], 2.0),
        grid=(1, 2, 3),
        picture=(32, 48),
        steps=(0,),
        layers=layers,
        sigmas=(1.0,),
        total_steps=1,
        total_layers=total_layers,
        labels=("dragon", "rock"),
        background=background,
        family=family,
    )


def maps(heatmaps):
    return [torch.tensor(m).flatten().tolist() for m in heatmaps.values[:, 0, 0].tolist()]


def test_softmax_first_is_the_mean_of_each_layers_shares():
    heatmaps = decode(make(), temperature=1.0, order="softmax first")
    assert heatmaps.labels == ("dragon", "rock")
    assert heatmaps.values.shape == (2, 1, 1, 2, 3)
    # dragon, halved: 3/4 + 1/5, 1/2 + 1/2, 1/4 + 3/4; 1/2 + 1/2, 9/10 + 1/2, 1/2 + 1/5
    dragon = [0.475, 0.5, 0.5, 0.5, 0.7, 0.35]
    assert maps(heatmaps)[0] == pytest.approx(dragon)
    assert maps(heatmaps)[1] == pytest.approx([1 - share for share in dragon])
    assert heatmaps.value_range == ((0.0, 1.0),)


def test_scores_first_is_one_softmax_of_the_mean_score():
    heatmaps = decode(make(), temperature=1.0, order="scores first")
    # The mean of logarithms is the logarithm of the root of the product: 3 and 4 against 1 and 1.
    first = math.sqrt(3) / (math.sqrt(3) + 2)
    assert maps(heatmaps)[0] == pytest.approx([first, 0.5, 0.5, 0.5, 0.75, 1 / 3])


def test_temperature_divides_the_scores():
    heatmaps = decode(make(), layers="2", temperature=0.5)
    assert maps(heatmaps)[0] == pytest.approx([9 / 10, 0.5, 1 / 10, 0.5, 81 / 82, 0.5])


def test_unit_concepts_divide_the_scores_by_the_vectors_lengths():
    heatmaps = decode(make(), layers="2", temperature=0.25, unit_concepts=True)
    assert maps(heatmaps)[0] == pytest.approx([9 / 10, 0.5, 1 / 10, 0.5, 81 / 82, 0.5])


def test_a_vector_of_length_zero_scores_zero():
    capture = make()
    scores, norms = capture.scores.clone(), capture.norms.clone()
    scores[..., 0, :], norms[..., 0] = 0, 0
    heatmaps = decode(replace(capture, scores=scores, norms=norms), layers="2", unit_concepts=True)
    assert maps(heatmaps)[0][:2] == pytest.approx([0.5, 0.5])


def test_the_background_takes_its_share_and_is_not_shown():
    heatmaps = decode(make(background=(False, True)), layers="3")
    assert heatmaps.labels == ("dragon",)
    assert maps(heatmaps) == [pytest.approx([0.2, 0.5, 0.75, 0.5, 0.5, 0.2])]
    rock = [0.8, 0.5, 0.25, 0.5, 0.5, 0.8]
    assert heatmaps.background.shape == (1, 1, 2, 3)
    assert heatmaps.background.flatten().tolist() == pytest.approx(rock)
    stretched = only(decode(make(background=(False, True)), normalize="shared"), ["dragon"])
    whole = decode(make(background=(False, True)))
    assert torch.equal(stretched.background, whole.background)
    assert decode(make()).background is None


def test_shares_are_of_all_concepts_and_are_left_as_they_overflowed():
    capture = make(background=(False, True))
    found = shares(capture, temperature=1.0, order="softmax first")
    assert found.shape == (1, 2, 6)
    assert torch.equal(found[:, 0], decode(capture, temperature=1.0).values[0, :, 0].flatten(1))
    assert torch.allclose(found.sum(1), torch.ones(1, 6))
    broken = replace(capture, scores=torch.full_like(capture.scores, math.inf))
    assert bool(shares(broken).isnan().all())


def test_layers_that_are_no_neighbours_are_averaged_alone():
    pair = make(layers=((0,), (2,)))
    third = torch.full_like(pair.scores[:, :, :1], 50.0)
    scores = torch.cat((pair.scores[:, :, :1], third, pair.scores[:, :, 1:]), dim=2)
    norms = torch.full(scores.shape[:-1], 2.0)
    capture = replace(pair, scores=scores, norms=norms, layers=((0,), (1,), (2,)))
    assert torch.equal(decode(capture, layers="0,2").values, decode(pair, layers="0,2").values)


def test_layers_and_steps_are_those_of_the_model_and_the_run():
    capture = make()
    later = torch.zeros_like(capture.scores)
    both = replace(
        capture,
        scores=torch.cat((capture.scores, later), dim=1),
        norms=capture.norms.expand(1, 2, -1, -1),
        steps=(3, 7),
        total_steps=10,
        sigmas=(0.7, 0.2),
    )
    assert maps(decode(both, layers="2", steps="3"))[0][0] == pytest.approx(0.75)
    assert maps(decode(both, layers="3", steps="3"))[0][0] == pytest.approx(0.2)
    assert maps(decode(both, layers="2", steps="70%-100%"))[0][0] == pytest.approx(0.5)
    assert maps(decode(both, layers="2", steps="all"))[0][0] == pytest.approx(0.625)
    with pytest.raises(ConceptAttentionError, match=r"not captured: 4, 5\. .* 0 to 9: 3, 7\."):
        decode(both, steps="3-5")
    with pytest.raises(ConceptAttentionError, match="this run has 10 steps, 0 to 9"):
        decode(both, steps="10")


def test_auto_is_the_familys_default_as_far_as_it_was_captured():
    capture = make(total_layers=7)  # the last four are 3 to 6: of layers 2 and 3 only 3 counts
    assert maps(decode(capture))[0] == pytest.approx([0.2, 0.5, 0.75, 0.5, 0.5, 0.2])
    assert maps(decode(capture, layers="auto", steps=" Auto "))[0][0] == pytest.approx(0.2)
    beyond = make(total_layers=19)  # nothing of 15 to 18 was captured: all that was
    assert maps(decode(beyond))[0][0] == pytest.approx(0.475)


def test_flux2_averages_scores_at_its_own_temperature():
    capture = make(family="flux2")
    warm = replace(capture, scores=capture.scores * 1000)
    assert maps(decode(warm))[0][4] == pytest.approx(0.75)


def test_batch_items_and_frames_keep_their_places():
    scores = torch.arange(2 * 1 * 1 * 2 * 12, dtype=torch.float32).view(2, 1, 1, 2, 12) / 10
    capture = replace(
        make(layers=((3,),)),
        scores=scores,
        norms=torch.ones(2, 1, 1, 2),
        grid=(2, 2, 3),
        background=(False, False),
    )
    values = decode(capture).values
    assert values.shape == (2, 2, 2, 2, 3)
    expected = scores[:, 0, 0].softmax(1)
    assert torch.equal(values[1, 0, 1].flatten(), expected[0, 1, 6:])
    assert torch.equal(values[0, 1, 0].flatten(), expected[1, 0, :6])


def test_permuting_the_concepts_permutes_the_maps():
    capture = make()
    swapped = replace(capture, scores=capture.scores.flip(3), labels=("rock", "dragon"))
    assert torch.equal(decode(swapped).values, decode(capture).values.flip(0))


def test_shared_stretches_all_concepts_on_one_scale():
    heatmaps = decode(make(), layers="2", normalize="shared")
    # dragon 3/4 1/2 1/4 1/2 9/10 1/2, rock the rest: from 1/10 to 9/10
    low, high = heatmaps.value_range[0]
    assert (low, high) == pytest.approx((0.1, 0.9))
    dragon = [0.8125, 0.5, 0.1875, 0.5, 1.0, 0.5]
    assert maps(heatmaps)[0] == pytest.approx(dragon)
    assert maps(heatmaps)[1] == pytest.approx([1 - value for value in dragon], abs=1e-6)


def test_per_concept_stretches_each_on_its_own():
    heatmaps = decode(make(), layers="3", normalize="per concept")
    assert maps(heatmaps)[0] == pytest.approx([0, 6 / 11, 1, 6 / 11, 6 / 11, 0])
    assert heatmaps.value_range[0] == pytest.approx((0.2, 0.75))
    assert heatmaps.value_range[1] == pytest.approx((0.25, 0.8))


@pytest.mark.parametrize("normalize", ["none", "shared", "per concept"])
def test_shares_are_the_softmax_whatever_the_values_were_stretched_to(normalize):
    assert torch.allclose(decode(make(), normalize=normalize).shares, decode(make()).values)


@pytest.mark.parametrize("normalize", ["shared", "per concept"])
def test_a_constant_map_stays_as_it_is(normalize):
    flat = Heatmaps(torch.full((1, 1, 1, 2, 3), 0.25), ("sky",), ((0.0, 1.0),))
    stretched = normalized(flat, normalize)
    assert torch.equal(stretched.values, flat.values)
    assert stretched.value_range == ((0.0, 1.0),)


def test_some_concepts_in_the_order_asked_for():
    heatmaps = decode(make(), normalize="per concept")
    chosen = only(heatmaps, ["rock"])
    assert chosen.labels == ("rock",)
    assert torch.equal(chosen.values, heatmaps.values[1:])
    assert chosen.value_range == heatmaps.value_range[1:]
    assert only(heatmaps, ["rock", "dragon"]).labels == ("rock", "dragon")
    with pytest.raises(ConceptAttentionError, match=r"'Rock' is not .* It has: dragon, rock\."):
        only(heatmaps, ["Rock"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"temperature": 0.0}, "temperature: 0.0 is not a number above 0"),
        ({"temperature": float("nan")}, "temperature: nan is not a number above 0"),
        ({"order": "both"}, "order: 'both' is not one of"),
        ({"normalize": "all"}, "normalize: 'all' is not one of"),
    ],
)
def test_a_bad_choice_is_named(change, message):
    with pytest.raises(ConceptAttentionError, match=message):
        decode(make(), **change)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize("order", ["softmax first", "scores first"])
def test_scores_that_overflowed_are_no_map(bad, order):
    capture = make()
    scores = capture.scores.clone()
    scores[0, 0, 1, 0, 2] = bad
    with pytest.raises(ConceptAttentionError, match="capture: its scores are not finite"):
        decode(replace(capture, scores=scores), order=order)


def test_a_family_without_defaults_is_an_error():
    with pytest.raises(ConceptAttentionError, match=r"'unet'\. Known: .*cogvideox, flux"):
        defaults("unet")


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_every_supported_family_has_defaults(family):
    assert defaults(family.name).temperature > 0


@pytest.mark.parametrize("name", ["flux1_dev", "flux1_schnell", "flux2", "cogvideox_5b"])
def test_the_heatmap_of_the_papers_code(name):
    golden = load_file(GOLDEN / f"{name}.safetensors")
    layers = 1 + max(int(key.split(".")[2]) for key in golden if key.startswith("scores."))
    scores = torch.stack(
        [torch.stack([golden[f"scores.{t}.{i}"] for i in range(layers)]) for t in range(2)]
    )[None]
    concepts = scores.shape[3]
    capture = Capture(
        scores=scores,
        norms=torch.ones(scores.shape[:-1]),
        grid=(1, *golden["heatmap"].shape[1:])[-3:],
        picture=(128, 192),
        steps=(0, 1),
        layers=tuple((i,) for i in range(layers)),
        sigmas=(0.8, 0.3),
        total_steps=2,
        total_layers=layers,
        labels=tuple(str(i) for i in range(concepts)),
        background=(False,) * concepts,
        family="flux",
    )
    values = decode(capture, layers="-2:", steps="all", temperature=1.0).values[:, 0]
    assert (values.squeeze(1) - golden["heatmap"]).abs().max() < 1e-6
