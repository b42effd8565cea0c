"""The pocket models' files: one safetensors with transformer, text encoder and VAE, made small.

Large matrices are stored as int8 with one float scale per row, the rest as float16; of the text
encoder's embedding only the vocabulary's rows are kept; of the VAE's encoder only the projection
that defines it. The models of pictures share one VAE, which is in the Flux's file; the video model
has its own. `expand` gives the three state dicts under the host's own key names. Torch only.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from . import vae, video_vae
from .video_latents import Latents

TITLES = {"flux": "Flux 1", "sd3": "SD3.5", "video": "CogVideoX"}
FILES = {model: Path(__file__).parent / f"pocket-{model}.safetensors" for model in TITLES}
FILE = FILES["flux"]
T5_ROWS = 32128
_SMALLEST_INT8 = 16384  # numbers; smaller matrices stay float16
_SCALE = ".row_scale"
_EMBEDDING = "text.shared.weight"


@dataclass(frozen=True)
class Parts:
    """Float32 state dicts of the three models under the host's key names, and metadata."""

    transformer: dict[str, Tensor]
    text: dict[str, Tensor]
    vae: dict[str, Tensor]
    metadata: dict[str, str]


def shrink(weights: dict[str, Tensor], vocabulary: list[int]) -> dict[str, Tensor]:
    """Tensors of the file from those of the training: "text.*", and the transformer's under its
    model's name.
    """
    content = {"vocabulary": torch.tensor(vocabulary, dtype=torch.int32)}
    for key, value in weights.items():
        large = value.ndim > 1 and value.numel() >= _SMALLEST_INT8
        if large and not key.startswith("text."):
            scale = value.float().flatten(1).abs().amax(1).clamp_min(1e-12) / 127
            rows = value.float() / _column(scale, value)
            content |= {key: rows.round().to(torch.int8), key + _SCALE: scale}
        else:
            content[key] = value.to(torch.float16)
    return {key: value.contiguous() for key, value in content.items()}


def shrink_vae(decoder: dict[str, Tensor], latents: dict[str, Tensor]) -> dict[str, Tensor]:
    """Tensors of the file from the decoder's and from what defines the latents."""
    content = {f"decoder.{key}": value.to(torch.float16) for key, value in decoder.items()}
    content |= {f"latent.{key}": value.float() for key, value in latents.items()}
    return {key: value.contiguous() for key, value in content.items()}


def write(path: Path, content: dict[str, Tensor], metadata: dict[str, str]) -> None:
    """Write the file, whole or not at all."""
    part = path.with_suffix(".part")
    save_file(content, part, metadata={"format": "pt", **metadata})
    part.chmod(0o644)
    part.replace(path)


def read(model: str = "flux", path: Path | None = None) -> Parts:
    """The three models of a pocket model's file, its own unless another is given, expanded. Raises
    FileNotFoundError where there is no file.
    """
    path = FILES[model] if path is None else path
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    return expand(tensors(path), metadata, model)


def tensors(path: Path = FILE) -> dict[str, Tensor]:
    """The file's tensors as they are stored."""
    return load_file(path)


def stored_vae(path: Path = FILE) -> tuple[tuple[Tensor, Tensor], dict[str, Tensor]]:
    """Projection and mean of the file's latents, and its decoder as it was trained."""
    stored = tensors(path)
    full = {key: value.float() for key, value in stored.items() if key.startswith("decoder.")}
    return (stored["latent.projection"], stored["latent.mean"]), _under("decoder.", full)


def stored_video_vae(path: Path = FILES["video"]) -> tuple[Latents, dict[str, Tensor]]:
    """What defines the video model's latents, and its decoder as it was trained."""
    full = {key: value.float() for key, value in tensors(path).items()}
    return Latents(**_under("latent.", full)), _under("decoder.", full)


def expand(stored: dict[str, Tensor], metadata: dict[str, str], model: str = "flux") -> Parts:
    """State dicts for the host from the file's tensors; the inverse of `shrink` up to rounding."""
    if "latent.mean" not in stored:
        stored = {**tensors(), **stored}
    full = {key: _restore(key, stored) for key in stored if not key.endswith(_SCALE)}
    rows = full.pop(_EMBEDDING)
    text = _under("text.", full)
    text["shared.weight"] = torch.zeros(T5_ROWS, rows.shape[1])
    text["shared.weight"][stored["vocabulary"].long()] = rows
    latent, decoder = _under("latent.", full), _under("decoder.", full)
    if model == "video":
        pixels = video_vae.encoder_state(Latents(**latent)) | video_vae.decoder_state(decoder)
    else:
        pixels = vae.encoder_state(latent["projection"], latent["mean"])
        pixels |= vae.decoder_state(decoder) | vae.latent_format(model)
    return Parts(_under(f"{model}.", full), text, pixels, metadata)


def describe(summary: dict[str, object], model: str = "flux") -> dict[str, str]:
    """Metadata of the file: what it is, how it was trained, its scores."""
    what = (
        f"Concept Attention pocket model: tiny {TITLES[model]} class transformer, T5 class text "
        f"encoder and {'TAEHV' if model == 'video' else 'TAESD'} class VAE"
    )
    return {"title": what, "license": "MIT", "training": json.dumps(summary)}


def _restore(key: str, tensors: dict[str, Tensor]) -> Tensor:
    value = tensors[key].float()
    scale = tensors.get(key + _SCALE)
    return value if scale is None else value * _column(scale, value)


def _column(scale: Tensor, rows: Tensor) -> Tensor:
    return scale.view(-1, *[1] * (rows.ndim - 1))


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {key[len(prefix) :]: value for key, value in tensors.items() if key.startswith(prefix)}
