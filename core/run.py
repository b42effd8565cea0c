"""One capture: three wrappers around the host's sampling, and the capture that they leave.

outer_sample plans and finishes, predict_noise marks the passes of a step, evaluate runs the concept
stream beside one forward of the model. The host calls them in turn with an executor of what lies
further in (its own code, or another pack's wrapper).
"""

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from numbers import Integral
from typing import Any

import torch
from torch import Tensor, nn

from .attach import reading
from .concept_checks import check_concepts
from .conditionings import NEGATIVE, POSITIVE, prompts_of, uuids_of
from .errors import ConceptAttentionError
from .families import Call, family_of
from .frames import spans
from .plan import Plan, make_plan, row_bytes
from .recorder import Evaluation, Recorder
from .spaces import Seen, scored
from .steps import StepTracker
from .stream import Finished, Observer, StreamReader
from .types import Capture, Concepts
from .words import check_prompts


class CaptureRun:
    """Records the concept scores of one sampling run; use once.

    model: the host's diffusion model. layers, steps: the user's choice, see core.plan. budget:
    bytes. pixels: side of a latent pixel in the picture. compression: frames of a video behind each
    latent frame but the first, which is one frame. notify: called with sentences for the
    user. observe: sees every pair of vectors that is scored (layer, [rows, C, D], [rows, N,
    D]). plan: decided beforehand, for a batch that this run sees a part of; it takes the place of
    layers, steps and budget. stop: each forward ends at the last layer that is read, and its output
    is zero. name: what the host calls the model, for errors. baselines: spaces that are recorded
    beside the output's, of core.spaces.BASELINES. conditioning: the one that concepts ride on, of
    core.conditionings.CONDITIONINGS. Raises ConceptAttentionError for an unsupported model or
    foreign concepts.
    """

    def __init__(
        self,
        model: nn.Module,
        concepts: Concepts,
        layers: str = "auto",
        steps: str = "all",
        budget: int = 64 * 2**20,
        pixels: int = 8,
        compression: int = 1,
        notify: Callable[[str], None] = lambda note: None,
        observe: Observer = lambda layer, concept_out, image_out: None,
        plan: Plan | None = None,
        stop: bool = False,
        name: str = "",
        baselines: Sequence[str] = (),
        conditioning: str = POSITIVE,
    ) -> None:
        self._family = family_of(model, name)
        check_concepts(self._family, model, concepts)
        self._concepts = concepts
        self._total_layers = len(self._family.blocks(model))
        self._model = model
        self._choice = (layers, steps)
        self._budget = budget
        self._pixels = pixels
        self._compression = compression
        self._notify = notify
        self._observe = observe
        self._decided = plan
        self._stop = stop
        self._baselines = tuple(baselines)
        self._conditioning = conditioning
        # A bad layer choice is an error here already, before anything is loaded.
        make_plan(layers, "all", self._total_layers, 1, 1, self._total_layers)
        self._recorder: Recorder | None = None
        self._pending: Evaluation | None = None
        self._evaluation: Evaluation | None = None
        self._passed: set[Any] = set()
        self._seen_layers: tuple[int, ...] = ()
        self._seed: int | None = None

    @property
    def wrappers(self) -> dict[str, Callable[..., Any]]:
        """The host's wrapper type -> function."""
        found: dict[str, Callable[..., Any]] = {
            "outer_sample": self.outer_sample,
            "predict_noise": self.predict_noise,
            self._family.seam: self.evaluate,
        }
        return {**found, "apply_model": self.until_read} if self._stop else found

    def outer_sample(
        self,
        executor: Any,
        noise: Tensor,
        latent_image: Tensor,
        sampler: Any,
        sigmas: Tensor,
        denoise_mask: Tensor | None = None,
        callback: Callable[..., None] | None = None,
        disable_pbar: bool = False,
        seed: int | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        """Plan, sample, and settle the last evaluation."""
        # A noise of another pack may have any seed; only a number can be noted.
        self._seed = int(seed) if isinstance(seed, Integral) else None
        prompts = prompts_of(executor.class_obj, self._conditioning, sampler)
        self.begin(noise.shape, sigmas.tolist(), prompts)

        def reported(step: int, *report_args: Any) -> None:
            self.report(step)
            if callback is not None:
                callback(step, *report_args)

        given = (noise, latent_image, sampler, sigmas, denoise_mask, reported)
        out = executor(*given, disable_pbar, seed, *args, **kwargs)
        self._finish()
        return out

    def begin(
        self,
        shape: Sequence[int],
        sigmas: Sequence[float],
        prompts: Sequence[dict[str, Any]],
    ) -> None:
        """Plan for a latent of this shape, a noise schedule and the prompts to ride on."""
        self._uuids = uuids_of(prompts, self._conditioning)
        if self._concepts.of_prompt:
            check_prompts(self._concepts, prompts, self._conditioning)
        self._grid = self._family.grid(self._model, shape)
        self._tokens = self._grid[0] * self._grid[1] * self._grid[2]
        self._picture = (shape[-2] * self._pixels, shape[-1] * self._pixels)
        latents = shape[2] if len(shape) == 5 else 1
        compression = self._compression if self._family.video else 1
        self._spans = spans(latents, self._grid[0], compression)
        self._batch = shape[0]
        self._sigmas = tuple(float(sigma) for sigma in sigmas)
        self._tracker = StepTracker(self._sigmas)
        count = len(self._concepts.items)
        plan = self._decided or self._make_plan(count)
        self._recorder = Recorder(plan, self._batch, count, self._tokens, self._baselines)

    def predict_noise(
        self, executor: Any, x: Tensor, timestep: Tensor, *args: Any, **kwargs: Any
    ) -> Any:
        """Mark one evaluation of the guider: of its passes, only each prompt's first counts."""
        sigma = float(timestep.flatten()[0])
        step = self._tracker.evaluation(self._pending.sigma if self._pending else None)
        if step is not None:
            self._settle(step)
        self._passed = set()
        wanted = self._tracker.candidates(sigma) & set(self.plan.steps)
        self._evaluation = Evaluation(sigma, self.plan.layers) if wanted else None
        try:
            return executor(x, timestep, *args, **kwargs)
        finally:
            self._pending, self._evaluation = self._evaluation, None

    def evaluate(
        self, executor: Any, x: Tensor, timestep: Tensor, *args: Any, **kwargs: Any
    ) -> Any:
        """Run the host's forward with the concept stream beside it, if this pass is to be read.

        What the forward takes beyond a latent and a time differs from model to model; its own
        signature says where the options are among it.
        """
        if self._evaluation is None:
            return executor(x, timestep, *args, **kwargs)
        bound = inspect.signature(executor.original).bind(x, timestep, *args, **kwargs)
        options = bound.arguments.get("transformer_options") or {}
        rows = self._prompt_rows(x, options)
        if not rows:
            return executor(x, timestep, *args, **kwargs)
        call = Call(x, timestep, bound.arguments.get("guidance"))
        holder = executor.class_obj
        model = getattr(holder, "diffusion_model", holder)
        last = max(self.plan.flat_layers)
        blocks = self._family.blocks(model)[: last + 1]
        reader = self._reader(model, call, rows)

        def image(given: Mapping[str, Any]) -> slice:
            return self._family.image(model, given, self.tokens)

        with reading(self._family.attachment, options, blocks, image, reader) as watched:
            bound.arguments["transformer_options"] = watched
            return executor(*bound.args, **bound.kwargs)

    def until_read(self, executor: Any, x: Tensor, *args: Any, **kwargs: Any) -> Any:
        """Around the model that holds the diffusion model: a forward that was ended gives zeros.

        Only here an output has the latent's shape: inpainting models take more than they give.
        """
        inner = self._family.seam == "apply_model"
        call = functools.partial(self.evaluate, executor) if inner else executor
        try:
            return call(x, *args, **kwargs)
        except Finished:
            return torch.zeros_like(x)

    def capture(self) -> Capture:
        """What was recorded; raises ConceptAttentionError when that is nothing."""
        recorder = self._recorder
        if recorder is None or not recorder.steps:
            raise ConceptAttentionError(self._nothing())
        missing = [step for step in self.plan.steps if step not in recorder.steps]
        if missing:
            self._notify(f"Steps {missing} were not computed by the model and have no maps.")
        capture = self._captured(recorder, *recorder.result(), self._grid, self._spans)
        return replace(capture, spaces=recorder.baselines())

    def so_far(self) -> Capture | None:
        """What was recorded until now of the first picture, or of a video's first frame.

        A copy, small beside the whole; None before there is anything.
        """
        recorder = self._recorder
        if recorder is None or not recorder.steps:
            return None
        grid = (1, *self._grid[1:])
        recorded = recorder.so_far(grid[1] * grid[2])
        return self._captured(recorder, *recorded, grid, self._spans[:1])

    @property
    def plan(self) -> Plan:
        """What is recorded, once the run has begun."""
        if self._recorder is None:
            raise RuntimeError("the run has not begun")
        return self._recorder.plan

    @property
    def tokens(self) -> int:
        """Image tokens of a picture or video, once the run has begun."""
        return self._tokens

    def _captured(
        self,
        recorder: Recorder,
        scores: Tensor,
        norms: Tensor,
        grid: tuple[int, int, int],
        spans: tuple[int, ...],
    ) -> Capture:
        return Capture(
            scores=scores,
            norms=norms,
            grid=grid,
            picture=self._picture,
            steps=recorder.steps,
            layers=self.plan.layers,
            sigmas=tuple(self._sigmas[step] for step in recorder.steps),
            total_steps=self._tracker.total,
            total_layers=self._total_layers,
            labels=self._concepts.labels,
            background=self._concepts.background,
            family=self._family.name,
            spans=spans,
            splits=tuple(concept.split for concept in self._concepts.items),
            choices=tuple(concept.choice for concept in self._concepts.items),
            seed=self._seed,
        )

    def _make_plan(self, concepts: int) -> Plan:
        size = row_bytes(self._batch, concepts, self._tokens, 1 + len(self._baselines))
        total = (self._total_layers, self._tracker.total)
        plan = make_plan(*self._choice, *total, size, self._budget)
        if plan.note:
            self._notify(plan.note)
        return plan

    def _prompt_rows(self, x: Tensor, options: dict[str, Any]) -> tuple[slice, ...]:
        """Rows of x that belong to the prompts in their first pass, neighbours joined."""
        uuids = options.get("uuids", [])
        batch = x.shape[0] // max(1, len(uuids))
        rows: list[slice] = []
        for chunk, uuid in enumerate(uuids):
            if uuid not in self._uuids or uuid in self._passed:
                continue
            self._passed.add(uuid)
            start = chunk * batch
            if rows and rows[-1].stop == start:
                rows[-1] = slice(rows[-1].start, start + batch)
            else:
                rows.append(slice(start, start + batch))
        return tuple(rows)

    def _reader(self, model: nn.Module, call: Call, rows: tuple[slice, ...]) -> StreamReader:
        """What reads a forward along."""
        planned = set(self.plan.flat_layers)
        evaluation = self._evaluation
        if evaluation is None:
            raise RuntimeError("no evaluation is open")

        def sink(layer: int, concept_out: Tensor, image_out: Tensor, seen: Seen) -> None:
            if layer in planned:
                others = scored(seen, self._baselines)
                evaluation.add(layer, self._batch, concept_out, image_out, others)
                self._observe(layer, concept_out, image_out)

        given = (self._family, model, call, self._concepts, rows)
        return StreamReader(*given, self._tokens, max(planned), sink, self._stop)

    def report(self, step: int) -> None:
        """The sampler's report of a step: settles the evaluation that came before it."""
        if self._pending:
            self._settle(self._tracker.report(step, self._pending.sigma))
        else:
            self._tracker.report(step, self._sigmas[min(step, len(self._sigmas) - 1)])

    def _settle(self, step: int) -> None:
        """Give the pending evaluation to a step."""
        evaluation, self._pending = self._pending, None
        if evaluation is None:
            return
        self._seen_layers = evaluation.seen or self._seen_layers
        if self._recorder is not None and evaluation.complete:
            self._recorder.commit(step, evaluation)

    def _finish(self) -> None:
        if self._pending:
            self._settle(self._tracker.last(self._pending.sigma))

    def _nothing(self) -> str:
        if self._recorder is None:
            return (
                "capture: no step was sampled (denoise is 0, or sigmas has no step), so no "
                "attention was captured. Sample at least one step, or disconnect concepts."
            )
        idle = ""
        if self._conditioning == NEGATIVE and not self._seen_layers:
            idle = "The negative prompt was never evaluated: guidance was switched off. "
        return (
            "capture: sampling ended and no attention was captured. Expected: the joint attention "
            f"of {self._family.name} in layers {list(self.plan.flat_layers)} at steps "
            f"{list(self.plan.steps)}; seen: layers {list(self._seen_layers)}. {idle}"
            "A patch that skips steps or blocks (EasyCache, TeaCache), or replaces the model's "
            "forward (Nunchaku, TensorRT), keeps it from being computed: remove it or choose other "
            "steps and layers."
        )
