"""One evaluation of a model on noised latents, by the host's own way of sampling."""

from typing import Any

import comfy.sample
import comfy.samplers
import comfy.utils
import torch
from torch import Tensor

from ..core.run import CaptureRun
from .capture import attach_to_guider

# What a conditioning may hold for each picture of a batch.
_OF_PICTURES = ("pooled_output", "concat_latent_image", "concat_mask", "reference_latents")


class PositiveGuider(comfy.samplers.CFGGuider):
    """The positive prompt alone: no guidance, and none of the passes that packs add to it."""

    def __init__(self, patcher: Any, conditioning: Any) -> None:
        super().__init__(patcher)
        self.inner_set_conds({"positive": conditioning})

    @property
    def positive(self) -> Any:
        """The prompts in the host's own form."""
        return self.original_conds["positive"]

    def predict_noise(
        self,
        x: Tensor,
        timestep: Tensor,
        model_options: dict[str, Any] | None = None,
        seed: int | None = None,
    ) -> Tensor:
        """The prompts' mean prediction."""
        conds = [self.conds["positive"]]
        (out,) = comfy.samplers.calc_cond_batch(
            self.inner_model, conds, x, timestep, model_options or {}
        )
        return out


def sigma_at(patcher: Any, fraction: float) -> float:
    """The sigma at a fraction of the model's schedule: 1 is its noisiest, 0 its least noisy one."""
    schedule = patcher.get_model_object("model_sampling")
    sigma = float(schedule.percent_to_sigma(1.0 - fraction))
    return min(max(sigma, float(schedule.sigma_min)), float(schedule.sigma_max))


def evaluate_once(
    guider: PositiveGuider,
    run: CaptureRun,
    latents: Tensor,
    mask: Tensor | None,
    sigma: float,
    seed: int,
) -> None:
    """Let the run see one forward on latents with noise. Every latent of a batch gets the same."""
    noise = comfy.sample.prepare_noise(latents[:1], seed % 2**64)
    attach_to_guider(guider, run).sample(
        comfy.utils.repeat_to_batch_size(noise, latents.shape[0]),
        latents,
        comfy.samplers.KSAMPLER(_once),
        torch.tensor([sigma, 0.0]),
        denoise_mask=mask,
        disable_pbar=True,
        seed=seed % 2**64,
    )


def of_part(conditioning: Any, items: slice) -> Any:
    """The conditioning of some pictures of a batch, dealt out as the host does to all of them."""
    dealt = []
    for cross, rest in conditioning:
        own = {key: _rows(rest[key], items) for key in _OF_PICTURES if key in rest}
        dealt.append([_rows(cross, items), {**rest, **own}])
    return dealt


def is_indivisible(conditioning: Any) -> bool:
    """Whether a ControlNet has a hint for each picture, which only the host can deal out."""
    controls = [rest.get("control") for _, rest in conditioning]
    while controls := [control for control in controls if control is not None]:
        hints = [control.cond_hint_original for control in controls]
        if any(hint is not None and hint.shape[0] > 1 for hint in hints):
            return True
        controls = [control.previous_controlnet for control in controls]
    return False


def _rows(value: Any, items: slice) -> Any:
    if isinstance(value, list):
        return [_rows(each, items) for each in value]
    if not isinstance(value, Tensor) or value.shape[0] == 1:
        return value
    return value[torch.arange(items.start, items.stop) % value.shape[0]]


def _once(model: Any, x: Tensor, sigmas: Tensor, extra_args: Any, **kwargs: Any) -> Tensor:
    model(x, sigmas[0].expand(x.shape[0]), **extra_args)
    return x
