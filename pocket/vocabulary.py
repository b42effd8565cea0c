"""The words that the pocket model knows, and the error for the others."""

from __future__ import annotations

import re

from ..core.errors import ConceptAttentionError
from .prompts import BACKGROUND, CONCEPTS, SMALL_WORDS, SYNONYMS, WORDS

_WEIGHT = re.compile(r"(?<!\\)\(|(?<!\\)(:\s*[\d.]+\s*)?\)")


def check_text(text: str) -> str:
    """The text in lower case, if the pocket model knows all its words; an empty text is fine.

    Commas, line breaks and the host's weights, as in "(house:1.2)", are allowed. Raises
    ConceptAttentionError with the first unknown word and the list of the known ones.
    """
    text = text.lower()
    for word in re.split(r"[\s,]+", _WEIGHT.sub(" ", text).strip()):
        if word and word not in WORDS:
            known = ", ".join((*CONCEPTS, *SYNONYMS, BACKGROUND))
            raise ConceptAttentionError(
                f'Load Pocket Model: its text encoder does not know "{word}". It is a tiny model '
                f"with a small vocabulary. Things and places: {known}. Between them: "
                f"{', '.join(SMALL_WORDS)}."
            )
    return text
