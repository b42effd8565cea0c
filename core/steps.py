"""Which sampler step a model evaluation belongs to.

Samplers call the model once or several times a step and report a step after its first evaluation.
An evaluation right after the report of step i is therefore either a further evaluation of step i
(Heun, DPM++ 2S) or the first of step i + 1; only the next report tells. So an evaluation is held as
pending until then, and `candidates` errs on the side of recording.
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
        # Evaluations between the last two reports; nothing is known before the second one.
        self._usual: float = math.inf
        # Some samplers choose noise levels of their own and report a step when it is over.
        self._adaptive = False

    def evaluation(self, pending: float | None) -> int | None:
        """Note a new evaluation; returns the step of the one still pending, given its sigma, if
        there is one.
        """
        self._since_report += 1
        if self._since_report == 1 or pending is None:
            return None
        # A second evaluation without a report between: the one before it began no step.
        return self.last(pending)

    def candidates(self, sigma: float) -> set[int]:
        """Steps that the evaluation just noted, at noise level sigma, may belong to."""
        if self._reported < 0 or self._adaptive:
            return {self._place(sigma)}
        later = min(self._reported + 1, self.total - 1)
        levels = self._sigmas[self._reported], self._sigmas[later]
        if _close(sigma, levels[0]) and not _close(*levels):
            return {self._reported}
        # Fewer evaluations than usual can precede a report (the last steps of some samplers), more
        # only where the step's own noise level is evaluated again, which was just seen to.
        return {later} if self._since_report >= self._usual else {self._reported, later}

    def report(self, step: int, sigma: float) -> int:
        """Note the sampler's report of a step; returns the step of the pending evaluation."""
        if self._reported >= 0:
            self._usual = self._since_report
        else:
            self._adaptive = self._since_report > 1
        if self._adaptive or step >= self.total:
            step = self._place(sigma)
        self._reported, self._since_report = step, 0
        return step

    def last(self, sigma: float) -> int:
        """Step of an evaluation that no report followed."""
        placed = self._reported < 0 or self._adaptive
        return self._place(sigma) if placed else self._reported

    def _place(self, sigma: float) -> int:
        """The step i whose noise levels bracket sigma: sigmas[i] >= sigma > sigmas[i + 1]."""
        for step, level in enumerate(self._sigmas[: self.total]):
            if _close(level, sigma):
                return step
        rising = [-level for level in self._sigmas[: self.total]]
        return max(0, bisect.bisect_right(rising, -sigma) - 1)


def _close(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=1e-5)
