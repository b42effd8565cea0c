"""Whether concepts belong to the model that samples, before it does."""

from torch import nn

from .errors import ConceptAttentionError
from .families import Family
from .types import Concepts
from .words import check_family


def check_concepts(family: Family, model: nn.Module, concepts: Concepts) -> None:
    """Raise ConceptAttentionError for concepts of another model's text encoder, and for none."""
    if concepts.of_prompt:
        check_family(family)
    if concepts.encoder not in family.encoders:
        raise ConceptAttentionError(
            f"concepts: they were encoded by {concepts.encoder}, but the model, one of "
            f"{family.models}, takes {' or '.join(family.encoders)}. Connect the Concept Encoder "
            "to the CLIP that belongs to this model."
        )
    widths = {concept.embeddings.shape[-1] for concept in concepts.items}
    if not widths:
        raise ConceptAttentionError("concepts: there are none. Connect a Concept Encoder.")
    if widths != {family.text_width(model)}:
        width = " or ".join(str(width) for width in sorted(widths))
        raise ConceptAttentionError(
            f"concepts: their vectors have {width} numbers, this model ({family.models}) takes "
            f"{family.text_width(model)}. Connect the Concept Encoder to the CLIP that belongs to "
            "this model."
        )
