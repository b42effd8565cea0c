"""What a user may write into the concepts and background fields."""

import pytest

from concept_attention.core.concepts import (
    DEFAULT_BACKGROUND,
    DEFAULT_CONCEPTS,
    parse_choices,
    parse_concepts,
    parse_request,
)
from concept_attention.core.errors import ConceptAttentionError


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("dragon, rock, sky", ["dragon", "rock", "sky"]),
        ("dragon\nrock\nsky", ["dragon", "rock", "sky"]),
        ("dragon,\nrock,\r\n\n  sky,\n", ["dragon", "rock", "sky"]),
        ("  a red   dragon ,Rock", ["a red   dragon", "Rock"]),
        ('"red, white and blue", sky', ["red, white and blue", "sky"]),
        ("“red, white”, sky", ["red, white", "sky"]),
        ('the "big, red" rock, sky', ['the "big, red" rock', "sky"]),
        ('"5"" nail", hammer', ['5" nail', "hammer"]),
        ("it's, Tom's cat", ["it's", "Tom's cat"]),
        ("龙，岩石、天空", ["龙", "岩石", "天空"]),
        ("تنين، صخرة", ["تنين", "صخرة"]),
        ("Größe, дракон, café", ["Größe", "дракон", "café"]),
        ("(dragon:1.3), embedding:foo, a \\( b, {x|y}", None),
        ("", []),
        (" \n \n", []),
    ],
)
def test_commas_and_lines_separate_and_the_spelling_is_kept(text, labels):
    if labels is None:
        labels = text.split(", ")
    assert parse_concepts(text) == labels


@pytest.mark.parametrize("text", ["a,,b", ",a", "a,b,,", "a, ,b", ",", 'a, ""', '" ", b', "a，、b"])
def test_an_empty_entry_is_an_error_that_quotes_the_line(text):
    with pytest.raises(ConceptAttentionError, match="concepts: there is an empty entry") as error:
        parse_concepts("first\n" + text)
    assert repr(text) in str(error.value)


@pytest.mark.parametrize(
    ("text", "first", "second"),
    [
        ("Dog, dog", "Dog", "dog"),
        ("dog, cat\ndog", "dog", "dog"),
        ("red  car, red car", "red  car", "red car"),
        ("caf\u00e9, cafe\u0301", "caf\u00e9", "cafe\u0301"),
        ('dog, "dog"', "dog", "dog"),
        ("STRASSE, straße", "STRASSE", "straße"),
    ],
)
def test_the_same_words_twice_are_an_error_that_quotes_both(text, first, second):
    with pytest.raises(ConceptAttentionError, match="twice") as error:
        parse_concepts(text)
    assert f'"{first}" and "{second}"' in str(error.value)


@pytest.mark.parametrize("text", ['5" nail', '"red, white', "“red", "red”", '"a"b"'])
def test_an_open_quote_is_an_error_that_quotes_the_line(text):
    with pytest.raises(ConceptAttentionError, match="not closed") as error:
        parse_concepts(text + "\nsky")
    assert repr(text) in str(error.value)


def test_long_runs_of_quotes_are_read_in_no_time():
    with pytest.raises(ConceptAttentionError, match="not closed"):
        parse_concepts('"' + '""' * 5000)


def test_the_defaults_are_a_valid_request():
    assert parse_request(DEFAULT_CONCEPTS, DEFAULT_BACKGROUND) == (
        ["tree", "rock", "sky"],
        ["background"],
    )


def test_background_may_hold_several_concepts_or_none():
    assert parse_request("dragon", "floor, wall") == (["dragon"], ["floor", "wall"])
    assert parse_request("dragon, rock", "") == (["dragon", "rock"], [])


def test_one_concept_without_background_is_an_error_that_explains_why():
    with pytest.raises(
        ConceptAttentionError, match=r"background: .*\"dragon\".*1\.0 in every pixel"
    ):
        parse_request("dragon", " ")


def test_no_concept_is_an_error():
    with pytest.raises(ConceptAttentionError, match="concepts: '  ' holds no concept"):
        parse_request("  ", "background")


def test_a_concept_that_is_also_background_is_an_error():
    with pytest.raises(ConceptAttentionError, match='"Sky" is also in background'):
        parse_request("dragon, Sky", "sky")


def test_errors_name_the_background_input():
    with pytest.raises(
        ConceptAttentionError, match="background: there is an empty entry in 'a,,b'"
    ):
        parse_request("dragon", "a,,b")


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("", {}),
        ("sky: all", {"sky": "all"}),
        ("SKY :Last\nred dragon: mean", {"sky": "last", "red dragon": "mean"}),
        ('"red, white flag": first, sky\uff1aauto', {"red, white flag": "first", "sky": "auto"}),
        ("scale 1:10: all", {"scale 1:10": "all"}),
        ('"5"" nail": last', {'5" nail': "last"}),
    ],
)
def test_choices_for_single_concepts(text, chosen):
    labels = ["sky", "red dragon", "red, white flag", "scale 1:10", '5" nail']
    assert parse_choices(text, labels) == chosen


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sea: all", 'tokens_per_concept: there is no concept "sea". The concepts are: sky, rock'),
        ("sky: middle", "'sky: middle' does not say .* one of auto, first, last, mean, all"),
        ("sky", "'sky' does not say which tokens"),
        (": all", "': all' does not say which tokens"),
        ("sky: all, Sky: last", '"sky" is there twice'),
        ("sky: all,, rock: last", "there is an empty entry in"),
        ('"sky: all', "a quote is not closed"),
    ],
)
def test_a_bad_choice_names_the_input(text, message):
    with pytest.raises(ConceptAttentionError, match=message):
        parse_choices(text, ["sky", "rock"])


def test_concepts_that_are_not_known_yet_are_not_looked_up():
    assert parse_choices("sea: all", None) == {"sea": "all"}
    with pytest.raises(ConceptAttentionError, match="does not say which tokens"):
        parse_choices("sea", None)
