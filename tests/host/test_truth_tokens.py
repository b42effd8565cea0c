"""The measurement of which tokens should stand for a concept."""

import pytest
import torch

import truth_tokens
from concept_attention.nodes.pocket import LoadPocketModel
from concept_attention.pocket.world import scene
from truth_tokens import CHOICES, FORMS, MEAN, MIXED, SPLIT, Tokens, tables


@pytest.fixture(autouse=True)
def _no_gradients():
    with torch.inference_mode():
        yield


@pytest.fixture(scope="module")
def tokens():
    return Tokens(*LoadPocketModel.execute().args)


def test_the_forms_of_a_name():
    drawn = scene(5, things=("house",), sky="night", ground="sand")
    assert [write("house", drawn) for write in FORMS.values()] == [
        "house",
        "the house",
        "a house",
        "a picture of the house",
        "house on sand",
    ]
    assert FORMS["house on grass"]("sand", drawn) == "sand under the night"
    assert FORMS["house on grass"]("night", drawn) == "night over sand"


def test_captures_beside_one_forward_are_those_of_a_run_of_their_own(tokens):
    texts = {"one": ["the house", "sky"], "other": ["tree", "sand", "grass"]}
    together = tokens._captures(scene(5), 5, texts)
    alone = tokens._captures(scene(5), 5, {"other": texts["other"]})
    assert set(together) == {(form, choice) for form in texts for choice in CHOICES}
    for key, capture in alone.items():
        assert torch.equal(capture.scores, together[key].scores)
        assert capture.background == (False, False, False, True)


def test_choices_differ_where_a_concept_has_several_tokens_only(tokens, monkeypatch):
    monkeypatch.setattr(truth_tokens, "FORMS", {form: FORMS[form] for form in ("house", "a house")})
    row = tokens.row(next(seed for seed in range(9) if scene(seed).ground != SPLIT))
    plain, article = (
        [row[form, choice]["mIoU"] for choice in CHOICES] for form in ("house", "a house")
    )
    assert len(set(plain)) == 1
    assert len(set(article)) == len(CHOICES)
    expected = [(one + other) / 2 for one, other in zip(plain, article, strict=True)]
    assert [row[MEAN, choice] for choice in CHOICES] == expected


def test_the_tables_have_a_line_for_every_form():
    figure = {"mIoU": 0.25, "things' IoU": 0.5, "present": [0.9], "absent": 0.1}
    row = {(form, choice): figure for form in (*FORMS, MIXED) for choice in CHOICES}
    row |= {(MEAN, choice): 0.75 for choice in CHOICES}
    word = {(SPLIT, choice): figure for choice in CHOICES}
    lines = tables([row, row | word]).splitlines()
    cell, word_cell, mean_cell = (f"{x} ({x} to {x})" for x in ("0.250", "0.500", "0.750"))
    assert f"| a house | {' | '.join([cell] * 4)} |" in lines
    assert f"| sand alone, n = 1 | {' | '.join([word_cell] * 4)} |" in lines
    assert f"| mean of the five forms | {' | '.join([mean_cell] * 4)} |" in lines
    assert sum(line.startswith(f"| {MIXED} |") for line in lines) == 2
