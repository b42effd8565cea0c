"""A map for each word of the prompt, by the prompt's own tokens."""

from ..graph import Graph
from .common import results, sampler, text

_PROMPT = "a house and a tree on grass under the sky"
_NOTE = (
    "**Where did each word of the prompt go?** *source* of the **Concept Encoder** is *words of "
    "the prompt*: nothing is added to the model, and every word has a map as the model read it in "
    "that sentence. The text goes to CLIP Text Encode and to the Concept Encoder, since both must "
    "have the same.\n\n"
    "Words compete with each other alone. *house*, *tree*, *grass* and *sky* have their places; "
    "*a*, *and* and *on* claim next to nothing. To see some words only, name them in *concept* of "
    "Heatmap Decode."
)


def words(graph: Graph) -> None:
    """The picture of the first example, and its whole prompt."""
    files = graph.add("ConceptAttentionPocket")
    size = graph.add("EmptySD3LatentImage", {"width": 256, "height": 256})
    clip = files.out("CLIP")
    prompt = graph.add("PrimitiveStringMultiline", {"value": _PROMPT}, title="Text of the prompt")
    written = {"clip": clip, "text": prompt.out("STRING")}
    positive = graph.add("CLIPTextEncode", written, title="Prompt")
    negative = text(graph, clip, "", "Negative prompt")
    source = {"concepts": "", "prompt": prompt.out("STRING"), "source": "words of the prompt"}
    encoded = graph.add("ConceptAttentionEncode", {"clip": clip, **source}, advanced=True)
    settings = {"steps": 20, "cfg": 3.0, "sampler_name": "euler", "scheduler": "simple"}
    sampled = sampler(graph, files, positive, negative, size, encoded, seed=6, **settings)
    graph.column("Model", 300, files, size, note=_NOTE)
    graph.column("Prompt and its words", 400, prompt, positive, negative, encoded)
    latent, vae = sampled.out("LATENT"), files.out("VAE")
    results(graph, sampled, latent, vae, "demo-words", shown="house")
