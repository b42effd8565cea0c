"""Concept Encoder: words to concept tokens, through the host's own text encoder."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import torch
from comfy.model_management import throw_exception_if_processing_interrupted
from comfy.utils import ProgressBar

from ..core.concepts import parse_choices, parse_concepts, parse_request
from ..core.errors import ConceptAttentionError
from ..core.proposals import concepts_of
from ..core.tokens import describe
from ..core.types import Concept, Concepts
from ._host import io
from .encode_inputs import CONCEPTS, WORDS, encode_inputs
from .messages import lines_on_node
from .tokenizers import Prompt, Tokenized, tokenize, tokenize_prompt
from .types import ConceptsType

_NO_PROMPT = (
    "prompt: there is none, and source asks for its words. Connect the text that the sampler's "
    "conditioning is made from, or set source to concepts."
)


class ConceptEncoder(io.ComfyNode):
    """Encodes every concept by itself and keeps the tokens that stand for it."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """The node's face."""
        return io.Schema(
            node_id="ConceptAttentionEncode",
            display_name="Concept Encoder",
            category="Concept Attention",
            description=(
                "Encodes the words to look for in a picture, in the prompt or not. Connect the "
                "result to an Attention Capture Sampler, which records where each concept is. The "
                "node shows how the text encoder split each of them, and which tokens are used."
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
                "tokens",
                "phrase",
            ],
            inputs=encode_inputs(),
            has_intermediate_output=True,
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
        cls,
        concepts: str | None = None,
        background: str | None = None,
        tokens_per_concept: str | None = None,
        prompt: str | None = "",
        source: str | None = CONCEPTS,
    ) -> bool | str:
        """What is wrong with the text is said before anything runs; None is a linked input."""
        labels = None
        if source != CONCEPTS:
            return _NO_PROMPT if prompt == "" and source == WORDS else True
        try:
            if concepts is not None and not concepts.strip():
                if prompt is None or background is None:
                    concepts = None  # the prompt's nouns are known when it runs
                elif prompt:
                    concepts = concepts_of(prompt, background)
            if concepts is not None and background is not None:
                shown, behind = parse_request(concepts, background)
                labels = [*shown, *behind]
            else:
                parse_concepts(concepts or "")
                parse_concepts(background or "", "background")
            parse_choices(tokens_per_concept or "", labels)
        except ConceptAttentionError as error:
            return str(error)
        return True

    @classmethod
    def execute(
        cls,
        clip: Any,
        concepts: str,
        background: str,
        tokens: str,
        encoder: str = "auto",
        tokens_per_concept: str = "",
        prompt: str | None = None,
        source: str = CONCEPTS,
    ) -> io.NodeOutput:
        """Encode each concept alone, so that none depends on its neighbours."""
        if clip is None:
            raise ConceptAttentionError(
                "clip: there is none. If it comes from a checkpoint, the checkpoint holds no text "
                "encoder; load one by itself."
            )
        if source == WORDS:
            encoded = encode_words(clip, prompt or "", encoder)
        else:
            if prompt is not None and not concepts.strip():
                concepts = concepts_of(prompt, background)
            shown, behind = parse_request(concepts, background)
            own = parse_choices(tokens_per_concept, [*shown, *behind])
            encoded = encode_concepts(clip, shown, behind, tokens, encoder, own)
        lines = (describe(each.label, each.split, each.choice) for each in encoded.items)
        return io.NodeOutput(encoded, ui=lines_on_node(lines))


def encode_concepts(
    clip: Any,
    shown: list[str],
    behind: list[str],
    choice: str = "auto",
    kind: str = "auto",
    own: Mapping[str, str] = MappingProxyType({}),
) -> Concepts:
    """Concepts for these labels, the background's last, on the CPU in float32.

    choice, own: which tokens stand for a concept, for all of them and by label.
    """
    choices = {label: own.get(label, choice) for label in (*shown, *behind)}
    encoder, tokenized = tokenize(clip, choices, kind)
    progress = ProgressBar(len(choices))
    items = []
    for label, concept in zip(choices, tokenized, strict=True):
        throw_exception_if_processing_interrupted()
        rows, cut = _rows(clip, concept)
        indices = tuple(i - cut for i in concept.chosen)
        if concept.choice == "mean":
            rows, indices = rows.mean(0, keepdim=True), indices[-1:]
        items.append(
            Concept(
                label=label,
                embeddings=rows,
                indices=indices,
                length=concept.length - cut,
                background=len(items) >= len(shown),
                split=concept.split,
                choice=concept.choice,
            )
        )
        progress.update(1)
    return Concepts(tuple(items), encoder.name)


def encode_words(clip: Any, prompt: str, kind: str = "auto") -> Concepts:
    """The words of a prompt as concepts that are read from its own conditioning.

    Raises ConceptAttentionError for a prompt of fewer than two words.
    """
    if not prompt.strip():
        raise ConceptAttentionError(_NO_PROMPT)
    encoder, found = tokenize_prompt(clip, prompt, kind)
    rows, cut = _output(clip, found)
    rows = rows.to("cpu", torch.float32)
    items = []
    for word in found.words:
        indices = tuple(found.indices[i] - cut for i in word.tokens)
        items.append(
            Concept(
                label=word.label,
                embeddings=rows[list(indices)],
                indices=indices,
                length=len(rows),
                split=tuple(found.pieces[i] or "" for i in word.tokens),
                choice="all",
            )
        )
    return Concepts(tuple(items), encoder.name, of_prompt=True)


def _rows(clip: Any, concept: Tokenized) -> tuple[torch.Tensor, int]:
    """The chosen tokens' rows of the encoder's output, and how many rows that was cut by.

    [T, width], on the CPU, float32.
    """
    rows, cut = _output(clip, concept)
    places = [concept.first + i - cut for i in concept.chosen]
    return rows[places].to("cpu", torch.float32), cut


def _output(clip: Any, concept: Tokenized | Prompt) -> tuple[torch.Tensor, int]:
    """All rows of the encoder's output, [rows, width] as it left them, and how many were cut."""
    scheduled = clip.encode_from_tokens_scheduled(concept.tokens, show_pbar=False)
    if len(scheduled) != 1:
        raise ConceptAttentionError(
            f"clip: its hooks change it during sampling: {len(scheduled)} encodings of one text. A "
            "concept has one; connect the CLIP from before the hooks were set."
        )
    rows = scheduled[0][0]
    cut = concept.rows - rows.shape[1]
    if rows.shape[0] != 1 or not 0 <= cut <= concept.head:
        raise ConceptAttentionError(
            f"clip: it gives an output of shape {tuple(rows.shape)} for {concept.rows} tokens, "
            "so the concept's row cannot be told. Connect a supported model's text encoder."
        )
    return rows[0], cut
