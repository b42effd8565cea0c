"""The workflow of the pack's own video model."""

from ..graph import Graph, Node, Output
from .common import animation, concepts, sampler, text, viewer

_FPS = 8.0
_FOLDER = "demo-video"  # which the demonstration reads
_NOTE = (
    "Each word of the **Concept Encoder** gets a heatmap that moves with the video. The model sees "
    "the first frame alone and the others in groups of four: **Heatmap Decode** glides from one "
    "group to the next (frames: interpolated). The last word is not in the prompt, so its map "
    "should stay dark."
)


def video(graph: Graph) -> None:
    """The tiny model of the CogVideoX kind: a clip, and overlays of its frames."""
    files = graph.add("ConceptAttentionPocket", {"model": "CogVideoX"})
    size = graph.add("EmptyHunyuanLatentVideo", {"width": 160, "height": 128, "length": 13})
    clip = files.out("CLIP")
    positive = text(graph, clip, "a car on the grass and a cloud under the sky", "Prompt")
    negative = text(graph, clip, "", "Negative prompt")
    words = concepts(graph, clip, "car, cloud, grass, sky, boat")
    nodes = (files, positive, negative, size, words)
    settings = {"sampler_name": "euler", "scheduler": "simple"}
    sampled = sampler(graph, *nodes, seed=2, steps=20, cfg=3.0, **settings)
    graph.column("Model", 300, files, size, note=_NOTE)
    graph.column("Prompt and concepts", 400, positive, negative, words)
    _films(graph, sampled, files.out("VAE"))


def _films(graph: Graph, sampled: Node, vae: Output) -> None:
    """From the sampler to the clip, the film of its overlay, and a capture file."""
    frames = graph.add("VAEDecode", {"samples": sampled.out("LATENT"), "vae": vae})
    larger = graph.add(
        "ImageScaleBy", {"image": frames.out("IMAGE"), "upscale_method": "bicubic", "scale_by": 2.0}
    )
    image, capture = larger.out("IMAGE"), sampled.out("capture")
    saved = graph.add(
        "ConceptAttentionSave", {"capture": capture, "filename_prefix": f"{_FOLDER}/capture"}
    )
    maps = graph.add(
        "ConceptAttentionDecode", {"capture": capture, "image": image, "frames": "interpolated"}
    )
    sheet = graph.add("ConceptAttentionOverlay", {"image": image, "heatmaps": maps.out("heatmaps")})
    shown = [
        animation(graph, images, f"{_FOLDER}/{name}", name.capitalize(), _FPS)
        for images, name in ((image, "video"), (sheet.out("image"), "overlay"))
    ]
    graph.column("Sampling", 320, sampled, frames, larger, saved)
    graph.column("Look", 480, viewer(graph, image, capture))
    graph.column("Heatmaps", 320, maps, sheet)
    graph.column("Video and overlay", 460, *shown)
