"""Choice of a concept's own tokens, on hand-made token sequences."""

import pytest

from concept_attention.core.errors import ConceptAttentionError
from concept_attention.core.tokens import (
    ENCODERS,
    Encoder,
    check_content,
    choose,
    content_span,
    describe,
    find_encoders,
    pick_encoder,
)

PAD, START, END = 0, 1, 2
LAST = Encoder("test", "model", "last", padding=PAD, mute=frozenset({7}))


@pytest.mark.parametrize(
    ("tokens", "empty", "span"),
    [
        ([50, 51, END, PAD, PAD], [END, PAD, PAD, PAD, PAD], range(0, 2)),
        ([START, 50, END, PAD], [START, END, PAD, PAD], range(1, 2)),
        ([START, 30, 50, 51, 52, END, 31, 32, PAD], [START, 30, END, 31, 32, PAD], range(2, 5)),
        ([START, 30, 50, END], [START, 30, END], range(2, 3)),
        ([PAD, PAD, START, 50, END], [PAD, PAD, PAD, START, END], range(3, 4)),
        # words of the template, as the concept
        ([START, 30, 30, END, 31], [START, 30, END, 31], range(2, 3)),
        ([START, 30, 31, END, 31], [START, 30, END, 31], range(2, 3)),
        ([START, 30, 50, START, 30, END], [START, 30, START, 30, END], range(2, 3)),
    ],
)
def test_the_span_leaves_out_template_padding_start_and_end(tokens, empty, span):
    assert content_span(tokens, empty, PAD) == span


def test_a_blank_in_place_of_an_empty_text_is_no_part_of_the_template():
    for content in ([50, 51], [7, 50], [7]):
        span = content_span([START, 30, *content, END], [START, 30, 7, END], PAD, mute={7})
        assert span == range(2, 2 + len(content))


def test_a_control_token_next_to_the_template_stays_in_the_span():
    """So that it is seen and refused, wherever in the concept it is."""
    for concept in ([END, 50], [50, END], [END]):
        span = content_span([START, 30, *concept, END, 31], [START, 30, END, 31], PAD)
        content = [START, 30, *concept, END, 31][span.start : span.stop]
        with pytest.raises(ConceptAttentionError, match="holds a control token"):
            check_content("x", content, {PAD, START, END}, LAST)


@pytest.mark.parametrize(
    "tokens",
    [
        [START, END],  # nothing of the concept is left
        [START, 99, END],  # "30" and the concept merged into one token
        [START, 30, 50, 99],  # the concept and what follows merged
        [40, 41, 50, END],
    ],
)
def test_a_concept_that_is_not_whole_in_its_template_is_an_error(tokens):
    with pytest.raises(ConceptAttentionError, match="does not put a concept whole"):
        content_span(tokens, [START, 30, END], PAD)


@pytest.mark.parametrize(
    ("choice", "chosen"),
    [("first", (3,)), ("last", (5,)), ("mean", (3, 4, 5)), ("all", (3, 4, 5))],
)
def test_the_tokens_of_a_choice(choice, chosen):
    assert choose(range(3, 6), [50, 51, 52], choice, LAST) == chosen


@pytest.mark.parametrize(
    ("choice", "chosen"), [("first", (4,)), ("last", (6,)), ("mean", (4, 6)), ("all", (4, 6))]
)
def test_tokens_that_carry_no_text_are_never_taken(choice, chosen):
    assert choose(range(3, 8), [7, 50, 7, 51, 7], choice, LAST) == chosen


def test_auto_is_the_encoder_s_own_choice():
    first = Encoder("test", "model", "first", padding=PAD)
    assert [each.resolve("auto") for each in (LAST, first)] == ["last", "first"]
    assert LAST.resolve("all") == "all"


def test_an_unknown_choice_is_an_error_that_lists_the_choices():
    with pytest.raises(
        ConceptAttentionError, match="'middle' is not one of auto, first, last, mean, all"
    ):
        LAST.resolve("middle")


@pytest.mark.parametrize(
    ("split", "choice", "text"),
    [
        (("sky", "scraper"), "all", "x: sky|scraper (all tokens)"),
        (("sky", "scraper"), "first", "x: sky|scraper (first token)"),
        (("", "s", "and"), "last", "x: \u00b7|s|and (last token)"),
        (("red", "dragon"), "mean", "x: red|dragon (mean of embeddings)"),
        (("tree",), "last", "x: tree"),
    ],
)
def test_a_concept_says_how_it_was_split_and_which_tokens_are_used(split, choice, text):
    assert describe("x", split, choice) == text


def test_unreadable_text_is_an_error_and_partly_readable_text_is_not():
    check_content("x", [7, 50], {PAD, START, END, 7}, LAST)
    with pytest.raises(ConceptAttentionError, match='test knows no letter of "x"'):
        check_content("x", [7, 7], {PAD, START, END, 7}, LAST)


@pytest.mark.parametrize(
    ("names", "encoder", "auto"),
    [
        (["l", "t5xxl"], "t5xxl", "all"),
        (["t5xxl"], "t5xxl", "all"),
        (["mistral3_24b"], "mistral3_24b", "last"),
        (["qwen3_4b"], "qwen3_4b", "last"),
        (["qwen3_8b"], "qwen3_8b", "last"),
    ],
)
def test_the_encoder_that_feeds_the_joint_attention(names, encoder, auto):
    (found,) = find_encoders(names)
    assert (found.name, found.auto) == (encoder, auto)


@pytest.mark.parametrize(
    "names", [["l"], ["g", "l"], ["g", "l", "llama", "t5xxl"], ["l", "qwen3_4b"]]
)
def test_an_unknown_encoder_is_an_error_that_lists_the_supported_ones(names):
    with pytest.raises(ConceptAttentionError, match=r"clip: its text encoder") as error:
        find_encoders(names)
    assert " + ".join(names) in str(error.value)
    assert all(f"{encoder.name} ({encoder.models})" in str(error.value) for encoder in ENCODERS)


def test_sd3_has_two_encoders_and_clip_is_the_first():
    encoders = find_encoders(["g", "l", "t5xxl"])
    assert [encoder.name for encoder in encoders] == ["clip_l+clip_g", "t5xxl"]
    picked = [pick_encoder(encoders, kind).name for kind in ("auto", "CLIP", "T5")]
    assert picked == ["clip_l+clip_g", "clip_l+clip_g", "t5xxl"]
    assert pick_encoder(encoders[1:], "auto").name == "t5xxl"


@pytest.mark.parametrize(
    ("names", "kind", "message"),
    [
        (["l", "t5xxl"], "CLIP", r"encoder: CLIP was chosen.*only t5xxl can.*Choose auto"),
        (["qwen3_4b"], "T5", "encoder: T5 was chosen.*only qwen3_4b can"),
        (["t5xxl"], "GPT", "encoder: 'GPT' is not one of auto, CLIP, T5"),
    ],
)
def test_a_kind_that_the_model_does_not_have_is_an_error(names, kind, message):
    with pytest.raises(ConceptAttentionError, match=message):
        pick_encoder(find_encoders(names), kind)


def test_a_clip_without_named_encoders_is_an_error():
    with pytest.raises(ConceptAttentionError, match="of an unknown kind"):
        find_encoders(())
