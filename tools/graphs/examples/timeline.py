"""When the model decides where a thing goes."""

from ..graph import Graph
from .common import animation, concepts, sampler, save, text

_FOLDER = "demo-timeline"  # which the demonstration reads
_FPS = 4.0
_NOTE = (
    "**When does the model decide where the house goes?** Heatmap Timeline says it in words, marks "
    "that step in its pictures, and shows the concept in every layer (rows) and at every step "
    "(columns). Choose another concept and run again: nothing is sampled again.\n\n"
    "With a large model this is how you see where the dragon is decided: put its loaders in the "
    "place of Load Pocket Model."
)


def pocket(graph: Graph) -> None:
    """The house of the pocket model, from noise to its place."""
    files = graph.add("ConceptAttentionPocket")
    size = graph.add("EmptySD3LatentImage", {"width": 256, "height": 256})
    clip = files.out("CLIP")
    positive = text(graph, clip, "a house and a tree on grass under the sky", "Prompt")
    negative = text(graph, clip, "", "Negative prompt")
    words = concepts(graph, clip, "house, tree, grass, sky, boat")
    settings = {"steps": 20, "cfg": 3.0, "sampler_name": "euler", "scheduler": "simple"}
    sampled = sampler(graph, files, positive, negative, size, words, seed=6, **settings)
    picture = graph.add("VAEDecode", {"samples": sampled.out("LATENT"), "vae": files.out("VAE")})
    found = graph.add(
        "ConceptAttentionTimeline",
        {"capture": sampled.out("capture"), "image": picture.out("IMAGE"), "concept": "house"},
        height=520,  # Nodes 2.0 needs more than LiteGraph, and the answer has its place below
    )
    sheet = save(graph, found.out("sheet"), f"{_FOLDER}/sheet", "Contact sheet", 420)
    lines = save(graph, found.out("curves"), f"{_FOLDER}/curves", "Curves", 560)
    film = animation(graph, found.out("animation"), f"{_FOLDER}/film", "Animation", _FPS)
    graph.column("Model", 300, files, size, note=_NOTE)
    graph.column("Prompt and concepts", 400, positive, negative, words)
    graph.column("Sampling", 320, sampled, picture)
    graph.column("When", 360, found, film)
    graph.column("Contact sheet and curves", 960, sheet, lines)
