"""What the example workflows have in common."""

from typing import Any

from ..description import Json
from ..graph import Graph, Node, Output

COMFY_ORG = "https://huggingface.co/Comfy-Org"
PROMPT = "a dragon on a rock beside a castle, under a stormy sky, oil painting"
CONCEPTS = "dragon, rock, castle, sky, sailboat"
NOTE = (
    "The heatmap of each word in the **Concept Encoder** shows where the model put it while it "
    "made the picture; the last word is not in the prompt, so its map should stay dark. "
    "Point at the picture in the **Heatmap Viewer** to see what is there, and open its controls to "
    "change layers, steps and temperature: nothing is sampled again."
)
COMPARE = 560  # height of Compare Heatmaps, with room for what it says


def file(url: str, directory: str) -> Json:
    """What the editor needs to offer the download of a missing file."""
    return {"name": url.rsplit("/", 1)[1], "url": url, "directory": directory}


def results(
    graph: Graph,
    source: Node,
    latent: Output,
    vae: Output,
    demo: str = "",
    title: str = "Sampling",
    shown: str = "",
) -> None:
    """From the capture's source to the viewer and the pictures; `demo`: the folder that the
    demonstration reads, where all is saved; `shown`: the concept that the viewer shows at first.
    """
    folder = demo or "ConceptAttention"
    picture = graph.add("VAEDecode", {"samples": latent, "vae": vae})
    image, capture = picture.out("IMAGE"), source.out("capture")
    maps = graph.add("ConceptAttentionDecode", {"capture": capture, "image": image})
    sheet = graph.add("ConceptAttentionOverlay", {"image": image, "heatmaps": maps.out("heatmaps")})
    pictures = [
        save(graph, image, f"{folder}/picture", "Picture", 320),
        save(graph, sheet.out("image"), f"{folder}/overlay", "Overlay", 320),
    ]
    coloured = save(graph, maps.out("image"), f"{folder}/heatmap", "Heatmaps", 300)
    saved = (
        [
            graph.add(
                "ConceptAttentionSave", {"capture": capture, "filename_prefix": f"{demo}/capture"}
            )
        ]
        if demo
        else []
    )
    graph.column(title, 320, source, picture, *saved)
    graph.column("Look", 480, viewer(graph, image, capture, concept=shown))
    graph.column("Heatmaps", 320, maps, sheet, coloured)
    graph.column("Picture and overlay", 460, *pictures)


def viewer(graph: Graph, image: Output, capture: Output, **chosen: str) -> Node:
    """Where one looks at the maps; chosen: what it shows at first."""
    inputs = {"image": image, "capture": capture, **chosen}
    return graph.add("ConceptAttentionViewer", inputs, height=860)


def sampler(
    graph: Graph,
    model: Node | Output,
    positive: Node,
    negative: Node,
    latent: Node,
    words: Node,
    *,
    advanced: bool = False,
    **settings: Any,
) -> Node:
    """The sampler, with the settings that make the picture; model: a loader, or what changed it."""
    inputs = {
        "model": model if isinstance(model, Output) else model.out("MODEL"),
        "positive": positive.out("CONDITIONING"),
        "negative": negative.out("CONDITIONING"),
        "latent_image": latent.out("LATENT"),
        "concepts": words.out("concepts"),
    }
    return graph.add("ConceptAttentionSampler", {**inputs, **settings}, advanced=advanced)


def loader(graph: Graph, type_: str, files: dict[str, Json], **values: str) -> Node:
    """A loader of files, each of which the editor can offer to download."""
    names = {name: file["name"] for name, file in files.items()}
    return graph.add(type_, {**names, **values}, models=tuple(files.values()))


def text(graph: Graph, clip: Output, words: str, title: str) -> Node:
    """A prompt."""
    return graph.add("CLIPTextEncode", {"clip": clip, "text": words}, title=title)


def concepts(graph: Graph, clip: Output, words: str, background: str = "background") -> Node:
    """What to look for; background: what takes part unseen."""
    values = {"clip": clip, "concepts": words, "background": background}
    return graph.add("ConceptAttentionEncode", values)


def save(graph: Graph, image: Output, prefix: str, title: str, height: int) -> Node:
    """Pictures into the output folder, shown on the node."""
    values = {"images": image, "filename_prefix": prefix}
    return graph.add("SaveImage", values, title=title, height=height)


def animation(graph: Graph, images: Output, prefix: str, title: str, fps: float) -> Node:
    """Frames as one animated picture into the output folder, shown on the node."""
    values = {"images": images, "filename_prefix": prefix, "fps": fps}
    return graph.add(
        "SaveAnimatedWEBP", {**values, "lossless": False, "quality": 90}, title=title, height=420
    )
