"""Gathers the scores of a run: evaluations of a step, then steps, in one buffer made beforehand."""

import functools
import threading
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from .attention import score
from .plan import Plan


class Evaluation:
    """Scores of one model evaluation, averaged over its positive conditionings.

    groups: layers that are averaged into one, as in `Plan.layers`. A group takes the memory of one
    layer.
    """

    def __init__(self, sigma: float, groups: Sequence[Sequence[int]]) -> None:
        self.sigma = sigma
        self._sizes = [len(group) for group in groups]
        self._group = {layer: i for i, group in enumerate(groups) for layer in group}
        self._scores: dict[int, Tensor] = {}
        self._norms: dict[int, Tensor] = {}
        self._counts = dict.fromkeys(self._group, 0)
        self._lock = threading.Lock()  # the host may run its conditionings on several devices

    def add(self, layer: int, batch: int, concept_out: Tensor, image_out: Tensor) -> None:
        """Score one layer. Rows are whole conditionings of `batch` items each, which are averaged.

        concept_out: [rows, C, D] float32; image_out: [rows, N, D].
        """
        scores = score(concept_out, image_out).unflatten(0, (-1, batch))
        norms = torch.linalg.vector_norm(concept_out, dim=-1).unflatten(0, (-1, batch))
        group = self._group[layer]
        with self._lock:
            self._counts[layer] += scores.shape[0]
            if group in self._scores:
                device = self._scores[group].device
                self._scores[group] += _total(scores).to(device)
                self._norms[group] += _total(norms).to(device)
            else:
                self._scores[group], self._norms[group] = _total(scores), _total(norms)

    @property
    def seen(self) -> tuple[int, ...]:
        """Layers scored."""
        return tuple(sorted(layer for layer, count in self._counts.items() if count))

    @property
    def complete(self) -> bool:
        """Whether every layer was scored, for the same number of conditionings."""
        counts = set(self._counts.values())
        return len(counts) == 1 and 0 not in counts

    def mean(self, group: int) -> tuple[Tensor, Tensor]:
        """Scores [B, C, N] and norms [B, C] of a group, averaged over layers and conditionings."""
        conditionings = next(iter(self._counts.values()))
        share = 1.0 / (conditionings * self._sizes[group])
        return self._scores[group] * share, self._norms[group] * share


def _total(parts: Iterable[Tensor]) -> Tensor:
    """Sum of tensors of one shape; of a single one, as in most runs, without any work."""
    return functools.reduce(torch.add, parts)


class Recorder:
    """The run's buffer: scores [B, S, L, C, N] and norms [B, S, L, C], filled step by step."""

    def __init__(self, plan: Plan, batch: int, concepts: int, tokens: int) -> None:
        self.plan = plan
        self._shape = (batch, len(plan.steps), len(plan.layers), concepts, tokens)
        self._scores: Tensor | None = None
        self._norms: Tensor | None = None
        self._evaluations = dict.fromkeys(plan.steps, 0)

    def commit(self, step: int, evaluation: Evaluation) -> None:
        """Add a complete evaluation to its step; several in one step are averaged."""
        if step not in self._evaluations:
            return
        done = self._evaluations[step]
        for i in range(len(self.plan.layers)):
            scores, norms = evaluation.mean(i)
            if self._scores is None or self._norms is None:
                self._scores = scores.new_empty(self._shape)
                self._norms = scores.new_empty(self._shape[:-1])
            place = (slice(None), self.plan.steps.index(step), i)
            for buffer, value in ((self._scores, scores), (self._norms, norms)):
                buffer[place] = value if done == 0 else (buffer[place] * done + value) / (done + 1)
        self._evaluations[step] = done + 1

    @property
    def steps(self) -> tuple[int, ...]:
        """Planned steps that were recorded."""
        return tuple(step for step, count in self._evaluations.items() if count)

    def so_far(self, tokens: int) -> tuple[Tensor, Tensor]:
        """Copies of the recorded steps' scores and norms for the first item and tokens."""
        if self._scores is None or self._norms is None:
            raise RuntimeError("nothing was recorded")
        kept = [self.plan.steps.index(step) for step in self.steps]
        # Slice by slice: indices in a list would have to be copied to the device.
        scores = torch.stack([self._scores[:1, i, ..., :tokens] for i in kept], dim=1)
        return scores, torch.stack([self._norms[:1, i] for i in kept], dim=1)

    def result(self) -> tuple[Tensor, Tensor]:
        """Scores and norms of the recorded steps."""
        if self._scores is None or self._norms is None:
            raise RuntimeError("nothing was recorded")
        if len(self.steps) == len(self.plan.steps):
            return self._scores, self._norms
        kept = [self.plan.steps.index(step) for step in self.steps]
        return self._scores[:, kept], self._norms[:, kept]
