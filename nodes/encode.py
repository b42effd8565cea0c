"""Concept Encoder: words to concept tokens, through the host's own text encoder."""

import copy
from dataclasses import dataclass
from typing import Any

import torch
from comfy.model_management import throw_exception_if_processing_interrupted
from comfy.sd1_clip import SDTokenizer
from comfy.utils import ProgressBar

from ..core.concepts import DEFAULT_BACKGROUND, DEFAULT_CONCEPTS, parse_concepts, parse_request
from ..core.errors import ConceptAttentionError
from ..core.tokens import (
    CHOICES,
    KINDS,
    Encoder,
    check_content,
    choose,
    content_span,
    find_encoders,
    pick_encoder,
)
from ..core.types import Concept, Concepts
from ._host import io
from .types import ConceptsType

# No text holds a NUL, so with this in the place of "embedding:" nothing is looked up.
_NO_EMBEDDINGS = "\0embedding:"


class ConceptEncoder(io.ComfyNode):
    """Encodes every concept by itself and keeps one token of it."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """The node's face."""
        return io.Schema(
            node_id="ConceptAttentionEncode",
            display_name="Concept Encoder",
            category="Concept Attention",
            description=(
                "Encodes the words to look for in a picture, in the prompt or not. Connect the "
                "result to an Attention Capture Sampler, which records where each concept is."
            ),
            search_aliases=[
                "heatmap",
                "DAAM",
                "attention map",
                "saliency",
                "interpretability",
                "concept attention",
                "words",
                "segmentation",
            ],
            inputs=[
                io.Clip.Input(
                    "clip",
                    tooltip="The text encoder of the model that will sample: FLUX.1 and CogVideoX "
                    "(T5), FLUX.2 dev (Mistral) and Klein (Qwen 3), SD3 (CLIP and T5). Each "
                    "concept costs one run of it.",
                ),
                io.String.Input(
                    "concepts",
                    multiline=True,
                    default=DEFAULT_CONCEPTS,
                    tooltip="Words or phrases to look for, separated by commas or lines, one "
                    'heatmap each. Double quotes keep commas: "red, white and blue flag". The text '
                    "is literal: parentheses are not weights and embedding: is not expanded.",
                ),
                io.String.Input(
                    "background",
                    default=DEFAULT_BACKGROUND,
                    tooltip="Concepts that compete for the picture and are not shown, separated by "
                    "commas. They take the places that no other concept claims. May be empty from "
                    "two concepts on. Costs as much as a concept each.",
                ),
                io.Combo.Input(
                    "tokens",
                    options=list(CHOICES),
                    default="auto",
                    advanced=True,
                    tooltip="Which token stands for a concept that the text encoder splits into "
                    "several. auto: the first for T5, the last for encoders that read left to "
                    "right (CLIP, Mistral, Qwen 3). mean: the average of all. Costs nothing.",
                ),
                io.Combo.Input(
                    "encoder",
                    options=list(KINDS),
                    default="auto",
                    optional=True,
                    advanced=True,
                    tooltip="Which text encoder reads the concepts where a model has several, as "
                    "SD3 has CLIP and T5. auto: CLIP if it is loaded, else T5. Costs nothing.",
                ),
            ],
            outputs=[
                ConceptsType.Output(
                    display_name="concepts",
                    tooltip="The encoded concepts, for an Attention Capture Sampler whose model "
                    "takes the same text encoder.",
                )
            ],
        )

    @classmethod
    def validate_inputs(
        cls, concepts: str | None = None, background: str | None = None
    ) -> bool | str:
        """What is wrong with the text is said before anything runs; None is a linked input."""
        try:
            if concepts is not None and background is not None:
                parse_request(concepts, background)
            else:
                parse_concepts(concepts or "")
                parse_concepts(background or "", "background")
        except ConceptAttentionError as error:
            return str(error)
        return True

    @classmethod
    def execute(
        cls, clip: Any, concepts: str, background: str, tokens: str, encoder: str = "auto"
    ) -> io.NodeOutput:
        """Encode each concept alone, so that none depends on its neighbours."""
        if clip is None:
            raise ConceptAttentionError(
                "clip: there is none. If it comes from a checkpoint, the checkpoint holds no text "
                "encoder; load one by itself."
            )
        shown, behind = parse_request(concepts, background)
        return io.NodeOutput(encode_concepts(clip, shown, behind, tokens, encoder))


@dataclass(frozen=True)
class _Tokenized:
    """A concept's tokens in the host's form, the ones chosen, and the length of the sequence.

    first: the row of the encoder's output that the sequence begins at; rows: that output's length.
    """

    tokens: Any
    chosen: range
    length: int
    first: int
    rows: int


def encode_concepts(
    clip: Any, shown: list[str], behind: list[str], choice: str = "auto", kind: str = "auto"
) -> Concepts:
    """Concepts for these labels, the background's last, on the CPU in float32."""
    labels = [*shown, *behind]
    encoder, tokenized = _tokenize(clip, labels, choice, kind)
    progress = ProgressBar(len(labels))
    items = []
    for label, concept in zip(labels, tokenized, strict=True):
        throw_exception_if_processing_interrupted()
        embedding = _embedding(clip, concept)
        background = len(items) >= len(shown)
        items.append(Concept(label, embedding, concept.chosen[-1], concept.length, background))
        progress.update(1)
    return Concepts(tuple(items), encoder.name)


def _tokenize(
    clip: Any, labels: list[str], choice: str, kind: str
) -> tuple[Encoder, list[_Tokenized]]:
    literal = _literal(clip)
    nothing = literal.tokenize("")
    encoders = _loaded(clip, find_encoders(nothing if isinstance(nothing, dict) else ()))
    encoder = pick_encoder(encoders, kind)
    empty = _ids(nothing, encoder)
    control = _control_ids(clip.tokenizer, encoder)
    tokenized = []
    for label in labels:
        tokens = literal.tokenize(_escape(label))
        ids = _ids(tokens, encoder)
        span = content_span(ids, empty, encoder.padding)
        check_content(label, ids[span.start : span.stop], control, encoder)
        chosen = choose(span, choice, encoder)
        lengths = [len(_ids(tokens, other)) for other in encoders]
        first = sum(lengths[: encoders.index(encoder)])
        tokenized.append(_Tokenized(tokens, chosen, len(ids), first, sum(lengths)))
    return encoder, tokenized


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


def _control_ids(tokenizer: Any, encoder: Encoder) -> set[int]:
    """Ids outside the text vocabulary: marks of template, start, end, padding."""
    parts = [part for part in vars(tokenizer).values() if isinstance(part, SDTokenizer)]
    names = encoder.parts or (encoder.name,)
    own = [part.tokenizer for part in parts if part.embedding_key in names]
    return {i for part in own for i in (*part.all_special_ids, *part.get_added_vocab().values())}


def _embedding(clip: Any, concept: _Tokenized) -> torch.Tensor:
    """The chosen tokens' mean row of the encoder's output: [width], on the CPU, float32."""
    scheduled = clip.encode_from_tokens_scheduled(concept.tokens, show_pbar=False)
    if len(scheduled) != 1:
        raise ConceptAttentionError(
            f"clip: its hooks change it during sampling: {len(scheduled)} encodings of one text. A "
            "concept has one; connect the CLIP from before the hooks were set."
        )
    rows = scheduled[0][0]
    if rows.shape[:2] != (1, concept.rows):
        raise ConceptAttentionError(
            f"clip: it gives an output of shape {tuple(rows.shape)} for {concept.rows} tokens, "
            "so the concept's row cannot be told. Connect a supported model's text encoder."
        )
    own = rows[0, concept.first : concept.first + concept.length]
    return own[concept.chosen.start : concept.chosen.stop].to("cpu", torch.float32).mean(0)
