"""Which sampler step a model evaluation belongs to.

Samplers call the model once or several times a step and report a step after its first evaluation.
An evaluation right after the report of step i is therefore either a further evaluation of step i
(Heun, DPM++ 2S) or the first of step i + 1; only the next report tells. So an evaluation is held as
pending until then, and `wanted` errs on the side of recording.
"""

import bisect
import math
from collections.abc import Iterable


class StepTracker:
    """Assigns evaluations to the steps 0 .. total - 1 of total + 1 descending noise levels."""

    def __init__(self, sigmas: Iterable[float]) -> None:
        self._sigmas = [float(sigma) for sigma in sigmas]
        self.total = max(1, len(self._sigmas) - 1)
        self._reported = -1
        self._since_report = 0
        self._one_per_step: bool | None = None

    def evaluation(self, *pending_sigma: float) -> tuple[int, ...]:
        """Note a new evaluation; returns the step of the one still pending, given its sigma."""
        self._since_report += 1
        if self._since_report == 1:
            return ()
        # A second evaluation without a report between: the sampler evaluates several times a step.
        self._one_per_step = False
        return tuple(self.last(sigma) for sigma in pending_sigma)

    def candidates(self) -> set[int]:
        """Steps that the evaluation just noted may belong to."""
        later = min(self._reported + 1, self.total - 1)
        if self._reported < 0 or self._one_per_step:
            return {later}
        return {self._reported, later}

    def report(self, step: int, sigma: float) -> int:
        """Note the sampler's report of a step; returns the step of the pending evaluation."""
        if self._since_report == 1 and self._reported >= 0 and self._one_per_step is None:
            self._one_per_step = True
        # An adaptive sampler counts on beyond the schedule: the noise level places it.
        step = step if step < self.total else self._place(sigma)
        self._reported, self._since_report = step, 0
        return step

    def last(self, sigma: float) -> int:
        """Step of an evaluation still pending when the run ends."""
        return self._reported if self._reported >= 0 else self._place(sigma)

    def _place(self, sigma: float) -> int:
        """The step i whose noise levels bracket sigma: sigmas[i] >= sigma > sigmas[i + 1]."""
        for step, level in enumerate(self._sigmas[: self.total]):
            if math.isclose(level, sigma, rel_tol=1e-5):
                return step
        rising = [-level for level in self._sigmas[: self.total]]
        return max(0, bisect.bisect_right(rising, -sigma) - 1)
