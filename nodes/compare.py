"""Compare Heatmaps: two runs, concept by concept, as a figure and in numbers."""

from typing import Any

import comfy.model_management
from torch import Tensor

from ..core.compare import compare
from ..core.compare_figure import Look, differences, figure
from ..core.compare_words import as_json, describe
from ..core.labels import captions, number_legend
from ..core.types import Heatmaps
from ._host import io
from .messages import lines_on_node
from .types import HeatmapsType


def _runs() -> list[Any]:
    return [
        HeatmapsType.Input(
            "heatmaps_a",
            tooltip="The maps of the first run, from Heatmap Decode. Sizes, centres and figures "
            "are in its pixels.",
        ),
        HeatmapsType.Input(
            "heatmaps_b",
            tooltip="The maps of the second run: another prompt, seed, model, LoRA strength or "
            "model family. Concepts are matched by their labels, whatever the case; maps of "
            "another size are fitted to those of heatmaps_a. One batch item or frame is compared "
            "with all of the other run.",
        ),
        io.Image.Input(
            "image_a",
            optional=True,
            tooltip="The first run's picture, shown under its maps: one, or one for each batch "
            "item or frame.",
        ),
        io.Image.Input(
            "image_b",
            optional=True,
            tooltip="The second run's picture, shown under its maps: one, or one for each batch "
            "item or frame.",
        ),
    ]


def _looks() -> list[Any]:
    return [
        io.String.Input(
            "label_a",
            default="A",
            tooltip="What the first run is called in the figure and in the texts, such as FLUX.1 "
            "or LoRA off.",
        ),
        io.String.Input(
            "label_b", default="B", tooltip="What the second run is called, such as LoRA on."
        ),
        io.Int.Input(
            "panel",
            default=256,
            min=64,
            max=1024,
            step=16,
            advanced=True,
            tooltip="Longer side of each map in the figure, in pixels.",
        ),
        io.Float.Input(
            "difference_range",
            default=0.0,
            min=0.0,
            max=1.0,
            step=0.05,
            advanced=True,
            tooltip="Difference in share from which on its colour is full. 0: the largest share of "
            "any concept in either run, so that the maps and their difference have one scale. "
            "Small values, such as 0.1, show faint differences.",
        ),
    ]


class CompareHeatmaps(io.ComfyNode):
    """Compares the heatmaps of two runs."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """The node's face."""
        return io.Schema(
            node_id="ConceptAttentionCompare",
            display_name="Compare Heatmaps",
            category="Concept Attention",
            description="Compares two runs concept by concept: how alike the maps are, whether the "
            "segments overlap, how far the concept moved and by how much its share of the picture "
            "changed. One figure, the differences in colour, and all numbers.",
            search_aliases=[
                "heatmap",
                "attention map",
                "compare models",
                "difference map",
                "LoRA comparison",
                "prompt comparison",
                "correlation",
                "IoU",
                "interpretability",
                "concept attention",
            ],
            inputs=[*_runs(), *_looks()],
            has_intermediate_output=True,
            outputs=[
                io.Image.Output(
                    display_name="figure",
                    tooltip="A row for each concept that both runs have: its map in each, the "
                    "difference, and the figures. One sheet for each batch item or frame.",
                ),
                io.Image.Output(
                    display_name="difference",
                    tooltip="heatmaps_b minus heatmaps_a in colour, at the size of heatmaps_a: "
                    "blue is less, black the same, red more. All batch items or frames of the "
                    "first concept, then of the second.",
                ),
                io.String.Output(
                    display_name="json",
                    tooltip="All figures, for each concept and each of its batch items and frames.",
                ),
                io.String.Output(
                    display_name="text",
                    tooltip="The comparison in words: a line for each concept, and which concepts "
                    "only one run has.",
                ),
            ],
        )

    @classmethod
    def execute(
        cls,
        heatmaps_a: Heatmaps,
        heatmaps_b: Heatmaps,
        label_a: str = "A",
        label_b: str = "B",
        panel: int = 256,
        difference_range: float = 0.0,
        image_a: Tensor | None = None,
        image_b: Tensor | None = None,
    ) -> io.NodeOutput:
        """Compare, draw and describe."""
        comparison = compare(heatmaps_a, heatmaps_b)
        names = (label_a.strip() or "A", label_b.strip() or "B")
        sheets = figure(comparison, Look(names, panel, difference_range), image_a, image_b)
        signed = differences(comparison, difference_range)
        text = describe(comparison, names)
        numbers = number_legend(comparison.labels, captions(comparison.labels))
        device = comfy.model_management.intermediate_device()
        return io.NodeOutput(
            sheets.to(device),
            signed.to(device),
            as_json(comparison, names),
            text,
            ui=lines_on_node((*text.splitlines(), *numbers)),
        )
