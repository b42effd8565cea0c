"""Attention Capture from Image: a picture that exists, noised, and one partial forward."""

from collections.abc import Iterable, Sequence
from typing import Any

import comfy.model_management
from comfy.utils import ProgressBar
from torch import Tensor

from ..core.pictures import Gathered, parts
from ..core.spaces import NONE, chosen_baselines
from ..core.types import Capture, Concepts
from ._host import io
from .capture import make_run
from .live import OFF, Live, live_inputs, live_of
from .once import PositiveGuider, evaluate_once, is_indivisible, of_part, sigma_at
from .settings import baseline_inputs
from .sources import Source, source_of
from .types import CaptureType, ConceptsType


class AttentionCaptureImage(io.ComfyNode):
    """Captures from pictures that exist."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """The node's face."""
        return io.Schema(
            node_id="ConceptAttentionImage",
            display_name="Attention Capture from Image",
            category="Concept Attention",
            description="Records where a model sees each concept in a picture that already exists: "
            "noise is added, and the model looks once, only as deep as is recorded.",
            search_aliases=[
                "heatmap",
                "attention map",
                "DAAM",
                "saliency",
                "segmentation",
                "zero-shot segmentation",
                "encode image",
                "existing picture",
                "interpretability",
                "concept attention",
            ],
            inputs=[
                *_asked(),
                *_noise(),
                *_sources(),
                *_kept(),
                *live_inputs("sample"),
                *baseline_inputs(),
            ],
            outputs=[
                CaptureType.Output(
                    display_name="capture",
                    tooltip="What the model saw of every concept, as a single step, for Heatmap "
                    "Decode.",
                )
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(
        cls,
        model: Any,
        conditioning: Any,
        concepts: Concepts,
        noise_level: float,
        samples: int,
        seed: int,
        image: Tensor | None = None,
        latent: dict[str, Any] | None = None,
        vae: Any = None,
        capture_layers: str = "auto",
        memory_mb: int = 64,
        live_maps: str = OFF,
        live_concept: str = "",
        baselines: str = NONE,
    ) -> io.NodeOutput:
        """Capture every picture of the batch."""
        source = source_of(model, image, latent, vae)
        choice = (capture_layers, memory_mb)
        live = live_of(model, concepts, live_maps, live_concept)
        asked = (noise_level, samples, seed, *choice, cls.hidden, live)
        spaces = chosen_baselines(baselines)
        capture = capture_pictures(model, source, conditioning, concepts, *asked, baselines=spaces)
        return io.NodeOutput(capture)


def capture_pictures(
    model: Any,
    source: Source,
    conditioning: Any,
    concepts: Concepts,
    fraction: float = 0.5,
    draws: int = 1,
    seed: int = 0,
    layers: str = "auto",
    memory_mb: int = 64,
    hidden: Any = None,
    live: Live | None = None,
    baselines: Sequence[str] = (),
    **options: Any,
) -> Capture:
    """One capture of all pictures of a source; the n-th draw's noise has the seed `seed + n`.

    fraction: of the model's schedule, 0 to 1; 1 is pure noise. live: shows the maps so far.
    baselines: of core.spaces.
    options: of core.run.CaptureRun, by name. Raises ConceptAttentionError for what cannot be
    captured, before a picture is encoded.
    """
    sigma = sigma_at(model, fraction)
    asked = (model, concepts, layers, "all", memory_mb, hidden)
    whole = make_run(*asked, baselines=baselines)
    positive = PositiveGuider(model, conditioning).positive
    whole.begin(source.shape, [sigma, 0.0], positive)
    progress = ProgressBar(source.count * draws)
    gathered = Gathered(source.count, draws)
    for items in _parts(source.count, whole.tokens, conditioning):
        comfy.model_management.throw_exception_if_processing_interrupted()
        latents, mask = source.latents(items), source.noise_mask(items)
        part = conditioning if items == slice(0, source.count) else of_part(conditioning, items)
        for draw in range(draws):
            comfy.model_management.throw_exception_if_processing_interrupted()
            run = make_run(*asked, plan=whole.plan, stop=True, baselines=baselines, **options)
            guider = PositiveGuider(model, part)
            evaluate_once(guider, run, latents, mask, sigma, seed + draw)
            gathered.add(items, run.capture())
            done = progress.current + items.stop - items.start
            preview = None
            if live is not None and live.due(last=done == progress.total):
                so_far = gathered.so_far(items.start, draw + 1, source.size)
                preview = live.preview(so_far, _shown(model, source, live, items.start, latents))
            progress.update_absolute(done, preview=preview)
    return gathered.capture(source.size)


def _shown(model: Any, source: Source, live: Live, item: int, latents: Tensor) -> Tensor | None:
    """The picture under the maps: the user's own, else what the host's preview makes of latents."""
    picture = source.picture(item)
    if picture is not None:
        return picture
    return live.picture(model.model.process_latent_in(latents[:1]))


def _parts(count: int, tokens: int, conditioning: Any) -> Iterable[slice]:
    return [slice(0, count)] if is_indivisible(conditioning) else parts(count, tokens)


def _asked() -> list[Any]:
    return [
        io.Model.Input(
            "model",
            tooltip="The model that looks: FLUX, SD3, CogVideoX, Chroma, Qwen-Image, Z-Image, "
            "HunyuanVideo or their kin.",
        ),
        io.Conditioning.Input(
            "conditioning",
            tooltip="A prompt for the picture; an empty one will do. The concepts need not be in "
            "it.",
        ),
        ConceptsType.Input(
            "concepts",
            tooltip="What to look for, from a Concept Encoder with the CLIP of this model.",
        ),
    ]


def _noise() -> list[Any]:
    return [
        io.Float.Input(
            "noise_level",
            default=0.5,
            min=0.0,
            max=1.0,
            step=0.01,
            tooltip="How much noise is added, as a fraction of the model's schedule: 0.5 is its "
            "middle, which the paper found best. 1 leaves nothing of the picture.",
        ),
        io.Int.Input(
            "samples",
            default=1,
            min=1,
            max=1000,
            tooltip="Draws of noise whose scores are averaged; each costs one partial forward. "
            "More make calmer maps.",
        ),
        io.Int.Input(
            "seed",
            default=0,
            min=0,
            max=0xFFFFFFFFFFFFFFFF,
            control_after_generate=True,
            tooltip="The random seed of the noise, which is the same for every picture; further "
            "samples take the seeds that follow.",
        ),
    ]


def _sources() -> list[Any]:
    return [
        io.Image.Input(
            "image",
            optional=True,
            tooltip="The pictures, at their own size: they are never stretched. For a video model "
            "a batch is the frames of one video. Needs vae; connect this or latent.",
        ),
        io.Latent.Input(
            "latent",
            optional=True,
            tooltip="The pictures as latents of this model, instead of image.",
        ),
        io.Vae.Input(
            "vae", optional=True, tooltip="The model's VAE, to encode image; a latent needs none."
        ),
    ]


def _kept() -> list[Any]:
    return [
        io.String.Input(
            "capture_layers",
            default="auto",
            optional=True,
            tooltip="Double blocks to record: auto or all for every one, 15-18, 0,5,9. What comes "
            "behind the deepest of them is not computed: 0-9 of FLUX.1 takes half the time of all.",
        ),
        io.Int.Input(
            "memory_mb",
            default=64,
            min=1,
            max=65536,
            optional=True,
            advanced=True,
            tooltip="Most memory the scores of all pictures may take, in MB, on the device that "
            "runs the model. Above it layers are averaged; the node says so before it starts.",
        ),
    ]
