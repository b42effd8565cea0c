"""Tiny real models of the host, prompts and concepts for them, and both ways to sample.

The models are the host's own classes with the random weights of tests/golden/golden.py. They are
built once and shared by all tests: what a test leaves behind, the next one finds.
"""

import asyncio
import functools
import importlib.util
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import comfy.model_detection
import comfy.ops
import comfy.sd
import comfy_extras
import nodes as host_nodes
import torch

import bench_models
from concept_attention.core.run import CaptureRun
from concept_attention.core.types import Capture, Concept, Concepts
from concept_attention.nodes.capture import attach_to_model
from concept_attention.nodes.sampler import AttentionCaptureSampler, AttentionCaptureSamplerCustom

_GOLDEN = Path(__file__).resolve().parents[1] / "golden"


def _load_formula() -> Any:
    """tests/golden/golden.py by its path: tools/golden.py has its name on sys.path."""
    spec = importlib.util.spec_from_file_location("golden_formula", _GOLDEN / "golden.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


formula = _load_formula()


@dataclass(frozen=True)
class Tiny:
    """A family's tiny model.

    arch: of tests/golden/golden.py, with `extra` as its configuration; else a size of the benchmark
    (bench_models.SIZES), whose class of the host is made with `extra` in place of its own sizes.
    """

    arch: str
    encoder: str
    channels: int
    pixels: int  # side of a latent pixel in the picture
    patch: int  # side of an image token in the latent
    layers: int
    extra: dict[str, Any]
    blocks: str = "double_blocks"
    # Linear layers that the scores depend on, of text and image; the text's last one is its input.
    text: tuple[str, ...] = ("{}.0.txt_attn.qkv", "{}.1.txt_attn.qkv", "txt_in")
    image: tuple[str, ...] = ("{}.0.img_attn.qkv",)
    late_norm: str = "img_norm2"  # of a block's image side, after its attention
    frames: int = 0  # latent frames of a video; 0 for a picture
    frames_patch: int = 1  # frames of an image token in the latent
    replaceable: bool = True  # the host lets packs replace its blocks and add to their streams
    whole: bool = False  # the host takes whole image tokens only
    masks: bool = True  # the host takes a noise mask
    variant: bool = False  # differs little from another case here
    fixed: tuple[str, ...] = ()  # sizes that the host takes for granted, so that they are told it

    def linears(self, side: str) -> tuple[str, ...]:
        """Linear layers of the "text" or the "image" side that the scores depend on."""
        return tuple(name.format(self.blocks) for name in getattr(self, side))


_FLUX1 = {"hidden": 256, "depth": 3, "single_depth": 1, "context": 48, "channels": 16, "pooled": 32}
_FLUX2 = {"hidden": 128, "depth": 2, "single_depth": 1, "context": 48, "channels": 128}
_SD3 = {"depth": 3, "context": 48, "pooled": 32, "channels": 16, "table": 40}
_SD3_NAMES = {
    "blocks": "joint_blocks",
    "text": (
        "{}.0.context_block.attn.qkv",
        "{}.1.context_block.attn.qkv",
        "context_embedder",
    ),
    "image": ("{}.0.x_block.attn.qkv",),
    "late_norm": "x_block.norm2",
}
_COG = {"depth": 3, "time": 64, "context": 48, "channels": 16}
_ROTARY = {**_COG, "heads": 2, "positions": "rotary"}
_COG_NAMES = {
    "blocks": "blocks",
    "text": ("{}.0.q", "{}.1.k", "patch_embed.text_proj"),
    "image": ("{}.0.v",),
    "late_norm": "norm2",
    "replaceable": False,
}
_COG2B = {**_COG, "heads": 3, "patch_t": None, "positions": "table", "grid": [3, 5, 7]}
TINY = {
    "dev": Tiny("flux1", "t5xxl", 16, 8, 2, 3, {**_FLUX1, "guidance": True}),
    "schnell": Tiny("flux1", "t5xxl", 16, 8, 2, 3, {**_FLUX1, "guidance": False}, variant=True),
    "flux2": Tiny("flux2", "qwen3_4b", 128, 16, 1, 2, _FLUX2),
    "sd3": Tiny("sd3", "clip_l+clip_g", 16, 8, 2, 3, {**_SD3, "dual": []}, **_SD3_NAMES),
    # 3.5 Medium's kind
    "sd35": Tiny("sd3", "t5xxl", 16, 8, 2, 3, {**_SD3, "dual": [0, 1]}, **_SD3_NAMES),
    "cog2b": Tiny("cogvideox", "t5xxl", 16, 8, 2, 3, _COG2B, frames=3, variant=True, **_COG_NAMES),
    "cog5b": Tiny(
        "cogvideox", "t5xxl", 16, 8, 2, 3, {**_ROTARY, "patch_t": None}, frames=3, **_COG_NAMES
    ),
    "cog15": Tiny(
        "cogvideox",
        "t5xxl",
        16,
        8,
        2,
        3,
        {**_ROTARY, "patch_t": 2},
        frames=3,
        frames_patch=2,
        variant=True,
        **_COG_NAMES,
    ),
}
_CHROMA = {
    "hidden_size": 256,
    "num_heads": 2,
    "depth": 3,
    "depth_single_blocks": 1,
    "context_in_dim": 48,
    "out_dim": 256,
    "hidden_dim": 64,
    "n_layers": 2,
}
_CHROMA_FIXED = ("out_dim", "hidden_dim", "n_layers")
TINY["chroma"] = Tiny("chroma", "t5xxl", 16, 8, 2, 3, _CHROMA, fixed=_CHROMA_FIXED)
_QWEN = {
    "num_attention_heads": 2,
    "num_layers": 3,
    "joint_attention_dim": 48,
}
TINY["qwen"] = Tiny(
    "qwen",
    "qwen25_7b",
    16,
    8,
    2,
    3,
    _QWEN,
    blocks="transformer_blocks",
    text=("{}.0.attn.add_q_proj", "{}.1.attn.add_k_proj", "txt_in"),
    image=("{}.0.attn.to_v",),
    frames=1,
    fixed=("num_attention_heads", "joint_attention_dim"),
)
_LUMINA = {
    "dim": 96,
    "n_layers": 3,
    "n_heads": 4,
    "n_kv_heads": 2,
    "axes_dims": [8, 8, 8],
    "ffn_dim_multiplier": 2.0,
    "cap_feat_dim": 48,
}
_ZIMAGE = {
    **_LUMINA,
    "dim": 256,
    "n_kv_heads": 4,
    "axes_dims": [16, 24, 24],
    "rope_theta": 256.0,
    "z_image_modulation": True,
    "time_scale": 1000.0,
    "pad_tokens_multiple": 32,
}
_LUMINA_NAMES = {
    "blocks": "layers",
    "text": ("{}.0.attention.qkv", "{}.1.attention.qkv", "cap_embedder.1"),
    "image": ("x_embedder",),
    "late_norm": "ffn_norm1",
    "replaceable": False,
}
# The host tells the two models apart by their width.
TINY["lumina2"] = Tiny(
    "lumina2",
    "gemma2_2b",
    16,
    8,
    2,
    3,
    _LUMINA,
    variant=True,
    fixed=tuple(_LUMINA),
    **_LUMINA_NAMES,
)
TINY["zimage"] = Tiny(
    "zimage", "qwen3_4b", 16, 8, 2, 3, _ZIMAGE, fixed=tuple(_ZIMAGE), **_LUMINA_NAMES
)
_HUNYUAN = {
    "hidden_size": 256,
    "num_heads": 2,
    "depth": 3,
    "depth_single_blocks": 1,
    "context_in_dim": 48,
}
_REFINED = ("{}.0.txt_attn.qkv", "{}.1.txt_attn.qkv", "txt_in.input_embedder")
TINY["hunyuan"] = Tiny(
    "hunyuan",
    "llama",
    16,
    8,
    2,
    3,
    {**_HUNYUAN, "vec_in_dim": 32},
    text=_REFINED,
    frames=2,
    whole=True,
    fixed=("vec_in_dim",),
)
TINY["hunyuan15"] = Tiny(
    "hunyuan15",
    "qwen25_7b",
    32,
    16,
    1,
    3,
    {**_HUNYUAN, "depth_single_blocks": 0},
    text=_REFINED,
    masks=False,
    frames=2,
    whole=True,
)
FAMILIES = tuple(TINY)
DISTINCT = tuple(family for family in TINY if not TINY[family].variant)
REPLACEABLE = tuple(family for family in TINY if TINY[family].replaceable)
FLUX = ("dev", "schnell", "flux2", "chroma")  # built of blocks of FLUX.1's making
# Works on pixels, which takes long: for tests that name it.
_NERF = {"nerf_hidden_size": 8, "nerf_depth": 1, "use_x0": False}
TINY["radiance"] = Tiny(
    "radiance",
    "t5xxl",
    3,
    1,
    16,
    3,
    {**_CHROMA, **_NERF},
    variant=True,
    fixed=(*_CHROMA_FIXED, "nerf_hidden_size", "nerf_depth"),
)
STEPS = 2
_MODULATION = ("_mod.", "distilled_guidance_layer.out_proj", "norm_out.linear")


@functools.cache
def model(family: str, dtype: torch.dtype = torch.float32) -> Any:
    """The family's model as the host's ModelPatcher, its weights stored in dtype."""
    fixed = {name: TINY[family].extra[name] for name in TINY[family].fixed}
    detect = comfy.model_detection.detect_unet_config

    def detect_small(*args: Any, **kwargs: Any) -> Any:
        return {**detect(*args, **kwargs), **fixed}

    with mock.patch.object(comfy.model_detection, "detect_unet_config", detect_small):
        return comfy.sd.load_diffusion_model_state_dict(weights_of(family), {"dtype": dtype})


def width(family: str) -> int:
    """Width of the model's residual streams."""
    projection = TINY[family].text[-1]
    return model(family).get_model_object("diffusion_model").get_submodule(projection).out_features


def weights_of(family: str) -> dict[str, torch.Tensor]:
    """The checkpoint of a family's model."""
    tiny = TINY[family]
    if tiny.arch in formula.SHAPES:
        return formula.weights(tiny.arch, tiny.extra, seed=7)
    size = bench_models.SIZES[tiny.arch]
    return random_weights(bench_models.host_class(size), {**size.params, **tiny.extra})


def random_weights(host_class: Any, params: dict[str, Any]) -> dict[str, torch.Tensor]:
    """A checkpoint for a class of the host: its own names and shapes, random numbers, float32."""
    operations = comfy.ops.disable_weight_init
    shapes = host_class(**params, dtype=torch.float32, device="meta", operations=operations)
    weights = {}
    for i, (name, tensor) in enumerate(sorted(shapes.state_dict().items())):
        numbers = seeded(*tensor.shape, seed=1000 + i)
        if name.endswith("bias"):
            weights[name] = 0.02 * numbers
        elif tensor.ndim == 1:  # scale of a normalisation
            weights[name] = 1.0 + 0.1 * numbers
        else:
            # Shifts, scales and gates are smaller.
            spread = 0.5 if any(part in name for part in _MODULATION) else 1.0
            weights[name] = numbers * spread / math.sqrt(math.prod(tensor.shape[1:]))
    return weights


def seeded(*shape: int, seed: int) -> torch.Tensor:
    """Standard normal numbers."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def prompt(family: str, seed: int = 1, tokens: int = 6, **values: Any) -> list[Any]:
    """A conditioning, another one for every seed."""
    has_pooled = {"pooled", "vec_in_dim"} & set(TINY[family].extra)
    pooled = seeded(1, 32, seed=seed) if has_pooled else None
    return [[seeded(1, tokens, 48, seed=seed), {"pooled_output": pooled, **values}]]


def concepts(family: str, count: int = 3) -> Concepts:
    """Concepts in the family's embedding space, the last one background."""
    items = tuple(
        Concept(f"concept {i}", vector[None], (4 + i,), 512, background=i == count - 1)
        for i, vector in enumerate(seeded(count, 48, seed=99))
    )
    return Concepts(items, TINY[family].encoder)


def latent(family: str, batch: int = 1, size: tuple[int, int] = (5, 7)) -> dict[str, Any]:
    """An empty latent of `size` image tokens in each frame."""
    tiny = TINY[family]
    frames = (tiny.frames,) if tiny.frames else ()
    sides = (side * tiny.patch for side in size)
    return {"samples": torch.zeros(batch, tiny.channels, *frames, *sides)}


def plain(patcher: Any, *inputs: Any, **options: Any) -> torch.Tensor:
    """The latent of the host's KSampler."""
    with torch.inference_mode():
        return host_nodes.KSampler().sample(patcher, *inputs, **options)[0]["samples"]


def captured(patcher: Any, *inputs: Any, **options: Any) -> tuple[torch.Tensor, Capture]:
    """Latent and capture of our KSampler."""
    with torch.inference_mode():
        latent, capture = AttentionCaptureSampler.execute(patcher, *inputs, **options).result
    return latent["samples"], capture


def inputs(family: str, **changes: Any) -> dict[str, Any]:
    """KSampler's inputs after the model, all by name."""
    return {
        "seed": 3,
        "steps": STEPS,
        "cfg": 1.0,
        "sampler_name": "euler",
        "scheduler": "simple",
        "positive": prompt(family, 1),
        "negative": prompt(family, 2),
        "latent_image": latent(family),
        "denoise": 1.0,
        **changes,
    }


def capture_of(family: str, patcher: Any = None, **changes: Any) -> Capture:
    """The capture of a short run; changes: other inputs of the sampler node."""
    options = inputs(family, **{"concepts": concepts(family), **changes})
    return captured(patcher or model(family), **options)[1]


def both(family: str, patcher: Any = None, **changes: Any) -> tuple[torch.Tensor, Any, Capture]:
    """The host's latent, ours and the capture, from the same inputs."""
    patcher = patcher or model(family)
    options = inputs(family, **changes)
    return plain(patcher, **options), *captured(patcher, **options, concepts=concepts(family))


def observed(family: str, patcher: Any = None, **changes: Any) -> tuple[Capture, list[Any]]:
    """The capture of a run and, in order, every pair of vectors that was scored.

    Entries: (layer, concept vectors [rows, C, D], image vectors [rows, N, D]).
    """
    patcher = patcher or model(family)
    seen: list[Any] = []

    def observe(layer: int, concept_out: torch.Tensor, image_out: torch.Tensor) -> None:
        seen.append((layer, concept_out.clone(), image_out.clone()))

    diffusion_model = patcher.get_model_object("diffusion_model")
    run = CaptureRun(diffusion_model, concepts(family), observe=observe)
    plain(attach_to_model(patcher, run), **inputs(family, **changes))
    return run.capture(), seen


def counting(patcher: Any) -> tuple[Any, list[int]]:
    """A clone of the patcher, and the rows of every call of its model."""
    calls: list[int] = []

    def count(executor: Any, x: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        calls.append(x.shape[0])
        return executor(x, *args, **kwargs)

    clone = patcher.clone()
    clone.add_wrapper_with_key("apply_model", "counting", count)
    return clone, calls


def error(found: torch.Tensor, expected: torch.Tensor) -> float:
    """The largest difference, relative to the largest magnitude expected."""
    return float((found - expected).abs().max() / expected.abs().max())


def host_node(name: str) -> Any:
    """A node class of the host."""
    return host_nodes.NODE_CLASS_MAPPINGS[name]


def node(name: str, **values: Any) -> Any:
    """The first output of a host node of the V3 kind."""
    return host_node(name).execute(**values).result[0]


def custom(
    guider: Any, latent_image: dict[str, Any], sigmas: torch.Tensor, **options: Any
) -> tuple[torch.Tensor, Any]:
    """Latent and capture of our SamplerCustomAdvanced; without concepts the capture is blocked."""
    sampler = node("KSamplerSelect", sampler_name=options.pop("sampler_name", "euler"))
    noise = options.pop("noise", None) or node("RandomNoise", noise_seed=3)
    with torch.inference_mode():
        result = AttentionCaptureSamplerCustom.execute(
            noise, guider, sampler, sigmas, latent_image, **options
        ).result
    return result[0]["samples"], result[2]


def sigmas(patcher: Any, steps: int = STEPS) -> torch.Tensor:
    """The noise levels of the simple schedule."""
    return node("BasicScheduler", model=patcher, scheduler="simple", steps=steps, denoise=1.0)


for _extra in ("custom_sampler", "perpneg", "slg", "easycache", "flux", "video"):
    _file = Path(comfy_extras.__path__[0]) / f"nodes_{_extra}.py"
    asyncio.run(host_nodes.load_custom_node(str(_file), module_parent="comfy_extras"))
