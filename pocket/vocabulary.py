"""The words that a pocket model knows, and the error for the others."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..core.errors import ConceptAttentionError
from .prompts import BACKGROUND, CONCEPTS, SMALL_WORDS, SYNONYMS

_WEIGHT = re.compile(r"(?<!\\)\(|(?<!\\)(:\s*[\d.]+\s*)?\)")


def check_text(text: str, concepts: Sequence[str] = CONCEPTS) -> str:
    """The text in lower case, if a pocket model of these concepts knows all its words; an empty
    text is fine.

    Commas, line breaks and the host's weights, as in "(house:1.2)", are allowed. Raises
    ConceptAttentionError with the first unknown word and the list of the known ones.
    """
    text, known = text.lower(), (*concepts, *SYNONYMS, BACKGROUND)
    for word in re.split(r"[\s,]+", _WEIGHT.sub(" ", text).strip()):
        if word and word not in (*known, *SMALL_WORDS):
            raise ConceptAttentionError(
                f'Load Pocket Model: its text encoder does not know "{word}". It is a tiny model '
                f"with a small vocabulary. Things and places: {', '.join(known)}. Between them: "
                f"{', '.join(SMALL_WORDS)}."
            )
    return text
