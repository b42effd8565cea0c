"""Heatmap Decode: from a capture to one heatmap for each concept."""

from typing import Any, get_args

import comfy.model_management
from torch import Tensor

from ..core.colormaps import colorize
from ..core.concepts import parse_concepts
from ..core.decode import Normalize, decode, normalized, only
from ..core.defaults import Order
from ..core.frames import Frames
from ..core.resize import Mode, common_batch, resized
from ..core.spaces import OUTPUT, SPACES
from ..core.types import Capture
from ._host import io
from .types import CaptureType, HeatmapsType

_AUTO = "auto"


def _selection_inputs() -> list[Any]:
    return [
        io.String.Input(
            "layers",
            default=_AUTO,
            tooltip="Layers (double blocks) to average, out of those that were captured: auto for "
            "what suits the model family, all, 15-18, -4: for the last four, 0,5,9, 50%-100%. "
            "Costs milliseconds; nothing is sampled again.",
        ),
        io.String.Input(
            "steps",
            default=_AUTO,
            tooltip="Sampling steps to average, counted from 0, out of those that were captured: "
            "auto for what suits the model family, all, 0-9, 70%-100% for the last 30 percent. "
            "Early steps show the layout, late steps the details.",
        ),
        io.Float.Input(
            "temperature",
            default=0.0,
            min=0.0,
            max=1000000.0,
            step=0.1,
            round=0.0001,
            advanced=True,
            tooltip="Scores are divided by it before the softmax. Small values make every pixel "
            "choose one concept, large ones let concepts share it. 0 is the model family's own: 1 "
            "for most, 1000 for FLUX.2.",
        ),
        io.Combo.Input(
            "order",
            options=[_AUTO, *get_args(Order)],
            default=_AUTO,
            advanced=True,
            tooltip="softmax first: a softmax for each layer and step, then their mean. scores "
            "first: the mean of the scores, then one softmax, which is harder. auto is the model "
            "family's own.",
        ),
        io.Combo.Input(
            "frames",
            options=list(get_args(Frames)),
            default="video",
            optional=True,
            tooltip="For a video. video: a map for each of its frames; the model sees the first "
            "alone and the others in groups of 4, which share a map. interpolated: maps that glide "
            "from one group to the next. latent: one map for each group, which is all there is.",
        ),
        io.Combo.Input(
            "space",
            options=list(SPACES),
            default=OUTPUT,
            optional=True,
            advanced=True,
            tooltip="What is compared with the picture's places: output vectors, which is concept "
            "attention itself, or a baseline, recorded where baselines was set on the capturing "
            "node. DAAM is a mean of attention weights: temperature and order must stay at 0 and "
            "auto. Changing it costs milliseconds.",
        ),
    ]


def _view_inputs() -> list[Any]:
    return [
        io.String.Input(
            "concept",
            default="",
            placeholder="all concepts",
            tooltip="Concepts to output, separated by commas, as they were written in the Concept "
            "Encoder. Empty: all. The others and the background still take part in the softmax.",
        ),
        io.Combo.Input(
            "normalize",
            options=list(get_args(Normalize)),
            default="none",
            tooltip="none: the softmax itself, a share of 0 to 1 of every pixel, so that an absent "
            "concept looks absent. shared: stretched on one scale for all concepts. per concept: "
            "each stretched to 0..1 on its own, which shows faint detail and makes an absent "
            "concept look present.",
        ),
        io.Combo.Input(
            "interpolation",
            options=list(get_args(Mode)),
            default="bilinear",
            tooltip="How the token grid becomes pixels. nearest shows the tokens themselves, "
            "bilinear and bicubic are smooth. edge-guided follows the outlines in the image and "
            "needs it connected; about an eighth of a second for 8 concepts at 1024 x 1024 on a "
            "CPU.",
        ),
    ]


class HeatmapDecode(io.ComfyNode):
    """Averages a capture's scores into heatmaps."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ConceptAttentionDecode",
            display_name="Heatmap Decode",
            category="Concept Attention",
            description="Turns a capture into one heatmap for each concept. Layers, steps, "
            "temperature and size can be changed in milliseconds; nothing is sampled again.",
            search_aliases=[
                "heatmap",
                "attention map",
                "DAAM",
                "saliency",
                "attribution",
                "segmentation",
                "interpretability",
                "concept attention",
            ],
            inputs=[
                CaptureType.Input(
                    "capture",
                    tooltip="What was recorded, from an Attention Capture node or a file.",
                ),
                io.Image.Input(
                    "image",
                    optional=True,
                    tooltip="The finished picture. Sets the exact size of the maps and gives the "
                    "edges for edge-guided. Without it the maps are as large as the picture that "
                    "was sampled.",
                ),
                *_view_inputs(),
                *_selection_inputs(),
            ],
            outputs=[
                HeatmapsType.Output(
                    display_name="heatmaps",
                    tooltip="One map for each concept, at full size, on the device of the capture. "
                    "For Heatmap Overlay and the other heatmap nodes.",
                ),
                io.Mask.Output(
                    display_name="mask",
                    tooltip="The maps as masks of 0 to 1: all batch items or frames of the first "
                    "concept, then of the second.",
                ),
                io.Image.Output(
                    display_name="image",
                    tooltip="The maps in colour (inferno), in the order of the masks.",
                ),
            ],
        )

    @classmethod
    def execute(
        cls,
        capture: Capture,
        concept: str = "",
        normalize: Normalize = "none",
        interpolation: Mode = "bilinear",
        layers: str = _AUTO,
        steps: str = _AUTO,
        temperature: float = 0.0,
        order: str = _AUTO,
        frames: Frames = "video",
        image: Tensor | None = None,
        space: str = OUTPUT,
    ) -> io.NodeOutput:
        heatmaps = decode(
            capture,
            layers=layers,
            steps=steps,
            temperature=temperature or None,
            order=None if order == _AUTO else order,
            frames=frames,
            space=space,
        )
        heatmaps = normalized(heatmaps, normalize)
        if labels := parse_concepts(concept, "concept"):
            heatmaps = only(heatmaps, labels)
        size = capture.picture
        if image is not None:
            size = (image.shape[1], image.shape[2])
            common_batch(image.shape[0], heatmaps.values.shape[1] * heatmaps.values.shape[2])
        sized = resized(heatmaps, size, interpolation, capture.picture, image)
        device = comfy.model_management.intermediate_device()
        masks = sized.values.flatten(0, 2)  # CBFHW to (CBF)HW
        return io.NodeOutput(sized, masks.to(device), colorize(masks).to(device))
