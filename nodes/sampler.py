"""The two capture samplers: the host's own samplers, with a capture beside the latent."""

from typing import Any

import comfy.samplers
import nodes as host_nodes
from comfy_execution.graph_utils import ExecutionBlocker

from ..core.conditionings import POSITIVE
from ..core.spaces import NONE, chosen_baselines
from ..core.types import Concepts
from ._host import io
from .capture import attach_to_guider, attach_to_model, make_run
from .live import OFF, live_inputs, live_of, show_live
from .settings import (
    ALIASES,
    CAPTURE_OUTPUT,
    baseline_inputs,
    capture_settings,
    conditioning_input,
)
from .types import CaptureType, ConceptsType

_CATEGORY = "Concept Attention"


def _capture_inputs() -> list[Any]:
    return [
        ConceptsType.Input(
            "concepts",
            optional=True,
            tooltip="What to look for, from a Concept Encoder with the CLIP of this model. Without "
            "it this is a plain sampler, and nodes behind the capture output are skipped.",
        ),
        *capture_settings(),
        *live_inputs(),
        *baseline_inputs(),
        conditioning_input(),
    ]


class AttentionCaptureSampler(io.ComfyNode):
    """KSampler with a capture output."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ConceptAttentionSampler",
            display_name="Attention Capture Sampler",
            category=_CATEGORY,
            description="KSampler that also records where each concept lives in the model. The "
            "picture is the one that KSampler makes, bit for bit.",
            search_aliases=ALIASES,
            inputs=[
                io.Model.Input(
                    "model",
                    tooltip="The model to sample with: FLUX, SD3, CogVideoX, Chroma, Qwen-Image, "
                    "Z-Image, HunyuanVideo or their kin.",
                ),
                io.Int.Input(
                    "seed",
                    default=0,
                    min=0,
                    max=0xFFFFFFFFFFFFFFFF,
                    control_after_generate=True,
                    tooltip="The random seed of the noise.",
                ),
                io.Int.Input(
                    "steps", default=20, min=1, max=10000, tooltip="Number of sampling steps."
                ),
                io.Float.Input(
                    "cfg",
                    default=8.0,
                    min=0.0,
                    max=100.0,
                    step=0.1,
                    round=0.01,
                    tooltip="Classifier-free guidance. 1.0 for guidance-distilled models such as "
                    "FLUX.1; above 1.0 every step costs twice as much.",
                ),
                io.Combo.Input(
                    "sampler_name",
                    options=comfy.samplers.KSampler.SAMPLERS,
                    tooltip="The sampling algorithm.",
                ),
                io.Combo.Input(
                    "scheduler",
                    options=comfy.samplers.KSampler.SCHEDULERS,
                    tooltip="How the noise level falls from step to step.",
                ),
                io.Conditioning.Input(
                    "positive", tooltip="What should be in the picture. Maps are read here."
                ),
                io.Conditioning.Input(
                    "negative",
                    tooltip="What should not be in the picture. Maps are read here "
                    "only where conditioning says so.",
                ),
                io.Latent.Input("latent_image", tooltip="The latent to denoise."),
                io.Float.Input(
                    "denoise",
                    default=1.0,
                    min=0.0,
                    max=1.0,
                    step=0.01,
                    tooltip="Share of the schedule to run; below 1.0 the latent's picture shows "
                    "through.",
                ),
                *_capture_inputs(),
            ],
            outputs=[
                io.Latent.Output(tooltip="The denoised latent, the same as KSampler's."),
                CaptureType.Output(**CAPTURE_OUTPUT),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(
        cls,
        model: Any,
        seed: int,
        steps: int,
        cfg: float,
        sampler_name: str,
        scheduler: str,
        positive: Any,
        negative: Any,
        latent_image: dict[str, Any],
        denoise: float,
        concepts: Concepts | None = None,
        capture_layers: str = "auto",
        capture_steps: str = "all",
        memory_mb: int = 64,
        live_maps: str = OFF,
        live_concept: str = "",
        baselines: str = NONE,
        conditioning: str = POSITIVE,
    ) -> io.NodeOutput:
        rest = (seed, steps, cfg, sampler_name, scheduler, positive, negative, latent_image)
        sampler = host_nodes.NODE_CLASS_MAPPINGS["KSampler"]()
        if concepts is None:
            (latent,) = sampler.sample(model, *rest, denoise=denoise)
            return io.NodeOutput(latent, ExecutionBlocker(None))
        asked = (concepts, capture_layers, capture_steps, memory_mb, cls.hidden)
        options = {"baselines": chosen_baselines(baselines), "conditioning": conditioning}
        run = make_run(model, *asked, **options)
        captured = attach_to_model(model, run)
        show_live(captured.model_options, run, live_of(model, concepts, live_maps, live_concept))
        (latent,) = sampler.sample(captured, *rest, denoise=denoise)
        return io.NodeOutput(latent, run.capture())


class AttentionCaptureSamplerCustom(io.ComfyNode):
    """SamplerCustomAdvanced with a capture output."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ConceptAttentionSamplerCustom",
            display_name="Attention Capture Sampler (Custom)",
            category=_CATEGORY,
            description="SamplerCustomAdvanced that also records where each concept lives in the "
            "model. The picture is the one that SamplerCustomAdvanced makes, bit for bit.",
            search_aliases=[*ALIASES, "sampler custom advanced", "guider"],
            inputs=[
                io.Noise.Input("noise", tooltip="The noise, from Random Noise for instance."),
                io.Guider.Input(
                    "guider",
                    tooltip="Model and prompts: a Basic, CFG, Dual CFG, Dual Model or Perp-Neg "
                    "guider. Maps are read from its positive prompt, unless conditioning says "
                    "negative.",
                ),
                io.Sampler.Input("sampler", tooltip="The sampling algorithm."),
                io.Sigmas.Input("sigmas", tooltip="The noise levels, one step between each two."),
                io.Latent.Input("latent_image", tooltip="The latent to denoise."),
                *_capture_inputs(),
            ],
            outputs=[
                io.Latent.Output(display_name="output", tooltip="The latent after the last step."),
                io.Latent.Output(
                    display_name="denoised_output",
                    tooltip="The model's estimate of the finished latent at the last step.",
                ),
                CaptureType.Output(**CAPTURE_OUTPUT),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(
        cls,
        noise: Any,
        guider: Any,
        sampler: Any,
        sigmas: Any,
        latent_image: dict[str, Any],
        concepts: Concepts | None = None,
        capture_layers: str = "auto",
        capture_steps: str = "all",
        memory_mb: int = 64,
        live_maps: str = OFF,
        live_concept: str = "",
        baselines: str = NONE,
        conditioning: str = POSITIVE,
    ) -> io.NodeOutput:
        host = host_nodes.NODE_CLASS_MAPPINGS["SamplerCustomAdvanced"]
        if concepts is None:
            latents = host.execute(noise, guider, sampler, sigmas, latent_image).result
            return io.NodeOutput(*latents, ExecutionBlocker(None))
        patcher = guider.model_patcher
        asked = (concepts, capture_layers, capture_steps, memory_mb, cls.hidden)
        options = {"baselines": chosen_baselines(baselines), "conditioning": conditioning}
        run = make_run(patcher, *asked, **options)
        captured = attach_to_guider(guider, run)
        show_live(captured.model_options, run, live_of(patcher, concepts, live_maps, live_concept))
        latents = host.execute(noise, captured, sampler, sigmas, latent_image).result
        return io.NodeOutput(*latents, run.capture())
