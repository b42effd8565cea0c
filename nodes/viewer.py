"""Heatmap Viewer: the picture and its maps on the node, to be looked into without another run."""

from typing import Any

import comfy.model_management
from torch import Tensor

from ..core.concepts import parse_concepts
from ..core.decode import decode, only
from ..core.errors import ConceptAttentionError
from ..core.resize import resized
from ..core.segments import require_rivals
from ..core.segments import segments as strongest
from ..core.types import Capture, Heatmaps
from ..core.view import Settings, View, spans_of, view_capture, view_heatmaps
from . import view_files
from ._host import io
from .types import HeatmapsType
from .viewer_inputs import viewer_inputs

_AUTO = "auto"


class HeatmapViewer(io.ComfyNode):
    """Shows heatmaps over the picture, and makes masks of them."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """The node's face."""
        return io.Schema(
            node_id="ConceptAttentionViewer",
            display_name="Heatmap Viewer",
            category="Concept Attention",
            description="Shows where each concept is in the picture: hover it to read every "
            "concept's share, and change layers, steps and colours without another run.",
            search_aliases=[
                "heatmap",
                "attention map",
                "DAAM",
                "preview heatmap",
                "interactive viewer",
                "segmentation",
                "mask from concept",
                "interpretability",
                "concept attention",
            ],
            is_output_node=True,
            inputs=viewer_inputs(),
            outputs=[
                io.Image.Output(display_name="image", tooltip="The picture, as it came in."),
                HeatmapsType.Output(
                    display_name="heatmaps",
                    tooltip="The maps of the concepts, as large as the picture; connected heatmaps "
                    "as they came in, those of concept alone if it names any.",
                ),
                io.Mask.Output(
                    display_name="mask",
                    tooltip="The maps as masks of 0 to 1, or of 0 and 1 alone with a threshold or "
                    "segments: all batch items or frames of the first concept, then of the second.",
                ),
            ],
        )

    @classmethod
    def fingerprint_inputs(cls, **_: Any) -> int:
        """Another number when files were deleted, so that running again writes them again."""
        return view_files.RUNS.deletions

    @classmethod
    def execute(
        cls,
        image: Tensor,
        concept: str = "",
        threshold: float = 0.0,
        layers: str = _AUTO,
        steps: str = _AUTO,
        temperature: float = 0.0,
        smoothing: float = 0.0,
        capture: Capture | None = None,
        heatmaps: Heatmaps | None = None,
        image_b: Tensor | None = None,
        capture_b: Capture | None = None,
        segments: bool = False,
    ) -> io.NodeOutput:
        """Decode, write what the browser needs, and say where it is."""
        labels = tuple(parse_concepts(concept, "concept"))
        settings = Settings(layers, steps, temperature or None, smoothing, labels, threshold)
        if image_b is not None and capture_b is None:
            raise ConceptAttentionError(
                "image_b: it has no capture to be shown with; connect capture_b too"
            )
        every = _maps(image, capture, heatmaps, settings)
        maps = only(every, labels) if labels else every
        views = [(image, _view(image, capture, heatmaps, settings))]
        if capture_b is not None:
            views.append(_second(image, image_b, capture_b, settings))
        device = comfy.model_management.intermediate_device()
        masks = _masks(every, maps, threshold, segments)
        shown = view_files.write(views, maps, settings)
        # CBFHW to (CBF)HW
        return io.NodeOutput(image, maps, masks.flatten(0, 2).to(device), ui=shown)


def _maps(
    image: Tensor, capture: Capture | None, heatmaps: Heatmaps | None, settings: Settings
) -> Heatmaps:
    """The maps of all concepts, at the picture's size if they come from a capture."""
    if (capture is None) == (heatmaps is None):
        found = "neither is" if capture is None else "both are"
        raise ConceptAttentionError(
            f"capture, heatmaps: {found} connected. Connect one of the two: a capture to choose "
            "layers and steps here, or heatmaps to show them as they are."
        )
    if heatmaps is not None:
        _require_defaults(settings)
        return heatmaps
    video = spans_of(capture, image.shape[0]) == capture.spans
    decoded = decode(
        capture,
        layers=settings.layers,
        steps=settings.steps,
        temperature=settings.temperature,
        frames="video" if video else "latent",
        smoothing=settings.smoothing,
    )
    size = (image.shape[1], image.shape[2])
    return resized(decoded, size, "bilinear", capture.picture)


def _require_defaults(settings: Settings) -> None:
    plain = Settings(concepts=settings.concepts, threshold=settings.threshold)
    for name in ("layers", "steps", "temperature", "smoothing"):
        value = getattr(settings, name)
        text = value.strip().lower() if isinstance(value, str) else value
        if text != getattr(plain, name):
            raise ConceptAttentionError(
                f"{name}: '{value}' needs a capture, and heatmaps are connected, which are decoded "
                "already. Connect the capture instead, or set it back to its default."
            )


def _view(
    image: Tensor, capture: Capture | None, heatmaps: Heatmaps | None, settings: Settings
) -> View:
    shown = (image.shape[0], (image.shape[1], image.shape[2]))
    if capture is not None:
        return view_capture(capture, settings, *shown)
    return view_heatmaps(heatmaps, settings, *shown)


def _second(
    image: Tensor, other: Tensor | None, capture: Capture, settings: Settings
) -> tuple[Tensor, View]:
    """What is compared with: at its own defaults, for another model has other layers and steps."""
    size = (image.shape[1], image.shape[2])
    if other is None and size[0] * capture.picture[1] != size[1] * capture.picture[0]:
        raise ConceptAttentionError(
            f"capture_b: it is of a picture of {capture.picture[1]} x {capture.picture[0]}, image "
            f"is {size[1]} x {size[0]}. Connect its own picture to image_b."
        )
    picture = image if other is None else other
    own = Settings(smoothing=settings.smoothing, threshold=settings.threshold)
    return picture, _view(picture, capture, None, own)


def _masks(every: Heatmaps, maps: Heatmaps, threshold: float, segments: bool) -> Tensor:
    """Of the concepts put out: their segments among all, where they reach the threshold, or all."""
    if segments:
        require_rivals(every, "; or switch segments off")
        places = [every.labels.index(label) for label in maps.labels]
        return strongest(every)[places].to(maps.values)
    return (maps.shares >= threshold).to(maps.values) if threshold > 0 else maps.values
