"""A workflow that paints one concept of a picture anew."""

from ..graph import Graph, Node, Output
from .common import concepts, sampler, save, text, viewer

_NOTE = (
    "The first sampler paints a picture and records where each word of the **Concept Encoder** is. "
    "**Heatmap to Masks** makes a mask of one of them, here the house, and **Set Latent Noise "
    "Mask** lets the second sampler paint in that place only, with another prompt. Write another "
    "word into *concept* to change something else: the sky, the tree.\n\n"
    "*coverage* says how much of the picture the mask covers. A word that is not in the picture "
    "has an empty mask, and then nothing changes."
)
_SETTINGS = {"steps": 20, "cfg": 3.0, "sampler_name": "euler", "scheduler": "simple"}
_FOLDER = "demo-inpaint"


def inpaint(graph: Graph) -> None:
    """The house of a picture becomes a boat."""
    files = graph.add("ConceptAttentionPocket")
    model, clip, vae = (files.out(name) for name in ("MODEL", "CLIP", "VAE"))
    size = graph.add("EmptySD3LatentImage", {"width": 256, "height": 256})
    first = text(graph, clip, "a house and a tree on grass under the sky", "Prompt")
    second = text(graph, clip, "a boat and a tree on grass under the sky", "Prompt of the change")
    negative = text(graph, clip, "", "Negative prompt")
    words = concepts(graph, clip, "house, tree, grass, sky, boat")
    sampled = sampler(graph, files, first, negative, size, words, seed=6, **_SETTINGS)
    latent, capture = sampled.out("LATENT"), sampled.out("capture")
    picture = graph.add("VAEDecode", {"samples": latent, "vae": vae})
    image = picture.out("IMAGE")
    maps = graph.add("ConceptAttentionDecode", {"capture": capture, "image": image})
    masks = _masks(graph, maps, image)
    masked = graph.add("SetLatentNoiseMask", {"samples": latent, "mask": masks.out("mask")})
    prompts = {"positive": second.out("CONDITIONING"), "negative": negative.out("CONDITIONING")}
    inputs = {"model": model, "latent_image": masked.out("LATENT"), **prompts}
    changed = graph.add("KSampler", {**inputs, "seed": 7, **_SETTINGS})
    painted = graph.add("VAEDecode", {"samples": changed.out("LATENT"), "vae": vae})
    shown = _results(graph, image, masks, painted.out("IMAGE"))
    kept = {"capture": capture, "filename_prefix": f"{_FOLDER}/capture"}
    saved = graph.add("ConceptAttentionSave", kept)
    graph.column("Model", 300, files, size, note=_NOTE)
    graph.column("Prompts and concepts", 400, first, second, negative, words)
    graph.column("A picture", 320, sampled, picture, saved)
    graph.column("Look", 480, viewer(graph, image, capture))
    graph.column("The mask of a concept", 320, maps, masks)
    graph.column("Paint there only", 320, masked, changed, painted)
    graph.column("Before, mask and after", 520, *shown)


def _masks(graph: Graph, maps: Node, image: Output) -> Node:
    """The house, grown by more than a token, so that no rim of it stays."""
    choice = {"concept": "house", "smallest_percent": 0.5, "grow": 28, "feather": 4.0}
    return graph.add(
        "ConceptAttentionMasks", {"heatmaps": maps.out("heatmaps"), "image": image, **choice}
    )


def _results(graph: Graph, before: Output, masks: Node, after: Output) -> list[Node]:
    """Both pictures with the mask between them, and the segmentation."""
    drawn = graph.add("MaskToImage", {"mask": masks.out("mask")})
    sides = {"direction": "right", "match_image_size": True, "spacing_width": 8}
    pair = graph.add("ImageStitch", {"image1": before, "image2": drawn.out("IMAGE"), **sides})
    row = graph.add("ImageStitch", {"image1": pair.out("IMAGE"), "image2": after, **sides})
    return [
        drawn,
        pair,
        row,
        save(graph, row.out("IMAGE"), f"{_FOLDER}/change", "Before, mask and after", 260),
        save(graph, masks.out("segmentation"), f"{_FOLDER}/segmentation", "Segmentation", 420),
    ]
