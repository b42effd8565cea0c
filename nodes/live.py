"""Live maps: the maps as they form, in the preview of the node that samples."""

from typing import Any

from ._host import io

OFF = "off"
MODES = (OFF, "segments", "concept")


def live_inputs(unit: str = "step") -> list[Any]:
    """Inputs live_maps and live_concept; unit: what a node does between two of its previews."""
    return [
        io.Combo.Input(
            "live_maps",
            options=list(MODES),
            default=OFF,
            optional=True,
            tooltip="Shows the maps in this node's preview while they form, as far as they have "
            f"come with each {unit}: segments paints every place in the hue of the strongest "
            "concept there, concept lays the map of live_concept over the picture. The result "
            "stays the same, bit for bit; off costs nothing.",
        ),
        io.String.Input(
            "live_concept",
            default="",
            optional=True,
            advanced=True,
            placeholder="the first concept",
            tooltip="The concept that live_maps shows when it is set to concept, as it is written "
            "in the Concept Encoder. Empty: the first one.",
        ),
    ]
