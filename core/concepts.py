"""From the text in the interface to the list of concepts.

Concepts are separated by commas (ASCII, Chinese, Japanese and Arabic) and by line ends. Double
quotes, straight or typographic, keep commas: `"red, white and blue flag", sky`; inside straight
ones a doubled `""` is a quote mark. A comma at the end of a line and blank lines are harmless.
Everything else is literal: parentheses are no weights and `embedding:` is no file.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence

from .errors import ConceptAttentionError
from .tokens import CHOICES

DEFAULT_CONCEPTS = "tree, rock, sky"  # known to every model, the pocket model included
DEFAULT_BACKGROUND = "background"

# Comma, fullwidth comma, ideographic comma, Arabic comma.
COMMAS = ",\uff0c\u3001\u060c"
_QUOTED = r'"(?:[^"]|"")*"|“[^“”]*”'
_ENTRY = re.compile(rf'(?:{_QUOTED}|[^"“”{COMMAS}])*')
_WHOLLY_QUOTED = re.compile(_QUOTED)
_OWN_CHOICE = re.compile(r"(.*)[:\uff1a](.*)")


def parse_concepts(text: str, name: str = "concepts") -> list[str]:
    """Labels in the user's spelling and order; none for a blank text.

    name: the input that errors speak of. Raises ConceptAttentionError, quoting the text, for an
    empty entry, a quote that is not closed and a text given twice (case and spacing aside).
    """
    labels = [_unquote(entry) for entry in _entries(text, name)]
    seen: dict[str, str] = {}
    for label in labels:
        first = seen.setdefault(_key(label), label)
        if first is not label:
            raise ConceptAttentionError(
                f'{name}: "{label}" is there twice (as "{first}" and "{label}"). The two would '
                "share one place in the picture between them; remove one."
            )
    return labels


def parse_request(concepts: str, background: str) -> tuple[list[str], list[str]]:
    """The labels to show and the background's labels.

    Raises ConceptAttentionError for what parse_concepts refuses, no concept at all, a concept that
    is also background, and a single concept with no background.
    """
    shown = parse_concepts(concepts)
    behind = parse_concepts(background, "background")
    if not shown:
        raise ConceptAttentionError(
            f"concepts: {concepts!r} holds no concept. Write words or phrases separated by "
            f"commas, for example: {DEFAULT_CONCEPTS}; or connect a prompt to take its nouns."
        )
    behind_keys = {_key(label) for label in behind}
    for label in shown:
        if _key(label) in behind_keys:
            raise ConceptAttentionError(
                f'concepts: "{label}" is also in background. A concept is either shown or '
                "background; remove it from one of the two."
            )
    if len(shown) + len(behind) == 1:
        raise ConceptAttentionError(
            f'background: it is empty, and "{shown[0]}" is the only concept. Concepts compete for '
            "every place in the picture, so a single one would win everywhere: its heatmap would "
            "be 1.0 in every pixel. Name a background concept, for example: "
            f"{DEFAULT_BACKGROUND}, or a second concept."
        )
    return shown, behind


def parse_choices(
    text: str, labels: Sequence[str] | None, name: str = "tokens_per_concept"
) -> dict[str, str]:
    """Own choices of single concepts, as in `skyscraper: all, "red, white flag": mean`.

    labels: of all concepts; None where they are not known yet. name: the input that errors speak
    of. Returns label -> choice, one of CHOICES. Raises ConceptAttentionError for an entry without a
    colon, an unknown choice, a concept that is not there and one that is named twice.
    """
    known = None if labels is None else {_key(label): label for label in labels}
    chosen: dict[str, str] = {}
    for entry in _entries(text, name):
        label, choice = _own_choice(entry, name)
        if known is not None and _key(label) not in known:
            raise ConceptAttentionError(
                f'{name}: there is no concept "{label}". The concepts are: '
                f"{', '.join(known.values())}."
            )
        label = label if known is None else known[_key(label)]
        if label in chosen:
            raise ConceptAttentionError(f'{name}: "{label}" is there twice; remove one.')
        chosen[label] = choice
    return chosen


def _own_choice(entry: str, name: str) -> tuple[str, str]:
    match = _OWN_CHOICE.fullmatch(entry)
    label = _unquote(match[1].strip()) if match else ""
    choice = match[2].strip().lower() if match else ""
    if not label or choice not in CHOICES:
        raise ConceptAttentionError(
            f"{name}: {entry!r} does not say which tokens a concept takes. Write the concept, a "
            f"colon and one of {', '.join(CHOICES)}, for example: skyscraper: all."
        )
    return label, choice


def _entries(text: str, name: str) -> Iterator[str]:
    """Entries as they are written, quotes included."""
    for line in map(str.strip, text.splitlines()):
        start = 0
        while start < len(line):
            end = _entry_end(line, start, name)
            entry = line[start:end].strip()
            if not _unquote(entry):
                raise ConceptAttentionError(
                    f"{name}: there is an empty entry in {line!r}. Remove the comma or the quotes "
                    "with nothing between them."
                )
            yield entry
            start = end + 1


def _entry_end(line: str, start: int, name: str) -> int:
    match = _ENTRY.match(line, start)
    end = match.end() if match else start
    if end < len(line) and line[end] in '"“”':
        raise ConceptAttentionError(
            f"{name}: a quote is not closed in {line!r}. Close it on the same line; to write the "
            'mark itself, quote the entry and double the mark, as in "5"" nail".'
        )
    return end


def _unquote(entry: str) -> str:
    """Quotes around a whole entry are syntax; quotes inside one are part of its text."""
    if not _WHOLLY_QUOTED.fullmatch(entry):
        return entry
    inner = entry[1:-1].strip()
    return inner.replace('""', '"') if entry[0] == '"' else inner


def _key(label: str) -> str:
    """Equal for labels that a reader takes for the same words."""
    return " ".join(unicodedata.normalize("NFC", label).casefold().split())
