"""Tokens merged to the words of a prompt, and conditionings told apart from others."""

import pytest
import torch

from concept_attention.core.errors import ConceptAttentionError
from concept_attention.core.families import FAMILIES
from concept_attention.core.types import Concept, Concepts
from concept_attention.core.words import check_family, check_prompts, rows_of, words_of


def merged(text, *pieces):
    return [(word.label, word.tokens) for word in words_of(text, pieces)]


def test_pieces_of_a_word_are_merged_in_the_order_of_the_prompt():
    found = merged("A skyscraper on rock", "A", "sky", "s", "cra", "per", "on", "rock")
    assert found == [("A", (0,)), ("skyscraper", (1, 2, 3, 4)), ("on", (5,)), ("rock", (6,))]


def test_punctuation_is_no_word_and_in_no_label():
    found = merged('red, "dragon"!', "red", ",", '"', "dragon", '"', "!")
    assert found == [("red", (0,)), ("dragon", (3,))]


def test_words_are_cut_at_punctuation_without_a_blank_and_joined_by_hyphens():
    assert merged("blue,green", "blue", ",", "green") == [("blue", (0,)), ("green", (2,))]
    found = merged("high-quality dragon's 1.5", "high", "-", "quality", "dragon", "'", "s", "1.5")
    # What joins is no part of the word's meaning: its vector stays out.
    assert found == [("high-quality", (0, 2)), ("dragon's", (3, 5)), ("1.5", (6,))]


def test_case_blanks_and_marks_of_the_encoder_do_not_matter():
    found = merged("Éclair\n\tSTRASSE  ½", "e\u0301cla", "ir", "strasse", "1", "\u2044", "2")
    assert [label for label, _ in found] == ["Éclair", "STRASSE", "½"]
    assert [tokens for _, tokens in found][:2] == [(0, 1), (2,)]


def test_words_that_are_there_again_are_numbered():
    found = merged("a cat and A cat", "a", "cat", "and", "a", "cat")
    assert [label for label, _ in found] == ["a", "cat", "and", "A (2)", "cat (2)"]
    assert found[4][1] == (4,)


def test_parts_of_a_letter_belong_to_the_word_and_tokens_without_text_to_none():
    found = merged("\u5ca9 sky", "", "", "\u5ca9", None, "sky")
    assert found == [("\u5ca9", (0, 1, 2)), ("sky", (4,))]
    assert merged("sun \U0001f600 sky", "sun", "", "\U0001f600", "sky") == [
        ("sun", (0,)),
        ("sky", (3,)),
    ]


def test_scripts_without_blanks_have_a_word_for_each_token():
    found = merged("\u7ea2\u8272\u7684\u9f99", "\u7ea2\u8272", "\u7684", "\u9f99")
    assert found == [("\u7ea2\u8272", (0,)), ("\u7684", (1,)), ("\u9f99", (2,))]


def test_an_embedding_s_name_is_no_word():
    found = merged("embedding:sky.pt red sky", None, None, "red", "sky")
    assert found == [("red", (2,)), ("sky", (3,))]


def test_what_the_encoder_does_not_read_is_skipped():
    assert merged("a \u2603 sky", "a", None, "sky") == [("a", (0,)), ("sky", (2,))]


def test_pieces_of_another_text_are_an_error():
    with pytest.raises(ConceptAttentionError, match="prompt: the text encoder reads 'sun'"):
        merged("red sky", "red", "sun")


@pytest.mark.parametrize("text", ["sky", ", .", "sky!"])
def test_fewer_than_two_words_are_an_error(text):
    with pytest.raises(ConceptAttentionError, match=r"prompt: .* words that the text encoder"):
        words_of(text, tuple(text.replace(" ", "")) if text == ", ." else ("sky",))


def concepts():
    """Rows 1 and 3 of a prompt of 5."""
    rows = prompt_rows()[0]
    items = (Concept("red", rows[1:2], (1,), 5), Concept("sky", rows[3:4], (3,), 5))
    return Concepts(items, "t5xxl", of_prompt=True)


def prompt_rows():
    return torch.randn(1, 5, 4, generator=torch.Generator().manual_seed(0))


def test_the_prompt_s_own_conditioning_is_let_pass():
    prompts = [{"cross_attn": prompt_rows()}, {"cross_attn": prompt_rows().bfloat16()}]
    check_prompts(concepts(), prompts, "positive")


@pytest.mark.parametrize(
    ("prompt", "match"),
    [
        ({"cross_attn": prompt_rows()[:, :4]}, "it has 4 tokens, the prompt of the words has 5"),
        ({"cross_attn": None}, "it has 0 tokens"),
        ({"cross_attn": prompt_rows().flip(1)}, "its tokens are others"),
        ({"cross_attn": prompt_rows() * torch.tensor([1.0, 1.2, 1, 1, 1])[:, None]}, "are others"),
        (
            {"cross_attn": torch.cat((prompt_rows(), prompt_rows().flip(1)))},
            "its tokens are others",
        ),
        (
            {"cross_attn": prompt_rows(), "reference_latents_text_embeds": []},
            "captions of reference pictures",
        ),
    ],
)
def test_another_conditioning_is_an_error(prompt, match):
    prompts = [{"cross_attn": prompt_rows()}, prompt]
    with pytest.raises(ConceptAttentionError, match=f"and negative is not made from it: .*{match}"):
        check_prompts(concepts(), prompts, "negative")


def test_the_prompt_s_rows_are_before_or_behind_what_fills_them_up():
    named = {family.name: family for family in FAMILIES}
    assert rows_of(named["flux"], slice(9, 15), 5) == slice(0, 5)
    assert rows_of(named["flux2"], slice(9, 15), 5) == slice(4, 9)
    assert rows_of(named["lumina2"], slice(32, 64), 7) == slice(0, 7)
    with pytest.raises(ConceptAttentionError, match="of 5 tokens, and the model was given 4"):
        rows_of(named["flux"], slice(4, 10), 5)


def test_a_model_that_refines_its_prompt_is_an_error_that_names_the_others():
    named = {family.name: family for family in FAMILIES}
    check_family(named["flux"])
    with pytest.raises(ConceptAttentionError, match=r"HunyuanVideo .* They can in: FLUX\.1 .*SD3"):
        check_family(named["hunyuan_video"])
