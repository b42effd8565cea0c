"""The supported model families: the list below is the registry."""

from ..errors import ConceptAttentionError
from .base import Call, Family, HostModel, Projected, Stream
from .chroma import Chroma
from .cogvideox import CogVideoX
from .flux import Flux, Flux2
from .hunyuan_video import HunyuanVideo
from .lumina2 import Lumina2
from .qwen_image import QwenImage
from .sd3 import SD3

FAMILIES: tuple[Family, ...] = (
    Flux(),
    Flux2(),
    SD3(),
    CogVideoX(),
    Chroma(),
    QwenImage(),
    Lumina2(),
    HunyuanVideo(),
)

__all__ = ["FAMILIES", "Call", "Family", "HostModel", "Projected", "Stream", "family_of"]


def family_of(model: HostModel, name: str = "") -> Family:
    """The family of a host's diffusion model; name: what the host calls it, for errors.

    Raises ConceptAttentionError if unsupported.
    """
    for family in FAMILIES:
        if family.matches(model):
            return family
    supported = "; ".join(family.models for family in FAMILIES)
    found = f"{type(model).__module__}.{type(model).__qualname__}"
    raise ConceptAttentionError(
        f"model: {f'{name} ({found})' if name else found} is not supported. Concepts are captured "
        "from the joint attention of text and image, which only some models have. Supported: "
        f"{supported}."
    )
