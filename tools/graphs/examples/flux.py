"""FLUX.1 and FLUX.2."""

from ..description import Json
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

_ENCODERS = "https://huggingface.co/comfyanonymous/flux_text_encoders/resolve/main"
_KLEIN = f"{COMFY_ORG}/flux2-klein/resolve/main/split_files"


_SCHNELL = file(
    f"{COMFY_ORG}/flux1-schnell/resolve/main/flux1-schnell.safetensors", "diffusion_models"
)
_DEV = file(f"{COMFY_ORG}/flux1-dev/resolve/main/flux1-dev.safetensors", "diffusion_models")
_CLIP_L = file(f"{_ENCODERS}/clip_l.safetensors", "text_encoders")
_T5 = file(f"{_ENCODERS}/t5xxl_fp16.safetensors", "text_encoders")
_AE = file(
    f"{COMFY_ORG}/Lumina_Image_2.0_Repackaged/resolve/main/split_files/vae/ae.safetensors", "vae"
)
_KLEIN_4B = file(f"{_KLEIN}/diffusion_models/flux-2-klein-base-4b.safetensors", "diffusion_models")
_QWEN = file(f"{_KLEIN}/text_encoders/qwen_3_4b.safetensors", "text_encoders")
_FLUX2_VAE = file(
    f"{COMFY_ORG}/flux2-dev/resolve/main/split_files/vae/flux2-vae.safetensors", "vae"
)


def schnell(graph: Graph) -> None:
    """FLUX.1 schnell: four steps, no guidance."""
    _flux1(graph, _SCHNELL, steps=4)


def dev(graph: Graph) -> None:
    """FLUX.1 dev: twenty steps, guidance built in."""
    _flux1(graph, _DEV, steps=20)


def klein(graph: Graph) -> None:
    """FLUX.2 Klein 4B base, with a guider."""
    model = loader(graph, "UNETLoader", {"unet_name": _KLEIN_4B})
    clip = loader(graph, "CLIPLoader", {"clip_name": _QWEN}, type="flux2")
    vae = loader(graph, "VAELoader", {"vae_name": _FLUX2_VAE})
    positive = text(graph, clip.out("CLIP"), PROMPT, "Prompt")
    negative = text(graph, clip.out("CLIP"), "", "Negative prompt")
    words = concepts(graph, clip.out("CLIP"), CONCEPTS)
    width = graph.add("PrimitiveInt", {"value": 1024}, title="Width")
    height = graph.add("PrimitiveInt", {"value": 1024}, title="Height")
    sides = {"width": width.out("INT"), "height": height.out("INT")}
    latent = graph.add("EmptyFlux2LatentImage", sides)
    noise = graph.add("RandomNoise", {"noise_seed": 1})
    guider = graph.add(
        "CFGGuider",
        {
            "model": model.out("MODEL"),
            "positive": positive.out("CONDITIONING"),
            "negative": negative.out("CONDITIONING"),
            "cfg": 5.0,
        },
    )
    solver = graph.add("KSamplerSelect", {"sampler_name": "euler"})
    sigmas = graph.add("Flux2Scheduler", {"steps": 20, **sides})
    sampled = graph.add(
        "ConceptAttentionSamplerCustom",
        {
            "noise": noise.out("NOISE"),
            "guider": guider.out("GUIDER"),
            "sampler": solver.out("SAMPLER"),
            "sigmas": sigmas.out("SIGMAS"),
            "latent_image": latent.out("LATENT"),
            "concepts": words.out("concepts"),
        },
    )
    graph.column("Model", 340, model, clip, vae, note=NOTE)
    graph.column("Prompt and concepts", 400, positive, negative, words)
    graph.column("Size", 270, width, height, latent)
    graph.column("Noise and guidance", 270, noise, guider, solver, sigmas)
    results(graph, sampled, sampled.out("output"), vae.out("VAE"))


def _flux1(graph: Graph, file: Json, steps: int) -> None:
    model = loader(graph, "UNETLoader", {"unet_name": file})
    clip = loader(graph, "DualCLIPLoader", {"clip_name1": _CLIP_L, "clip_name2": _T5}, type="flux")
    vae = loader(graph, "VAELoader", {"vae_name": _AE})
    size = graph.add("EmptySD3LatentImage", {"width": 1024, "height": 1024})
    positive = text(graph, clip.out("CLIP"), PROMPT, "Prompt")
    nothing = graph.add("ConditioningZeroOut", {"conditioning": positive.out("CONDITIONING")})
    words = concepts(graph, clip.out("CLIP"), CONCEPTS)
    nodes = (model, positive, nothing, size, words)
    settings = {"sampler_name": "euler", "scheduler": "simple"}
    sampled = sampler(graph, *nodes, seed=1, steps=steps, cfg=1.0, **settings)
    graph.column("Model", 340, model, clip, vae, size, note=NOTE)
    graph.column("Prompt and concepts", 400, positive, nothing, words)
    results(graph, sampled, sampled.out("LATENT"), vae.out("VAE"))
