"""The architectures that a pocket model can have: how each is built, run and started.

Needs ComfyUI on the import path.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

import torch
from torch import Tensor, nn

from . import fast, fast_sd3, fast_video
from .text import WIDTH

FLUX = {
    "in_channels": 16,
    "out_channels": 16,
    "vec_in_dim": None,
    "context_in_dim": WIDTH,
    "hidden_size": 256,
    "mlp_ratio": 4.0,
    "num_heads": 2,
    "depth": 4,
    "depth_single_blocks": 2,
    "axes_dim": [16, 56, 56],
    "theta": 10000,
    "patch_size": 2,
    "qkv_bias": True,
    "guidance_embed": False,
    "txt_ids_dims": [],
}
# The host makes an SD3 of as many blocks as heads, of width 64 each. Without a table of positions
# in its file it computes them, for any size of picture.
SD3 = {
    "input_size": None,
    "in_channels": 16,
    "out_channels": 16,
    "patch_size": 2,
    "depth": 4,
    "qk_norm": "rms",
    "context_embedder_config": {
        "target": "torch.nn.Linear",
        "params": {"in_features": WIDTH, "out_features": 256},
    },
}
VIDEO = {
    "num_attention_heads": 4,
    "attention_head_dim": 64,  # the host's for every CogVideoX
    "time_embed_dim": 96,
    "text_embed_dim": WIDTH,
    "num_layers": 6,
    "use_rotary_positional_embeddings": True,
}


@dataclass(frozen=True)
class Kind:
    """name: also the prefix of its weights. title: for people. build: the host's class, freshly
    initialised. code: the module with its `forward`, and in it the functions to compile. warm: its
    weights made of the pocket Flux's, or None where training starts from nothing. minutes: of
    training. half: share of them at half resolution.
    """

    name: str
    title: str
    build: Callable[[], nn.Module]
    code: ModuleType
    compiled: tuple[str, ...]
    warm: Callable[[dict[str, Tensor]], dict[str, Tensor]] | None
    minutes: float
    half: float


_NORMS = ("norm.weight", "ln_q.weight", "ln_k.weight", "norm_q.weight", "norm_k.weight")
_NORMS += ("norm_final.weight",)
_ZERO = ("mod", "final_layer", "norm1.linear", "norm2.linear", "norm_out.linear", "proj_out")


def build_flux() -> nn.Module:
    """The host's Flux class, freshly initialised: gates and the last layer at zero."""
    import comfy.ops
    from comfy.ldm.flux.model import Flux

    return _initialised(
        Flux(dtype=torch.float32, device="cpu", operations=comfy.ops.disable_weight_init, **FLUX)
    )


def build_sd3() -> nn.Module:
    """The host's SD3 class, likewise."""
    import comfy.ops
    from comfy.ldm.modules.diffusionmodules.mmdit import OpenAISignatureMMDITWrapper

    return _initialised(
        OpenAISignatureMMDITWrapper(
            dtype=torch.float32, device="cpu", operations=comfy.ops.disable_weight_init, **SD3
        )
    )


def build_video() -> nn.Module:
    """The host's CogVideoX class with rotary positions, likewise."""
    import comfy.ops
    from comfy.ldm.cogvideo.model import CogVideoXTransformer3DModel

    return _initialised(
        CogVideoXTransformer3DModel(
            dtype=torch.float32, device="cpu", operations=comfy.ops.disable_weight_init, **VIDEO
        )
    )


def _initialised(model: nn.Module) -> nn.Module:
    for name, weight in model.named_parameters():
        if weight.ndim < 2 and name.endswith(_NORMS):
            weight.data.fill_(1.0)
        elif weight.ndim < 2 or any(part in name for part in _ZERO):
            weight.data.zero_()
        else:
            nn.init.xavier_uniform_(weight.data.flatten(1))
    return model


def sd3_from_flux(flux: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights of the pocket SD3 made of the pocket Flux's: all but the single blocks, the rotation
    by position and the width of a head have their like.
    """
    state = {
        "x_embedder.proj.weight": flux["img_in.weight"].unflatten(1, (-1, 2, 2)),
        "x_embedder.proj.bias": flux["img_in.bias"],
    }
    for theirs, ours in (
        ("time_in.in_layer", "t_embedder.mlp.0"),
        ("time_in.out_layer", "t_embedder.mlp.2"),
        ("txt_in", "context_embedder"),
        ("final_layer.adaLN_modulation.1", "final_layer.adaLN_modulation.1"),
    ):
        state |= _moved(flux, theirs, ours)
    for part in ("weight", "bias"):  # from (channel, row, column) to (row, column, channel)
        rows = flux[f"final_layer.linear.{part}"].unflatten(0, (-1, 4)).transpose(0, 1)
        state[f"final_layer.linear.{part}"] = rows.flatten(0, 1)
    for i in range(SD3["depth"]):
        for theirs, ours in (("img", "x_block"), ("txt", "context_block")):
            ends_here = ours == "context_block" and i == SD3["depth"] - 1
            state |= _half_block(
                flux, f"double_blocks.{i}.{theirs}", f"joint_blocks.{i}.{ours}", ends_here
            )
    return {key: value.clone() for key, value in state.items()}


def nothing(flux: dict[str, Tensor]) -> dict[str, Tensor]:
    """No weights: only the text encoder begins as the pocket Flux's."""
    return {}


def _half_block(
    flux: dict[str, Tensor], theirs: str, ours: str, ends_here: bool
) -> dict[str, Tensor]:
    state = _moved(flux, f"{theirs}_attn.qkv", f"{ours}.attn.qkv")
    state |= _moved(flux, f"{theirs}_mod.lin", f"{ours}.adaLN_modulation.1")
    for norm, name in (("query_norm", "ln_q"), ("key_norm", "ln_k")):
        # A head of theirs is two of ours, which share one weight.
        weight = flux[f"{theirs}_attn.norm.{norm}.weight"].view(2, -1).mean(0)
        state[f"{ours}.attn.{name}.weight"] = weight
    if ends_here:
        mod = f"{ours}.adaLN_modulation.1"
        return state | {f"{mod}.{p}": state[f"{mod}.{p}"].chunk(3)[0] for p in ("weight", "bias")}
    state |= _moved(flux, f"{theirs}_attn.proj", f"{ours}.attn.proj")
    state |= _moved(flux, f"{theirs}_mlp.0", f"{ours}.mlp.fc1")
    return state | _moved(flux, f"{theirs}_mlp.2", f"{ours}.mlp.fc2")


def _moved(flux: dict[str, Tensor], theirs: str, ours: str) -> dict[str, Tensor]:
    return {f"{ours}.{part}": flux[f"{theirs}.{part}"] for part in ("weight", "bias")}


KINDS = {
    kind.name: kind
    for kind in (
        Kind("flux", "FLUX.1", build_flux, fast, ("double", "single"), None, 95, 0.5),
        Kind("sd3", "SD3.5", build_sd3, fast_sd3, ("joint", "last"), sd3_from_flux, 86, 0.41),
        Kind("video", "CogVideoX", build_video, fast_video, ("block",), nothing, 93, 0.32),
    )
}
