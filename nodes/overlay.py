"""Heatmap Overlay: heatmaps over the picture, with labels and a legend."""

from typing import get_args

import comfy.model_management
from torch import Tensor

from ..core.colormaps import NAMES
from ..core.labels import captions, number_legend
from ..core.overlay import Layout, Style, overlay
from ..core.types import Heatmaps
from ._host import io
from .messages import lines_on_node
from .types import HeatmapsType


class HeatmapOverlay(io.ComfyNode):
    """Draws heatmaps over a picture."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ConceptAttentionOverlay",
            display_name="Heatmap Overlay",
            category="Concept Attention",
            description="Lays every concept's heatmap over the picture: one labelled sheet with "
            "the plain picture first, or one image for each concept.",
            search_aliases=[
                "heatmap",
                "attention map",
                "DAAM",
                "saliency",
                "interpretability",
                "blend heatmap",
                "contact sheet",
                "concept attention",
            ],
            inputs=[
                io.Image.Input(
                    "image",
                    tooltip="The picture. One picture serves all batch items or frames of the "
                    "heatmaps; otherwise there must be as many. Heatmaps are fitted to its size.",
                ),
                HeatmapsType.Input(
                    "heatmaps", tooltip="One map for each concept, from Heatmap Decode."
                ),
                io.Float.Input(
                    "opacity",
                    default=0.7,
                    min=0.0,
                    max=1.0,
                    step=0.05,
                    display_mode=io.NumberDisplay.slider,
                    tooltip="0 shows the picture alone, 1 the heatmap alone. In between the "
                    "picture fades to grey, so that its colours are not taken for the map's.",
                ),
                io.Combo.Input(
                    "colormap",
                    options=list(NAMES),
                    default="inferno",
                    tooltip="Colours from low to high. inferno, viridis, magma and cividis rise "
                    "evenly in brightness; cividis suits colour-blind eyes best; turbo separates "
                    "most values; grey is for print.",
                ),
                io.Combo.Input(
                    "layout",
                    options=list(get_args(Layout)),
                    default="sheet",
                    tooltip="sheet: one image with the plain picture and every concept; as many "
                    "times the memory of the picture as it has panels. one image per concept: all "
                    "batch items of the first concept, then of the second.",
                ),
                io.Boolean.Input(
                    "labels",
                    default=True,
                    tooltip="Write each concept above its panel. A concept that no font here can "
                    "draw becomes a number, which the node explains.",
                ),
                io.Boolean.Input(
                    "legend",
                    default=True,
                    tooltip="Draw the colour bar with the values that its ends stand for.",
                ),
            ],
            has_intermediate_output=True,
            outputs=[
                io.Image.Output(
                    display_name="image",
                    tooltip="The overlays: a sheet for each batch item or frame, or one image for "
                    "each concept. Without labels and legend the latter keep the picture's size.",
                )
            ],
        )

    @classmethod
    def execute(
        cls,
        image: Tensor,
        heatmaps: Heatmaps,
        opacity: float = 0.7,
        colormap: str = "inferno",
        layout: Layout = "sheet",
        labels: bool = True,
        legend: bool = True,
    ) -> io.NodeOutput:
        style = Style(opacity, colormap, layout, labels, legend)
        drawn = overlay(image, heatmaps, style)
        # What the labels drawn as numbers stand for.
        lines = number_legend(heatmaps.labels, captions(heatmaps.labels)) if labels else ()
        device = comfy.model_management.intermediate_device()
        return io.NodeOutput(drawn.to(device), ui=lines_on_node(lines))
