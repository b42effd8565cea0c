"""Concepts of several tokens: every token has a stream, a concept's scores are their mean."""

from dataclasses import replace

import pytest
import torch

from concept_attention.core.run import CaptureRun
from concept_attention.core.types import Concept, Concepts

from .models import FAMILIES, TINY, both, capture_of, captured, error, inputs, model, seeded

ROUNDING = 2e-6
COUNTS = (3, 1, 2)
TOKENS = sum(COUNTS)


def grouped(family, counts=COUNTS):
    """Concepts of these numbers of tokens, out of always the same tokens."""
    rows, places = seeded(TOKENS, 48, seed=99).split(counts), torch.arange(4, 4 + TOKENS)
    items = tuple(
        Concept(f"concept {i}", own, tuple(at.tolist()), 512, background=i == len(counts) - 1)
        for i, (own, at) in enumerate(zip(rows, places.split(counts), strict=True))
    )
    return Concepts(items, TINY[family].encoder)


@pytest.mark.parametrize("family", FAMILIES)
def test_scores_are_the_means_of_the_tokens_scores(family):
    """The same tokens, each as a concept of its own, make the same streams."""
    alone = capture_of(family, concepts=grouped(family, (1,) * TOKENS))
    together = capture_of(family, concepts=grouped(family))
    assert together.scores.shape == (*alone.scores.shape[:3], 3, alone.scores.shape[-1])
    means = [own.mean(3) for own in alone.scores.split(COUNTS, 3)]
    assert error(together.scores, torch.stack(means, 3)) < ROUNDING
    assert together.labels == ("concept 0", "concept 1", "concept 2")


@pytest.mark.parametrize("family", FAMILIES)
def test_the_picture_does_not_change(family):
    host, _, _ = both(family)
    ours, _ = captured(model(family), **inputs(family), concepts=grouped(family))
    assert torch.equal(host, ours)


@pytest.mark.parametrize("family", FAMILIES)
def test_permuting_the_concepts_permutes_the_scores(family):
    named = grouped(family)
    shuffled = Concepts(tuple(named.items[i] for i in (1, 2, 0)), named.encoder)
    straight, permuted = (capture_of(family, concepts=each) for each in (named, shuffled))
    assert error(permuted.scores, straight.scores[:, :, :, [1, 2, 0]]) < ROUNDING
    assert error(permuted.norms, straight.norms[..., [1, 2, 0]]) < ROUNDING


@pytest.mark.parametrize(("missing", "notes"), [(0, 0), (1, 1)])
def test_the_memory_budget_counts_concepts_and_not_their_tokens(missing, notes):
    """2 steps, 3 layers, 3 concepts and 35 image tokens of 4 bytes fit exactly."""
    said = []
    run = CaptureRun(
        model("schnell").get_model_object("diffusion_model"),
        grouped("schnell"),
        budget=2 * 3 * 3 * 35 * 4 - missing,
        notify=said.append,
    )
    run.begin((1, 16, 10, 14), [1.0, 0.5, 0.0], [{"uuid": 0}])
    assert len(said) == notes


def test_a_capture_keeps_how_its_concepts_were_split():
    named = grouped("schnell")
    splits = (("sky", "scra", "per"), ("rock",), ("", "sand"))
    items = zip(named.items, splits, ("all", "last", "all"), strict=True)
    told = (replace(item, split=split, choice=choice) for item, split, choice in items)
    capture = capture_of("schnell", concepts=Concepts(tuple(told), named.encoder))
    assert capture.splits == splits
    assert capture.choices == ("all", "last", "all")
