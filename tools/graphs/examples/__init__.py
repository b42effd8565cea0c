"""The example workflows. File names and settings are those of ComfyUI's own templates."""

from collections.abc import Callable

from ..description import Json
from ..graph import Graph
from . import (
    chroma,
    comparison,
    flux,
    hunyuan_video,
    image,
    inpaint,
    kinds,
    negative,
    pocket,
    qwen_image,
    report,
    sd3,
    timeline,
    video,
    words,
    z_image,
)

EXAMPLES: dict[str, Callable[[Graph], None]] = {
    "Pocket - concept heatmaps": pocket.flux,
    "Pocket SD3.5 - concept heatmaps": pocket.sd35,
    "Pocket video - concept heatmaps": video.video,
    "Pocket - any sampler": pocket.any_sampler,
    "Pocket - existing picture": image.existing,
    "Pocket - inpaint a concept": inpaint.inpaint,
    "Pocket - words of the prompt": words.words,
    "Pocket - negative prompt": negative.negative,
    "Pocket - prompt report": report.debug,
    "Pocket - audit": report.audit,
    "Pocket - compare two models": comparison.models,
    "Pocket - LoRA on and off": comparison.lora,
    "Pocket - timeline": timeline.pocket,
    "Pocket - kinds of maps": kinds.kinds,
    "FLUX.1 schnell - concept heatmaps": flux.schnell,
    "FLUX.1 dev - concept heatmaps": flux.dev,
    "FLUX.2 Klein - concept heatmaps": flux.klein,
    "SD3.5 Large - concept heatmaps": sd3.sd35,
    "Chroma1-HD - concept heatmaps": chroma.hd,
    "Qwen-Image - concept heatmaps": qwen_image.qwen_image,
    "Z-Image Turbo - concept heatmaps": z_image.turbo,
    "HunyuanVideo - concept heatmaps": hunyuan_video.hunyuan,
    "HunyuanVideo 1.5 - concept heatmaps": hunyuan_video.hunyuan15,
}


def build(name: str, object_info: Json, version: str) -> Json:
    """The content of one example's file."""
    graph = Graph(name, object_info, version)
    EXAMPLES[name](graph)
    return graph.document()
