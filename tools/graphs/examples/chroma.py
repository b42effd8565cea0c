"""Chroma1."""

from ..graph import Graph
from .common import COMFY_ORG, CONCEPTS, NOTE, PROMPT, concepts, file, loader, results, text

_MODEL = file(
    f"{COMFY_ORG}/Chroma1-HD_repackaged/resolve/main/split_files/diffusion_models/"
    "Chroma1-HD-fp8mixed.safetensors",
    "diffusion_models",
)
_T5 = file(
    "https://huggingface.co/comfyanonymous/flux_text_encoders/resolve/main/"
    "t5xxl_fp8_e4m3fn_scaled.safetensors",
    "text_encoders",
)
_VAE = file(
    f"{COMFY_ORG}/Lumina_Image_2.0_Repackaged/resolve/main/split_files/vae/ae.safetensors", "vae"
)
_NEGATIVE = "low quality, unfinished sketch, blurred, overly saturated"


def hd(graph: Graph) -> None:
    """Chroma1-HD, with a guider."""
    model = loader(graph, "UNETLoader", {"unet_name": _MODEL})
    shifted = graph.add("ModelSamplingAuraFlow", {"model": model.out("MODEL"), "shift": 1.0})
    clip = loader(graph, "CLIPLoader", {"clip_name": _T5}, type="chroma")
    unpadded = {"clip": clip.out("CLIP"), "min_padding": 0, "min_length": 0}
    tokenizer = graph.add("T5TokenizerOptions", unpadded, height=150)
    vae = loader(graph, "VAELoader", {"vae_name": _VAE})
    positive = text(graph, tokenizer.out("CLIP"), PROMPT, "Prompt")
    negative = text(graph, tokenizer.out("CLIP"), _NEGATIVE, "Negative prompt")
    words = concepts(graph, tokenizer.out("CLIP"), CONCEPTS)
    latent = graph.add("EmptySD3LatentImage", {"width": 1024, "height": 1024})
    noise = graph.add("RandomNoise", {"noise_seed": 1})
    guider = graph.add(
        "CFGGuider",
        {
            "model": shifted.out("MODEL"),
            "positive": positive.out("CONDITIONING"),
            "negative": negative.out("CONDITIONING"),
            "cfg": 3.5,
        },
    )
    solver = graph.add("KSamplerSelect", {"sampler_name": "euler"})
    schedule = {"model": shifted.out("MODEL"), "scheduler": "beta", "steps": 26}
    sigmas = graph.add("BasicScheduler", schedule)
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
    graph.column("Model", 340, model, shifted, clip, tokenizer, vae, note=NOTE)
    graph.column("Prompt and concepts", 400, positive, negative, words)
    graph.column("Noise and guidance", 270, latent, noise, guider, solver, sigmas)
    results(graph, sampled, sampled.out("output"), vae.out("VAE"))
