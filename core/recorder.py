"""Gathers the scores of a run: evaluations of a step, then steps, in one buffer made beforehand."""

import functools
import threading
from collections.abc import Iterable

import torch
from torch import Tensor

from .attention import score
from .plan import Plan


class Evaluation:
    """Scores of one model evaluation, averaged over its positive conditionings."""

    def __init__(self, sigma: float) -> None:
        self.sigma = sigma
        self._scores: dict[int, Tensor] = {}
        self._norms: dict[int, Tensor] = {}
        self._counts: dict[int, int] = {}
        self._lock = threading.Lock()  # the host may run its conditionings on several devices

    def add(self, layer: int, batch: int, concept_out: Tensor, image_out: Tensor) -> None:
        """Score one layer. Rows are whole conditionings of `batch` items each, which are averaged.

        concept_out: [rows, C, D] float32; image_out: [rows, N, D].
        """
        scores = score(concept_out, image_out).unflatten(0, (-1, batch))
        norms = torch.linalg.vector_norm(concept_out, dim=-1).unflatten(0, (-1, batch))
        with self._lock:
            if layer in self._scores:
                device = self._scores[layer].device
                self._scores[layer] += _total(scores).to(device)
                self._norms[layer] += _total(norms).to(device)
                self._counts[layer] += scores.shape[0]
            else:
                self._scores[layer], self._norms[layer] = _total(scores), _total(norms)
                self._counts[layer] = scores.shape[0]

    @property
    def seen(self) -> tuple[int, ...]:
        """Layers scored."""
        return tuple(sorted(self._counts))

    def complete(self, plan: Plan) -> bool:
        """Whether every planned layer was scored, for the same number of conditionings."""
        counts = {self._counts.get(layer, 0) for layer in plan.flat_layers}
        return len(counts) == 1 and 0 not in counts

    def mean(self, layers: tuple[int, ...]) -> tuple[Tensor, Tensor]:
        """Scores [B, C, N] and norms [B, C], averaged over layers and conditionings."""
        share = 1.0 / (self._counts[layers[0]] * len(layers))
        scores = _total(self._scores[layer] for layer in layers)
        norms = _total(self._norms[layer] for layer in layers)
        return scores * share, norms * share


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
        for i, group in enumerate(self.plan.layers):
            scores, norms = evaluation.mean(group)
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

    def result(self) -> tuple[Tensor, Tensor]:
        """Scores and norms of the recorded steps."""
        if self._scores is None or self._norms is None:
            raise RuntimeError("nothing was recorded")
        if len(self.steps) == len(self.plan.steps):
            return self._scores, self._norms
        kept = [self.plan.steps.index(step) for step in self.steps]
        return self._scores[:, kept], self._norms[:, kept]
