"""Workflows of the pack's own models."""

from ..graph import Graph
from .common import NOTE, concepts, results, sampler, text


def pocket(graph: Graph) -> None:
    """The pack's own tiny model: nothing to download, runs on a CPU."""
    files = graph.add("ConceptAttentionPocket")
    size = graph.add("EmptySD3LatentImage", {"width": 256, "height": 256})
    clip = files.out("CLIP")
    positive = text(graph, clip, "a house and a tree on grass under the sky", "Prompt")
    negative = text(graph, clip, "", "Negative prompt")
    words = concepts(graph, clip, "house, tree, grass, sky, boat")
    nodes = (files, positive, negative, size, words)
    settings = {"sampler_name": "euler", "scheduler": "simple"}
    sampled = sampler(graph, *nodes, seed=6, steps=20, cfg=3.0, **settings)
    graph.column("Model", 300, files, size, note=NOTE)
    graph.column("Prompt and concepts", 400, positive, negative, words)
    results(graph, sampled, sampled.out("LATENT"), files.out("VAE"), demo=True)
