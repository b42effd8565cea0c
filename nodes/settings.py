"""What nodes that capture have in common: how much to record, and the capture that comes out."""

from typing import Any

from ..core.conditionings import CONDITIONINGS, POSITIVE
from ..core.spaces import CHOICES, NONE
from ._host import io

ALIASES = [
    "heatmap",
    "attention map",
    "DAAM",
    "saliency",
    "attribution",
    "interpretability",
    "concept attention",
    "ksampler",
]

CAPTURE_OUTPUT = {
    "display_name": "capture",
    "tooltip": "What the model did with every concept, for Heatmap Decode. Decoding never samples "
    "again.",
}


def capture_settings(steps: str = "", memory: str = "") -> list[Any]:
    """Inputs capture_layers, capture_steps, memory_mb; steps, memory: what their tooltips add."""
    return [
        io.String.Input(
            "capture_layers",
            default="auto",
            optional=True,
            tooltip="Double blocks to record: auto or all for every one, 15-18, -4: for the last "
            "four, 0,5,9. Fewer layers save memory; the deepest one sets the (small) cost in time.",
        ),
        io.String.Input(
            "capture_steps",
            default="all",
            optional=True,
            tooltip="Sampler steps to record, counted from 0: all, 70%-100%, 0-9. Steps that are "
            f"not asked for cost nothing.{steps}",
        ),
        io.Int.Input(
            "memory_mb",
            default=64,
            min=1,
            max=65536,
            optional=True,
            advanced=True,
            tooltip="Most memory the scores may take, in MB, on the device that samples. Above it "
            f"fewer steps are kept, then layers are averaged; the node says so before it samples."
            f"{memory}",
        ),
    ]


def baseline_inputs() -> list[Any]:
    """The input baselines: which other spaces are recorded."""
    return [
        io.Combo.Input(
            "baselines",
            options=list(CHOICES),
            default=NONE,
            optional=True,
            advanced=True,
            tooltip="Also records what the paper compares with, for space in Heatmap Decode. "
            "cross-attention: concept queries against image keys (positions turned in, as the "
            "model has them). value: concept values against image values. DAAM: how much every "
            "place attends to each concept, a softmax in each head. Each takes as much of "
            "memory_mb as the maps themselves and less than 0.1 % of the work; none costs nothing.",
        )
    ]


def conditioning_input() -> Any:
    """The input conditioning: which prompt the concepts ride on."""
    return io.Combo.Input(
        "conditioning",
        options=list(CONDITIONINGS),
        default=POSITIVE,
        optional=True,
        advanced=True,
        tooltip="The prompt that the concepts are followed beside. negative shows where the model "
        "sees them in the pass that is steered away from; it must be evaluated, so cfg above 1.0 "
        "and a guider with a negative prompt. The cost is the same.",
    )
