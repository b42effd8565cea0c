"""Where the latents of existing pictures come from: a LATENT, or an IMAGE and a VAE."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import comfy.sample
import comfy.utils
import torch
from torch import Tensor

from ..core.errors import ConceptAttentionError
from ..core.families import family_of
from ..core.pictures import padded, token_side


@dataclass(frozen=True)
class Source:
    """Latents of pictures or of videos, each part made when it is asked for.

    shape: of all latents, [B, C, (T,) h, w]. latents, noise_mask: those of some of the B. size:
    (frames, height, width) of each picture or video before it was padded; None for latents.
    picture: one of the B as [H, W, 3], of a video its first frame; None for latents.
    """

    shape: tuple[int, ...]
    latents: Callable[[slice], Tensor]
    noise_mask: Callable[[slice], Tensor | None]
    size: tuple[int, int, int] | None
    picture: Callable[[int], Tensor | None]

    @property
    def count(self) -> int:
        """Pictures or videos."""
        return self.shape[0]


def source_of(model: Any, image: Tensor | None, latent: dict[str, Any] | None, vae: Any) -> Source:
    """The source of one of both inputs; raises ConceptAttentionError for any other number."""
    if image is not None and latent is not None:
        raise ConceptAttentionError(
            "image, latent: both are connected, and they may differ. Disconnect one of them."
        )
    if latent is not None:
        return _from_latent(model, latent)
    if image is None:
        raise ConceptAttentionError(
            "image, latent: neither is connected. Connect the picture to image, or its latent to "
            "latent."
        )
    if vae is None:
        raise ConceptAttentionError(
            "vae: it is not connected, and a picture has to be encoded. Connect the model's VAE, "
            "or a latent instead of the image."
        )
    return _from_image(model, image, vae)


def _from_latent(model: Any, latent: dict[str, Any]) -> Source:
    samples = latent["samples"]
    if samples.is_nested:
        raise ConceptAttentionError(
            "latent: it holds several latents in one (video and sound). Connect one of pictures "
            "or of a video alone."
        )
    ratios = (latent.get(f"downscale_ratio_{kind}") for kind in ("spacial", "temporal"))
    samples = comfy.sample.fix_empty_latent_channels(model, samples, *ratios)
    latents = model.get_model_object("latent_format")
    expected = (latents.latent_channels, latents.latent_dimensions + 2)
    if (samples.shape[1], samples.ndim) != expected:
        raise ConceptAttentionError(
            f"latent: its shape is {list(samples.shape)}, this model's latents have {expected[0]} "
            f"channels and {expected[1]} dimensions. Encode the picture with this model's VAE."
        )
    mask = latent.get("noise_mask")

    def noise_mask(items: slice) -> Tensor | None:
        count = samples.shape[0]
        # A video's mask has frames in the place of a batch, and is for all videos.
        of_frames = mask is not None and samples.ndim == 5 and mask.ndim < 5
        if mask is None or of_frames or items == slice(0, count):
            return mask
        return comfy.utils.repeat_to_batch_size(mask, count)[items]

    return Source(
        tuple(samples.shape), lambda items: samples[items], noise_mask, None, lambda item: None
    )


def _from_image(model: Any, image: Tensor, vae: Any) -> Source:
    diffusion_model = model.get_model_object("diffusion_model")
    family = family_of(diffusion_model)
    latents = model.get_model_object("latent_format")
    side = latents.spacial_downscale_ratio * token_side(family, diffusion_model)
    height, width = (math.ceil(length / side) * side for length in image.shape[1:3])
    frames = image.shape[0] if family.video else 1
    groups = math.ceil((frames - 1) / latents.temporal_downscale_ratio)
    count = 1 if family.video else image.shape[0]
    shape = (
        count,
        latents.latent_channels,
        *((1 + groups,) if latents.latent_dimensions == 3 else ()),
        height // latents.spacial_downscale_ratio,
        width // latents.spacial_downscale_ratio,
    )

    def encoded(items: slice) -> Tensor:
        # A video is encoded as a whole, its last group of frames filled up.
        whole = 1 + groups * latents.temporal_downscale_ratio
        pictures = image if family.video else image[items]
        length = whole if family.video else pictures.shape[0]
        samples = _encode(vae, padded(pictures, (length, height, width)), family.video)
        if samples.shape[1:] != shape[1:]:
            raise ConceptAttentionError(
                f"vae: it makes latents of shape {list(samples.shape[1:])} of this picture, the "
                f"model takes {list(shape[1:])}. Connect the VAE that belongs to the model."
            )
        return samples

    size = (frames, image.shape[1], image.shape[2])
    return Source(shape, encoded, lambda items: None, size, lambda item: image[item])


def _encode(vae: Any, pictures: Tensor, video: bool) -> Tensor:
    if vae.latent_dim == 3 and not video:
        # The host takes a batch for the frames of a video, the model makes pictures.
        return torch.cat([vae.encode(picture[None]) for picture in pictures])
    encoded: Tensor = vae.encode(pictures)
    return encoded
