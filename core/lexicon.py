"""What an English word in a prompt may be, told from short word lists and its ending.

There is no model and no dictionary: a word is taken for a noun unless its place, its ending or a
list says otherwise. The lists are data/words.txt.
"""

import re
from pathlib import Path

_FILE = Path(__file__).parent / "data" / "words.txt"


def _read() -> dict[str, frozenset[str]]:
    """Section -> its words; of `phrases`, its lines."""
    sections: dict[str, set[str]] = {}
    words: set[str] = set()
    name = ""
    for line in _FILE.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            name = line.strip("[]")
            words = sections.setdefault(name, set())
        elif line and not line.startswith("#"):
            words.update([line] if name == "phrases" else line.split())
    return {name: frozenset(words) for name, words in sections.items()}


_WORDS = _read()
DETERMINERS, SINGULAR = _WORDS["determiners"], _WORDS["singular"]
BE, JOINERS, WITHOUT = _WORDS["be"], _WORDS["joiners"], _WORDS["without"]
STOP = _WORDS["stop"] | DETERMINERS | BE | JOINERS | WITHOUT
ADJECTIVES, COLOURS = _WORDS["adjectives"] | _WORDS["colours"], _WORDS["colours"]
FLUFF, STYLE = _WORDS["fluff"], _WORDS["style"]
PHRASES, FOREIGN = _WORDS["phrases"], _WORDS["foreign"]
_NOUNS, _VERBS, _PAST = _WORDS["nouns"], _WORDS["verbs"], _WORDS["past"]

_VOWEL = re.compile("[aeiouy]")
_ADJECTIVE = re.compile(r".+(ous|less|esque|ical|ssive|tic)|.{3,}ful")
# Before a noun a wrong guess only shortens the phrase to its head.
_MODIFIER = re.compile(r".+(y|ic|al|ive|ish|ern|like|est|ular)|.{3,}(able|ible|ant|ent)|.*-.*")
_ABSTRACT = re.compile(r".{3,}(ness|ism)|.{4,}ity")


def is_participle(word: str) -> bool:
    """Whether it is a form such as flying or covered; a king and a bed are none."""
    if word in _NOUNS:
        return False
    if word.endswith("ing"):
        return bool(_VOWEL.search(word[:-3]))
    return word in _PAST or (len(word) > 4 and word.endswith("ed") and not word.endswith("eed"))


def is_adverb(word: str) -> bool:
    """Whether it is a word such as brightly."""
    return len(word) > 4 and word.endswith("ly") and word not in _NOUNS


def is_verb(word: str) -> bool:
    """Whether a word behind a noun is a verb's form such as stands."""
    stems = [word.removesuffix("s"), word.removesuffix("es"), word.removesuffix("ies") + "y"]
    return word.endswith("s") and any(stem in _VERBS for stem in stems)


def is_base_verb(word: str) -> bool:
    """Whether a word between a noun and a preposition is a verb such as stand."""
    return word in _VERBS


def is_plural(word: str) -> bool:
    """Whether it ends as plurals do; so do verbs behind he, she and it."""
    return bool(re.fullmatch(r".{2,}[^suia]s", word)) and word not in _NOUNS


def is_adjective(word: str) -> bool:
    """Whether it is never what a phrase is about."""
    return word in ADJECTIVES or (word not in _NOUNS and bool(_ADJECTIVE.fullmatch(word)))


def is_modifier(word: str) -> bool:
    """Whether a word before a noun says how that is, and not what it is."""
    if is_adjective(word) or is_participle(word) or word in STYLE:
        return True
    return word not in _NOUNS and bool(_MODIFIER.fullmatch(word))


def is_style(word: str) -> bool:
    """Whether it says how a picture is made, when it is or what it expresses."""
    return word in STYLE or bool(_ABSTRACT.fullmatch(word))


def singular(word: str) -> str:
    """One spelling for a noun's singular and plural, to compare by; not always a word."""
    if word in _NOUNS or not re.fullmatch(r".{2,}[^sui]s", word):
        return {"men": "man", "women": "woman"}.get(word, word)
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-2] if re.search(r"(ch|sh|ss|x|z)es$", word) else word[:-1]
