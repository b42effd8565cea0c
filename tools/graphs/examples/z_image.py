"""Z-Image."""

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

_FILES = f"{COMFY_ORG}/z_image_turbo/resolve/main/split_files"
_TURBO = file(f"{_FILES}/diffusion_models/z_image_turbo_bf16.safetensors", "diffusion_models")
_QWEN = file(f"{_FILES}/text_encoders/qwen_3_4b.safetensors", "text_encoders")
_AE = file(f"{_FILES}/vae/ae.safetensors", "vae")


def turbo(graph: Graph) -> None:
    """Z-Image Turbo: eight steps, no guidance."""
    files = loader(graph, "UNETLoader", {"unet_name": _TURBO})
    clip = loader(graph, "CLIPLoader", {"clip_name": _QWEN}, type="lumina2")
    vae = loader(graph, "VAELoader", {"vae_name": _AE})
    model = graph.add("ModelSamplingAuraFlow", {"model": files.out("MODEL"), "shift": 3.0})
    size = graph.add("EmptySD3LatentImage", {"width": 1024, "height": 1024})
    positive = text(graph, clip.out("CLIP"), PROMPT, "Prompt")
    nothing = graph.add("ConditioningZeroOut", {"conditioning": positive.out("CONDITIONING")})
    words = concepts(graph, clip.out("CLIP"), CONCEPTS)
    nodes = (model, positive, nothing, size, words)
    settings = {"sampler_name": "res_multistep", "scheduler": "simple"}
    sampled = sampler(graph, *nodes, seed=1, steps=8, cfg=1.0, **settings)
    graph.column("Model", 340, files, clip, vae, model, size, note=NOTE)
    graph.column("Prompt and concepts", 400, positive, nothing, words)
    results(graph, sampled, sampled.out("LATENT"), vae.out("VAE"))
