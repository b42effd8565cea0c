"""Random models of the host's own classes, at the sizes that the benchmarks measure."""

import os
import sys
from dataclasses import dataclass
from types import SimpleNamespace

import torch
from torch import nn

from hosting import pack

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

_SD3 = {
    "input_size": None,
    "in_channels": 16,
    "adm_in_channels": 2048,
    "pos_embed_max_size": 192,
    "num_patches": 192 * 192,
    "pos_embed_scaling_factor": None,
    "qk_norm": "rms",
}


@dataclass(frozen=True)
class Size:
    """A model's sizes and its input: image tokens are rows x columns, patches of 2 x 2 where the
    family has patches; head size is 128, in SD3 64.
    """

    name: str
    encoder: str
    base: dict
    heads: int
    double: int
    single: int
    rows: int
    columns: int
    text: int

    @property
    def params(self) -> dict:
        """Arguments of the host's class."""
        if self.base is _SD3:
            linear = {"in_features": 4096, "out_features": 64 * self.heads}
            embedder = {"target": "torch.nn.Linear", "params": linear}
            return {**_SD3, "depth": self.heads, "context_embedder_config": embedder}
        sizes = {"hidden_size": 128 * self.heads, "num_heads": self.heads}
        return {
            **self.base,
            **sizes,
            "depth": self.double,
            "depth_single_blocks": self.single,
        }


# fmt: off
SIZES = {size.name: size for size in (
    #    name      encoder         base    heads double single rows cols text
    Size("mid",    "t5xxl",        _FLUX1,     8,     4,     8,  32,  32, 256),
    Size("flux1",  "t5xxl",        _FLUX1,    24,    19,    38,  64,  64, 512),  # FLUX.1-dev
    Size("flux2",  "mistral3_24b", _FLUX2,    48,     8,    48,  64,  64, 512),  # FLUX.2-dev
    Size("sd3",    "clip_l+clip_g", _SD3,     38,    38,     0,  64,  64, 154),  # SD3.5 Large
    Size("klein",  "qwen3_4b",     _FLUX2,    24,     5,    20,  64,  64, 512),  # FLUX.2 Klein 4B
    Size("pocket", "t5xxl", {**_FLUX1, "vec_in_dim": None, "context_in_dim": 128,
                             "guidance_embed": False}, 2, 4, 2, 16, 16, 24),
    Size("tiny",   "t5xxl",        _FLUX1,     1,     2,     1,   4,   6,   8),
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


def build(size: Size, device: str = "cpu", dtype: torch.dtype = torch.float32) -> nn.Module:
    """A random model; on the device "meta" it has shapes and no memory."""
    import comfy.ops
    from comfy.ldm.flux.model import Flux
    from comfy.ldm.modules.diffusionmodules.mmdit import OpenAISignatureMMDITWrapper

    operations = comfy.ops.disable_weight_init
    host_class = OpenAISignatureMMDITWrapper if size.base is _SD3 else Flux
    model = host_class(dtype=dtype, device=device, operations=operations, **size.params)
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

    state_dict = checkpoint.read().flux
    patcher = comfy.sd.load_diffusion_model_state_dict(state_dict, {"dtype": torch.float32})
    return patcher.model.diffusion_model.cpu()


def inputs(model: nn.Module, size: Size) -> SimpleNamespace:
    """Inputs of one evaluation of one picture: x, t, context and extra, like the weights."""
    torch.manual_seed(1)
    params, weight = size.params, next(model.parameters())
    like = {"device": weight.device, "dtype": weight.dtype}
    sides = (side * model.patch_size for side in (size.rows, size.columns))
    extra = {}
    if pooled := params.get("vec_in_dim") or params.get("adm_in_channels"):
        extra["y"] = torch.randn(1, pooled, **like)
    if params.get("guidance_embed"):
        extra["guidance"] = torch.full((1,), 3.5, **like)
    return SimpleNamespace(
        x=torch.randn(1, params["in_channels"], *sides, **like),
        t=torch.full((1,), 0.5, **like),
        context=torch.randn(1, size.text, _text_width(size), **like),
        extra=extra,
    )


def concepts(model: nn.Module, size: Size, count: int) -> object:
    """`count` random concepts."""
    from concept_attention.core.types import Concept, Concepts

    torch.manual_seed(2)
    rows = torch.randn(count, _text_width(size))
    items = tuple(Concept(f"{i}", row, 0, 512) for i, row in enumerate(rows))
    return Concepts(items, size.encoder)


def _text_width(size: Size) -> int:
    return 4096 if size.base is _SD3 else size.base["context_in_dim"]
