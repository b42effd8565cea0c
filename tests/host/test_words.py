"""Words of the prompt: exact scores of its own rows, and an error for any other prompt."""

from dataclasses import replace

import pytest
import torch

from concept_attention.core.errors import ConceptAttentionError
from concept_attention.core.spaces import SPACES, in_space
from concept_attention.core.types import Concept, Concepts
from concept_attention.nodes.decode import HeatmapDecode

from .attached import attach, collect, same
from .images import captured as looked
from .joint import TWINS, bare, joint, plain_scores, twins
from .models import (
    FAMILIES,
    TINY,
    capture_of,
    captured,
    concepts,
    counting,
    error,
    inputs,
    latent,
    model,
    plain,
    prompt,
    seeded,
)

ROUNDING = 1e-5  # of the largest magnitude: the same sums in another order
TOKENS = 6
# Two words, of two tokens and of one, then one that is there again.
ROWS = [[1, 2], [4], [5]]
READ = [family for family in FAMILIES if not family.startswith("hunyuan")]
# Text tokens of the joint attention where they are more than the prompt's, and where these begin.
FILLED = {"flux2": (512, 506), "zimage": (32, 0)}


def words(family, seed=1, rows=ROWS, tokens=TOKENS):
    """Words of `prompt`."""
    all_rows = seeded(1, tokens, 48, seed=seed)[0]
    items = (
        Concept(f"word {i}", all_rows[at], tuple(at), tokens, split=("x",) * len(at), choice="all")
        for i, at in enumerate(rows)
    )
    return Concepts(tuple(items), TINY[family].encoder, of_prompt=True)


@pytest.mark.parametrize("family", READ)
def test_scores_are_those_of_the_prompts_own_rows_in_every_space(family):
    """Computed from what the host's attention was given, without any of our code."""
    image = latent(family, 2)
    capture = capture_of(family, concepts=words(family), latent_image=image, baselines="all")
    text, start = FILLED.get(family, (TOKENS, 0))
    rows = [[start + i for i in at] for at in ROWS]
    tokens = slice(text, text + capture.scores.shape[-1])
    for step, calls in enumerate(joint(family, latent_image=image)):
        for layer, call in enumerate(calls):
            for space in SPACES:
                expected = plain_scores(call, rows, tokens, space)
                found = in_space(capture, space).scores[:, step, layer].double()
                assert found.shape == expected.shape
                assert error(found, expected) < ROUNDING, (space, step, layer)
    assert capture.labels == ("word 0", "word 1", "word 2")
    assert capture.background == (False, False, False)


@pytest.mark.parametrize("family", READ)
def test_a_row_of_the_conditioning_is_where_it_is_looked_for(family):
    """Another fifth token changes no row of the first block's values as much as its own."""
    ((rows, values),) = prompt(family)
    other = rows.clone()
    other[:, 4] = seeded(48, seed=50) * 3
    before, after = (joint(family, positive=[[each, values]])[0][0].v for each in (rows, other))
    text, start = FILLED.get(family, (TOKENS, 0))
    moved = (after - before)[0, :text].flatten(1).norm(dim=1)
    assert int(moved.argmax()) == start + 4


@pytest.mark.parametrize("family", TWINS)
def test_words_and_concepts_of_the_same_tokens_are_the_same(family):
    """If a prompt has no other tokens: the concept stream is what the prompt's rows are."""
    asked = {"positive": bare(family), "baselines": "all"}
    stream = capture_of(family, concepts=twins(family), **asked)
    own = capture_of(family, concepts=replace(twins(family), of_prompt=True), **asked)
    for space in SPACES:
        found, expected = in_space(own, space), in_space(stream, space)
        assert error(found.scores, expected.scores) < ROUNDING, space
        assert error(found.norms, expected.norms) < ROUNDING, space


@pytest.mark.parametrize("family", READ)
@pytest.mark.parametrize(("batch", "cfg"), [(1, 1.0), (2, 3.0)])
def test_the_picture_does_not_change(family, batch, cfg):
    asked = inputs(family, latent_image=latent(family, batch), cfg=cfg)
    host = plain(model(family), **asked)
    ours, capture = captured(model(family), **asked, concepts=words(family))
    assert torch.equal(host, ours)
    assert capture.scores.shape[0] == batch
    assert bool((capture.scores.std(-1) > 0).all())
    expected = capture_of(family, concepts=words(family)).scores[:, 0]
    assert error(capture.scores[:1, 0], expected) < (ROUNDING if batch == 1 else 10)


def test_the_negative_prompts_words_are_read_from_it():
    asked = {"cfg": 3.0, "steps": 1}
    negative = capture_of("dev", concepts=words("dev", 2), conditioning="negative", **asked)
    swapped = {"positive": prompt("dev", 2), "negative": prompt("dev", 1)}
    positive = capture_of("dev", concepts=words("dev", 2), **asked, **swapped)
    assert error(negative.scores, positive.scores) < ROUNDING


def test_attach_and_a_picture_that_exists_read_them_too():
    attached, handle = attach("dev", concepts=words("dev"))
    out = plain(attached, **inputs("dev"))
    assert same(collect(handle, out), capture_of("dev", concepts=words("dev")))
    picture = looked("dev", concepts=words("dev"))
    assert picture.labels == ("word 0", "word 1", "word 2")
    heatmaps = HeatmapDecode.execute(picture, concept="word 1").result[0]
    assert heatmaps.labels == ("word 1",)


def _refused(family, match, **changes):
    counted, calls = counting(model(family))
    with pytest.raises(ConceptAttentionError, match=match):
        capture_of(family, counted, **{"concepts": words(family), **changes})
    assert calls == []


@pytest.mark.parametrize("family", READ)
def test_another_prompt_is_an_error_before_the_model_runs(family):
    others = "is not made from it: its tokens are others"
    _refused(family, f"positive {others}", positive=prompt(family, 5))
    longer = prompt(family, 1, tokens=7)
    _refused(family, "it has 7 tokens, the prompt of the words has 6", positive=longer)
    _refused(family, f"negative {others}", cfg=3.0, conditioning="negative")


def test_a_prompt_that_the_host_repeats_to_the_negatives_length_is_read_once():
    """CogVideoX: 6 and 4 tokens go through the model together, as 12 each."""
    asked = {"cfg": 3.0, "negative": prompt("cog5b", 2, tokens=4)}
    calls = joint("cog5b", **asked)[0]
    assert calls[0].q.shape[1] == 12 + 3 * 35
    capture = capture_of("cog5b", concepts=words("cog5b"), **asked)
    for layer, call in enumerate(calls):
        expected = plain_scores(call, ROWS, slice(12, None), "output")
        found = capture.scores[0, 0, layer].double()
        assert min(error(found, each) for each in expected) < ROUNDING


@pytest.mark.parametrize("family", ["hunyuan", "hunyuan15"])
def test_a_model_that_refines_its_prompt_is_an_error_before_it_runs(family):
    _refused(family, "words of the prompt cannot be read in HunyuanVideo")


def test_words_of_another_encoder_are_refused_as_concepts_are():
    _refused("dev", "were encoded by qwen3_4b", concepts=replace(words("dev"), encoder="qwen3_4b"))
    assert concepts("dev").of_prompt is False
