"""The tokens that the host's tokenizers make of a concept, and which of them stand for it."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from comfy.sd1_clip import SDTokenizer, escape_important, token_weights, unescape_important
from comfy.text_encoders.spiece_tokenizer import SPieceTokenizer
from torch import Tensor

from ..core.errors import ConceptAttentionError
from ..core.tokens import (
    Encoder,
    check_content,
    choose,
    content_span,
    find_encoders,
    pick_encoder,
)
from ..core.words import Word, words_of

# No text holds a NUL, so with this in the place of "embedding:" nothing is looked up.
_NO_EMBEDDINGS = "\0embedding:"
_NO_TOKEN, _EMBEDDED = -2, -1  # ids that no vocabulary has
_INCOMPLETE = "\ufffd"  # what a tokenizer decodes a part of a letter to


@dataclass(frozen=True)
class Tokenized:
    """A concept's tokens in the host's form, those chosen, and the length of the sequence.

    split: the texts of all its own tokens. choice: resolved. first: the row of the encoder's output
    that the sequence begins at; rows: that output's length; head: how many of the first rows the
    host may cut off it.
    """

    tokens: Any
    split: tuple[str, ...]
    choice: str
    chosen: tuple[int, ...]
    length: int
    first: int
    rows: int
    head: int


def tokenize(clip: Any, choices: Mapping[str, str], kind: str) -> tuple[Encoder, list[Tokenized]]:
    """The encoder that reads concepts, and the tokens of each of them.

    choices: label -> which of its tokens stand for it. kind: of the encoder, one of
    core.tokens.KINDS. Raises ConceptAttentionError for what cannot be encoded.
    """
    literal = _literal(clip)
    nothing = literal.tokenize("")
    encoders = _loaded(clip, find_encoders(nothing if isinstance(nothing, dict) else ()))
    encoder = pick_encoder(encoders, kind)
    empty = _ids(nothing, encoder)
    parts = _tokenizers(clip.tokenizer, encoder)
    control = {i for part in parts for i in _control_ids(part)}
    tokenized = []
    for label, wanted in choices.items():
        tokens = literal.tokenize(_escape(label))
        ids = _ids(tokens, encoder)
        span = content_span(ids, empty, encoder.padding, encoder.mute)
        content = ids[span.start : span.stop]
        check_content(label, content, control, encoder)
        choice, split = encoder.resolve(wanted), _split(parts[0], content)
        chosen = choose(span, content, choice, encoder)
        lengths = [len(_ids(tokens, other)) for other in encoders]
        first = sum(lengths[: encoders.index(encoder)])
        rows, head = sum(lengths), span.start if encoder.headless else 0
        tokenized.append(Tokenized(tokens, split, choice, chosen, len(ids), first, rows, head))
    return encoder, tokenized


@dataclass(frozen=True)
class Prompt:
    """A prompt's tokens in the host's own form, as its sampler's conditioning is made of them.

    words: in the prompt's order. indices: rows of the encoder's whole output, of the tokens that
    the words' are counted in; pieces: these tokens' texts. rows, head: as in Tokenized.
    """

    tokens: Any
    words: list[Word]
    indices: tuple[int, ...]
    pieces: tuple[str | None, ...]
    rows: int
    head: int


def tokenize_prompt(clip: Any, text: str, kind: str) -> tuple[Encoder, Prompt]:
    """The encoder whose rows are read, and the words of a prompt; kind: as in `tokenize`.

    Weights and `embedding:` mean what they mean in the prompt. Raises ConceptAttentionError for a
    prompt whose words cannot be told.
    """
    marked = clip.tokenize(text, return_word_ids=True)
    encoders = _loaded(clip, find_encoders(marked if isinstance(marked, dict) else ()))
    encoder = pick_encoder(encoders, kind)
    flat = [token for section in marked[encoder.list_name] for token in section]
    inside = [i for i, token in enumerate(flat) if token[2] != 0]  # 0: start, end, padding
    empty = clip.tokenize("", return_word_ids=True)[encoder.list_name]
    template = [_id(token) for section in empty for token in section if token[2] != 0]
    ids = [_id(flat[i]) for i in inside]
    if len(ids) <= len(template):
        raise ConceptAttentionError(f"prompt: {text!r} has no token. Write some words.")
    span = content_span(ids, template, _NO_TOKEN, encoder.mute)
    own = ids[span.start : span.stop]
    part = _tokenizers(clip.tokenizer, encoder)[0]
    pieces = tuple(
        None if i == _EMBEDDED or i in encoder.mute else piece
        for i, piece in zip(own, _split(part, own), strict=True)
    )
    lengths = [sum(map(len, marked[each.list_name])) for each in encoders]
    first = sum(lengths[: encoders.index(encoder)])
    indices = tuple(first + i for i in inside[span.start : span.stop])
    words = words_of(_unweighted(clip.tokenizer, encoder, text), pieces)
    head = inside[span.start] if encoder.headless else 0
    return encoder, Prompt(clip.tokenize(text), words, indices, pieces, sum(lengths), head)


def _id(token: Any) -> int:
    """A token's id; an embedding in a token's place has none."""
    return _EMBEDDED if isinstance(token[0], Tensor) else int(token[0])


def _unweighted(tokenizer: Any, encoder: Encoder, text: str) -> str:
    """The prompt without the marks of its weights, where the encoder's tokenizer knows weights."""
    names = encoder.parts or (encoder.name,)
    parts = [part for part in vars(tokenizer).values() if isinstance(part, SDTokenizer)]
    own = [part for part in parts if part.embedding_key in names]
    if hasattr(tokenizer, "llama_template") or any(part.disable_weights for part in own):
        return text
    segments = token_weights(escape_important(text), 1.0)
    return "".join(unescape_important(segment) for segment, _ in segments)


def _loaded(clip: Any, encoders: tuple[Encoder, ...]) -> tuple[Encoder, ...]:
    """Those of a model's several encoders that this CLIP holds; the host tokenises for all."""
    if len(encoders) < 2:
        return encoders
    stage = clip.cond_stage_model
    held = tuple(
        encoder
        for encoder in encoders
        if any(getattr(stage, part, None) is not None for part in encoder.parts)
    )
    if not held:
        raise ConceptAttentionError("clip: it holds no text encoder. Load one with it.")
    return held


def _literal(clip: Any) -> Any:
    """The CLIP with a tokenizer of its own, to which `embedding:` is a word like any other."""
    clip = copy.copy(clip)
    clip.tokenizer = copy.copy(clip.tokenizer)
    for name, part in list(vars(clip.tokenizer).items()):
        if isinstance(part, SDTokenizer):
            part = copy.copy(part)
            part.embedding_identifier = _NO_EMBEDDINGS
            setattr(clip.tokenizer, name, part)
    return clip


def _escape(label: str) -> str:
    """Parentheses as text for the host's tokenizers: no weights, no lost backslashes.

    The tokenizers undo these escapes with weights switched off too, so this holds for all of them.
    """
    return label.replace("(", r"\(").replace(")", r"\)")


def _ids(tokens: Any, encoder: Encoder) -> list[int]:
    return [int(token[0]) for section in tokens[encoder.list_name] for token in section]


def _tokenizers(tokenizer: Any, encoder: Encoder) -> list[Any]:
    """The tokenizers behind the host's own, of the encoder's parts."""
    parts = [part for part in vars(tokenizer).values() if isinstance(part, SDTokenizer)]
    names = encoder.parts or (encoder.name,)
    return [part.tokenizer for part in parts if part.embedding_key in names]


def _control_ids(part: Any) -> set[int]:
    """Ids outside the text vocabulary: marks of template, start, end, padding."""
    if isinstance(part, SPieceTokenizer):  # its other marks cannot be written as text
        return set((part.special_tokens or {}).values())
    return {*part.all_special_ids, *part.get_added_vocab().values()}


def _split(part: Any, ids: Sequence[int]) -> tuple[str, ...]:
    """The text of every token; of several that make up one letter the last one has it.

    part: a tokenizer behind the host's own.
    """
    texts, unfinished = [], []
    for i in ids:
        if i == _EMBEDDED:
            texts.append("")
            continue
        unfinished.append(i)
        text = part.decode(unfinished)
        if text.endswith(_INCOMPLETE):
            text = ""
        else:
            unfinished = []
        texts.append(text.strip())
    return tuple(texts)
