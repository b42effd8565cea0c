"""Heatmap Viewer: the picture and its maps on the node, to be looked into without another run."""

from typing import Any

import comfy.model_management
from torch import Tensor

from ..core.concepts import parse_concepts
from ..core.decode import decode, only
from ..core.errors import ConceptAttentionError
from ..core.resize import resized
from ..core.types import Capture, Heatmaps
from ..core.view import Settings, View, spans_of, view_capture, view_heatmaps
from . import view_files
from ._host import io
from .types import CaptureType, HeatmapsType

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
            inputs=[*_sources(), *_mask(), *_selection()],
            outputs=[
                io.Image.Output(display_name="image", tooltip="The picture, as it came in."),
                HeatmapsType.Output(
                    display_name="heatmaps",
                    tooltip="The maps of the concepts, as large as the picture; connected heatmaps "
                    "as they came in, those of concept alone if it names any.",
                ),
                io.Mask.Output(
                    display_name="mask",
                    tooltip="The maps as masks of 0 to 1, or of 0 and 1 alone with a threshold: "
                    "all batch items or frames of the first concept, then of the second.",
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
    ) -> io.NodeOutput:
        """Decode, write what the browser needs, and say where it is."""
        labels = tuple(parse_concepts(concept, "concept"))
        settings = Settings(layers, steps, temperature or None, smoothing, labels, threshold)
        if image_b is not None and capture_b is None:
            raise ConceptAttentionError(
                "image_b: it has no capture to be shown with; connect capture_b too"
            )
        maps = _maps(image, capture, heatmaps, settings)
        views = [(image, _view(image, capture, heatmaps, settings))]
        if capture_b is not None:
            views.append(_second(image, image_b, capture_b, settings))
        device = comfy.model_management.intermediate_device()
        masks = _thresholded(maps, threshold) if threshold > 0 else maps.values
        shown = view_files.write(views, maps, settings)
        # CBFHW to (CBF)HW
        return io.NodeOutput(image, maps, masks.flatten(0, 2).to(device), ui=shown)


def _maps(
    image: Tensor, capture: Capture | None, heatmaps: Heatmaps | None, settings: Settings
) -> Heatmaps:
    """The maps of the concepts asked for, at the picture's size if they come from a capture."""
    if (capture is None) == (heatmaps is None):
        found = "neither is" if capture is None else "both are"
        raise ConceptAttentionError(
            f"capture, heatmaps: {found} connected. Connect one of the two: a capture to choose "
            "layers and steps here, or heatmaps to show them as they are."
        )
    if heatmaps is not None:
        _require_defaults(settings)
        return only(heatmaps, settings.concepts) if settings.concepts else heatmaps
    video = spans_of(capture, image.shape[0]) == capture.spans
    decoded = decode(
        capture,
        layers=settings.layers,
        steps=settings.steps,
        temperature=settings.temperature,
        frames="video" if video else "latent",
        smoothing=settings.smoothing,
    )
    if settings.concepts:
        decoded = only(decoded, settings.concepts)
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


def _thresholded(maps: Heatmaps, threshold: float) -> Tensor:
    """1 where the concept's share of the pixel reaches the threshold, else 0."""
    low, high = maps.values.new_tensor(maps.value_range)[..., None, None, None, None].unbind(1)
    return (maps.values * (high - low) + low >= threshold).to(maps.values)


def _sources() -> list[Any]:
    return [
        io.Image.Input(
            "image",
            tooltip="The picture, or all of a batch or video. One serves all batch items or frames "
            "of the capture; otherwise there must be as many.",
        ),
        CaptureType.Input(
            "capture",
            optional=True,
            tooltip="What was recorded. Layers, steps and temperature can then be changed on the "
            "node. Connect this or heatmaps.",
        ),
        HeatmapsType.Input(
            "heatmaps",
            optional=True,
            tooltip="Maps that are decoded already, from Heatmap Decode, instead of capture.",
        ),
        io.Image.Input(
            "image_b",
            optional=True,
            tooltip="A second picture to compare with, such as one of another prompt; needs "
            "capture_b.",
        ),
        CaptureType.Input(
            "capture_b",
            optional=True,
            tooltip="A second capture to compare with. Without image_b it is shown on image.",
        ),
    ]


def _mask() -> list[Any]:
    return [
        io.String.Input(
            "concept",
            default="",
            placeholder="all concepts",
            tooltip="Concepts to put out, separated by commas, as they were written in the Concept "
            "Encoder. Empty: all. The node shows all of them either way.",
        ),
        io.Float.Input(
            "threshold",
            default=0.0,
            min=0.0,
            max=1.0,
            step=0.01,
            tooltip="0 puts the maps out as soft masks. Above, the mask is 1 where the concept's "
            "share of the pixel is at least this, and 0 elsewhere.",
        ),
    ]


def _selection() -> list[Any]:
    return [
        io.String.Input(
            "layers",
            default=_AUTO,
            advanced=True,
            tooltip="Layers (double blocks) to average for the outputs and at first: auto for what "
            "suits the model family, all, 15-18, -4: for the last four, 0,5,9, 50%-100%.",
        ),
        io.String.Input(
            "steps",
            default=_AUTO,
            advanced=True,
            tooltip="Sampling steps to average for the outputs and at first, counted from 0: auto "
            "for what suits the model family, all, 0-9, 70%-100%.",
        ),
        io.Float.Input(
            "temperature",
            default=0.0,
            min=0.0,
            max=1000000.0,
            step=0.1,
            round=0.0001,
            advanced=True,
            tooltip="Scores are divided by it before the softmax; small values make every pixel "
            "choose one concept. 0 is the model family's own: 1 for most, 1000 for FLUX.2.",
        ),
        io.Float.Input(
            "smoothing",
            default=0.0,
            min=0.0,
            max=4.0,
            step=0.1,
            round=0.01,
            advanced=True,
            tooltip="Width of a gaussian that calms the maps, in tokens; a token is 16 pixels of "
            "the picture for most models. 0 leaves them as they are.",
        ),
    ]
