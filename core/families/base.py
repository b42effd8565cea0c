"""What a model family declares, and the registry's entry type."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import torch
from torch import Tensor, nn

from ..attach import Attachment
from ..types import Concepts

# The host's diffusion model: its attributes are the host's, so they are not typed here.
HostModel = Any
# The host's wrapper that sees every evaluation of a model: around the diffusion model's own forward
# where that one offers it, else around the model that holds it.
Seam = Literal["diffusion_model", "apply_model"]
# Where a prompt's own rows stand among the text tokens of the joint attention: before or behind
# what the host fills them up with, or where they cannot be told.
WordPlace = Literal["first", "last", "none"]


@dataclass
class Projected:
    """Queries, keys and values of the concepts in one block: [B, heads, C, d] each."""

    q: Tensor
    k: Tensor
    v: Tensor


@dataclass(frozen=True)
class Call:
    """The arguments of one model evaluation that a concept stream needs, cut to the positive rows.

    latent: [B, ...], the source of dtype and device; timestep: [B]; guidance: [B], [1] or None.
    """

    latent: Tensor
    timestep: Tensor
    guidance: Tensor | None


class Stream(Protocol):
    """The concept tokens' residual stream in one evaluation of the model."""

    def project(self, layer: int, given: Mapping[str, Any], rows: slice) -> Projected:
        """Norm, modulation, qkv, norm of q and k, position, by the block's text side.

        given: what the host gave to the block, "vec" among it, for all rows of the evaluation.
        rows: those of this stream.
        """

    def advance(self, layer: int, concept_out: Tensor) -> None:
        """Output projection, gates and MLP: carries the stream into the next block."""


class Family(Protocol):
    """One architecture: how its text stream treats a concept token.

    name: in captures. models: as users know them, for errors. video: whether the model makes
    videos: several pictures are then frames of one; else several frames of a latent are pictures of
    their own, as layers are. words: where the rows of the prompt's conditioning are among the text
    tokens of the joint attention, which stand before the image.
    """

    name: str
    models: str
    encoders: tuple[str, ...]
    seam: Seam
    attachment: Attachment
    video: bool
    words: WordPlace

    def matches(self, model: HostModel) -> bool:
        """Whether the host's diffusion model is of this family."""

    def blocks(self, model: HostModel) -> Sequence[nn.Module]:
        """The blocks with joint attention, in order: the layers."""

    def image(self, model: HostModel, given: Mapping[str, Any], tokens: int) -> slice:
        """The image tokens among those of a block's joint attention.

        given: what the host gives to the block, by name. tokens: how many the picture has; those
        of reference pictures may follow.
        """

    def text_width(self, model: HostModel) -> int:
        """Width of the text encoder's output that the model takes."""

    def grid(self, model: HostModel, latent_shape: Any) -> tuple[int, int, int]:
        """Grid of image tokens (frames, rows, columns) of a latent."""

    def stream(self, model: HostModel, call: Call, concepts: Concepts) -> Stream:
        """Start the concept stream at the model's text input projection."""


def is_host_class(model: HostModel, name: str) -> bool:
    """Whether the model is of the host's class of this full name, or of one derived from it."""
    return name in {f"{cls.__module__}.{cls.__qualname__}" for cls in type(model).__mro__}


def image_after_text(text: Tensor, image: Tensor) -> slice:
    """The image tokens where the text's, [B, T, D], stand before them, [B, N, D]."""
    return slice(text.shape[1], text.shape[1] + image.shape[1])


def picture_grid(model: HostModel, latent_shape: Any) -> tuple[int, int, int]:
    """(1, rows, columns) of a latent [B, channels, H, W]; the host pads odd sides."""
    return patch_grid((1, *latent_shape[-2:]), (1, model.patch_size, model.patch_size))


def patch_grid(sides: Sequence[int], patch: Sequence[int]) -> tuple[int, int, int]:
    """(frames, rows, columns) of patches that cover these sides."""
    frames, rows, columns = (-(-side // part) for side, part in zip(sides, patch, strict=True))
    return frames, rows, columns


def finite(x: Tensor) -> Tensor:
    """As the host keeps its streams finite in half precision."""
    if x.dtype == torch.float16:
        return torch.nan_to_num(x, nan=0.0, posinf=65504, neginf=-65504)
    return x
