"""FLUX.1 and FLUX.2: blocks with text and image weights of their own, read by block replacement.

FLUX.1 (dev, schnell, Kontext, Fill, Krea): every text token at position zero, each block with its
own modulation, which for the concepts is made from a zero pooled vector (as the paper's code does).
FLUX.2 (dev, Klein): one modulation shared by all blocks, no pooled vector, text at (0, 0, 0, i).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from ..attach import Attachment
from ..types import Concepts
from .base import (
    Call,
    HostModel,
    Seam,
    WordPlace,
    image_after_text,
    is_host_class,
    picture_grid,
)
from .double import DoubleStream, angles_at, sinusoid


class Flux:
    """FLUX.1 and its kin."""

    name = "flux"
    models = "FLUX.1 (dev, schnell, Kontext, Fill, Krea)"
    encoders: tuple[str, ...] = ("t5xxl",)
    seam: Seam = "diffusion_model"
    attachment: Attachment = "replacement"
    video = False
    words: WordPlace = "first"
    text_length = 0
    _shared_modulation = False

    def matches(self, model: HostModel) -> bool:
        """Whether the model is the host's Flux class, with or without shared modulation."""
        if not is_host_class(model, "comfy.ldm.flux.model.Flux"):
            return False
        return bool(model.params.global_modulation) == self._shared_modulation

    def blocks(self, model: HostModel) -> Sequence[nn.Module]:
        """The double blocks."""
        return list(model.double_blocks)

    def image(self, model: HostModel, given: Mapping[str, Any], tokens: int) -> slice:
        """The image tokens of [text, image]."""
        return image_after_text(given["txt"], given["img"])

    def text_width(self, model: HostModel) -> int:
        """Width of the text encoder's output that the model takes."""
        return int(model.params.context_in_dim)

    def grid(self, model: HostModel, latent_shape: Any) -> tuple[int, int, int]:
        """(1, rows, columns) of a latent [B, channels, H, W]; the host pads odd sides."""
        return picture_grid(model, latent_shape)

    def stream(self, model: HostModel, call: Call, concepts: Concepts) -> DoubleStream:
        """Start the concept stream at the model's text input projection."""
        return FluxStream(model, call, concepts, self.text_length)


class Flux2(Flux):
    """FLUX.2 dev and Klein."""

    name = "flux2"
    models = "FLUX.2 (dev, Klein)"
    encoders: tuple[str, ...] = ("mistral3_24b", "qwen3_4b", "qwen3_8b")
    text_length = 512  # the host pads shorter prompts to this length on the left
    words: WordPlace = "last"
    _shared_modulation = True


class FluxStream(DoubleStream):
    """The concepts' stream, with a modulation of its own."""

    def __init__(self, model: HostModel, call: Call, concepts: Concepts, text_length: int) -> None:
        dtype, device = call.latent.dtype, call.latent.device
        tokens = concepts.tokens.to(device=device, dtype=dtype)[None]
        if model.txt_norm is not None:
            tokens = model.txt_norm(tokens)
        state = model.txt_in(tokens).expand(call.latent.shape[0], -1, -1)
        # A concept stands where it would stand if it were the whole prompt.
        places = [index + max(0, text_length - length) for index, length in concepts.places]
        angles = angles_at(model, model.params.txt_ids_dims, places, device)
        super().__init__(model.double_blocks, state, angles)
        vec = _modulation_vector(model, call)
        self._vec = vec
        self._shared = (
            model.double_stream_modulation_txt(vec) if model.params.global_modulation else None
        )

    def modulation(self, layer: int, given: Mapping[str, Any], rows: slice) -> tuple[Any, Any]:
        """Of the text side, for attention and MLP."""
        return self._blocks[layer].txt_mod(self._vec) if self._shared is None else self._shared


def _modulation_vector(model: HostModel, call: Call) -> Tensor:
    """Timestep, guidance and, in FLUX.1, a zero pooled vector: [B, D]."""
    dtype = call.latent.dtype
    vec = model.time_in(sinusoid(1000.0 * call.timestep).to(dtype))
    if model.params.guidance_embed and call.guidance is not None:
        vec = vec + model.guidance_in(sinusoid(1000.0 * call.guidance).to(dtype))
    if model.vector_in is not None:
        vec = vec + model.vector_in(vec.new_zeros(1, model.params.vec_in_dim))
    return vec
