"""CogVideoX 2B, 5B and 1.5: text and video share a block's projections and differ in modulation.

The concepts are projected like text and have no position, neither in 2B's table nor in the rotation
of 5B and 1.5; both are the video's alone. Only concepts enter, never the padding that the paper's
code fills them up with: it would take part in the softmax (it changes the scores of 5B by a third
and more). Image to video and inpainting bring more channels into the video's patches, nothing else.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn
from torch.nn.functional import gelu

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
    patch_grid,
)


class CogVideoX:
    """CogVideoX for text to video, image to video and inpainting."""

    name = "cogvideox"
    models = "CogVideoX (2B, 5B, 1.5)"
    encoders: tuple[str, ...] = ("t5xxl",)
    seam: Seam = "diffusion_model"
    attachment: Attachment = "hooks"  # the host's class offers no block replacement
    video = True
    words: WordPlace = "first"

    def matches(self, model: HostModel) -> bool:
        """Whether the model is the host's CogVideoX transformer."""
        return is_host_class(model, "comfy.ldm.cogvideo.model.CogVideoXTransformer3DModel")

    def blocks(self, model: HostModel) -> Sequence[nn.Module]:
        """All blocks."""
        return list(model.blocks)

    def image(self, model: HostModel, given: Mapping[str, Any], tokens: int) -> slice:
        """The video tokens of [text, video]."""
        return image_after_text(given["encoder_hidden_states"], given["hidden_states"])

    def text_width(self, model: HostModel) -> int:
        """Width of the text encoder's output that the model takes."""
        return int(model.patch_embed.text_proj.in_features)

    def grid(self, model: HostModel, latent_shape: Any) -> tuple[int, int, int]:
        """(frames, rows, columns) of a latent [B, channels, T, H, W]; the host pads all three."""
        patch = (model.patch_size_t or 1, model.patch_size, model.patch_size)
        return patch_grid(latent_shape[-3:], patch)

    def stream(self, model: HostModel, call: Call, concepts: Concepts) -> "CogVideoXStream":
        """Start the concept stream at the model's text input projection."""
        return CogVideoXStream(model, call, concepts)


class CogVideoXStream:
    """Residual stream of the concepts [B, T, D] in one evaluation."""

    def __init__(self, model: HostModel, call: Call, concepts: Concepts) -> None:
        self._blocks = model.blocks
        project = model.patch_embed.text_proj
        # As the host does: this projection may be kept in another precision than the blocks.
        tokens = concepts.tokens.to(call.latent.device, project.weight.dtype)[None]
        state = project(tokens).to(call.latent.dtype)
        self._state = state.expand(call.latent.shape[0], -1, -1)
        self._time: Any = None
        self._gate: Any = None

    def project(self, layer: int, given: Mapping[str, Any], rows: slice) -> Projected:
        """Queries, keys and values of the concepts, modulated as text."""
        block = self._blocks[layer]
        self._time = given["temb"][rows]
        text, self._gate = self._modulated(block.norm1)
        q, k, v = (
            by_heads(linear(text), block.num_heads) for linear in (block.q, block.k, block.v)
        )
        return Projected(block.norm_q(q), block.norm_k(k), v)

    def advance(self, layer: int, concept_out: Tensor) -> None:
        """Output projection, gates and feed-forward."""
        block = self._blocks[layer]
        state = self._state
        self._state = state + self._gate * block.attn_out(concept_out.to(state.dtype))
        text, gate = self._modulated(block.norm2)
        out = block.ff_out(gelu(block.ff_proj(text), approximate="tanh"))
        self._state = self._state + gate * out

    def _modulated(self, norm: nn.Module) -> tuple[Tensor, Tensor]:
        """The stream, normalised and modulated as text, and the gate; the video is left empty."""
        _, text, _, gate = norm(self._state[:, :0], self._state, self._time)
        return text, gate
