"""HunyuanVideo 1.0 and 1.5."""

from ..description import Json
from ..graph import Graph, Node
from .common import COMFY_ORG, NOTE, animation, concepts, file, loader, text, viewer

_PROMPT = "a red fox runs over a snowy hill under a blue sky, tall pines behind it"
_CONCEPTS = "fox, snow, sky, pines, sailboat"
_FPS = 24.0

_HUNYUAN = f"{COMFY_ORG}/HunyuanVideo_repackaged/resolve/main/split_files"
_VIDEO = file(
    f"{_HUNYUAN}/diffusion_models/hunyuan_video_t2v_720p_bf16.safetensors", "diffusion_models"
)
_VIDEO_VAE = file(f"{_HUNYUAN}/vae/hunyuan_video_vae_bf16.safetensors", "vae")
_LLAMA = file(f"{_HUNYUAN}/text_encoders/llava_llama3_fp8_scaled.safetensors", "text_encoders")
_CLIP_L = file(
    "https://huggingface.co/comfyanonymous/flux_text_encoders/resolve/main/clip_l.safetensors",
    "text_encoders",
)
_HUNYUAN15 = f"{COMFY_ORG}/HunyuanVideo_1.5_repackaged/resolve/main/split_files"
_VIDEO15 = file(
    f"{_HUNYUAN15}/diffusion_models/hunyuanvideo1.5_720p_t2v_fp16.safetensors", "diffusion_models"
)
_VIDEO15_VAE = file(f"{_HUNYUAN15}/vae/hunyuanvideo15_vae_fp16.safetensors", "vae")
_QWEN = file(f"{_HUNYUAN15}/text_encoders/qwen_2.5_vl_7b_fp8_scaled.safetensors", "text_encoders")
_BYT5 = file(f"{_HUNYUAN15}/text_encoders/byt5_small_glyphxl_fp16.safetensors", "text_encoders")


def hunyuan(graph: Graph) -> None:
    """HunyuanVideo: 73 frames, guidance built in."""
    model = loader(graph, "UNETLoader", {"unet_name": _VIDEO})
    encoders = {"clip_name1": _CLIP_L, "clip_name2": _LLAMA}
    clip = loader(graph, "DualCLIPLoader", encoders, type="hunyuan_video")
    vae = loader(graph, "VAELoader", {"vae_name": _VIDEO_VAE})
    positive = text(graph, clip.out("CLIP"), _PROMPT, "Prompt")
    words = concepts(graph, clip.out("CLIP"), _CONCEPTS)
    size = {"width": 848, "height": 480, "length": 73}
    latent = graph.add("EmptyHunyuanLatentVideo", size)
    guided = graph.add(
        "FluxGuidance", {"conditioning": positive.out("CONDITIONING"), "guidance": 6.0}
    )
    shifted = graph.add("ModelSamplingSD3", {"model": model.out("MODEL"), "shift": 7.0})
    guider = graph.add(
        "BasicGuider",
        {"model": shifted.out("MODEL"), "conditioning": guided.out("CONDITIONING")},
    )
    graph.column("Model", 340, model, clip, vae, latent, note=NOTE)
    graph.column("Prompt and concepts", 400, positive, words)
    sampled = _sampled(graph, model, guider, latent, words, guided, shifted)
    tiles = {"tile_size": 256, "overlap": 64, "temporal_size": 64, "temporal_overlap": 8}
    decoder = graph.add("VAEDecodeTiled", {**_latent(sampled, vae), **tiles})
    _results(graph, sampled, decoder)


def hunyuan15(graph: Graph) -> None:
    """HunyuanVideo 1.5: 121 frames, guidance of the ordinary kind."""
    model = loader(graph, "UNETLoader", {"unet_name": _VIDEO15})
    encoders = {"clip_name1": _QWEN, "clip_name2": _BYT5}
    clip = loader(graph, "DualCLIPLoader", encoders, type="hunyuan_video_15")
    vae = loader(graph, "VAELoader", {"vae_name": _VIDEO15_VAE})
    positive = text(graph, clip.out("CLIP"), _PROMPT, "Prompt")
    negative = text(graph, clip.out("CLIP"), "", "Negative prompt")
    words = concepts(graph, clip.out("CLIP"), _CONCEPTS)
    size = {"width": 1280, "height": 720, "length": 121}
    latent = graph.add("EmptyHunyuanVideo15Latent", size)
    shifted = graph.add("ModelSamplingSD3", {"model": model.out("MODEL"), "shift": 7.0})
    guider = graph.add(
        "CFGGuider",
        {
            "model": shifted.out("MODEL"),
            "positive": positive.out("CONDITIONING"),
            "negative": negative.out("CONDITIONING"),
            "cfg": 6.0,
        },
    )
    graph.column("Model", 340, model, clip, vae, latent, note=NOTE)
    graph.column("Prompt and concepts", 400, positive, negative, words)
    sampled = _sampled(graph, model, guider, latent, words, shifted)
    _results(graph, sampled, graph.add("VAEDecode", _latent(sampled, vae)))


def _sampled(
    graph: Graph, model: Node, guider: Node, latent: Node, words: Node, *more: Node
) -> Node:
    """The sampler; `more` stand with the guider."""
    noise = graph.add("RandomNoise", {"noise_seed": 1})
    solver = graph.add("KSamplerSelect", {"sampler_name": "euler"})
    schedule = {"model": model.out("MODEL"), "scheduler": "simple", "steps": 20, "denoise": 1.0}
    sigmas = graph.add("BasicScheduler", schedule)
    graph.column("Noise and guidance", 270, *more, guider, noise, solver, sigmas)
    return graph.add(
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


def _latent(sampled: Node, vae: Node) -> Json:
    return {"samples": sampled.out("output"), "vae": vae.out("VAE")}


def _results(graph: Graph, sampled: Node, decoder: Node) -> None:
    """From the sampler to the videos."""
    frames, capture = decoder.out("IMAGE"), sampled.out("capture")
    maps = graph.add("ConceptAttentionDecode", {"capture": capture, "image": frames})
    values = {"image": frames, "heatmaps": maps.out("heatmaps")}
    overlay = graph.add("ConceptAttentionOverlay", values)
    graph.column("Sampling", 320, sampled, decoder)
    graph.column("Look", 480, viewer(graph, frames, capture))
    graph.column("Heatmaps", 320, maps, overlay)
    videos = [
        animation(graph, images, f"ConceptAttention/{name}", name.capitalize(), _FPS)
        for name, images in (("video", frames), ("overlay", overlay.out("image")))
    ]
    graph.column("Video and overlay", 460, *videos)
