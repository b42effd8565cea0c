"""Heatmap Timeline: one concept through the layers and steps of a run."""

from typing import Any, get_args

import comfy.model_management
from torch import Tensor

from ..core.errors import ConceptAttentionError
from ..core.labels import captions, number_legend
from ..core.timeline import count_items, timeline
from ..core.timeline_curves import curves
from ..core.timeline_sheet import Window, contact_sheet, film
from ..core.timeline_words import as_json, describe
from ..core.types import Capture
from ._host import io
from .messages import lines_on_node
from .types import CaptureType

_ALL = "all"


def _what() -> list[Any]:
    return [
        CaptureType.Input(
            "capture",
            tooltip="What was recorded. Record every step and layer to see when a place is "
            "decided: capture_steps and capture_layers at their defaults.",
        ),
        io.Image.Input(
            "image",
            optional=True,
            tooltip="The finished picture, shown under the maps: one, or one for each batch item "
            "or frame. Sets the size of the animation.",
        ),
        io.Mask.Input(
            "truth",
            optional=True,
            tooltip="Where the concept really is, if you know: the curves then also say how well "
            "each step and layer finds it. White is the concept; one mask, or one for each batch "
            "item or frame.",
        ),
        io.String.Input(
            "concept",
            default="",
            placeholder="the first concept",
            tooltip="The concept to follow, as it was written in the Concept Encoder. Empty: the "
            "first one. The others and the background still take part in the softmax.",
        ),
    ]


def _which() -> list[Any]:
    return [
        io.String.Input(
            "layers",
            default=_ALL,
            tooltip="Rows of the contact sheet, and what is averaged at each step: all, auto for "
            "what suits the model family, 15-18, -4: for the last four, 0,5,9.",
        ),
        io.String.Input(
            "steps",
            default=_ALL,
            tooltip="Columns of the contact sheet, and what is averaged for each layer, counted "
            "from 0: all, auto for what suits the model family, 0-9, 70%-100%.",
        ),
        io.Float.Input(
            "temperature",
            default=0.0,
            min=0.0,
            max=1000000.0,
            step=0.1,
            round=0.0001,
            advanced=True,
            tooltip="Scores are divided by it before the softmax, as in Heatmap Decode. 0 is the "
            "model family's own: 1 for most, 1000 for FLUX.2.",
        ),
        io.Int.Input(
            "item",
            default=0,
            min=0,
            max=1000000,
            tooltip="Which batch item, or which frame of a video, counted from 0: all frames of "
            "the first batch item, then of the second.",
        ),
        io.Combo.Input(
            "animation",
            options=list(get_args(Window)),
            default="at each step",
            tooltip="at each step: what that step alone says. up to each step: the mean of all "
            "steps so far, which ends in the map that Heatmap Decode makes of them.",
        ),
    ]


class HeatmapTimeline(io.ComfyNode):
    """Follows one concept through a run."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """The node's face."""
        return io.Schema(
            node_id="ConceptAttentionTimeline",
            display_name="Heatmap Timeline",
            category="Concept Attention",
            description="Follows one concept through the layers and steps of a run, and says at "
            "which step its place was decided: a contact sheet, an animation, and curves. Nothing "
            "is sampled again.",
            search_aliases=[
                "heatmap",
                "attention map",
                "timeline",
                "contact sheet",
                "layers and steps",
                "animation",
                "when",
                "interpretability",
                "concept attention",
            ],
            inputs=[*_what(), *_which()],
            has_intermediate_output=True,
            outputs=[
                io.Image.Output(
                    display_name="sheet",
                    tooltip="The concept's map in every layer (rows) and at every step (columns), "
                    "and the means; all on one scale. The step that decided its place is marked.",
                ),
                io.Image.Output(
                    display_name="animation",
                    tooltip="One frame for each step, for Save Animated WEBP or Create Video.",
                ),
                io.Image.Output(
                    display_name="curves",
                    tooltip="By step and by layer: overlap with the final place, peak, share of "
                    "the picture, change; with a truth also IoU and average precision.",
                ),
                io.String.Output(
                    display_name="json", tooltip="All numbers of the curves, and the answer."
                ),
                io.String.Output(
                    display_name="text",
                    tooltip="At which step the place was decided, in words. Decided: from there "
                    "on, the segment that the concept wins overlaps that of the last step by at "
                    "least half (IoU 0.5).",
                ),
            ],
        )

    @classmethod
    def execute(
        cls,
        capture: Capture,
        concept: str = "",
        layers: str = _ALL,
        steps: str = _ALL,
        temperature: float = 0.0,
        item: int = 0,
        animation: Window = "at each step",
        image: Tensor | None = None,
        truth: Tensor | None = None,
    ) -> io.NodeOutput:
        """Compute, draw and describe."""
        found = timeline(capture, concept, layers, steps, temperature or None, item, truth)
        picture = None if image is None else _picture(image, item, count_items(capture))
        text = describe(found)
        numbers = number_legend((found.label,), captions((found.label,)))
        device = comfy.model_management.intermediate_device()
        return io.NodeOutput(
            contact_sheet(found, picture)[None].to(device),
            film(found, animation, picture).to(device),
            curves(found)[None].to(device),
            as_json(found),
            text,
            ui=lines_on_node((*text.splitlines(), *numbers)),
        )


def _picture(image: Tensor, item: int, total: int) -> Tensor:
    """The picture [H, W, 3] of an item."""
    if image.shape[0] not in (1, total):
        wanted = "1" if total == 1 else f"1 or {total}"
        raise ConceptAttentionError(
            f"image: a batch of {image.shape[0]} pictures does not fit a capture of {total} batch "
            f"items or frames. Give {wanted}."
        )
    return image[item if image.shape[0] > 1 else 0]
