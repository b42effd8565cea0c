"""What one run has recorded: evaluations, each given to its step, and the capture they make."""

from collections.abc import Sequence
from dataclasses import replace

from torch import Tensor

from .conditionings import NEGATIVE, POSITIVE
from .errors import ConceptAttentionError
from .plan import Plan
from .recorder import Evaluation, Recorder
from .sampled import Sampled
from .steps import StepTracker
from .types import Capture, Concepts

NO_STEP = (
    "capture: no step was sampled (denoise is 0, or sigmas has no step), so no attention was "
    "captured. Sample at least one step, or disconnect concepts."
)


class Recording:
    """The evaluations of one run, of which each counts for a step once it is known which.

    baselines: as in `Recorder`. conditioning: the one that concepts ride on. seed: the sampler's.
    """

    def __init__(
        self,
        sampled: Sampled,
        concepts: Concepts,
        tracker: StepTracker,
        plan: Plan,
        baselines: Sequence[str] = (),
        conditioning: str = POSITIVE,
        seed: int | None = None,
    ) -> None:
        self.sampled = sampled
        self.plan = plan
        # What records the guider's evaluation that goes on; None where none does or is wanted.
        self.evaluation: Evaluation | None = None
        self._concepts = concepts
        self._conditioning = conditioning
        self._seed = seed
        self._tracker = tracker
        sizes = (sampled.batch, len(concepts.items), sampled.tokens)
        self._recorder = Recorder(plan, *sizes, baselines)
        self._pending: Evaluation | None = None
        self._seen_layers: tuple[int, ...] = ()

    def open(self, sigma: float) -> None:
        """Begin an evaluation of the guider at a noise level."""
        step = self._tracker.evaluation(self._pending.sigma if self._pending else None)
        if step is not None:
            self._settle(step)
        wanted = self._tracker.candidates(sigma) & set(self.plan.steps)
        self.evaluation = Evaluation(sigma, self.plan.layers) if wanted else None

    def close(self) -> None:
        """End it; which step it belongs to is still to be seen."""
        self._pending, self.evaluation = self.evaluation, None

    def report(self, step: int) -> None:
        """The sampler's report of a step: settles the evaluation that came before it."""
        if self._pending:
            self._settle(self._tracker.report(step, self._pending.sigma))
        else:
            sigmas = self.sampled.sigmas
            self._tracker.report(step, sigmas[min(step, len(sigmas) - 1)])

    def finish(self) -> None:
        """Settle the last evaluation."""
        if self._pending:
            self._settle(self._tracker.last(self._pending.sigma))

    def capture(self) -> Capture:
        """What was recorded; raises ConceptAttentionError when that is nothing."""
        if not self._recorder.steps:
            raise ConceptAttentionError(self._nothing())
        capture = self._captured(*self._recorder.result(), self.sampled.grid, self.sampled.spans)
        return replace(capture, spaces=self._recorder.baselines())

    def so_far(self) -> Capture | None:
        """What was recorded until now of the first picture, or of a video's first frame.

        A copy, small beside the whole; None before there is anything.
        """
        if not self._recorder.steps:
            return None
        grid = (1, *self.sampled.grid[1:])
        recorded = self._recorder.so_far(grid[1] * grid[2])
        return self._captured(*recorded, grid, self.sampled.spans[:1])

    def _settle(self, step: int) -> None:
        """Give the pending evaluation to a step."""
        evaluation, self._pending = self._pending, None
        if evaluation is None:
            return
        self._seen_layers = evaluation.seen or self._seen_layers
        if evaluation.complete:
            self._recorder.commit(step, evaluation)

    def _captured(
        self, scores: Tensor, norms: Tensor, grid: tuple[int, int, int], spans: tuple[int, ...]
    ) -> Capture:
        sampled, concepts, steps = self.sampled, self._concepts, self._recorder.steps
        return Capture(
            scores=scores,
            norms=norms,
            grid=grid,
            picture=sampled.picture,
            steps=steps,
            layers=self.plan.layers,
            sigmas=tuple(sampled.sigmas[step] for step in steps),
            total_steps=self._tracker.total,
            total_layers=sampled.total_layers,
            labels=concepts.labels,
            background=concepts.background,
            family=sampled.family,
            spans=spans,
            splits=tuple(concept.split for concept in concepts.items),
            choices=tuple(concept.choice for concept in concepts.items),
            seed=self._seed,
        )

    def _nothing(self) -> str:
        idle = ""
        if self._conditioning == NEGATIVE and not self._seen_layers:
            idle = "The negative prompt was never evaluated: guidance was switched off. "
        return (
            "capture: sampling ended and no attention was captured. Expected: the joint attention "
            f"of {self.sampled.family} in layers {list(self.plan.flat_layers)} at steps "
            f"{list(self.plan.steps)}; seen: layers {list(self._seen_layers)}. {idle}"
            "A patch that skips steps or blocks (EasyCache, TeaCache), or replaces the model's "
            "forward (Nunchaku, TensorRT), keeps it from being computed: remove it or choose other "
            "steps and layers."
        )
