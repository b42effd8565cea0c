"""What the host's classes are made with, as real models have it."""

from typing import Any

import torch

FLUX1 = {
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
FLUX2 = {
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
CHROMA = {
    **{name: value for name, value in FLUX1.items() if name != "guidance_embed"},
    "in_channels": 64,
    "out_channels": 64,
    "vec_in_dim": None,
    "in_dim": 64,
    "out_dim": 3072,
    "hidden_dim": 5120,
    "n_layers": 5,
}
RADIANCE = {
    **CHROMA,
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
LUMINA = {
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
ZIMAGE = {
    **LUMINA,
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
HUNYUAN = {
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
HUNYUAN15 = {
    **HUNYUAN,
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


def flux(base: dict[str, Any], heads: int, double: int, single: int) -> dict[str, Any]:
    """A Flux of this many heads and blocks, and of the rest that `base` says."""
    return {
        **base,
        "hidden_size": 128 * heads,
        "num_heads": heads,
        "depth": double,
        "depth_single_blocks": single,
    }


def sd3(depth: int) -> dict[str, Any]:
    """An SD3 of this depth, which is its number of heads too."""
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


def cogvideox(heads: int, layers: int) -> dict[str, Any]:
    """A CogVideoX of this many heads and layers."""
    return {
        "num_attention_heads": heads,
        "num_layers": layers,
        "use_rotary_positional_embeddings": True,
    }
