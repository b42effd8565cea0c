"""Workflows of pictures that exist."""

from ..graph import Graph
from .common import concepts, save, text, viewer

_NOTE = (
    "The heatmaps are of a **finished picture**: noise is added to it and the model looks once. "
    "The prompt that it looks with is empty, so nothing tells it what the picture shows. With a "
    "model of your own put **Load Image** in the place of the sampler and VAE Decode. The pocket "
    "model knows only its own little world, so here it paints the picture itself."
)


def existing(graph: Graph) -> None:
    """A picture of the pocket model, and what it sees in it with an empty prompt."""
    files = graph.add("ConceptAttentionPocket")
    model, clip, vae = (files.out(name) for name in ("MODEL", "CLIP", "VAE"))
    size = graph.add("EmptySD3LatentImage", {"width": 256, "height": 256})
    painted = text(
        graph, clip, "a house and a tree on grass under the sky", "Prompt of the picture"
    )
    empty = text(graph, clip, "", "Empty prompt")
    words = concepts(graph, clip, "house, tree, grass, sky, boat")
    settings = {"seed": 6, "steps": 20, "cfg": 3.0, "sampler_name": "euler", "scheduler": "simple"}
    prompts = {"positive": painted.out("CONDITIONING"), "negative": empty.out("CONDITIONING")}
    inputs = {"model": model, "latent_image": size.out("LATENT"), **prompts}
    sampled = graph.add("KSampler", {**inputs, **settings})
    picture = graph.add("VAEDecode", {"samples": sampled.out("LATENT"), "vae": vae})
    image = picture.out("IMAGE")
    looked = graph.add(
        "ConceptAttentionImage",
        {
            "model": model,
            "conditioning": empty.out("CONDITIONING"),
            "concepts": words.out("concepts"),
            "image": image,
            "vae": vae,
        },
    )
    capture = {"capture": looked.out("capture"), "image": image}
    maps = graph.add("ConceptAttentionDecode", capture)
    sheet = graph.add("ConceptAttentionOverlay", {"image": image, "heatmaps": maps.out("heatmaps")})
    folder = "ConceptAttention"
    coloured = save(graph, maps.out("image"), f"{folder}/heatmap", "Heatmaps", 300)
    shown = save(graph, sheet.out("image"), f"{folder}/overlay", "Overlay", 460)
    graph.column("Model", 300, files, size, note=_NOTE)
    graph.column("Prompts and concepts", 400, painted, empty, words)
    graph.column("A picture", 320, sampled, picture)
    graph.column("What the model sees in it", 320, looked, maps, sheet)
    graph.column("Look", 480, viewer(graph, image, looked.out("capture")))
    graph.column("Heatmaps and overlay", 460, coloured, shown)
