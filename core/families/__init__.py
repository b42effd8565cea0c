"""The supported model families: the list below is the registry."""

from ..errors import ConceptAttentionError
from .base import Call, Family, HostModel, Projected, Stream
from .cogvideox import CogVideoX
from .flux import Flux, Flux2
from .sd3 import SD3

FAMILIES: tuple[Family, ...] = (Flux(), Flux2(), SD3(), CogVideoX())

__all__ = ["FAMILIES", "Call", "Family", "HostModel", "Projected", "Stream", "family_of"]


def family_of(model: HostModel) -> Family:
    """The family of a host's diffusion model; raises ConceptAttentionError if unsupported."""
    for family in FAMILIES:
        if family.matches(model):
            return family
    supported = ", ".join(family.name for family in FAMILIES)
    found = f"{type(model).__module__}.{type(model).__qualname__}"
    raise ConceptAttentionError(
        f"model: {found} is not a model that concepts can be captured from. "
        f"Supported families: {supported}."
    )
