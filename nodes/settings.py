"""What nodes that capture have in common: how much to record, and the capture that comes out."""

from typing import Any

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
