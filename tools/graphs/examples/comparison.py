"""Two runs of the pack's own models side by side."""

from typing import Any

from ..graph import Graph, Node, Output
from .common import COMPARE, concepts, sampler, save, text

_PROMPT = "a house and a tree on grass under the sky"
_SETTINGS = {"seed": 5, "steps": 20, "cfg": 3.0, "sampler_name": "euler", "scheduler": "simple"}
_FIGURE = (
    "A row for each concept: its map in A and in B, what is more (red) or less (blue) in B, and "
    "how alike the two are. The second output is the differences at full size."
)
_MODELS = (
    "Two model families, **one prompt**: the pocket models of the FLUX.1 and of the SD3.5 kind. "
    "**Compare Heatmaps** pairs the concepts by their names, whatever the model, its grid and its "
    "layers. The last word is not in the prompt, so its maps should stay dark.\n\n" + _FIGURE
)
_LORA = (
    "What does a LoRA change, and what does it leave alone? **Train LoRA** makes one here, in "
    "about a minute on a CPU, of two pictures that the model paints at night, so nothing is "
    "downloaded: with it the sky turns to night, and house and tree stay where they were. With a "
    "LoRA of your own put **Load LoRA** in the place of these nodes.\n\n" + _FIGURE
)


def models(graph: Graph) -> None:
    """FLUX.1 against SD3.5, prompt and seed alike."""
    runs = []
    for model in ("FLUX.1", "SD3.5"):
        files = graph.add("ConceptAttentionPocket", {"model": model}, title=f"Pocket {model}")
        size = graph.add("EmptySD3LatentImage", {"width": 256, "height": 256})
        clip = files.out("CLIP")
        positive, negative = text(graph, clip, _PROMPT, "Prompt"), text(graph, clip, "", "Negative")
        words = _words(graph, clip, "house, tree, sky, boat")
        sampled = sampler(graph, files, positive, negative, size, words, **_SETTINGS)
        note = _MODELS if not runs else ""
        graph.column(f"{model}: prompt and concepts", 400, files, positive, words, note=note)
        runs.append((model, *_decoded(graph, sampled, files.out("VAE"), model, negative, size)))
    _compared(graph, runs, "demo-models")


def lora(graph: Graph) -> None:
    """The same model without and with a LoRA that is trained here."""
    files = graph.add("ConceptAttentionPocket")
    model, clip, vae = (files.out(name) for name in ("MODEL", "CLIP", "VAE"))
    positive, negative = text(graph, clip, _PROMPT, "Prompt"), text(graph, clip, "", "Negative")
    night = text(graph, clip, "a house and a tree on grass at night", "Prompt of the lessons")
    words = _words(graph, clip, "house, tree, sky, night")
    size = graph.add("EmptySD3LatentImage", {"width": 256, "height": 256})
    two = graph.add("EmptySD3LatentImage", {"width": 256, "height": 256, "batch_size": 2})
    lessons = graph.add(
        "KSampler",
        {
            "model": model,
            "positive": night.out("CONDITIONING"),
            "negative": negative.out("CONDITIONING"),
            "latent_image": two.out("LATENT"),
            **_SETTINGS,
        },
        title="Two pictures at night",
    )
    trained = graph.add(
        "TrainLoraNode",
        {
            "model": model,
            "latents": lessons.out("LATENT"),
            "positive": positive.out("CONDITIONING"),
            "batch_size": 1,
            "steps": 60,
            "learning_rate": 0.002,
            "rank": 4,
            "training_dtype": "fp32",
            "lora_dtype": "fp32",
        },
        height=900,  # Nodes 2.0 needs much more for so many widgets than LiteGraph
    )
    switched = graph.add(
        "LoraModelLoader", {"model": model, "lora": trained.out("lora"), "strength_model": 1.0}
    )
    graph.column("Model", 300, files, size, negative, note=_LORA)
    graph.column("Prompt and concepts", 400, positive, words)
    graph.column("A LoRA", 320, night, two, lessons, trained, switched)
    runs = []
    for name, source in (("LoRA off", model), ("LoRA on", switched.out("model"))):
        sampled = sampler(graph, source, positive, negative, size, words, **_SETTINGS)
        runs.append((name, *_decoded(graph, sampled, vae, name)))
    _compared(graph, runs, "ConceptAttention")


def _words(graph: Graph, clip: Output, shown: str) -> Node:
    """Concepts to compare; the grass takes part unseen, so that the tree is not given it."""
    return concepts(graph, clip, shown, "background, grass")


def _decoded(
    graph: Graph, sampled: Node, vae: Output, name: str, *above: Node
) -> tuple[Output, Output]:
    """The picture and the heatmaps of one run."""
    picture = graph.add("VAEDecode", {"samples": sampled.out("LATENT"), "vae": vae})
    maps = graph.add(
        "ConceptAttentionDecode",
        {"capture": sampled.out("capture"), "image": picture.out("IMAGE")},
    )
    graph.column(f"{name}: sampling", 320, *above, sampled, picture, maps)
    return picture.out("IMAGE"), maps.out("heatmaps")


def _compared(graph: Graph, runs: list[tuple[str, Output, Output]], folder: str) -> None:
    values: dict[str, Any] = {}
    for run, (name, image, heatmaps) in zip("ab", runs, strict=True):
        named = (("label", name), ("image", image), ("heatmaps", heatmaps))
        values.update({f"{what}_{run}": value for what, value in named})
    compared = graph.add("ConceptAttentionCompare", values, height=COMPARE)
    figure = save(graph, compared.out("figure"), f"{folder}/comparison", "Comparison", 1000)
    signed = save(graph, compared.out("difference"), f"{folder}/difference", "Differences", 320)
    graph.column("Compare", 400, compared, signed)
    graph.column("Figure", 720, figure)
