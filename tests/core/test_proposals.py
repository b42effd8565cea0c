"""Which parts of a prompt are proposed as concepts."""

import re
import time

import pytest

from concept_attention.core import lexicon
from concept_attention.core.concepts import parse_concepts
from concept_attention.core.errors import ConceptAttentionError
from concept_attention.core.proposals import MOST_CONCEPTS, concepts_of, propose

from .prompts import FRESH, TRIED


def things(text):
    """What is proposed, those of style behind a bar."""
    found = propose(text)
    style = ", ".join(each.text for each in found if each.style)
    shown = ", ".join(each.text for each in found if not each.style)
    return f"{shown} | {style}" if style else shown


@pytest.mark.parametrize("case", [*TRIED, *FRESH], ids=lambda case: case[0][:40])
def test_realistic_prompts(case):
    assert things(case[0]) == case[1]


def figures(cases):
    """How many proposals there are, style aside, how many labels, and how many are both."""
    right = proposed = labelled = 0
    for prompt, _, *rest in cases:
        found = {each.text.casefold() for each in propose(prompt) if not each.style}
        labels = set((rest[0].casefold()).split(", ")) if rest else found
        right, proposed = right + len(found & labels), proposed + len(found)
        labelled += len(labels)
    return right, proposed, labelled


def test_what_a_person_would_choose_is_mostly_what_is_proposed():
    assert figures(FRESH) == (61, 68, 66)  # precision 0.90, recall 0.92
    assert figures(TRIED) == (232, 249, 242)  # precision 0.93, recall 0.96


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("(dragon:1.2), ((castle)), [tree], (((rock:0.8)))", "dragon, castle, tree, rock"),
        ("a (red:1.3) dragon", "dragon"),
        ("(dragon)(castle)", "dragon, castle"),
        ("[dragon:phoenix:0.5], 2::tree", "dragon, phoenix, tree"),
        ("saber \\(fate\\), sword", "saber, sword"),
        ("embedding:bad_hands, dragon, <lora:ink:1>, embedding:x", "dragon"),
        ("dragon BREAK rock AND tree", "dragon, rock, tree"),
        ("{dragon|phoenix} over __place__", "dragon, phoenix"),
        ("dragon\nrock\r\ntree", "dragon, rock, tree"),
        ("1girl, 2boys, 35mm, 8k", "girl, boys"),
        ("score_9_up, rating_safe, long_hair", "hair"),
        ('a sign that says "Open Late"', "sign"),
        ('"dragon", "rock"', "dragon, rock"),
        ("a dragon by Greg Smith, in the style of Nobody Known", "dragon"),
        ("a dragon by the river", "dragon, river"),
        ("a street without cars, no people", "street"),
    ],
)
def test_the_syntax_of_prompts_is_understood(prompt, expected):
    assert things(prompt) == expected


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a red car and a blue car", "red car, blue car"),
        ("red car, blue car, the car", "red car, blue car"),
        ("a red car on a road, the red car is fast", "car, road"),
        ("long hair, black hair", "hair"),  # of one head, as it may be
        ("an old man and a tall man", "old man, tall man"),
        ("coffee cup, tea cup", "coffee cup, tea cup"),
        ("a stone castle, the castle", "castle"),
        ("Dragon, a dragon and two dragons", "Dragon"),
        ("oil painting, a dragon at night", "dragon | oil painting, night"),
        ("the knight confronts the dragon", "knight, dragon"),
        ("a ship sails in the bay", "ship, bay"),
        ("the sky is blue and clear, the dragon's head", "sky, dragon, head"),
        ("the Eiffel Tower in Paris", "Eiffel Tower, Paris"),
        ("children\u2019s toys", "children, toys"),
        ("an orange cat, an orange", "cat, orange"),
        ("standing, smiling, very big, masterpiece", ""),
        ("", ""),
        ("... , (((:1.2))), 123", ""),
    ],
)
def test_the_shortest_form_that_tells_things_apart(prompt, expected):
    assert things(prompt) == expected


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("龙，岩石、天空。城堡", "龙, 岩石, 天空, 城堡"),
        ("(龙:1.2), masterpiece, a rock", "龙, rock"),
        ("تنين، صخرة", "تنين, صخرة"),
        ("красный дракон, замок", "красный дракон, замок"),
        ("un dragon rouge, le château", "un dragon rouge, le château"),
        ("ein Drache auf dem Felsen, Schloss", "ein Drache auf dem Felsen, Schloss"),
        ("龙" * 61, ""),
    ],
)
def test_other_languages_are_cut_at_punctuation_only(prompt, expected):
    assert things(prompt) == expected


def test_nothing_is_made_up():
    for prompt, *_ in (*TRIED, *FRESH):
        words = set(re.findall(r"[^\W\d_]+", prompt))
        for each in propose(prompt):
            assert set(re.findall(r"[^\W\d_]+", each.text)) <= words, each


def test_a_very_long_prompt_is_read_in_no_time():
    start = time.perf_counter()
    for text in ("a dragon ", "a red car, ", "(", '"a ', "__a", "By A", "a' ", "1"):
        propose(text * (60_000 // len(text)))
    assert time.perf_counter() - start < 10


def test_the_word_lists_are_short():
    lists = (lexicon.STOP, lexicon.ADJECTIVES, lexicon.FLUFF, lexicon.STYLE, lexicon.FOREIGN)
    assert all(lists) and sum(map(len, lists)) < 400


def test_the_concepts_of_a_prompt_are_its_things():
    assert concepts_of("a dragon at night, white background", "background") == "dragon"
    assert concepts_of("a dragon on a Rock", "rock, sky") == "dragon"
    assert concepts_of("oil painting", "background") == "oil painting"  # else there would be none
    assert parse_concepts(concepts_of("龙，岩石", "")) == ["龙", "岩石"]


def test_a_long_prompt_gives_its_first_things_as_concepts():
    names = [f"thing{chr(97 + index)}" for index in range(MOST_CONCEPTS + 3)]
    assert parse_concepts(concepts_of(", ".join(names), "")) == names[:MOST_CONCEPTS]


def test_a_prompt_without_a_noun_is_an_error_that_quotes_it():
    with pytest.raises(ConceptAttentionError, match="prompt: no noun was found in 'very big'"):
        concepts_of("very big", "background")
    with pytest.raises(ConceptAttentionError, match=r"no noun was found in '(very ){12}…'"):
        concepts_of("very " * 50, "")
    with pytest.raises(ConceptAttentionError, match="background: there is an empty entry"):
        concepts_of("a dragon", "a,,b")
