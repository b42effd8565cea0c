"""Concepts that are the prompt's own tokens, at their places, go the way that the host goes."""

import pytest
import torch

from concept_attention.core.run import CaptureRun
from concept_attention.core.types import Concept, Concepts
from concept_attention.nodes.capture import attach_to_model

from .models import FAMILIES, TINY, error, inputs, model, plain, seeded

ROUNDING = 1e-5  # of the largest magnitude: the same sums in another order
# FLUX.2's prompts are padded to 512 tokens, which take part there; the others refine a prompt as a
# whole beforehand, and a concept by itself.
OTHERWISE = ("flux2", "lumina2", "zimage", "hunyuan", "hunyuan15")
UNPADDED = [family for family in (*FAMILIES, "radiance") if family not in OTHERWISE]


@pytest.mark.parametrize("family", UNPADDED)
def test_concepts_that_are_the_prompt_have_its_vectors(family):
    """Both attend to the same tokens then, so that their outputs are the same in every layer."""
    tokens = seeded(1, 3, 48, seed=1)
    items = [Concept(f"{i}", row[None], (i,), 3, i == 2) for i, row in enumerate(tokens[0])]
    named = Concepts(tuple(items), TINY[family].encoder)
    values = {"pooled_output": torch.zeros(1, 32)} if "pooled" in TINY[family].extra else {}
    outs, vectors, texts = [], [], []
    patcher = model(family).clone()

    def spy(func, *args, **kwargs):
        outs.append(func(*args, **kwargs))
        return outs[-1]

    def observe(layer, concept_out, image_out):
        vectors.append(concept_out)
        # What the spy saw last is this layer's joint attention.
        texts.append(outs[-1][:, :3])

    patcher.model_options["transformer_options"]["optimized_attention_override"] = spy
    run = CaptureRun(patcher.get_model_object("diffusion_model"), named, observe=observe)
    plain(attach_to_model(patcher, run), **inputs(family, positive=[[tokens, values]]))
    assert len(vectors) == 2 * TINY[family].layers
    for own, text in zip(vectors, texts, strict=True):
        assert error(own, text) < ROUNDING
