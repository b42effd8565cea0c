"""Gathers the scores of a run: evaluations of a step, then steps, in one buffer made beforehand."""

import functools
import threading
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

import torch
from torch import Tensor

from .attention import score
from .plan import Plan
from .spaces import OUTPUT
from .types import Scored


class Evaluation:
    """Scores of one model evaluation, averaged over its positive conditionings.

    groups: layers that are averaged into one, as in `Plan.layers`. A group takes the memory of one
    layer.
    """

    def __init__(self, sigma: float, groups: Sequence[Sequence[int]]) -> None:
        self.sigma = sigma
        self._sizes = [len(group) for group in groups]
        self._group = {layer: i for i, group in enumerate(groups) for layer in group}
        self._scores: dict[tuple[int, str], Tensor] = {}
        self._norms: dict[tuple[int, str], Tensor] = {}
        self._counts = dict.fromkeys(self._group, 0)
        self._lock = threading.Lock()  # the host may run its conditionings on several devices

    def add(
        self,
        layer: int,
        batch: int,
        concept_out: Tensor,
        image_out: Tensor,
        baselines: Mapping[str, Scored] = MappingProxyType({}),
    ) -> None:
        """Score one layer. Rows are whole conditionings of `batch` items each, which are averaged.

        concept_out: [rows, C, D] float32; image_out: [rows, N, D]. baselines: the layer in other
        spaces, scores [rows, C, N] and norms [rows, C].
        """
        norms = torch.linalg.vector_norm(concept_out, dim=-1)
        spaces = {OUTPUT: Scored(score(concept_out, image_out), norms), **baselines}
        with self._lock:
            self._counts[layer] += concept_out.shape[0] // batch
            for space, found in spaces.items():
                key = (self._group[layer], space)
                _add(self._scores, key, found.scores.unflatten(0, (-1, batch)))
                _add(self._norms, key, found.norms.unflatten(0, (-1, batch)))

    @property
    def seen(self) -> tuple[int, ...]:
        """Layers scored."""
        return tuple(sorted(layer for layer, count in self._counts.items() if count))

    @property
    def complete(self) -> bool:
        """Whether every layer was scored, for the same number of conditionings."""
        counts = set(self._counts.values())
        return len(counts) == 1 and 0 not in counts

    def mean(self, group: int, space: str = OUTPUT) -> tuple[Tensor, Tensor]:
        """Scores [B, C, N] and norms [B, C] of a group, averaged over layers and conditionings."""
        conditionings = next(iter(self._counts.values()))
        share = 1.0 / (conditionings * self._sizes[group])
        return self._scores[group, space] * share, self._norms[group, space] * share


def _add(sums: dict[tuple[int, str], Tensor], key: tuple[int, str], parts: Tensor) -> None:
    if key in sums:
        # Not in place: a single part is the caller's own tensor.
        sums[key] = sums[key] + _total(parts).to(sums[key].device)
    else:
        sums[key] = _total(parts)


def _total(parts: Iterable[Tensor]) -> Tensor:
    """Sum of tensors of one shape; of a single one, as in most runs, without any work."""
    return functools.reduce(torch.add, parts)


class Recorder:
    """The run's buffers: scores [B, S, L, C, N] and norms [B, S, L, C], filled step by step.

    baselines: the spaces beside the output's, which have buffers of their own.
    """

    def __init__(
        self,
        plan: Plan,
        batch: int,
        concepts: int,
        tokens: int,
        baselines: Sequence[str] = (),
    ) -> None:
        self.plan = plan
        self._shape = (batch, len(plan.steps), len(plan.layers), concepts, tokens)
        self._baselines = tuple(baselines)
        self._buffers: dict[str, Scored] = {}
        self._evaluations = dict.fromkeys(plan.steps, 0)

    def commit(self, step: int, evaluation: Evaluation) -> None:
        """Add a complete evaluation to its step; several in one step are averaged."""
        if step not in self._evaluations:
            return
        done = self._evaluations[step]
        for space in (OUTPUT, *self._baselines):
            for i in range(len(self.plan.layers)):
                found = evaluation.mean(i, space)
                buffers = self._space(space, found[0])
                place = (slice(None), self.plan.steps.index(step), i)
                for buffer, value in zip((buffers.scores, buffers.norms), found, strict=True):
                    if done:
                        value = (buffer[place] * done + value) / (done + 1)
                    buffer[place] = value
        self._evaluations[step] = done + 1

    @property
    def steps(self) -> tuple[int, ...]:
        """Planned steps that were recorded."""
        return tuple(step for step, count in self._evaluations.items() if count)

    def so_far(self, tokens: int) -> tuple[Tensor, Tensor]:
        """Copies of the recorded steps' scores and norms for the first item and tokens."""
        recorded = self._recorded(OUTPUT)
        kept = [self.plan.steps.index(step) for step in self.steps]
        # Slice by slice: indices in a list would have to be copied to the device.
        scores = torch.stack([recorded.scores[:1, i, ..., :tokens] for i in kept], dim=1)
        return scores, torch.stack([recorded.norms[:1, i] for i in kept], dim=1)

    def result(self) -> tuple[Tensor, Tensor]:
        """Scores and norms of the recorded steps."""
        found = self._kept(OUTPUT)
        return found.scores, found.norms

    def baselines(self) -> dict[str, Scored]:
        """The recorded steps in every other space."""
        return {space: self._kept(space) for space in self._baselines}

    def _space(self, space: str, like: Tensor) -> Scored:
        if space not in self._buffers:
            shapes = (self._shape, self._shape[:-1])
            self._buffers[space] = Scored(*(like.new_empty(shape) for shape in shapes))
        return self._buffers[space]

    def _recorded(self, space: str) -> Scored:
        if space not in self._buffers:
            raise RuntimeError("nothing was recorded")
        return self._buffers[space]

    def _kept(self, space: str) -> Scored:
        found = self._recorded(space)
        if len(self.steps) == len(self.plan.steps):
            return found
        kept = [self.plan.steps.index(step) for step in self.steps]
        return Scored(found.scores[:, kept], found.norms[:, kept])
