"""Nouns and noun phrases of a prompt, proposed as concepts; every one is a part of the prompt."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from . import lexicon
from .concepts import COMMAS, parse_concepts
from .errors import ConceptAttentionError
from .phrases import Noun, nouns

MOST_CONCEPTS = 16  # that a prompt makes without being asked about; each costs time and memory
_QUOTED = 60  # characters of a prompt in an error


@dataclass(frozen=True)
class Proposal:
    """A part of a prompt; style: it says how the picture is made more than what is on it."""

    text: str
    style: bool = False


def propose(prompt: str) -> list[Proposal]:
    """What of a prompt may be looked for in the picture, in its order and spelling; style last.

    No two are the same words, case and number aside. Of nouns that come with different
    modifiers, as in "a red car and a blue car", each is proposed with its own.
    """
    proposals: dict[str, Proposal] = {}
    for text, style in _texts(nouns(prompt)):
        key = " ".join(map(lexicon.singular, text.casefold().split()))
        proposals.setdefault(key, Proposal(text, style))
    return sorted(proposals.values(), key=lambda each: each.style)


def concepts_of(prompt: str, background: str) -> str:
    """The concepts input's text for a prompt: its proposals, those of style only without others.

    background: the input's text; what it names is left out. Raises ConceptAttentionError for a
    prompt without a noun.
    """
    behind = {label.casefold() for label in parse_concepts(background, "background")}
    all_ = [each for each in propose(prompt) if each.text.casefold() not in behind]
    shown = [each for each in all_ if not each.style] or all_
    if not shown:
        raise ConceptAttentionError(
            f"prompt: no noun was found in {_shortened(prompt)!r}, and concepts is empty. Write "
            "what to look for into concepts."
        )
    return "\n".join(quoted(each.text) for each in shown[:MOST_CONCEPTS])


def quoted(label: str) -> str:
    """A label as core.concepts.parse_concepts reads it back."""
    return '"' + label.replace('"', '""') + '"' if re.search(rf'["“”{COMMAS}]', label) else label


def _shortened(prompt: str) -> str:
    return prompt if len(prompt) <= _QUOTED else prompt[:_QUOTED] + "…"


def _texts(found: Sequence[Noun | str]) -> Iterator[tuple[str, bool]]:
    groups: dict[str, list[Noun]] = {}
    for each in found:
        if isinstance(each, Noun):
            groups.setdefault(each.key, []).append(each)
    several = {key: _are_several(group) for key, group in groups.items()}
    named = {key: all(each.compound for each in group) for key, group in groups.items()}
    for each in found:
        if isinstance(each, str):
            yield each, False
        elif each.modifier or not several[each.key]:
            full = several[each.key] or named[each.key]
            yield each.full if full else each.head, lexicon.is_style(each.head.lower())


def _are_several(group: Sequence[Noun]) -> bool:
    """Whether one noun stands for different things: "red car" and "blue car", not "long hair" and
    "black hair", which may be one.
    """
    kinds = {(each.modifier.lower(), each.kind, each.new) for each in group if each.modifier}
    return any(
        one != other and (kind == other_kind or (new and other_new))
        for (one, kind, new), (other, other_kind, other_new) in combinations(kinds, 2)
    )
