"""Heatmap to Masks: from heatmaps to masks for inpainting, and the segmentation as a picture."""

from typing import Any, get_args

import comfy.model_management
from torch import Tensor

from ..core.concepts import parse_concepts
from ..core.coverage import coverage
from ..core.errors import ConceptAttentionError
from ..core.labels import captions, number_legend
from ..core.masks import Choice, Cleaning, Combine, Method, check, masks
from ..core.resize import common_batch, resized
from ..core.segmentation import segmentation
from ..core.types import Heatmaps
from ._host import io
from .messages import lines_on_node
from .types import HeatmapsType


def _choice_inputs() -> list[Any]:
    return [
        io.String.Input(
            "concept",
            default="",
            placeholder="all concepts",
            tooltip="Concepts to make masks of, separated by commas, as they were written in the "
            "Concept Encoder. Empty: all. The others still take part in the segmentation.",
        ),
        io.Combo.Input(
            "method",
            options=list(get_args(Method)),
            default="segmentation",
            tooltip="segmentation: where the concept has the largest share of all, the "
            "background's included. threshold: a share of at least the threshold. mean: above the "
            "map's own mean, as in the paper. otsu: above the border that best parts high from "
            "low. top-k: the pixels with the highest shares. soft: the share itself. mean, otsu "
            "and top-k find something of an absent concept too.",
        ),
        io.Float.Input(
            "threshold",
            default=0.4,
            min=0.0,
            max=1.0,
            step=0.01,
            round=0.0001,
            tooltip="For the method threshold: the smallest share of a pixel, from 0 to 1, that "
            "counts. It is the same for every concept, whatever the heatmaps were stretched to.",
        ),
        io.Float.Input(
            "top_percent",
            default=10.0,
            min=0.0,
            max=100.0,
            step=0.5,
            round=0.001,
            tooltip="For the method top-k: how many percent of the pixels, at most. Pixels with "
            "equal shares stay together. A video's frames are counted together.",
        ),
        io.Combo.Input(
            "combine",
            options=list(get_args(Combine)),
            default="per concept",
            tooltip="per concept: a mask for each. combined: one mask of all of them, the larger "
            "value at each pixel, made before holes are filled and edges are moved.",
        ),
    ]


def _cleaning_inputs() -> list[Any]:
    return [
        io.Boolean.Input(
            "fill_holes",
            default=False,
            tooltip="Fill what a shape encloses. First of the steps that follow the method. Not "
            "for the method soft, which has no edge.",
        ),
        io.Float.Input(
            "smallest_percent",
            default=0.0,
            min=0.0,
            max=100.0,
            step=0.1,
            round=0.001,
            tooltip="Drop connected pieces smaller than this, in percent of the picture. Second "
            "step, each frame on its own. Not for the method soft.",
        ),
        io.Int.Input(
            "grow",
            default=0,
            min=-1024,
            max=1024,
            tooltip="Pixels by which shapes grow, evenly in all directions; below 0 they shrink. "
            "Third step. A soft mask takes the largest (smallest) share within that distance.",
        ),
        io.Float.Input(
            "feather",
            default=0.0,
            min=0.0,
            max=1024.0,
            step=0.5,
            round=0.001,
            tooltip="Soft edge: the standard deviation of a gaussian, in pixels. Last step. Half "
            "of the softness lies outside of the shape, so grow by about twice as much to keep "
            "the shape itself whole.",
        ),
    ]


def _picture_inputs() -> list[Any]:
    return [
        io.Float.Input(
            "opacity",
            default=0.6,
            min=0.0,
            max=1.0,
            step=0.05,
            display_mode=io.NumberDisplay.slider,
            advanced=True,
            tooltip="Of the colours over the image in the segmentation: 0 shows the image alone, "
            "1 the colours alone.",
        ),
        io.Boolean.Input(
            "legend",
            default=True,
            advanced=True,
            tooltip="Write below the segmentation what each colour stands for, and the part of "
            "the picture that the concept wins. Without it the picture keeps its size.",
        ),
    ]


class HeatmapToMasks(io.ComfyNode):
    """Makes masks of heatmaps."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ConceptAttentionMasks",
            display_name="Heatmap to Masks",
            category="Concept Attention",
            description="Turns heatmaps into masks for inpainting and compositing, one for each "
            "concept or one of all, and into a picture that shows which concept has which pixel. "
            "The steps are always: method, fill holes, drop small pieces, grow, feather.",
            search_aliases=[
                "heatmap",
                "mask from heatmap",
                "segmentation",
                "segment by text",
                "inpaint mask",
                "otsu",
                "threshold mask",
                "attention mask",
                "interpretability",
                "concept attention",
            ],
            inputs=[
                HeatmapsType.Input(
                    "heatmaps",
                    tooltip="From Heatmap Decode, with all concepts: one that is left out there "
                    "cannot win its pixels here. Whether they were stretched there makes no "
                    "difference.",
                ),
                io.Image.Input(
                    "image",
                    optional=True,
                    tooltip="The picture. Gives the masks their size and lies under the "
                    "segmentation. Without it the masks are as large as the heatmaps.",
                ),
                *_choice_inputs(),
                *_cleaning_inputs(),
                *_picture_inputs(),
            ],
            outputs=[
                io.Mask.Output(
                    display_name="mask",
                    tooltip="All batch items or frames of the first concept, then of the second. "
                    "Nothing found is an empty mask.",
                ),
                io.Image.Output(
                    display_name="segmentation",
                    tooltip="Every pixel in the colour of the concept with the largest share, dark "
                    "where the background has it; whatever method the masks were made with.",
                ),
                io.String.Output(
                    display_name="coverage",
                    tooltip="A line for each mask: the part of the picture that it covers. It is "
                    "shown on the node too.",
                ),
            ],
            has_intermediate_output=True,
        )

    @classmethod
    def validate_inputs(
        cls,
        concept: str | None = None,
        method: Method | None = None,
        fill_holes: bool | None = None,
        smallest_percent: float | None = None,
    ) -> bool | str:
        """What does not go together is said before anything runs; None is a linked input."""
        try:
            parse_concepts(concept or "", "concept")
            if method is not None:
                cleaning = Cleaning(bool(fill_holes), smallest_percent or 0.0)
                check(Choice(method), "per concept", cleaning)
        except ConceptAttentionError as error:
            return str(error)
        return True

    @classmethod
    def execute(
        cls,
        heatmaps: Heatmaps,
        concept: str = "",
        method: Method = "segmentation",
        threshold: float = 0.4,
        top_percent: float = 10.0,
        combine: Combine = "per concept",
        fill_holes: bool = False,
        smallest_percent: float = 0.0,
        grow: int = 0,
        feather: float = 0.0,
        opacity: float = 0.6,
        legend: bool = True,
        image: Tensor | None = None,
    ) -> io.NodeOutput:
        labels = parse_concepts(concept, "concept") or heatmaps.labels
        sized = heatmaps if image is None else _fitted(heatmaps, image)
        made = masks(
            sized,
            labels,
            Choice(method, threshold, top_percent),
            combine,
            Cleaning(fill_holes, smallest_percent, grow, feather),
        )
        picture = segmentation(sized, image, opacity, legend)
        text = coverage(made, labels if combine == "per concept" else [" + ".join(labels)])
        numbers = number_legend(heatmaps.labels, captions(heatmaps.labels)) if legend else ()
        device = comfy.model_management.intermediate_device()
        return io.NodeOutput(
            made.flatten(0, 2).to(device),  # CBFHW to (CBF)HW
            picture.to(device),
            text,
            ui=lines_on_node((*text.splitlines(), *numbers)),
        )


def _fitted(heatmaps: Heatmaps, image: Tensor) -> Heatmaps:
    """The heatmaps in the size of the image."""
    common_batch(image.shape[0], heatmaps.values.shape[1] * heatmaps.values.shape[2])
    size = (image.shape[1], image.shape[2])
    if heatmaps.values.shape[-2:] == size:
        return heatmaps
    return resized(heatmaps, size)
