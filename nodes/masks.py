"""Heatmap to Masks: from heatmaps to masks for inpainting, and the segmentation as a picture."""

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
from .masks_inputs import masks_inputs
from .messages import lines_on_node


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
            inputs=masks_inputs(),
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
