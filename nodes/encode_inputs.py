"""The inputs of the Concept Encoder."""

from typing import Any

from ..core.concepts import DEFAULT_BACKGROUND, DEFAULT_CONCEPTS
from ..core.proposals import MOST_CONCEPTS
from ..core.tokens import CHOICES, KINDS
from ._host import io

CONCEPTS, WORDS = "concepts", "words of the prompt"
SOURCES = (CONCEPTS, WORDS)


def encode_inputs() -> list[Any]:
    """In the order that workflow files keep."""
    return [*_asked(), *_tokens(), *_prompt()]


def _asked() -> list[Any]:
    return [
        io.Clip.Input(
            "clip",
            tooltip="The text encoder of the model that will sample: FLUX.1, CogVideoX "
            "and Chroma (T5), SD3 (CLIP and T5), FLUX.2 dev (Mistral), FLUX.2 Klein and "
            "Z-Image (Qwen 3), Qwen-Image and HunyuanVideo 1.5 (Qwen 2.5 VL), HunyuanVideo "
            "(Llama 3), Lumina 2 (Gemma 2). Each concept costs one run of it.",
        ),
        io.String.Input(
            "concepts",
            multiline=True,
            default=DEFAULT_CONCEPTS,
            tooltip="Words or phrases to look for, separated by commas or lines, one "
            'heatmap each. Double quotes keep commas: "red, white and blue flag". The text '
            "is literal: parentheses are no weights and embedding: is not expanded. May be "
            "empty when prompt is connected: its nouns are the concepts then.",
        ),
        io.String.Input(
            "background",
            default=DEFAULT_BACKGROUND,
            tooltip="Concepts that compete for the picture and are not shown, separated by "
            "commas. They take the places that no other concept claims. May be empty from "
            "two concepts on. Costs as much as a concept each.",
        ),
    ]


def _tokens() -> list[Any]:
    return [
        io.Combo.Input(
            "tokens",
            options=list(CHOICES),
            default="auto",
            advanced=True,
            tooltip="Which tokens stand for a concept that the text encoder splits into "
            "several, as the node shows after a run. first, last: that one. mean: one, the "
            "average of all. all: each by itself, and their scores averaged; costs as "
            "much as a concept for each token. auto: all for T5, the last for encoders "
            "that read left to right (CLIP, Mistral, Qwen, Llama, Gemma).",
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
        io.String.Input(
            "tokens_per_concept",
            default="",
            optional=True,
            advanced=True,
            placeholder="skyscraper: all, red dragon: last",
            tooltip="Another choice than tokens for single concepts or backgrounds: the "
            "concept, a colon and one of auto, first, last, mean, all; separated by commas "
            "or lines. Empty: tokens holds for all. Costs nothing.",
        ),
    ]


def _prompt() -> list[Any]:
    return [
        io.String.Input(
            "prompt",
            optional=True,
            force_input=True,
            tooltip="The prompt's text, from the node that it is written in. With concepts "
            f"empty, its nouns are the concepts, the first {MOST_CONCEPTS} of them; else "
            "concepts wins and this changes nothing. Weights such as (dragon:1.2) are "
            "understood. A prompt without a noun is an error.",
        ),
        io.Combo.Input(
            "source",
            options=list(SOURCES),
            default=CONCEPTS,
            optional=True,
            advanced=True,
            tooltip="concepts: the words of concepts, each followed beside the model. "
            "words of the prompt: every word of prompt by its own tokens, for nothing; "
            "the sampler must get the conditioning of this very text and CLIP. concepts, "
            "background and tokens are not used then. Not for HunyuanVideo.",
        ),
    ]
