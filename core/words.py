"""The words of a prompt: which of its tokens make up each, and whether a conditioning has them.

A prompt's own tokens pass a joint block beside the picture, so that their vectors are there without
any added concept. Tokens are merged to words by the mean of their vectors; scores are linear in
them. What no letter or digit is in (punctuation, start, end, template, padding) is no word.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .errors import ConceptAttentionError
from .families import FAMILIES, Family
from .types import Concepts

# Letters and digits, with what joins them: "dragon's", "high-quality", "1.5".
_WORD = re.compile(r"\w+(?:['\u2019\-]\w+|(?<=\d)[.,]\d+)*")
# Scripts that are written without blanks: each of their tokens is a word.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]"
)
_EMBEDDING = re.compile(r"(?:(?<=\s)|^)embedding:\S+")
_CLOSE = 0.1  # of a token's length: what two encodings of one text may differ by


@dataclass(frozen=True)
class Word:
    """A word in the prompt's own spelling, and the indices of its tokens among those given."""

    label: str
    tokens: tuple[int, ...]


def words_of(text: str, pieces: Sequence[str | None]) -> list[Word]:
    """The words of a prompt in its order, each with its tokens.

    text: the prompt as the encoder reads it, without weights. pieces: the text of every token of
    it; "" for a part of a letter, which belongs to the next one, None for a token without a text. A
    word that is there again gets its number: "cat", "cat (2)". Raises ConceptAttentionError where
    the pieces are not those of the text, and for fewer than two words.
    """
    spans = _spans(_EMBEDDING.sub(lambda found: " " * len(found[0]), text), pieces)
    found: dict[tuple[int, int], list[int]] = {}
    borders = [match.span() for match in _WORD.finditer(text)]
    pending: list[int] = []
    for token, span in enumerate(spans):
        if span is None:
            pending.extend([token] if pieces[token] == "" else [])
            continue
        place = _place(text, span, borders)
        if place is not None:
            found.setdefault(place, []).extend((*pending, token))
        pending = []
    if len(found) < 2:
        raise ConceptAttentionError(
            f"prompt: {text!r} has {len(found)} words that the text encoder reads. Words compete "
            "for every place in the picture, so two at least are needed."
        )
    labels = _numbered([text[start:stop] for start, stop in found])
    return [Word(*pair) for pair in zip(labels, map(tuple, found.values()), strict=True)]


def check_family(family: Family) -> None:
    """Raise ConceptAttentionError for a model whose prompt's rows cannot be told."""
    if family.words == "none":
        able = "; ".join(each.models for each in FAMILIES if each.words != "none")
        raise ConceptAttentionError(
            f"concepts: the words of the prompt cannot be read in {family.models}, which puts them "
            f"through layers of its own first. They can in: {able}. Set source of the Concept "
            "Encoder to concepts."
        )


def check_prompts(concepts: Concepts, prompts: Sequence[dict[str, Any]], name: str) -> None:
    """Raise ConceptAttentionError for a conditioning that is not of the prompt of these words."""
    for prompt in prompts:
        rows = prompt.get("cross_attn")
        length = concepts.items[0].length
        if rows is None or rows.shape[1] != length:
            has = 0 if rows is None else rows.shape[1]
            problem = f"it has {has} tokens, the prompt of the words has {length}"
        elif "reference_latents_text_embeds" in prompt:
            problem = "it has captions of reference pictures, among which its words are not found"
        elif not _same(rows, concepts):
            problem = "its tokens are others than those of the prompt of the words"
        else:
            continue
        raise ConceptAttentionError(
            f"concepts: they are the words of a prompt, and {name} is not made from it: {problem}. "
            "Connect the very text and CLIP that it is encoded with to the Concept Encoder, and no "
            "node that joins, averages or empties conditionings."
        )


def rows_of(family: Family, image: slice, length: int) -> slice:
    """The conditioning's `length` rows in a joint attention whose image tokens begin at image."""
    if length > image.start:
        raise ConceptAttentionError(
            f"concepts: they are the words of a prompt of {length} tokens, and the model was given "
            f"{image.start} of text. A patch that cuts the prompt hides its words: remove it."
        )
    start = image.start - length if family.words == "last" else 0
    return slice(start, start + length)


def _same(rows: Tensor, concepts: Concepts) -> bool:
    """Whether every token of the words is in all items of a conditioning [B, T, width]."""
    places = [index for index, _ in concepts.places]
    own = rows[:, places].to("cpu", torch.float32)
    expected = concepts.tokens
    if own.shape[1:] != expected.shape:
        return False
    return bool(((own - expected).norm(dim=-1) <= _CLOSE * expected.norm(dim=-1)).all())


def _spans(text: str, pieces: Sequence[str | None]) -> list[tuple[int, int] | None]:
    """Where in the text each piece is, blanks and case aside, from left to right."""
    folded = [(letter, i) for i, each in enumerate(text) for letter in _folded(each)]
    compact = "".join(letter for letter, _ in folded)
    spans: list[tuple[int, int] | None] = []
    at = 0
    for piece in pieces:
        wanted = _folded(piece or "")
        if not wanted:
            spans.append(None)
            continue
        start = compact.find(wanted, at)
        if start < 0:
            raise ConceptAttentionError(
                f"prompt: the text encoder reads {piece!r}, which is not there in {text!r} behind "
                f"{compact[:at]!r}; so its words cannot be told. Write it with plain letters."
            )
        at = start + len(wanted)
        spans.append((folded[start][1], folded[at - 1][1] + 1))
    return spans


def _folded(text: str) -> str:
    """Letters that tokenizers take for the same ones made equal; blanks left out."""
    return "".join(unicodedata.normalize("NFKD", text).casefold().split())


def _place(
    text: str, span: tuple[int, int], borders: Sequence[tuple[int, int]]
) -> tuple[int, int] | None:
    """The word that a token lies in; None for punctuation alone."""
    if _UNSPACED.search(text[slice(*span)]):
        return span
    for start, stop in borders:
        if start < span[1] and span[0] < stop and any(map(str.isalnum, text[slice(*span)])):
            return start, stop
    return None


def _numbered(labels: Sequence[str]) -> list[str]:
    """Labels of their own for words that are there several times."""
    counts: dict[str, int] = {}
    numbered = []
    for label in labels:
        key = label.casefold()
        counts[key] = counts.get(key, 0) + 1
        numbered.append(label if counts[key] == 1 else f"{label} ({counts[key]})")
    return numbered
