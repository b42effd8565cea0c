"""Workflows that ask what became of a prompt."""

from ..graph import Graph
from .common import concepts, sampler, save, text

_SETTINGS = {"steps": 20, "cfg": 3.0, "sampler_name": "euler", "scheduler": "simple"}
_DEBUG = (
    "**Which words did the model ignore?** Concept Report gives every concept a verdict: present, "
    "weak, absent, or confused with another one, with its place and its share of the picture. The "
    "prompt asks for more things than this tiny model has room for. *mushroom* is not in the "
    "prompt: a **null concept**, whose score shows how high something can score that is not there."
)
_AUDIT = (
    "**An audit that can stop a workflow.** *boat* must be absent and *house* present; both are "
    "so, and the report passes. Write *house* into must_be_absent and run again: the workflow ends "
    "with a message that names the concept, its score and the threshold. With *report only* it "
    "goes on, and **passed** is false."
)


def debug(graph: Graph) -> None:
    """A prompt with too many things, and what became of each."""
    prompt = "a house, a tree, a car, a flower and a rock on grass under the sky"
    shown = "house, tree, car, flower, rock, grass, sky, mushroom"
    _reported(graph, prompt, shown, _DEBUG, {"null_concepts": "mushroom"}, "demo-report")


def audit(graph: Graph) -> None:
    """A concept that must not be in the picture, and one that must."""
    prompt = "a house and a tree on grass under the sky"
    required = {"must_be_absent": "boat", "must_be_present": "house"}
    asked = {**required, "on_failure": "stop the workflow", "null_concepts": "mushroom"}
    shown = "house, tree, grass, sky, boat, mushroom"
    _reported(graph, prompt, shown, _AUDIT, asked, "demo-audit")


def _reported(
    graph: Graph, prompt: str, shown: str, note: str, asked: dict[str, str], folder: str
) -> None:
    files = graph.add("ConceptAttentionPocket")
    size = graph.add("EmptySD3LatentImage", {"width": 256, "height": 256})
    clip = files.out("CLIP")
    positive = text(graph, clip, prompt, "Prompt")
    negative = text(graph, clip, "", "Negative prompt")
    words = concepts(graph, clip, shown)
    nodes = (files, positive, negative, size, words)
    sampled = sampler(graph, *nodes, seed=6, **_SETTINGS)
    inputs = {"samples": sampled.out("LATENT"), "vae": files.out("VAE")}
    picture = graph.add("VAEDecode", inputs)
    image = picture.out("IMAGE")
    maps = graph.add("ConceptAttentionDecode", {"capture": sampled.out("capture"), "image": image})
    judged = graph.add(
        "ConceptAttentionReport",
        {"heatmaps": maps.out("heatmaps"), "image": image, **asked},
        height=600,
    )
    graph.column("Model", 300, files, size, note=note)
    graph.column("Prompt and concepts", 400, positive, negative, words)
    graph.column("Sampling", 320, sampled, picture, maps)
    graph.column("Report", 480, judged)
    graph.column("Chart", 620, save(graph, judged.out("chart"), f"{folder}/report", "Chart", 520))
