"""What a negative prompt pushes away, and where."""

from ..graph import Graph, Node, Output
from .common import COMPARE, concepts, sampler, save, text, viewer

_FOLDER = "demo-negative"  # which the demonstration reads
_SETTINGS = {"seed": 19, "steps": 20, "cfg": 3.0, "sampler_name": "euler", "scheduler": "simple"}
_FIRST = "0-4"  # the steps in which the sky is decided
_NOTE = (
    "**What does the negative prompt push away, and where?** The prompt leaves the sky open, and "
    "this tiny model then paints a night. With *night* as the negative prompt it is day.\n\n"
    "Both passes of one run are captured: **Attach Capture** has *conditioning* at *negative*, the "
    "sampler at *positive*; cfg must be above 1. In the first five steps (*steps* 0-4) *night* has "
    "a share of the sky beside the negative prompt, and next to none beside the prompt: that is "
    "what the picture is pushed away from. House and tree are weaker there, since only the prompt "
    "names them.\n\n"
    "Set *steps* to 10-19: both are nearly alike and *night* is dark, for no night is left in the "
    "picture that both passes look at. So look for a negative prompt in early steps."
)


def negative(graph: Graph) -> None:
    """A night that becomes a day."""
    files = graph.add("ConceptAttentionPocket")
    clip, vae = files.out("CLIP"), files.out("VAE")
    size = graph.add("EmptySD3LatentImage", {"width": 256, "height": 256})
    prompt = text(graph, clip, "a house and a tree on grass", "Prompt")
    unwanted = text(graph, clip, "night", "Negative prompt")
    nothing = text(graph, clip, "", "No negative prompt")
    words = concepts(graph, clip, "house, tree, sky, night", "background, grass")
    attached = graph.add(
        "ConceptAttentionAttach",
        {
            "model": files.out("MODEL"),
            "concepts": words.out("concepts"),
            "conditioning": "negative",
        },
        advanced=True,
    )
    nodes = (attached, prompt, unwanted, size, words)
    sampled = sampler(graph, *nodes, advanced=True, **_SETTINGS)
    collected = graph.add(
        "ConceptAttentionCollect",
        {"handle": attached.out("handle"), "latent": sampled.out("LATENT")},
    )
    picture = graph.add("VAEDecode", {"samples": sampled.out("LATENT"), "vae": vae})
    image, away = picture.out("IMAGE"), collected.out("capture")
    graph.column("Model", 300, files, size, note=_NOTE)
    graph.column("Prompts and concepts", 400, prompt, unwanted, nothing, words)
    graph.column("One run, both prompts", 320, attached, sampled, collected, picture)
    _without(graph, image, files, prompt, nothing, size)
    look = viewer(graph, image, away, concept="night", steps=_FIRST)
    graph.column("Beside the negative prompt", 480, look)
    _compared(graph, image, sampled.out("capture"), away)


def _without(graph: Graph, image: Output, files: Node, *nodes: Node) -> None:
    """The same noise without a negative prompt, and both pictures."""
    positive, nothing, size = nodes
    inputs = {
        "model": files.out("MODEL"),
        "positive": positive.out("CONDITIONING"),
        "negative": nothing.out("CONDITIONING"),
        "latent_image": size.out("LATENT"),
    }
    plain = graph.add("KSampler", {**inputs, **_SETTINGS}, title="Without a negative prompt")
    picture = graph.add("VAEDecode", {"samples": plain.out("LATENT"), "vae": files.out("VAE")})
    sides = {"direction": "right", "match_image_size": True, "spacing_width": 8}
    pair = graph.add("ImageStitch", {"image1": picture.out("IMAGE"), "image2": image, **sides})
    shown = save(graph, pair.out("IMAGE"), f"{_FOLDER}/pictures", "Without and with it", 300)
    graph.column("What it changes", 400, plain, picture, pair, shown)


def _compared(graph: Graph, image: Output, beside: Output, away: Output) -> None:
    """The maps of the first steps beside either prompt."""
    maps = [
        graph.add(
            "ConceptAttentionDecode",
            {"capture": capture, "image": image, "steps": _FIRST},
            title=f"Heatmap Decode, {name} prompt",
        )
        for capture, name in ((beside, "positive"), (away, "negative"))
    ]
    inputs = {"label_a": "positive prompt", "label_b": "negative prompt", "difference_range": 0.5}
    for run, each in zip("ab", maps, strict=True):
        inputs |= {f"heatmaps_{run}": each.out("heatmaps"), f"image_{run}": image}
    compared = graph.add("ConceptAttentionCompare", inputs, height=COMPARE)
    figure = save(graph, compared.out("figure"), f"{_FOLDER}/comparison", "Comparison", 1000)
    graph.column("The first steps", 400, *maps, compared)
    graph.column("Figure", 720, figure)
