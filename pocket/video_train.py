"""The training of the pocket video model: `make pocket ARGS="--model video"`.

As `train`, with clips in place of pictures and CogVideoX's objective in place of rectified flow:
the velocity of a variance-preserving diffusion, on the host's schedule.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import lru_cache, partial

import torch
from torch import Tensor

from . import checkpoint, video_decoder, video_latents
from .book import Batch, Book
from .clip_book import ClipBook
from .train import Pocket, Training, noise_levels
from .video_latents import Latents

PURE = 0.05  # share of the clips with nothing but noise, where sampling starts


@lru_cache(maxsize=1)
def schedule() -> Tensor:
    """The host's noise levels of CogVideoX, sigma of each of 1000 timesteps."""
    from comfy.model_sampling import ModelSamplingDiscrete
    from comfy.supported_models import CogVideoX_T2V

    config = argparse.Namespace(sampling_settings=CogVideoX_T2V.sampling_settings)
    return ModelSamplingDiscrete(config).sigmas


def losses(model: Pocket, batch: Batch, strength: float, half: bool) -> tuple[Tensor, Tensor]:
    """Loss of the velocity and of the looks (right words look at the video, wrong ones do not).

    strength: how much more a thing weighs than a ground. Texts with wrong words have no part in the
    first.
    """
    device = model.alone.device
    clean, noise = batch.latents, torch.randn_like(batch.latents)
    shares = noise_levels(batch.true)  # of the noise in signal + noise, as rectified flow has it
    sigmas = shares / (1 - shares).clamp_min(1e-4)
    times = (sigmas.log()[:, None] - schedule().log()).abs().argmin(1)
    times[batch.true & (torch.rand(len(times)) < PURE)] = len(schedule()) - 1
    # A quarter of the tokens shows the whole video with half the noise in its average: with this
    # much less noise, a time means the same video at both resolutions.
    sigmas = (schedule()[times] / (2 if half else 1)).view(-1, 1, 1, 1, 1)
    signal = (sigmas.square() + 1).rsqrt()
    noisy = signal * (clean + sigmas * noise)
    velocity = signal * (noise - sigmas * clean)
    names = None if batch.names is None else batch.names.to(device)
    context = model.context(batch.rows.to(device), names)
    out, looks = model(noisy.to(device), times.to(device).float(), context, 2.0 if half else 1.0)
    weight = batch.true.view(-1, 1, 1, 1, 1) * (1 + strength * batch.things[:, None])
    weight = (weight / model.flow_scale).expand_as(clean).to(device)
    flow = (weight * (out.float() - velocity.to(device)).square()).sum() / weight.sum()
    verdicts = batch.verdicts.to(device)
    judged = (verdicts >= 0) & (shares.to(device) < 0.9)[:, None]
    look = looks.float()[:, judged].clamp(1e-4, 1 - 1e-4)
    right = verdicts[judged].float().expand_as(look)
    return flow, -(right * look.log() + (1 - right) * (1 - look).log()).mean()


class VideoTraining(Training):
    """The training of the video model; its file has its own VAE."""

    scenes, batches = 34_000, (32, 12)
    latents = ("inner", "outer", "mean")
    objective = "velocity on CogVideoX's schedule"

    def latent_tensors(self) -> tuple[Tensor, ...]:
        """What defines the latents: fitted anew, or the pack's own."""
        if self.new_vae:
            return video_latents.fit(range(10**8, 10**8 + 200)).parts
        return checkpoint.stored_video_vae()[0].parts

    @property
    def projected(self) -> Latents:
        """How frames become latents."""
        return Latents(self.inner, self.outer, self.mean)

    def strengths(self) -> Tensor:
        """How much of the pixels is in a channel of the latents: [16, 1, 1, 1]."""
        return self.projected.projection.norm(dim=1).view(-1, 1, 1, 1)

    def losses(self, batch: Batch, strength: float, half: bool) -> tuple[Tensor, Tensor]:
        """Losses of the two tasks."""
        return losses(self.model, batch, strength, half)

    def book(self, report: Callable[[str], None], workers: int) -> Book:
        """The clips."""
        return ClipBook(range(self.scenes), self.projected, report, workers)

    def vae(self, minutes: float) -> dict[str, Tensor]:
        """The VAE as it is stored, its decoder trained for so many minutes where it is new."""
        if self.new_vae:
            path, say = self.path.with_name("decoder.pt"), partial(print, flush=True)
            decoder = video_decoder.train(path, self.projected, minutes, self.device, say)
        else:
            decoder = checkpoint.stored_video_vae()[1]
        return checkpoint.shrink_vae(decoder, self.projected.tensors)
