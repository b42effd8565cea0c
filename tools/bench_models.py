"""Random models of the host's own classes, at the sizes that the benchmarks measure."""

import importlib
import os
import sys
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import torch
from torch import nn

from bench_params import (
    CHROMA,
    FLUX1,
    FLUX2,
    HUNYUAN,
    HUNYUAN15,
    LUMINA,
    RADIANCE,
    ZIMAGE,
    cogvideox,
    flux,
    sd3,
)
from hosting import pack

_FLUX = "comfy.ldm.flux.model.Flux"
_NEXTDIT = "comfy.ldm.lumina.model.NextDiT"
_HUNYUAN_CLASS = "comfy.ldm.hunyuan_video.model.HunyuanVideo"
_SD3 = "comfy.ldm.modules.diffusionmodules.mmdit.OpenAISignatureMMDITWrapper"
_CHROMA_CLASS = "comfy.ldm.chroma.model.Chroma"
_RADIANCE_CLASS = "comfy.ldm.chroma_radiance.model.ChromaRadiance"
_QWEN = "comfy.ldm.qwen_image.model.QwenImageTransformer2DModel"
_COGVIDEOX = "comfy.ldm.cogvideo.model.CogVideoXTransformer3DModel"


@dataclass(frozen=True)
class Size:
    """A model and its input.

    encoder: of its concepts. host: its class, with `params`. latent: shape of one picture's or
    video's latent, without the batch. text: the prompt's (tokens, width). extra: sizes of the
    inputs beyond, as in {"y": 768}; "guidance": 0 is one number.
    """

    name: str
    encoder: str
    host: str
    params: dict[str, Any]
    latent: tuple[int, ...]
    text: tuple[int, int]
    extra: dict[str, int] = field(default_factory=dict)


_DEV = {"y": 768, "guidance": 0}
_POCKET = {**FLUX1, "vec_in_dim": None, "context_in_dim": 128, "guidance_embed": False}
# fmt: off
SIZES = {size.name: size for size in (
    Size("mid", "t5xxl", _FLUX, flux(FLUX1, 8, 4, 8), (16, 64, 64), (256, 4096), _DEV),
    # FLUX.1-dev
    Size("flux1", "t5xxl", _FLUX, flux(FLUX1, 24, 19, 38), (16, 128, 128), (512, 4096), _DEV),
    # FLUX.2-dev, FLUX.2 Klein 4B
    Size("flux2", "mistral3_24b", _FLUX, flux(FLUX2, 48, 8, 48), (128, 64, 64), (512, 15360),
         {"guidance": 0}),
    Size("klein", "qwen3_4b", _FLUX, flux(FLUX2, 24, 5, 20), (128, 64, 64), (512, 15360),
         {"guidance": 0}),
    # SD3.5 Large
    Size("sd3", "clip_l+clip_g", _SD3, sd3(38), (16, 128, 128), (154, 4096), {"y": 2048}),
    # CogVideoX-5B, 49 frames of 720 x 480
    Size("cogvideox", "t5xxl", _COGVIDEOX, cogvideox(48, 42), (16, 13, 60, 90), (226, 4096)),
    # Chroma1-HD, Chroma1-Radiance
    Size("chroma", "t5xxl", _CHROMA_CLASS, flux(CHROMA, 24, 19, 38), (16, 128, 128), (512, 4096),
         {"guidance": 0}),
    Size("radiance", "t5xxl", _RADIANCE_CLASS, flux(RADIANCE, 24, 19, 38), (3, 1024, 1024),
         (512, 4096), {"guidance": 0}),
    Size("qwen", "qwen25_7b", _QWEN, {}, (16, 1, 128, 128), (512, 3584)),
    # HunyuanVideo, 73 frames of 848 x 480, and 1.5, 121 frames of 1280 x 720
    Size("hunyuan", "llama", _HUNYUAN_CLASS, HUNYUAN, (16, 19, 60, 106), (256, 4096), _DEV),
    Size("hunyuan15", "qwen25_7b", _HUNYUAN_CLASS, HUNYUAN15, (65, 31, 45, 80), (256, 3584)),
    # Lumina Image 2, Z-Image
    Size("lumina2", "gemma2_2b", _NEXTDIT, LUMINA, (16, 128, 128), (256, 2304), {"num_tokens": 0}),
    Size("zimage", "qwen3_4b", _NEXTDIT, ZIMAGE, (16, 128, 128), (100, 2560), {"num_tokens": 0}),
    Size("pocket", "t5xxl", _FLUX, flux(_POCKET, 2, 4, 2), (16, 32, 32), (24, 128)),
    Size("tiny", "t5xxl", _FLUX, flux(FLUX1, 1, 2, 1), (16, 8, 12), (8, 4096), _DEV),
)}
# fmt: on


def prepare(cpu: bool) -> None:
    """Put the host and the pack within reach.

    PyTorch's attention on the CPU too: faster than the host's choice there, so a plain forward to
    be compared with is not made slower than it need be.
    """
    sys.path.insert(0, os.environ["COMFYUI_DIR"])
    from comfy.cli_args import args

    args.cpu = cpu
    args.use_pytorch_cross_attention = True
    if pack.ALIAS not in sys.modules:
        pack.register()


def host_class(size: Size) -> type[nn.Module]:
    """The class of the host that a size is of."""
    module, name = size.host.rsplit(".", 1)
    found: type[nn.Module] = getattr(importlib.import_module(module), name)
    return found


def build(size: Size, device: str = "cpu", dtype: torch.dtype = torch.float32) -> nn.Module:
    """A random model; on the device "meta" it has shapes and no memory."""
    import comfy.ops

    operations = comfy.ops.disable_weight_init
    model = host_class(size)(dtype=dtype, device=device, operations=operations, **size.params)
    torch.manual_seed(0)
    for name, weight in model.named_parameters():
        weight.requires_grad_(False)
        if weight.ndim > 1:
            weight.normal_(0, (0.5 if "mod" in name else 1.0) * weight.shape[1] ** -0.5)
        else:
            weight.fill_(0.0 if name.endswith("bias") else 1.0)
    return model.eval()


def load_pocket() -> nn.Module:
    """The transformer of the trained pocket model on the CPU, float32."""
    import comfy.sd

    from concept_attention.pocket import checkpoint

    state_dict = checkpoint.read().transformer
    patcher = comfy.sd.load_diffusion_model_state_dict(state_dict, {"dtype": torch.float32})
    return patcher.model.diffusion_model.cpu()


def inputs(model: nn.Module, size: Size) -> SimpleNamespace:
    """Inputs of one evaluation of one picture: x, t, context and extra, like the weights."""
    torch.manual_seed(1)
    weight = next(model.parameters())
    like = {"device": weight.device, "dtype": weight.dtype}
    extra = {
        name: torch.randn(1, count, **like) if count else torch.full((1,), 3.5, **like)
        for name, count in size.extra.items()
    }
    return SimpleNamespace(
        x=torch.randn(1, *size.latent, **like),
        t=torch.full((1,), 0.5, **like),
        context=torch.randn(1, *size.text, **like),
        extra=extra,
    )


def concepts(model: nn.Module, size: Size, count: int, tokens: int = 1) -> object:
    """`count` random concepts of `tokens` tokens each."""
    from concept_attention.core.types import Concept, Concepts

    torch.manual_seed(2)
    vectors = torch.randn(count, tokens, size.text[1])
    places = tuple(range(tokens))
    items = tuple(Concept(f"{i}", own, places, 512) for i, own in enumerate(vectors))
    return Concepts(items, size.encoder)
