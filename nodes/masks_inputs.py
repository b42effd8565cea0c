"""The inputs of Heatmap to Masks."""

from typing import Any, get_args

from ..core.masks import Combine, Method
from ._host import io
from .types import HeatmapsType


def masks_inputs() -> list[Any]:
    """In the order that workflow files keep."""
    return [*_sources(), *_choice(), *_cleaning(), *_picture()]


def _sources() -> list[Any]:
    return [
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
    ]


def _choice() -> list[Any]:
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


def _cleaning() -> list[Any]:
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


def _picture() -> list[Any]:
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
