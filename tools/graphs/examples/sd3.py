"""SD3 and SD3.5."""

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

_SD35 = file(
    f"{COMFY_ORG}/stable-diffusion-3.5-fp8/resolve/main/sd3.5_large_fp8_scaled.safetensors",
    "checkpoints",
)


def sd35(graph: Graph) -> None:
    """SD3.5 Large with its encoders in one file; guidance of the ordinary kind."""
    files = loader(graph, "CheckpointLoaderSimple", {"ckpt_name": _SD35})
    size = graph.add("EmptySD3LatentImage", {"width": 1024, "height": 1024})
    positive = text(graph, files.out("CLIP"), PROMPT, "Prompt")
    negative = text(graph, files.out("CLIP"), "", "Negative prompt")
    words = concepts(graph, files.out("CLIP"), CONCEPTS)
    nodes = (files, positive, negative, size, words)
    settings = {"sampler_name": "euler", "scheduler": "sgm_uniform"}
    sampled = sampler(graph, *nodes, seed=1, steps=20, cfg=4.01, **settings)
    graph.column("Model", 340, files, size, note=NOTE)
    graph.column("Prompt and concepts", 400, positive, negative, words)
    results(graph, sampled, sampled.out("LATENT"), files.out("VAE"))
