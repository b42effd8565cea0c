"""Workflows of the pack's own models."""

from ..graph import Graph, Node
from .common import NOTE, concepts, results, sampler, text

_SETTINGS = {"seed": 6, "steps": 20, "cfg": 3.0, "sampler_name": "euler", "scheduler": "simple"}
_ANY = (
    "**Attach Capture** gives back a model that records every sampling with it, and **Collect "
    "Capture** takes what belongs to the sampler's result. The sampler between them may be any "
    "other, of any pack.\n\n" + NOTE
)


def pocket(graph: Graph) -> None:
    """The pack's own tiny model: nothing to download, runs on a CPU."""
    files, *rest = nodes = _world(graph)
    sampled = sampler(graph, files, *rest, **_SETTINGS)
    _place(graph, *nodes, note=NOTE)
    results(graph, sampled, sampled.out("LATENT"), files.out("VAE"), demo=True)


def any_sampler(graph: Graph) -> None:
    """The same picture by the host's own KSampler, as by a sampler of any other pack."""
    files, positive, negative, size, words = nodes = _world(graph)
    attached = graph.add(
        "ConceptAttentionAttach",
        {"model": files.out("MODEL"), "concepts": words.out("concepts")},
    )
    inputs = {
        "model": attached.out("MODEL"),
        "positive": positive.out("CONDITIONING"),
        "negative": negative.out("CONDITIONING"),
        "latent_image": size.out("LATENT"),
    }
    sampled = graph.add("KSampler", {**inputs, **_SETTINGS})
    collected = graph.add(
        "ConceptAttentionCollect",
        {"handle": attached.out("handle"), "latent": sampled.out("LATENT")},
    )
    _place(graph, *nodes, note=_ANY)
    graph.column("Any sampler", 320, attached, sampled)
    latent, vae = collected.out("latent"), files.out("VAE")
    results(graph, collected, latent, vae, title="Capture and picture")


def _world(graph: Graph) -> tuple[Node, Node, Node, Node, Node]:
    """Model, both prompts, size and concepts of a picture of the little world."""
    files = graph.add("ConceptAttentionPocket")
    size = graph.add("EmptySD3LatentImage", {"width": 256, "height": 256})
    clip = files.out("CLIP")
    positive = text(graph, clip, "a house and a tree on grass under the sky", "Prompt")
    negative = text(graph, clip, "", "Negative prompt")
    words = concepts(graph, clip, "house, tree, grass, sky, boat")
    return files, positive, negative, size, words


def _place(
    graph: Graph, files: Node, positive: Node, negative: Node, size: Node, words: Node, note: str
) -> None:
    graph.column("Model", 300, files, size, note=note)
    graph.column("Prompt and concepts", 400, positive, negative, words)
