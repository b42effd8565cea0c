"""The example workflows. File names and settings are those of ComfyUI's own templates."""

from collections.abc import Callable
from typing import Any

from .description import Json
from .graph import Graph, Node, Output

_COMFY_ORG = "https://huggingface.co/Comfy-Org"
_ENCODERS = "https://huggingface.co/comfyanonymous/flux_text_encoders/resolve/main"
_KLEIN = f"{_COMFY_ORG}/flux2-klein/resolve/main/split_files"


def _model(url: str, directory: str) -> Json:
    """What the editor needs to offer the download of a missing file."""
    return {"name": url.rsplit("/", 1)[1], "url": url, "directory": directory}


_SCHNELL = _model(
    f"{_COMFY_ORG}/flux1-schnell/resolve/main/flux1-schnell.safetensors", "diffusion_models"
)
_DEV = _model(f"{_COMFY_ORG}/flux1-dev/resolve/main/flux1-dev.safetensors", "diffusion_models")
_CLIP_L = _model(f"{_ENCODERS}/clip_l.safetensors", "text_encoders")
_T5 = _model(f"{_ENCODERS}/t5xxl_fp16.safetensors", "text_encoders")
_AE = _model(
    f"{_COMFY_ORG}/Lumina_Image_2.0_Repackaged/resolve/main/split_files/vae/ae.safetensors", "vae"
)
_SD35 = _model(
    f"{_COMFY_ORG}/stable-diffusion-3.5-fp8/resolve/main/sd3.5_large_fp8_scaled.safetensors",
    "checkpoints",
)
_KLEIN_4B = _model(
    f"{_KLEIN}/diffusion_models/flux-2-klein-base-4b.safetensors", "diffusion_models"
)
_QWEN = _model(f"{_KLEIN}/text_encoders/qwen_3_4b.safetensors", "text_encoders")
_FLUX2_VAE = _model(
    f"{_COMFY_ORG}/flux2-dev/resolve/main/split_files/vae/flux2-vae.safetensors", "vae"
)

_PROMPT = "a dragon on a rock beside a castle, under a stormy sky, oil painting"
_CONCEPTS = "dragon, rock, castle, sky, sailboat"
_NOTE = (
    "The heatmap of each word in the **Concept Encoder** shows where the model put it while it "
    "made the picture; the last word is not in the prompt, so its map should stay dark. "
    "Change layers, steps or temperature in **Heatmap Decode** and queue again: nothing is "
    "sampled again."
)


def pocket(graph: Graph) -> None:
    """The pack's own tiny model: nothing to download, runs on a CPU."""
    loader = graph.add("ConceptAttentionPocket")
    size = graph.add("EmptySD3LatentImage", {"width": 256, "height": 256})
    clip = loader.out("CLIP")
    positive = _text(graph, clip, "a house and a tree on grass under the sky", "Prompt")
    negative = _text(graph, clip, "", "Negative prompt")
    words = _concepts(graph, clip, "house, tree, grass, sky, boat")
    nodes = (loader, positive, negative, size, words)
    settings = {"sampler_name": "euler", "scheduler": "simple"}
    sampler = _sampler(graph, *nodes, seed=6, steps=20, cfg=3.0, **settings)
    graph.column("Model", 300, loader, size, note=_NOTE)
    graph.column("Prompt and concepts", 400, positive, negative, words)
    _results(graph, sampler, sampler.out("LATENT"), loader.out("VAE"), demo=True)


def schnell(graph: Graph) -> None:
    """FLUX.1 schnell: four steps, no guidance."""
    _flux1(graph, _SCHNELL, steps=4)


def dev(graph: Graph) -> None:
    """FLUX.1 dev: twenty steps, guidance built in."""
    _flux1(graph, _DEV, steps=20)


def sd35(graph: Graph) -> None:
    """SD3.5 Large with its encoders in one file; guidance of the ordinary kind."""
    loader = _loader(graph, "CheckpointLoaderSimple", {"ckpt_name": _SD35})
    size = graph.add("EmptySD3LatentImage", {"width": 1024, "height": 1024})
    positive = _text(graph, loader.out("CLIP"), _PROMPT, "Prompt")
    negative = _text(graph, loader.out("CLIP"), "", "Negative prompt")
    words = _concepts(graph, loader.out("CLIP"), _CONCEPTS)
    nodes = (loader, positive, negative, size, words)
    settings = {"sampler_name": "euler", "scheduler": "sgm_uniform"}
    sampler = _sampler(graph, *nodes, seed=1, steps=20, cfg=4.01, **settings)
    graph.column("Model", 340, loader, size, note=_NOTE)
    graph.column("Prompt and concepts", 400, positive, negative, words)
    _results(graph, sampler, sampler.out("LATENT"), loader.out("VAE"))


def klein(graph: Graph) -> None:
    """FLUX.2 Klein 4B base, with a guider."""
    model = _loader(graph, "UNETLoader", {"unet_name": _KLEIN_4B})
    clip = _loader(graph, "CLIPLoader", {"clip_name": _QWEN}, type="flux2")
    vae = _loader(graph, "VAELoader", {"vae_name": _FLUX2_VAE})
    positive = _text(graph, clip.out("CLIP"), _PROMPT, "Prompt")
    negative = _text(graph, clip.out("CLIP"), "", "Negative prompt")
    words = _concepts(graph, clip.out("CLIP"), _CONCEPTS)
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
    sampler = graph.add(
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
    graph.column("Model", 340, model, clip, vae, note=_NOTE)
    graph.column("Prompt and concepts", 400, positive, negative, words)
    graph.column("Size", 270, width, height, latent)
    graph.column("Noise and guidance", 270, noise, guider, solver, sigmas)
    _results(graph, sampler, sampler.out("output"), vae.out("VAE"))


EXAMPLES: dict[str, Callable[[Graph], None]] = {
    "Pocket - concept heatmaps": pocket,
    "FLUX.1 schnell - concept heatmaps": schnell,
    "FLUX.1 dev - concept heatmaps": dev,
    "FLUX.2 Klein - concept heatmaps": klein,
    "SD3.5 Large - concept heatmaps": sd35,
}


def build(name: str, object_info: Json, version: str) -> Json:
    """The content of one example's file."""
    graph = Graph(name, object_info, version)
    EXAMPLES[name](graph)
    return graph.document()


def _flux1(graph: Graph, file: Json, steps: int) -> None:
    model = _loader(graph, "UNETLoader", {"unet_name": file})
    clip = _loader(graph, "DualCLIPLoader", {"clip_name1": _CLIP_L, "clip_name2": _T5}, type="flux")
    vae = _loader(graph, "VAELoader", {"vae_name": _AE})
    size = graph.add("EmptySD3LatentImage", {"width": 1024, "height": 1024})
    positive = _text(graph, clip.out("CLIP"), _PROMPT, "Prompt")
    nothing = graph.add("ConditioningZeroOut", {"conditioning": positive.out("CONDITIONING")})
    words = _concepts(graph, clip.out("CLIP"), _CONCEPTS)
    nodes = (model, positive, nothing, size, words)
    settings = {"sampler_name": "euler", "scheduler": "simple"}
    sampler = _sampler(graph, *nodes, seed=1, steps=steps, cfg=1.0, **settings)
    graph.column("Model", 340, model, clip, vae, size, note=_NOTE)
    graph.column("Prompt and concepts", 400, positive, nothing, words)
    _results(graph, sampler, sampler.out("LATENT"), vae.out("VAE"))


def _results(graph: Graph, sampler: Node, latent: Output, vae: Output, demo: bool = False) -> None:
    """From the sampler to the pictures; `demo` saves everything for the demonstration."""
    folder = "demo" if demo else "ConceptAttention"
    picture = graph.add("VAEDecode", {"samples": latent, "vae": vae})
    image, capture = picture.out("IMAGE"), sampler.out("capture")
    maps = graph.add("ConceptAttentionDecode", {"capture": capture, "image": image})
    sheet = graph.add("ConceptAttentionOverlay", {"image": image, "heatmaps": maps.out("heatmaps")})
    shown = [
        _save(graph, image, f"{folder}/picture", "Picture", 320),
        _save(graph, sheet.out("image"), f"{folder}/overlay", "Overlay", 320),
    ]
    coloured = _save(graph, maps.out("image"), f"{folder}/heatmap", "Heatmaps", 300)
    saved = (
        [graph.add("ConceptAttentionSave", {"capture": capture, "filename_prefix": "demo/capture"})]
        if demo
        else []
    )
    graph.column("Sampling", 320, sampler, picture, *saved)
    graph.column("Heatmaps", 320, maps, sheet, coloured)
    graph.column("Picture and overlay", 460, *shown)


def _sampler(
    graph: Graph,
    model: Node,
    positive: Node,
    negative: Node,
    latent: Node,
    words: Node,
    **settings: Any,
) -> Node:
    """The sampler, with the settings that make the picture."""
    inputs = {
        "model": model.out("MODEL"),
        "positive": positive.out("CONDITIONING"),
        "negative": negative.out("CONDITIONING"),
        "latent_image": latent.out("LATENT"),
        "concepts": words.out("concepts"),
    }
    return graph.add("ConceptAttentionSampler", {**inputs, **settings})


def _loader(graph: Graph, type_: str, files: dict[str, Json], **values: str) -> Node:
    names = {name: file["name"] for name, file in files.items()}
    return graph.add(type_, {**names, **values}, models=tuple(files.values()))


def _text(graph: Graph, clip: Output, text: str, title: str) -> Node:
    return graph.add("CLIPTextEncode", {"clip": clip, "text": text}, title=title)


def _concepts(graph: Graph, clip: Output, words: str) -> Node:
    return graph.add("ConceptAttentionEncode", {"clip": clip, "concepts": words})


def _save(graph: Graph, image: Output, prefix: str, title: str, height: int) -> Node:
    values = {"images": image, "filename_prefix": prefix}
    return graph.add("SaveImage", values, title=title, height=height)
