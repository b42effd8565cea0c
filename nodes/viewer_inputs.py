"""The inputs of the Heatmap Viewer."""

from typing import Any

from ._host import io
from .types import CaptureType, HeatmapsType

_AUTO = "auto"


def viewer_inputs() -> list[Any]:
    """In the order that workflow files keep."""
    return [*_sources(), *_mask(), *_selection(), _segments()]


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


def _segments() -> Any:
    return io.Boolean.Input(
        "segments",
        default=False,
        optional=True,
        advanced=True,
        tooltip="On: the mask of a concept is its segment, 1 where it is the strongest of all "
        "concepts, the background among them; threshold is not used.",
    )
