"""One run, read in the output space and in those that the paper compares it with."""

from ..graph import Graph, Node, Output
from .common import concepts, sampler, save, text

_FOLDER = "demo-kinds"  # which the demonstration reads
_SPACES = {
    "output": "Output space",
    "cross-attention": "Cross-attention",
    "value": "Value space",
    "DAAM": "Averaged attention, as DAAM",
}
_NOTE = (
    "**One run, read in four ways.** *baselines* of the sampler is *all*, so that its capture has, "
    "beside the output space of this method, what the paper compares it with; *space* of each "
    "**Heatmap Decode** chooses one. Nothing is sampled again.\n\n"
    "The last word is not in the prompt: its map should stay dark. Here it does in output space "
    "and almost so in cross-attention; value space is full of specks, averaged attention is flat, "
    "and both give the boat shares like those of things that are there. One picture is no "
    "measurement: BENCHMARKS.md has those of the first three."
)


def kinds(graph: Graph) -> None:
    """The picture of the first example, and its maps in every space."""
    files = graph.add("ConceptAttentionPocket")
    size = graph.add("EmptySD3LatentImage", {"width": 256, "height": 256})
    clip = files.out("CLIP")
    positive = text(graph, clip, "a house and a tree on grass under the sky", "Prompt")
    negative = text(graph, clip, "", "Negative prompt")
    words = concepts(graph, clip, "house, tree, grass, sky, boat")
    settings = {"steps": 20, "cfg": 3.0, "sampler_name": "euler", "scheduler": "simple"}
    nodes = (files, positive, negative, size, words)
    sampled = sampler(graph, *nodes, advanced=True, seed=6, baselines="all", **settings)
    picture = graph.add("VAEDecode", {"samples": sampled.out("LATENT"), "vae": files.out("VAE")})
    graph.column("Model", 300, files, size, note=_NOTE)
    graph.column("Prompt and concepts", 400, positive, negative, words)
    graph.column("Sampling", 320, sampled, picture)
    sheets = [_sheet(graph, sampled, picture.out("IMAGE"), space) for space in _SPACES]
    group = "Above: output space, cross-attention; below: value, averaged"
    graph.column(group, 760, *_side_by_side(graph, sheets))


def _sheet(graph: Graph, sampled: Node, image: Output, space: str) -> Output:
    """A column with the maps in one space, and the sheet of them."""
    title = _SPACES[space]
    inputs = {"capture": sampled.out("capture"), "image": image, "space": space}
    maps = graph.add("ConceptAttentionDecode", inputs, advanced=True)
    drawn = {"image": image, "heatmaps": maps.out("heatmaps")}
    sheet = graph.add("ConceptAttentionOverlay", drawn)
    shown = save(graph, sheet.out("image"), f"{_FOLDER}/{space}", title, 360)
    graph.column(title, 400, maps, sheet, shown)
    return sheet.out("image")


def _side_by_side(graph: Graph, sheets: list[Output]) -> list[Node]:
    """Two sheets above two, in the order of the columns."""

    def joined(first: Output, second: Output, direction: str) -> Node:
        inputs = {"image1": first, "image2": second, "direction": direction}
        return graph.add("ImageStitch", inputs)

    above, below = joined(*sheets[:2], "right"), joined(*sheets[2:], "right")
    whole = joined(above.out("IMAGE"), below.out("IMAGE"), "down")
    saved = save(graph, whole.out("IMAGE"), f"{_FOLDER}/side-by-side", "Side by side", 640)
    return [above, below, whole, saved]
