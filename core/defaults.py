"""How each model family's captures are decoded unless the user says otherwise."""

from dataclasses import dataclass
from typing import Literal

from .errors import ConceptAttentionError

Order = Literal["softmax first", "scores first"]


@dataclass(frozen=True)
class DecodeDefaults:
    """What "auto" means for a family.

    layers, steps: as in `selection.parse`, cut to what the model has. temperature: the scores are
    divided by it. order: softmax for each layer and step and then their mean, or the mean of the
    scores and then one softmax. unit_concepts: concept vectors are scaled to length 1 first.
    """

    layers: str
    steps: str
    temperature: float
    order: Order
    unit_concepts: bool


_DEFAULTS = {
    # The paper's own code: layers 15 to 18 of 19.
    "flux": DecodeDefaults("-4:", "all", 1.0, "softmax first", False),
    # The paper's own code: the last 3 double blocks, the last 30 % of the steps.
    "flux2": DecodeDefaults("-3:", "70%-100%", 1000.0, "scores first", False),
    # The paper's own code: all layers, concept vectors of length 1.
    "sd3": DecodeDefaults("all", "all", 1.0, "softmax first", True),
    # The paper's own code: all layers and steps.
    "cogvideox": DecodeDefaults("all", "all", 1.0, "softmax first", False),
    # Beyond the paper; Chroma grew out of FLUX.1 schnell, layer for layer.
    "chroma": DecodeDefaults("-4:", "all", 1.0, "softmax first", False),
    # Joint blocks from end to end, as SD3.
    "qwen_image": DecodeDefaults("all", "all", 1.0, "softmax first", True),
    # Beyond the paper; HunyuanVideo's blocks are FLUX.1's, of which the paper reads the last.
    "hunyuan_video": DecodeDefaults("-4:", "all", 1.0, "softmax first", False),
    # Beyond the paper; nearest are its models whose text and image share weights.
    "lumina2": DecodeDefaults("all", "all", 1.0, "softmax first", False),
}


def defaults(family: str) -> DecodeDefaults:
    """The row of a family; raises ConceptAttentionError for a name that has none."""
    if family not in _DEFAULTS:
        known = ", ".join(sorted(_DEFAULTS))
        raise ConceptAttentionError(
            f"capture: no decoding defaults for the model family '{family}'. Known: {known}."
        )
    return _DEFAULTS[family]
