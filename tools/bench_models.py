"""Random models of the host's own classes, at the sizes that the benchmarks measure."""

import importlib
import os
import sys
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import torch
from torch import nn

from hosting import pack

_FLUX = "comfy.ldm.flux.model.Flux"
_FLUX1 = {
    "in_channels": 16,
    "out_channels": 16,
    "vec_in_dim": 768,
    "context_in_dim": 4096,
    "mlp_ratio": 4.0,
    "axes_dim": [16, 56, 56],
    "theta": 10000,
    "patch_size": 2,
    "qkv_bias": True,
    "guidance_embed": True,
    "txt_ids_dims": [],
}
_FLUX2 = {
    "in_channels": 128,
    "out_channels": 128,
    "vec_in_dim": None,
    "context_in_dim": 15360,
    "mlp_ratio": 3.0,
    "axes_dim": [32, 32, 32, 32],
    "theta": 2000,
    "patch_size": 1,
    "qkv_bias": False,
    "guidance_embed": True,
    "txt_ids_dims": [3],
    "global_modulation": True,
    "mlp_silu_act": True,
    "ops_bias": False,
}
_CHROMA = {
    **{name: value for name, value in _FLUX1.items() if name != "guidance_embed"},
    "in_channels": 64,
    "out_channels": 64,
    "vec_in_dim": None,
    "in_dim": 64,
    "out_dim": 3072,
    "hidden_dim": 5120,
    "n_layers": 5,
}
_RADIANCE = {
    **_CHROMA,
    "in_channels": 3,
    "out_channels": 3,
    "patch_size": 16,
    "nerf_hidden_size": 64,
    "nerf_mlp_ratio": 4,
    "nerf_depth": 4,
    "nerf_max_freqs": 8,
    "nerf_tile_size": 512,
    "nerf_final_head_type": "conv",
    "nerf_embedder_dtype": torch.float32,
    "use_x0": True,
    "use_sequential_txt_ids": True,
}
_LUMINA = {
    "in_channels": 16,
    "dim": 2304,
    "n_layers": 26,
    "n_heads": 24,
    "n_kv_heads": 8,
    "axes_dims": [32, 32, 32],
    "ffn_dim_multiplier": 4.0,
    "qk_norm": True,
    "cap_feat_dim": 2304,
    "rope_theta": 10000.0,
}
_ZIMAGE = {
    **_LUMINA,
    "dim": 3840,
    "n_layers": 30,
    "n_heads": 30,
    "n_kv_heads": 30,
    "axes_dims": [32, 48, 48],
    "ffn_dim_multiplier": 8 / 3,
    "cap_feat_dim": 2560,
    "rope_theta": 256.0,
    "z_image_modulation": True,
    "time_scale": 1000.0,
    "pad_tokens_multiple": 32,
}
_NEXTDIT = "comfy.ldm.lumina.model.NextDiT"
_HUNYUAN = {
    "in_channels": 16,
    "out_channels": 16,
    "vec_in_dim": 768,
    "context_in_dim": 4096,
    "hidden_size": 3072,
    "mlp_ratio": 4.0,
    "num_heads": 24,
    "depth": 20,
    "depth_single_blocks": 40,
    "axes_dim": [16, 56, 56],
    "theta": 256,
    "patch_size": [1, 2, 2],
    "qkv_bias": True,
    "guidance_embed": True,
    "byt5": False,
    "meanflow": False,
    "use_cond_type_embedding": False,
    "vision_in_dim": None,
    "meanflow_sum": False,
}
_HUNYUAN15 = {
    **_HUNYUAN,
    "in_channels": 65,
    "out_channels": 32,
    "vec_in_dim": None,
    "patch_size": [1, 1, 1],
    "context_in_dim": 3584,
    "hidden_size": 2048,
    "num_heads": 16,
    "depth": 54,
    "depth_single_blocks": 0,
    "guidance_embed": False,
    "byt5": True,
    "use_cond_type_embedding": True,
    "vision_in_dim": 1152,
    "meanflow_sum": True,
}
_HUNYUAN_CLASS = "comfy.ldm.hunyuan_video.model.HunyuanVideo"
_SD3 = "comfy.ldm.modules.diffusionmodules.mmdit.OpenAISignatureMMDITWrapper"
_CHROMA_CLASS = "comfy.ldm.chroma.model.Chroma"
_RADIANCE_CLASS = "comfy.ldm.chroma_radiance.model.ChromaRadiance"
_QWEN = "comfy.ldm.qwen_image.model.QwenImageTransformer2DModel"
_COGVIDEOX = "comfy.ldm.cogvideo.model.CogVideoXTransformer3DModel"


def _flux(base: dict, heads: int, double: int, single: int) -> dict:
    return {
        **base,
        "hidden_size": 128 * heads,
        "num_heads": heads,
        "depth": double,
        "depth_single_blocks": single,
    }


def _sd3(depth: int) -> dict:
    linear = {"in_features": 4096, "out_features": 64 * depth}
    return {
        "input_size": None,
        "in_channels": 16,
        "adm_in_channels": 2048,
        "pos_embed_max_size": 192,
        "num_patches": 192 * 192,
        "pos_embed_scaling_factor": None,
        "qk_norm": "rms",
        "depth": depth,
        "context_embedder_config": {"target": "torch.nn.Linear", "params": linear},
    }


def _cogvideox(heads: int, layers: int) -> dict:
    return {
        "num_attention_heads": heads,
        "num_layers": layers,
        "use_rotary_positional_embeddings": True,
    }


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
_POCKET = {**_FLUX1, "vec_in_dim": None, "context_in_dim": 128, "guidance_embed": False}
# fmt: off
SIZES = {size.name: size for size in (
    Size("mid", "t5xxl", _FLUX, _flux(_FLUX1, 8, 4, 8), (16, 64, 64), (256, 4096), _DEV),
    # FLUX.1-dev
    Size("flux1", "t5xxl", _FLUX, _flux(_FLUX1, 24, 19, 38), (16, 128, 128), (512, 4096), _DEV),
    # FLUX.2-dev, FLUX.2 Klein 4B
    Size("flux2", "mistral3_24b", _FLUX, _flux(_FLUX2, 48, 8, 48), (128, 64, 64), (512, 15360),
         {"guidance": 0}),
    Size("klein", "qwen3_4b", _FLUX, _flux(_FLUX2, 24, 5, 20), (128, 64, 64), (512, 15360),
         {"guidance": 0}),
    # SD3.5 Large
    Size("sd3", "clip_l+clip_g", _SD3, _sd3(38), (16, 128, 128), (154, 4096), {"y": 2048}),
    # CogVideoX-5B, 49 frames of 720 x 480
    Size("cogvideox", "t5xxl", _COGVIDEOX, _cogvideox(48, 42), (16, 13, 60, 90), (226, 4096)),
    # Chroma1-HD, Chroma1-Radiance
    Size("chroma", "t5xxl", _CHROMA_CLASS, _flux(_CHROMA, 24, 19, 38), (16, 128, 128), (512, 4096),
         {"guidance": 0}),
    Size("radiance", "t5xxl", _RADIANCE_CLASS, _flux(_RADIANCE, 24, 19, 38), (3, 1024, 1024),
         (512, 4096), {"guidance": 0}),
    Size("qwen", "qwen25_7b", _QWEN, {}, (16, 1, 128, 128), (512, 3584)),
    # HunyuanVideo, 73 frames of 848 x 480, and 1.5, 121 frames of 1280 x 720
    Size("hunyuan", "llama", _HUNYUAN_CLASS, _HUNYUAN, (16, 19, 60, 106), (256, 4096), _DEV),
    Size("hunyuan15", "qwen25_7b", _HUNYUAN_CLASS, _HUNYUAN15, (65, 31, 45, 80), (256, 3584)),
    # Lumina Image 2, Z-Image
    Size("lumina2", "gemma2_2b", _NEXTDIT, _LUMINA, (16, 128, 128), (256, 2304), {"num_tokens": 0}),
    Size("zimage", "qwen3_4b", _NEXTDIT, _ZIMAGE, (16, 128, 128), (100, 2560), {"num_tokens": 0}),
    Size("pocket", "t5xxl", _FLUX, _flux(_POCKET, 2, 4, 2), (16, 32, 32), (24, 128)),
    Size("tiny", "t5xxl", _FLUX, _flux(_FLUX1, 1, 2, 1), (16, 8, 12), (8, 4096), _DEV),
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
