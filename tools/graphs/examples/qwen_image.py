"""Qwen-Image."""

from ..graph import Graph
from .common import (
    COMFY_ORG,
    CONCEPTS,
    NOTE,
    PROMPT,
    concepts,
    file,
    loader,
    results,
    sampler,
    text,
)

_FILES = f"{COMFY_ORG}/Qwen-Image_ComfyUI/resolve/main/split_files"
_MODEL = file(
    f"{_FILES}/diffusion_models/qwen_image_2512_fp8_e4m3fn.safetensors", "diffusion_models"
)
_CLIP = file(f"{_FILES}/text_encoders/qwen_2.5_vl_7b_fp8_scaled.safetensors", "text_encoders")
_VAE = file(f"{_FILES}/vae/qwen_image_vae.safetensors", "vae")
_NEGATIVE = "low resolution, low quality, deformed limbs, oversaturated"


def qwen_image(graph: Graph) -> None:
    """Qwen-Image of December 2025, without the LoRA for few steps."""
    model = loader(graph, "UNETLoader", {"unet_name": _MODEL})
    shifted = graph.add("ModelSamplingAuraFlow", {"model": model.out("MODEL"), "shift": 3.1})
    clip = loader(graph, "CLIPLoader", {"clip_name": _CLIP}, type="qwen_image")
    vae = loader(graph, "VAELoader", {"vae_name": _VAE})
    size = graph.add("EmptySD3LatentImage", {"width": 1328, "height": 1328})
    positive = text(graph, clip.out("CLIP"), PROMPT, "Prompt")
    negative = text(graph, clip.out("CLIP"), _NEGATIVE, "Negative prompt")
    words = concepts(graph, clip.out("CLIP"), CONCEPTS)
    nodes = (shifted, positive, negative, size, words)
    settings = {"sampler_name": "euler", "scheduler": "simple"}
    sampled = sampler(graph, *nodes, seed=1, steps=50, cfg=4.0, **settings)
    graph.column("Model", 340, model, shifted, clip, vae, size, note=NOTE)
    graph.column("Prompt and concepts", 400, positive, negative, words)
    results(graph, sampled, sampled.out("LATENT"), vae.out("VAE"))
