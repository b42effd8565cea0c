"""From the text in the interface to the list of concepts.

Concepts are separated by commas (ASCII, Chinese, Japanese and Arabic) and by line ends. Double
quotes, straight or typographic, keep commas: `"red, white and blue flag", sky`; inside straight
ones a doubled `""` is a quote mark. A comma at the end of a line and blank lines are harmless.
Everything else is literal: parentheses are no weights and `embedding:` is no file.
"""

import re
import unicodedata

from .errors import ConceptAttentionError

DEFAULT_CONCEPTS = "tree, rock, sky"  # known to every model, the pocket model included
DEFAULT_BACKGROUND = "background"

# Comma, fullwidth comma, ideographic comma, Arabic comma.
_COMMAS = ",\uff0c\u3001\u060c"
_QUOTED = r'"(?:[^"]|"")*"|“[^“”]*”'
_ENTRY = re.compile(rf'(?:{_QUOTED}|[^"“”{_COMMAS}])*')
_WHOLLY_QUOTED = re.compile(_QUOTED)


def parse_concepts(text: str, name: str = "concepts") -> list[str]:
    """Labels in the user's spelling and order; none for a blank text.

    name: the input that errors speak of. Raises ConceptAttentionError, quoting the text, for an
    empty entry, a quote that is not closed and a text given twice (case and spacing aside).
    """
    labels = [label for line in text.splitlines() for label in _parse_line(line.strip(), name)]
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
            f"commas, for example: {DEFAULT_CONCEPTS}."
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


def _parse_line(line: str, name: str) -> list[str]:
    labels = []
    start = 0
    while start < len(line):
        end = _entry_end(line, start, name)
        entry = line[start:end].strip()
        label = _unquote(entry)
        if not label:
            raise ConceptAttentionError(
                f"{name}: there is an empty entry in {line!r}. Remove the comma or the quotes "
                "with nothing between them."
            )
        labels.append(label)
        start = end + 1
    return labels


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
