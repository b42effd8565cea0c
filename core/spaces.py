"""Baselines: other spaces in which the forward that is captured can be scored as well.

"output" is the method's own. The others are what the paper compares it with, from the same blocks:
"cross-attention": <q_c, k_x>, a concept's query with the image's keys, as the block attends with
them: normalised and, where it turns them by position, turned. "value": <v_c, v_x>. Both, as the
output, are raw dot products over all heads side by side.
"DAAM" (arXiv 2210.04885): how much an image token attends to each concept: a softmax over the
concepts of q_x k_c / sqrt(d) in each head, and the mean over heads. There it is over the prompt's
tokens, all that a U-Net's cross-attention sees. A joint block's softmax is over the picture too,
and its sum would take a second attention of the image over itself: so here it is over the concepts,
or over the words of the prompt where these are the concepts.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from .attention import average, matmul
from .errors import ConceptAttentionError
from .families import Projected
from .types import Capture, Scored

Space = Literal["output", "cross-attention", "value", "DAAM"]

OUTPUT = "output"
DAAM = "DAAM"
BASELINES = ("cross-attention", "value", DAAM)
SPACES = (OUTPUT, *BASELINES)
NONE = "none"
CHOICES = (NONE, *BASELINES, "all")


@dataclass(frozen=True, eq=False)
class Seen:
    """What one layer's attention was made of.

    own: the concepts' tokens, [B, heads, T, d]. q, k, v: the image's, [B, heads, N, d], views of
    the host's tensors. counts: tokens of each concept.
    """

    own: Projected
    q: Tensor
    k: Tensor
    v: Tensor
    counts: Sequence[int]


def chosen_baselines(choice: str) -> tuple[str, ...]:
    """The baselines that one of CHOICES means; raises ConceptAttentionError for another word."""
    if choice not in CHOICES:
        raise ConceptAttentionError(f"baselines: '{choice}' is not one of {', '.join(CHOICES)}")
    if choice == NONE:
        return ()
    return BASELINES if choice == "all" else (choice,)


def scored(seen: Seen, spaces: Sequence[str]) -> dict[str, Scored]:
    """One layer in these baselines: scores [B, C, N] and norms [B, C], float32.

    A concept's vector is the mean of its tokens', as in the output space.
    """
    return {space: _SCORERS[space](seen) for space in spaces}


def in_space(capture: Capture, space: str) -> Capture:
    """The capture with a space's scores in the place of the output's.

    Raises ConceptAttentionError, naming what was captured, for a space that was not.
    """
    if space not in SPACES:
        raise ConceptAttentionError(f"space: '{space}' is not one of {', '.join(SPACES)}")
    if space == OUTPUT:
        return capture
    if space not in capture.spaces:
        has = ", ".join((OUTPUT, *capture.spaces))
        raise ConceptAttentionError(
            f"space: {space} was not captured; this capture has: {has}. Set baselines to {space} "
            "or all on the node that captures, and run it again."
        )
    found = capture.spaces[space]
    return replace(capture, scores=found.scores, norms=found.norms, spaces={})


def _dots(own: Tensor, image: Tensor, counts: Sequence[int]) -> Scored:
    """Dot products over all heads: own [B, heads, T, d] and image [B, heads, N, d]."""
    scores = average(_products(own, image).sum(1), counts)
    vectors = average(own.transpose(1, 2).flatten(2).float(), counts)
    return Scored(scores, torch.linalg.vector_norm(vectors, dim=-1))


def _attended(seen: Seen) -> Scored:
    """Mean over heads of softmax over concepts; every concept's length counts as 1."""
    logits = _products(seen.own.k, seen.q).mul_(seen.q.shape[-1] ** -0.5)
    means = average(logits.transpose(1, 2).flatten(2), seen.counts)
    shares = means.unflatten(2, (logits.shape[1], -1)).softmax(dim=1).mean(2)
    return Scored(shares, shares.new_ones(shares.shape[:-1]))


def _products(own: Tensor, image: Tensor) -> Tensor:
    """[B, heads, T, N] float32; batch items by themselves, so that the image's are not copied."""
    pairs = zip(own.split(1), image.split(1), strict=True)
    return torch.cat([matmul(a, b.mT) for a, b in pairs])


_SCORERS: Mapping[str, Callable[[Seen], Scored]] = {
    "cross-attention": lambda seen: _dots(seen.own.q, seen.k, seen.counts),
    "value": lambda seen: _dots(seen.own.v, seen.v, seen.counts),
    DAAM: _attended,
}
