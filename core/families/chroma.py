"""Chroma and Chroma1-Radiance: FLUX.1's blocks, all modulated by one distilled guidance layer.

That layer makes shifts, scales and gates of every block from timestep and guidance; the concepts
take those of the text side. No pooled vector exists. T5's padding, of which Chroma was trained to
see a single token, never takes part: concepts attend to concepts and image only. Text has no
position, but in later releases of Radiance, which count its tokens along the first axis.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from ..types import Concepts
from .base import Call, HostModel, is_host_class
from .double import DoubleStream, angles_at
from .flux import Flux


class Chroma(Flux):
    """Chroma1 (Base, HD, Flash, ...) on latents, and Radiance on pixels."""

    name = "chroma"
    models = "Chroma1 (Base, HD, Radiance)"
    encoders: tuple[str, ...] = ("t5xxl",)

    def matches(self, model: HostModel) -> bool:
        """Whether the model is the host's Chroma, from which Radiance is derived."""
        return is_host_class(model, "comfy.ldm.chroma.model.Chroma")

    def stream(self, model: HostModel, call: Call, concepts: Concepts) -> DoubleStream:
        """Start the concept stream at the model's text input projection."""
        return ChromaStream(model, call, concepts)


class ChromaStream(DoubleStream):
    """The concepts' stream, modulated as the text."""

    def __init__(self, model: HostModel, call: Call, concepts: Concepts) -> None:
        tokens = concepts.tokens.to(call.latent.device, call.latent.dtype)[None]
        state = model.txt_in(tokens).expand(call.latent.shape[0], -1, -1)
        axes = (0,) if getattr(model.params, "use_sequential_txt_ids", False) else ()
        places = [index for index, _ in concepts.places]
        super().__init__(
            model.double_blocks, state, angles_at(model, axes, places, call.latent.device)
        )

    def modulation(self, layer: int, given: Mapping[str, Any], rows: slice) -> tuple[Any, Any]:
        """Of the text side, for attention and MLP."""
        attention, mlp = (
            dataclasses.replace(
                mod, shift=mod.shift[rows], scale=mod.scale[rows], gate=mod.gate[rows]
            )
            for mod in given["vec"][1]
        )
        return attention, mlp
