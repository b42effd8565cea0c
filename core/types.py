"""What travels between the nodes: concepts, captures and heatmaps.

Shapes, everywhere in the pack: B batch items, S steps, L layers, C concepts, N image tokens,
F frames, H and W rows and columns.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass(frozen=True)
class Concept:
    """A word or phrase to localise, as one or more tokens of a text encoder.

    label: the user's own spelling. embeddings: [T, width], the encoder's output for its T tokens.
    indices, length: each token's place in the concept's own token sequence, and that sequence's
    length, for models whose text has positions. background: takes part in the softmax, is not
    shown. split: the text of every token that the encoder made of the concept, used or not; "" for
    one without letters of its own. choice: which of them are used, one of core.tokens.CHOICES.
    """

    label: str
    embeddings: Tensor
    indices: tuple[int, ...]
    length: int
    background: bool = False
    split: tuple[str, ...] = ()
    choice: str = ""


@dataclass(frozen=True)
class Concepts:
    """Concepts of one text encoder ("t5xxl", "qwen3_4b", "mistral3_24b", ...), shown ones first.

    of_prompt: they are the words of the prompt, whose own tokens are read: `indices` are then rows
    of the prompt's conditioning, and `length` is their number.
    """

    items: tuple[Concept, ...]
    encoder: str
    of_prompt: bool = False

    @property
    def tokens(self) -> Tensor:
        """The tokens of the concept stream: [T, width]."""
        return torch.cat([concept.embeddings for concept in self.items])

    @property
    def places(self) -> tuple[tuple[int, int], ...]:
        """For every token of the stream, its index in its own sequence and that one's length."""
        return tuple((index, each.length) for each in self.items for index in each.indices)

    @property
    def counts(self) -> tuple[int, ...]:
        """For every concept, how many of the stream's tokens are its own."""
        return tuple(len(concept.indices) for concept in self.items)

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of all concepts, the background's included."""
        return tuple(concept.label for concept in self.items)

    @property
    def background(self) -> tuple[bool, ...]:
        """For every concept, whether it is background."""
        return tuple(concept.background for concept in self.items)


@dataclass(frozen=True, eq=False)
class Scored:
    """Scores [..., C, N] and the lengths of the concept vectors [..., C], both float32."""

    scores: Tensor
    norms: Tensor


@dataclass(frozen=True, eq=False)
class Capture:
    """What one sampling run recorded.

    scores: [B, S, L, C, N] float32, raw dot products. norms: [B, S, L, C] float32, length of every
    concept vector. grid: image tokens as (frames, rows, columns), N = their product. picture: the
    picture's (height, width) in pixels. spans: frames of the video behind each of the grid's
    frames, 1 for a picture. steps: the S recorded steps, of total_steps. layers: the L
    entries, each the layers averaged in it (normally one), of total_layers. sigmas: [S] noise
    levels. splits, choices: `split` and `choice` of every concept; none where that was not kept.
    seed: the sampler's; None where that was not kept.
    spaces: the baselines captured beside it, by their names in core.spaces, shaped as scores and
    norms.
    """

    scores: Tensor
    norms: Tensor
    grid: tuple[int, int, int]
    picture: tuple[int, int]
    steps: tuple[int, ...]
    layers: tuple[tuple[int, ...], ...]
    sigmas: tuple[float, ...]
    total_steps: int
    total_layers: int
    labels: tuple[str, ...]
    background: tuple[bool, ...]
    family: str
    spans: tuple[int, ...] = (1,)
    splits: tuple[tuple[str, ...], ...] = ()
    choices: tuple[str, ...] = ()
    seed: int | None = None
    spaces: Mapping[str, Scored] = field(default_factory=dict)

    @property
    def shown(self) -> tuple[int, ...]:
        """Places of the concepts that are not background."""
        return tuple(place for place, hidden in enumerate(self.background) if not hidden)

    @property
    def nbytes(self) -> int:
        """Bytes of all scores and norms."""
        parts = [self.scores, self.norms]
        for space in self.spaces.values():
            parts += [space.scores, space.norms]
        return sum(part.nbytes for part in parts)


@dataclass(frozen=True, eq=False)
class Heatmaps:
    """Decoded maps of the shown concepts.

    values: [C, B, F, H, W] float32 in 0..1. value_range: the (low, high) that 0 and 1 stand for in
    softmax units; (0.0, 1.0) when the values are the softmax itself; one pair for each concept when
    each was stretched on its own. background: [B, F, H, W], the largest share that any background
    concept has, in softmax units; None where there was none.
    """

    values: Tensor
    labels: tuple[str, ...]
    value_range: tuple[tuple[float, float], ...]
    background: Tensor | None = None

    @property
    def shares(self) -> Tensor:
        """The values in softmax units, whatever they were stretched to: [C, B, F, H, W]."""
        if self.value_range == ((0.0, 1.0),):
            return self.values
        low, high = self.values.new_tensor(self.value_range).T[..., None, None, None, None]
        return self.values * (high - low) + low
