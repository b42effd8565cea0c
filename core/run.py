"""One capture: three wrappers around the host's sampling, and the capture that they leave.

outer_sample plans and finishes, predict_noise marks the passes of a step, evaluate runs the concept
stream beside one forward of the model. The host calls them in turn with an executor of what lies
further in (its own code, or another pack's wrapper).
"""

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from numbers import Integral
from typing import Any

import torch
from torch import Tensor, nn

from .attach import reading
from .concept_checks import check_concepts
from .conditionings import POSITIVE, prompt_rows, prompts_of, uuids_of
from .errors import ConceptAttentionError
from .families import Call, family_of
from .plan import Plan, make_plan, row_bytes
from .recording import NO_STEP, Recording
from .sampled import Sampled, sampled_of
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
        self._scale = (pixels, compression)
        self._notify = notify
        self._observe = observe
        self._decided = plan
        self._stop = stop
        self._baselines = tuple(baselines)
        self._conditioning = conditioning
        # A bad layer choice is an error here already, before anything is loaded.
        make_plan(layers, "all", self._total_layers, 1, 1, self._total_layers)
        self._recording: Recording | None = None
        self._passed: set[Any] = set()
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
        self._begun.finish()
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
        sampled = sampled_of(self._family, self._model, shape, sigmas, *self._scale)
        tracker = StepTracker(sampled.sigmas)
        plan = self._decided or self._make_plan(sampled, tracker.total)
        asked = (self._baselines, self._conditioning, self._seed)
        self._recording = Recording(sampled, self._concepts, tracker, plan, *asked)

    def predict_noise(
        self, executor: Any, x: Tensor, timestep: Tensor, *args: Any, **kwargs: Any
    ) -> Any:
        """Mark one evaluation of the guider: of its passes, only each prompt's first counts."""
        recording = self._begun
        recording.open(float(timestep.flatten()[0]))
        self._passed = set()
        try:
            return executor(x, timestep, *args, **kwargs)
        finally:
            recording.close()

    def evaluate(
        self, executor: Any, x: Tensor, timestep: Tensor, *args: Any, **kwargs: Any
    ) -> Any:
        """Run the host's forward with the concept stream beside it, if this pass is to be read.

        What the forward takes beyond a latent and a time differs from model to model; its own
        signature says where the options are among it.
        """
        recording = self._recording
        if recording is None or recording.evaluation is None:
            return executor(x, timestep, *args, **kwargs)
        bound = inspect.signature(executor.original).bind(x, timestep, *args, **kwargs)
        options = bound.arguments.get("transformer_options") or {}
        rows = prompt_rows(x.shape[0], options, self._uuids, self._passed)
        if not rows:
            return executor(x, timestep, *args, **kwargs)
        call = Call(x, timestep, bound.arguments.get("guidance"))
        holder = executor.class_obj
        model = getattr(holder, "diffusion_model", holder)
        last, tokens = max(recording.plan.flat_layers), recording.sampled.tokens
        blocks = self._family.blocks(model)[: last + 1]
        reader = self._reader(model, call, rows)

        def image(given: Mapping[str, Any]) -> slice:
            return self._family.image(model, given, tokens)

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
        if self._recording is None:
            raise ConceptAttentionError(NO_STEP)
        capture = self._recording.capture()
        missing = [step for step in self.plan.steps if step not in capture.steps]
        if missing:
            self._notify(f"Steps {missing} were not computed by the model and have no maps.")
        return capture

    def so_far(self) -> Capture | None:
        """What was recorded until now; see `Recording.so_far`."""
        return None if self._recording is None else self._recording.so_far()

    def report(self, step: int) -> None:
        """The sampler's report of a step; see `Recording.report`."""
        self._begun.report(step)

    @property
    def plan(self) -> Plan:
        """What is recorded, once the run has begun."""
        return self._begun.plan

    @property
    def tokens(self) -> int:
        """Image tokens of a picture or video, once the run has begun."""
        return self._begun.sampled.tokens

    @property
    def _begun(self) -> Recording:
        if self._recording is None:
            raise RuntimeError("the run has not begun")
        return self._recording

    def _make_plan(self, sampled: Sampled, total_steps: int) -> Plan:
        spaces = 1 + len(self._baselines)
        size = row_bytes(sampled.batch, len(self._concepts.items), sampled.tokens, spaces)
        plan = make_plan(*self._choice, self._total_layers, total_steps, size, self._budget)
        if plan.note:
            self._notify(plan.note)
        return plan

    def _reader(self, model: nn.Module, call: Call, rows: tuple[slice, ...]) -> StreamReader:
        """What reads a forward along."""
        planned, batch = set(self.plan.flat_layers), self._begun.sampled.batch
        evaluation = self._begun.evaluation
        if evaluation is None:
            raise RuntimeError("no evaluation is open")

        def sink(layer: int, concept_out: Tensor, image_out: Tensor, seen: Seen) -> None:
            if layer in planned:
                others = scored(seen, self._baselines)
                evaluation.add(layer, batch, concept_out, image_out, others)
                self._observe(layer, concept_out, image_out)

        given = (self._family, model, call, self._concepts, rows)
        return StreamReader(*given, self.tokens, max(planned), sink, self._stop)
