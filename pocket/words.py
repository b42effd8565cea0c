"""Prompts as rows of the pocket vocabulary, and prompts in which some words are wrong.

Needs ComfyUI on the import path, for its tokenizer.
"""

from __future__ import annotations

import random
import re
from collections.abc import Collection
from functools import lru_cache

from .prompts import CONCEPTS, SYNONYMS, TEXT_TOKENS, prompt_of
from .text import token_ids, vocabulary
from .things import THINGS
from .world import GROUNDS, SKIES, Scene

NAMES = (*CONCEPTS, *SYNONYMS)
RIGHT, WRONG, NEITHER = 1, 0, -1


def names_in(text: str) -> list[str]:
    """The concepts that a prompt names, in its order."""
    return [word for word in text.replace(",", " ").split() if word in NAMES]


def is_true(name: str, drawn: Scene) -> bool:
    """Whether a name is right for a scene."""
    label = SYNONYMS.get(name, name)
    return label in drawn.things or label in (drawn.sky, drawn.ground)


def prompts_for(seed: int, drawn: Scene, prompt: str, count: int) -> list[str]:
    """`count` prompts of a scene, the given one first; a single word stays a single word."""
    rng = random.Random(f"more prompts {seed}")
    if len(names_in(prompt)) < 2:
        return [prompt] * count
    return [prompt, *(prompt_of(rng, drawn) for _ in range(count - 1))]


def with_wrong_words(
    seed: int, drawn: Scene, prompt: str, things: Collection[str] = tuple(THINGS)
) -> str:
    """The prompt with at least one of its names replaced by a wrong one of the same kind."""
    rng = random.Random(f"wrong words {seed}")
    places = [place for place, part in enumerate(_parts(prompt)) if part in NAMES]
    if not places:
        return prompt
    certain, parts = rng.choice(places), _parts(prompt)
    for place in places:
        if place == certain or rng.random() < 0.4:
            parts[place] = _wrong(rng, drawn, parts[place], parts, things)
    return "".join(parts)


def _wrong(
    rng: random.Random, drawn: Scene, name: str, taken: list[str], things: Collection[str]
) -> str:
    label = SYNONYMS.get(name, name)
    kind = next(kind for kind in (things, GROUNDS, SKIES) if label in kind)
    return rng.choice([n for n in kind if not is_true(n, drawn) and n not in taken] or [name])


def _parts(text: str) -> list[str]:
    return re.split(r"([ ,]+)", text)


def rows(text: str, drawn: Scene | None) -> tuple[list[int], list[int]]:
    """Vocabulary rows of a text, padded, and for each token RIGHT, WRONG or NEITHER (no
    name, or no scene is given).

    Raises ValueError when the text is longer than TEXT_TOKENS.
    """
    ids, verdicts = [], []
    for word in text.replace(",", " , ").split():
        own = _ids(word)
        verdict = NEITHER
        if word in NAMES and drawn is not None:
            verdict = RIGHT if is_true(word, drawn) else WRONG
        ids += own
        verdicts += [verdict] * len(own)
    if len(ids) >= TEXT_TOKENS:
        raise ValueError(f"a prompt of more than {TEXT_TOKENS} tokens: {text}")
    tail = token_ids("")[: TEXT_TOKENS - len(ids)]
    table = _table()
    return [table[i] for i in (*ids, *tail)], verdicts + [NEITHER] * len(tail)


@lru_cache(maxsize=256)
def _ids(word: str) -> tuple[int, ...]:
    if word == ",":
        return (token_ids("a,")[2],)
    ids = token_ids(word)
    return tuple(ids[: ids.index(token_ids("")[0])])


@lru_cache(maxsize=1)
def _table() -> dict[int, int]:
    return {token: row for row, token in enumerate(vocabulary())}
