"""What the viewer in the browser writes into the node's inputs is read as it was meant."""

import json
from pathlib import Path

import pytest

from concept_attention.core.concepts import parse_concepts
from concept_attention.core.selection import pick

# The browser's tests have the same cases: there the texts are what must come out.
PATH = Path(__file__).resolve().parents[1] / "data" / "view" / "texts.json"
CASES = json.loads(PATH.read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES["concepts"], ids=lambda case: case["text"])
def test_a_list_of_concepts_is_those_that_were_shown(case):
    assert parse_concepts(case["text"], "concept") == case["labels"]


@pytest.mark.parametrize("case", CASES["selections"], ids=lambda case: case["text"])
def test_layers_and_steps_are_those_that_were_chosen(case):
    picked = pick(case["text"], case["entries"], case["total"], "layers")
    assert list(picked) == case["positions"]
