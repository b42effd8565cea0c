"""HunyuanVideo 1.0 and 1.5: FLUX.1's blocks over video, text without position.

Between text encoder and blocks lies a token refiner, which attends over the text and is modulated
by the timestep and the text's mean. A concept passes it by itself, as if it were the whole prompt:
it attends to itself alone and its mean is itself. 1.5 then marks it as text of the language model,
not of ByT5 or the vision encoder, whose tokens have no part in concepts.

1.0's blocks are modulated by a pooled vector of the prompt, as FLUX.1's are, and the concepts as
there: by a zero vector in its place (as the paper's code does). 1.5 has none; what else it adds to
the timestep is the concepts' too. Where a first frame is given, text has the other frames' time.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ..attach import Attachment
from ..types import Concepts
from .base import Call, HostModel, Seam, WordPlace, is_host_class, patch_grid
from .double import DoubleStream, sinusoid


class HunyuanVideo:
    """HunyuanVideo for text to video and image to video."""

    name = "hunyuan_video"
    models = "HunyuanVideo (1.0, 1.5)"
    encoders: tuple[str, ...] = ("llama", "qwen25_7b")
    seam: Seam = "diffusion_model"
    attachment: Attachment = "replacement"
    video = True
    words: WordPlace = "none"

    def matches(self, model: HostModel) -> bool:
        """Whether the model is the host's HunyuanVideo; HunyuanImage is of the class as well."""
        if not is_host_class(model, "comfy.ldm.hunyuan_video.model.HunyuanVideo"):
            return False
        return len(model.patch_size) == 3

    def blocks(self, model: HostModel) -> Sequence[nn.Module]:
        """The double blocks."""
        return list(model.double_blocks)

    def image(self, model: HostModel, given: Mapping[str, Any], tokens: int) -> slice:
        """The video, which comes last, behind text and reference picture."""
        stop = given["txt"].shape[1] + given["img"].shape[1]
        return slice(stop - tokens, stop)

    def text_width(self, model: HostModel) -> int:
        """Width of the text encoder's output that the model takes."""
        return int(model.txt_in.input_embedder.in_features)

    def grid(self, model: HostModel, latent_shape: Any) -> tuple[int, int, int]:
        """(frames, rows, columns) of a latent [B, channels, T, H, W]."""
        return patch_grid(latent_shape[-3:], model.patch_size)

    def stream(self, model: HostModel, call: Call, concepts: Concepts) -> "HunyuanVideoStream":
        """Start the concept stream at the model's text input projection."""
        return HunyuanVideoStream(model, call, concepts)


class HunyuanVideoStream(DoubleStream):
    """The concepts' stream, modulated as a prompt without a pooled vector."""

    def __init__(self, model: HostModel, call: Call, concepts: Concepts) -> None:
        super().__init__(model.double_blocks, _refined(model, call, concepts), None)
        self._vec = None if model.vector_in is None else _modulation_vector(model, call)

    def modulation(self, layer: int, given: Mapping[str, Any], rows: slice) -> tuple[Any, Any]:
        """Of the text side, for attention and MLP."""
        vec = self._vec
        if vec is None:
            vec = given["vec"][rows]
            vec = vec[:, -1] if vec.ndim == 3 else vec  # the given frame's time, the others'
        attention_mod, mlp_mod = self._blocks[layer].txt_mod(vec)
        return attention_mod, mlp_mod


def _refined(model: HostModel, call: Call, concepts: Concepts) -> Tensor:
    """Concepts after the refiner, each a text of its own: [B, T, D]."""
    batch, count = call.latent.shape[0], len(concepts.tokens)
    tokens = concepts.tokens.to(call.latent.device, call.latent.dtype)
    alone = tokens.repeat(batch, 1)[:, None]
    times = call.timestep.expand(batch).repeat_interleave(count)
    state: Tensor = model.txt_in(alone, times, None, transformer_options={})
    if model.cond_type_embedding is not None:
        kind = torch.zeros(1, dtype=torch.long, device=model.cond_type_embedding.weight.device)
        state = state + model.cond_type_embedding(kind).to(state)
    return state.unflatten(0, (batch, count)).squeeze(2)


def _modulation_vector(model: HostModel, call: Call) -> Tensor:
    """Timestep, guidance and a zero pooled vector: [B, D]."""
    dtype = call.latent.dtype
    vec: Tensor = model.time_in(sinusoid(call.timestep).to(dtype))
    vec = vec + model.vector_in(vec.new_zeros(1, model.params.vec_in_dim))
    if model.params.guidance_embed and call.guidance is not None:
        vec = vec + model.guidance_in(sinusoid(1000.0 * call.guidance).to(dtype))
    return vec
