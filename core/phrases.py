"""From a prompt to the nouns in it, by punctuation, stop words and endings; see core/lexicon.py.

A prompt is cleaned of its syntax (weights, embeddings, LoRAs, wildcards), cut at punctuation, and
every piece into runs of words between stop words, verbs and participles. The last noun of a run is
what the run is about. Text that is not English is only cut at punctuation.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from . import lexicon

_LONGEST = 60  # characters of a piece of a text that is not English
_REMOVED = re.compile(
    r"<[^<>]*>|\bembedding:[^\s,()]+|__[^\s_][^\s]*?__|\\\([^()]*\\\)|\b(?:BREAK|AND)\b"
    r"|\b(?:score|rating|source)_\w+|(?<=\w) +(?:\"[^\"\n]*\"|“[^“”\n]*”)",
)
_NAMES = re.compile(  # an artist's name stands for a style
    r"\b(?:in the )?style of [^,.;\n]*|\binspired by [^,.;\n]*|(?:^|(?<=[,.\n]))\s*(?:art )?by "
    r"(?!a |an |the )[^,.;\n]*|\b[Bb]y(?: [A-Z][\w.-]*)+"
)
_WEIGHT = re.compile(r":\s*[-+]?[\d.]+(?=\s*[)\]|},:]|$)|\b[\d.]+::", re.MULTILINE)
_APART = re.compile(r"[)\]]\s*[(\[]")
# Dashes; commas, stops, colons and brackets of Chinese, Japanese and Arabic; the wide space.
_WIDE = (
    r"\u2013\u2014\u3000\u3001\u3002\uff0c\uff0e\uff1a\uff1b\uff01\uff1f\uff08\uff09\u3010\u3011"
    r"\u300c\u300d\u060c\u061b\u061f"
)
_CUT = re.compile(rf'[,.;:!?…\n|{{}}"“”«»/{_WIDE}]+|\s-+\s')
_WORD = re.compile(r"[^\W_]+(?:['-][^\W_]+)*'?")
_COUNTED = re.compile(r"\d+\+?([a-z]{3,})")  # 1girl


@dataclass
class _Run:
    """Words between two borders. determiner: what stands before them, in lower case."""

    determiner: str = ""
    words: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Noun:
    """A run's noun, the word before it, and whether the run names something not named before."""

    head: str
    modifier: str
    new: bool

    @property
    def compound(self) -> bool:
        """Whether the word before it belongs to its name, as in space station."""
        proper = self.head[:1].isupper() and self.modifier[:1].isupper()
        return bool(self.modifier) and (proper or not lexicon.is_modifier(self.modifier.lower()))

    @property
    def key(self) -> str:
        return lexicon.singular(self.head.lower())

    @property
    def kind(self) -> str:
        if self.modifier.lower() in lexicon.COLOURS:
            return "colour"
        return "noun" if self.compound else "other"

    @property
    def full(self) -> str:
        return f"{self.modifier} {self.head}".strip()


def nouns(prompt: str) -> list[Noun | str]:
    """The nouns in the prompt's order; pieces of a text that is not English as they are."""
    english = not _is_foreign(prompt)
    found: list[Noun | str] = []
    for piece in _pieces(_NAMES.sub(",", prompt) if english else prompt):
        if english and _is_latin(piece):
            found += [noun for run in _runs(piece) if (noun := _noun(run))]
        elif len(piece) <= _LONGEST and any(map(str.isalpha, piece)):
            found.append(piece)
    return found


def _pieces(prompt: str) -> Iterator[str]:
    text = unicodedata.normalize("NFC", prompt).replace("\u2019", "'")  # an apostrophe
    text = _REMOVED.sub(",", text)
    text = _APART.sub(",", _WEIGHT.sub("", text))
    for phrase in lexicon.PHRASES:
        text = re.sub(rf"\b{phrase}\b", ",", text, flags=re.IGNORECASE)
    for piece in _CUT.split(text):
        if piece := " ".join(re.sub(r"[()\[\]_\\*#]", " ", piece).split()):
            yield piece


def _is_latin(piece: str) -> bool:
    return all("LATIN" in unicodedata.name(c, "") for c in piece if c.isalpha())


def _is_foreign(prompt: str) -> bool:
    """Whether a text in Latin letters has more small words of other languages than English ones."""
    words = [word.lower() for word in _WORD.findall(prompt)]
    foreign = sum(word in lexicon.FOREIGN for word in words)
    return foreign > sum(word in lexicon.STOP for word in words)


def _runs(piece: str) -> Iterator[_Run]:
    """Runs of words that may be names of things; verbs and what says how things are is left out."""
    run, dropped = _Run(), False
    words = _WORD.findall(piece)
    lower = [word.lower() for word in words]
    for index, word in enumerate(words):
        low, following = lower[index], lower[index + 1 : index + 2]
        if match := _COUNTED.fullmatch(low):
            word = low = match[1]
        if lexicon.is_adverb(low) or (len(low) == 1 and low != "a"):
            continue
        if low in lexicon.STOP:
            if low in lexicon.DETERMINERS and run.words:
                run.words.pop()  # "the knight confronts the dragon": no noun is there
            yield from _ended(run, dropped)
            # "the sky is blue and clear": neither is a thing
            predicate = low in lexicon.BE or (dropped and low in lexicon.JOINERS)
            dropped = predicate or low in lexicon.WITHOUT
            run = _Run(low if low in lexicon.DETERMINERS else "")
        elif low in lexicon.FLUFF:
            run = _Run()  # with the words that say of which kind it is
        elif _is_border(low, word[0].isupper(), run, following):
            if lexicon.is_participle(low):
                run.words = _without_adjectives(run.words)
            yield from _ended(run, dropped)
            run, dropped = _Run("" if run.words else run.determiner), False
        elif low.endswith(("'s", "s'")):
            run.words.append(word.rstrip("'") if low.endswith("s'") else word[:-2])
            yield from _ended(run, dropped)
            run = _Run()
        else:
            run.words.append(word)
    yield from _ended(run, dropped)


def _ended(run: _Run, dropped: bool) -> Iterable[_Run]:
    return () if (dropped and not run.determiner) or not run.words else (run,)


def _is_border(word: str, proper: bool, run: _Run, following: Sequence[str]) -> bool:
    if lexicon.is_participle(word) or any(map(str.isdigit, word)):
        return True
    if proper:
        return False
    if lexicon.is_verb(word):
        return True
    if not run.words or lexicon.is_modifier(run.words[-1].lower()):
        return False
    at_end = not following or following[0] in lexicon.STOP
    if lexicon.is_plural(word) and at_end:
        return run.determiner in lexicon.SINGULAR  # "a ship sails in the bay"
    if lexicon.is_plural(word):
        return bool(run.determiner) and not _is_border(following[0], False, run, ())
    return lexicon.is_base_verb(word) and at_end and bool(following)


def _without_adjectives(words: list[str]) -> list[str]:
    end = len(words)
    while end and lexicon.is_adjective(words[end - 1].lower()):
        end -= 1
    return words[:end]


def _noun(run: _Run) -> Noun | None:
    words = _without_adjectives(run.words)
    if len(words) > 1 and lexicon.is_plural(words[-2].lower()) and words[-1].islower():
        words = words if lexicon.is_plural(words[-1]) else words[:-1]  # "waves crash"
    if not words and run.determiner in ("a", "an") and len(run.words) == 1:
        words = run.words  # "an orange"
    if not words:
        return None
    new = run.determiner not in ("", "the", "his", "her", "its", "their", "this", "these")
    return Noun(words[-1], words[-2] if len(words) > 1 else "", new)
