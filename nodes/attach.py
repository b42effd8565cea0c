"""Attach Capture: a MODEL whose sampling is captured, whoever samples with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from comfy.patcher_extension import add_wrapper_with_key
from comfy_execution.utils import get_executing_context
from torch import Tensor

from ..core.conditionings import POSITIVE
from ..core.errors import ConceptAttentionError
from ..core.history import BUDGETS, MOST_RUNS, History
from ..core.run import CaptureRun
from ..core.session import CaptureSession
from ..core.spaces import NONE, chosen_baselines
from ..core.types import Concepts
from ._host import io
from .capture import MEGABYTE, capturing, make_run
from .settings import ALIASES, baseline_inputs, capture_settings, conditioning_input
from .types import ConceptsType, HandleType

_KEY = "concept_attention.attach"
_REMEDY = "Or sample with the MODEL that goes into Attach Capture, without a capture."

Origin = tuple[str | None, str | None]  # the host's ids of a queued workflow and of a node in it


@dataclass(frozen=True, eq=False)
class Handle:
    """What an attached MODEL captured, and the id of the node that attached it."""

    history: History
    node: str | None


class AttachCapture(io.ComfyNode):
    """A MODEL that records every sampling with it."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ConceptAttentionAttach",
            display_name="Attach Capture",
            category="Concept Attention",
            description="Records where each concept lives, for samplers of other packs: sample "
            "with the MODEL that comes out, then take the capture with Collect Capture. The "
            "picture is the same, bit for bit. For KSampler and SamplerCustomAdvanced the "
            "Attention Capture Samplers are simpler.",
            search_aliases=[*ALIASES, "any sampler", "other sampler", "hook", "patch model"],
            inputs=[
                io.Model.Input(
                    "model",
                    tooltip="The model to sample with: FLUX, SD3, CogVideoX, Chroma, Qwen-Image, "
                    "Z-Image, HunyuanVideo or their "
                    "kin. LoRAs and other patches may come before or behind this node.",
                ),
                ConceptsType.Input(
                    "concepts",
                    tooltip="What to look for, from a Concept Encoder with the CLIP of this model.",
                ),
                *capture_settings(
                    steps=" Each run begins at 0: percentages fit runs of any length.",
                    memory=" This is for each run: the newest runs are kept for Collect Capture, "
                    f"{MOST_RUNS} at most, within {BUDGETS} times this memory.",
                ),
                *baseline_inputs(),
                conditioning_input(),
            ],
            outputs=[
                io.Model.Output(
                    display_name="MODEL",
                    tooltip="The same model, for the sampler of your choice. Every sampling with "
                    "it is captured.",
                ),
                HandleType.Output(
                    display_name="handle", tooltip="What was captured, for Collect Capture."
                ),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(
        cls,
        model: Any,
        concepts: Concepts,
        capture_layers: str = "auto",
        capture_steps: str = "all",
        memory_mb: int = 64,
        baselines: str = NONE,
        conditioning: str = POSITIVE,
    ) -> io.NodeOutput:
        settings = (concepts, capture_layers, capture_steps, memory_mb, cls.hidden)
        options = {"baselines": chosen_baselines(baselines), "conditioning": conditioning}
        make_run(model, *settings, **options)  # what does not fit is an error here already
        history = History(memory_mb * MEGABYTE)
        session = CaptureSession(
            history, lambda guider: _started(guider, settings, options), current_origin, _finished
        )
        attached = model.clone()
        wrapper = ("outer_sample", _KEY, session.outer_sample, attached.model_options)
        add_wrapper_with_key(*wrapper, is_model_options=True)
        return io.NodeOutput(attached, Handle(history, cls.hidden and cls.hidden.unique_id))


def current_origin() -> Origin:
    """The node that the host runs now; (None, None) in a script."""
    context = get_executing_context()
    return (context.prompt_id, context.node_id) if context else (None, None)


@contextmanager
def _started(
    guider: Any, settings: tuple[Any, ...], options: dict[str, Any]
) -> Iterator[CaptureRun]:
    """A run for the guider's model, which may be a later clone of the attached one."""
    try:
        run = make_run(guider.model_patcher, *settings, **options)
        with capturing(guider, run):
            yield run
    except ConceptAttentionError as error:
        raise ConceptAttentionError(f"{error} {_REMEDY}") from error


def _finished(guider: Any, estimate: Tensor) -> Tensor:
    """As the host's custom samplers make their denoised output."""
    return guider.model_patcher.model.process_latent_out(estimate.cpu())
