"""SD3 and SD3.5: joint blocks with text and image weights of their own, no rotation.

The blocks are modulated by timestep and the prompt's pooled vector, for the concepts too (as the
paper's code does). The first blocks of 3.5 Medium attend a second time, over the image alone, which
the concepts have no part in. The last block's text side makes queries, keys and values only: its
scores exist, the stream ends there.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from ..attach import Attachment
from ..attention import by_heads
from ..types import Concepts
from .base import (
    Call,
    HostModel,
    Projected,
    Seam,
    WordPlace,
    image_after_text,
    is_host_class,
    picture_grid,
)


class SD3:
    """SD3 Medium, SD3.5 Large, Large Turbo and Medium."""

    name = "sd3"
    models = "SD3, SD3.5"
    encoders: tuple[str, ...] = ("clip_l+clip_g", "t5xxl")
    # The host's SD3 does not offer its wrapper around the diffusion model's forward.
    seam: Seam = "apply_model"
    attachment: Attachment = "replacement"
    video = False
    words: WordPlace = "first"

    def matches(self, model: HostModel) -> bool:
        """Whether the model is the host's MMDiT, with nothing between text and blocks."""
        if not is_host_class(model, "comfy.ldm.modules.diffusionmodules.mmdit.MMDiT"):
            return False
        return model.context_processor is None and model.register_length == 0

    def blocks(self, model: HostModel) -> Sequence[nn.Module]:
        """The joint blocks."""
        return list(model.joint_blocks)

    def image(self, model: HostModel, given: Mapping[str, Any], tokens: int) -> slice:
        """The image tokens of [text, image]."""
        return image_after_text(given["txt"], given["img"])

    def text_width(self, model: HostModel) -> int:
        """Width of the text encoder's output that the model takes."""
        return int(model.context_embedder.in_features)

    def grid(self, model: HostModel, latent_shape: Any) -> tuple[int, int, int]:
        """(1, rows, columns) of a latent [B, channels, H, W]; the host pads odd sides."""
        return picture_grid(model, latent_shape)

    def stream(self, model: HostModel, call: Call, concepts: Concepts) -> "SD3Stream":
        """Start the concept stream at the model's text input projection."""
        return SD3Stream(model, call, concepts)


class SD3Stream:
    """Residual stream of the concepts [B, C, D] in one evaluation."""

    def __init__(self, model: HostModel, call: Call, concepts: Concepts) -> None:
        self._model = model
        self._batch = call.latent.shape[0]
        self._tokens = concepts.tokens[None]
        self._state: Any = None
        self._rest: Any = None

    def project(self, layer: int, given: Mapping[str, Any], rows: slice) -> Projected:
        """Queries, keys and values of the concepts by the block's text side."""
        vec = given["vec"][rows]
        if self._state is None:
            tokens = self._tokens.to(device=vec.device, dtype=vec.dtype)
            self._state = self._model.context_embedder(tokens).expand(self._batch, -1, -1)
        block = self._model.joint_blocks[layer].context_block
        qkv, self._rest = block.pre_attention(self._state, vec)
        return Projected(*(by_heads(x, block.attn.num_heads) for x in qkv))

    def advance(self, layer: int, concept_out: Tensor) -> None:
        """Output projection, gates and MLP of the block's text side."""
        block = self._model.joint_blocks[layer].context_block
        self._state = block.post_attention(concept_out.to(self._state.dtype), *self._rest)
