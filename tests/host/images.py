"""Attention Capture from Image on the tiny models, and pictures for it."""

from typing import Any

import comfy.ldm.wan.vae
import comfy.sd
import torch

from concept_attention.core.types import Capture
from concept_attention.nodes.image import AttentionCaptureImage
from concept_attention.nodes.pocket import load_vae
from concept_attention.pocket import checkpoint

from .models import concepts, latent, model, prompt, seeded


def pictures(family: str, batch: int = 1, size: tuple[int, int] = (2, 3)) -> dict[str, Any]:
    """A latent of pictures or videos, of `size` image tokens each."""
    empty = latent(family, batch, size)
    return {"samples": seeded(*empty["samples"].shape, seed=5)}


def captured(family: str, patcher: Any = None, **changes: Any) -> Capture:
    """The node's capture; changes: inputs other than the usual ones."""
    if not {"image", "latent"} & set(changes):
        changes["latent"] = pictures(family)
    inputs = {
        "conditioning": prompt(family),
        "concepts": concepts(family),
        "noise_level": 0.5,
        "samples": 1,
        "seed": 3,
        **changes,
    }
    with torch.inference_mode():
        return AttentionCaptureImage.execute(patcher or model(family), **inputs).result[0]


def picture_vae() -> Any:
    """The pocket model's VAE: 16 channels, 8 pixels for each."""
    return load_vae(checkpoint.read())


def video_vae() -> Any:
    """The host's video VAE with small random weights: 16 channels, 8 pixels, groups of 4 frames."""
    sizes = {"dim": 8, "z_dim": 16, "dim_mult": [1, 2, 4, 4], "num_res_blocks": 2}
    shape = {"attn_scales": [], "temperal_downsample": [False, True, True]}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        weights = comfy.ldm.wan.vae.WanVAE(**sizes, **shape).state_dict()
        for name, weight in weights.items():
            if not name.endswith("gamma"):
                weights[name] = torch.randn(weight.shape) * weight[0].numel() ** -0.5
    return comfy.sd.VAE(sd=weights, dtype=torch.float32)
