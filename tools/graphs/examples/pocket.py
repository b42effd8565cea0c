"""Workflows of the pack's own models."""

from ..graph import Graph, Node
from .common import NOTE, concepts, results, sampler, text

_SETTINGS = {"steps": 20, "cfg": 3.0, "sampler_name": "euler", "scheduler": "simple"}
_ANY = (
    "**Attach Capture** gives back a model that records every sampling with it, and **Collect "
    "Capture** takes what belongs to the sampler's result. The sampler between them may be any "
    "other, of any pack.\n\n" + NOTE
)


def flux(graph: Graph) -> None:
    """The tiny model of the FLUX.1 kind: nothing to download, runs on a CPU."""
    _captured(graph, _world(graph), seed=6, demo="demo")


def sd35(graph: Graph) -> None:
    """The tiny model of the SD3.5 kind."""
    prompt = "a boat and the moon on the sea at night"
    nodes = _world(graph, "SD3.5", prompt, "boat, moon, sea, night, house")
    _captured(graph, nodes, seed=5, demo="demo-sd3")


def _captured(graph: Graph, nodes: tuple[Node, ...], seed: int, demo: str) -> None:
    files, *rest = nodes
    sampled = sampler(graph, files, *rest, seed=seed, **_SETTINGS)
    _place(graph, *nodes, note=NOTE)
    results(graph, sampled, sampled.out("LATENT"), files.out("VAE"), demo)


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
    sampled = graph.add("KSampler", {**inputs, "seed": 6, **_SETTINGS})
    collected = graph.add(
        "ConceptAttentionCollect",
        {"handle": attached.out("handle"), "latent": sampled.out("LATENT")},
    )
    _place(graph, *nodes, note=_ANY)
    graph.column("Any sampler", 320, attached, sampled)
    latent, vae = collected.out("latent"), files.out("VAE")
    results(graph, collected, latent, vae, title="Capture and picture")


def _world(
    graph: Graph,
    model: str = "FLUX.1",
    prompt: str = "a house and a tree on grass under the sky",
    shown: str = "house, tree, grass, sky, boat",
) -> tuple[Node, Node, Node, Node, Node]:
    """Model, both prompts, size and concepts of a picture of the little world."""
    files = graph.add("ConceptAttentionPocket", {"model": model})
    size = graph.add("EmptySD3LatentImage", {"width": 256, "height": 256})
    clip = files.out("CLIP")
    positive = text(graph, clip, prompt, "Prompt")
    negative = text(graph, clip, "", "Negative prompt")
    words = concepts(graph, clip, shown)
    return files, positive, negative, size, words


def _place(
    graph: Graph, files: Node, positive: Node, negative: Node, size: Node, words: Node, note: str
) -> None:
    graph.column("Model", 300, files, size, note=note)
    graph.column("Prompt and concepts", 400, positive, negative, words)
