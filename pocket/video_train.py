"""Train the pocket video model: `make pocket ARGS="--model video"`.

As `train`, with clips in place of pictures and CogVideoX's objective in place of rectified flow:
the velocity of a variance-preserving diffusion, on the host's schedule.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import lru_cache

import torch
from torch import Tensor, nn

from . import checkpoint, fast_video, text, video_latents, words
from .book import Batch, Book
from .clip_book import ClipBook
from .train import Training, build_optimisers, noise_levels
from .video_latents import Latents

CLIPS = 16_000
BATCH_HALF, BATCH_FULL = 32, 12
PURE = 0.05  # share of the clips with nothing but noise, where sampling starts
SIZES = {
    "num_attention_heads": 4,
    "attention_head_dim": 64,
    "time_embed_dim": 96,
    "text_embed_dim": text.WIDTH,
    "num_layers": 6,
    "use_rotary_positional_embeddings": True,
}


def build() -> nn.Module:
    """The host's CogVideoX class, freshly initialised: gates and the last layer at zero."""
    import comfy.ops
    from comfy.ldm.cogvideo.model import CogVideoXTransformer3DModel

    model = CogVideoXTransformer3DModel(
        dtype=torch.float32, device="cpu", operations=comfy.ops.disable_weight_init, **SIZES
    )
    for name, weight in model.named_parameters():
        if "norm" in name and name.endswith("weight") and weight.ndim < 2:
            weight.data.fill_(1.0)
        elif weight.ndim < 2 or "norm" in name or name.startswith("proj_out"):
            weight.data.zero_()
        else:
            nn.init.xavier_uniform_(weight.data.flatten(1))
    return model


class PocketVideo(nn.Module):
    """Text encoder and transformer, trained as one."""

    def __init__(self, rows: int):
        super().__init__()
        self.text, self.video = text.build(rows), build()
        alone = [words.rows(name, None)[0] for name in words.NAMES]
        self.register_buffer("alone", torch.tensor(alone), persistent=False)

    def context(self, rows: Tensor, names: Tensor | None) -> Tensor:
        """Text tokens [B, T, width] of prompts, or [B, K, width] of names encoded one by one."""
        if names is None:
            return self.text(rows, None)[0]
        return self.text(self.alone, None)[0][:, 0][names]

    def forward(
        self, latents: Tensor, times: Tensor, context: Tensor, stride: float
    ) -> tuple[Tensor, Tensor]:
        """Velocity of noisy latents [B, 16, T, H, W] at timesteps [B], and the share of each text
        token's attention that goes to the video [layers, B, K].
        """
        return fast_video.forward(self.video, latents, times, context, stride)


@lru_cache(maxsize=1)
def schedule() -> Tensor:
    """The host's noise levels of CogVideoX, sigma of each of 1000 timesteps."""
    from comfy.model_sampling import ModelSamplingDiscrete
    from comfy.supported_models import CogVideoX_T2V

    config = argparse.Namespace(sampling_settings=CogVideoX_T2V.sampling_settings)
    return ModelSamplingDiscrete(config).sigmas


def losses(model: PocketVideo, batch: Batch, strength: float, half: bool) -> tuple[Tensor, Tensor]:
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
    signal, share = (sigmas.square() + 1).rsqrt(), sigmas * (sigmas.square() + 1).rsqrt()
    noisy, velocity = signal * clean + share * noise, signal * noise - share * clean
    names = None if batch.names is None else batch.names.to(device)
    context = model.context(batch.rows.to(device), names)
    out, looks = model(noisy.to(device), times.to(device).float(), context, 2.0 if half else 1.0)
    weight = batch.true.view(-1, 1, 1, 1, 1) * (1 + strength * batch.things[:, None])
    weight = (weight / model.scale).expand_as(clean).to(device)
    flow = (weight * (out.float() - velocity.to(device)).square()).sum() / weight.sum()
    verdicts = batch.verdicts.to(device)
    judged = (verdicts >= 0) & (shares.to(device) < 0.9)[:, None]
    look = looks.float()[:, judged].clamp(1e-4, 1 - 1e-4)
    right = verdicts[judged].float().expand_as(look)
    return flow, -(right * look.log() + (1 - right) * (1 - look).log()).mean()


class VideoTraining(Training):
    """The training of the video model; the text encoder begins as the pocket Flux's."""

    batches = (BATCH_HALF, BATCH_FULL)
    kept = ("average", "latents", "step", "spent", "pictures", "new_vae")

    def __init__(self, arguments: argparse.Namespace):
        self.path = arguments.cache / "video" / "transformer.pt"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.seconds, self.device = arguments.minutes * 60, arguments.device
        self.vocabulary = text.vocabulary()
        torch.manual_seed(0)
        self.model = PocketVideo(len(self.vocabulary))
        encoder = checkpoint.read().text
        encoder["shared.weight"] = encoder["shared.weight"][self.vocabulary]
        self.model.text.load_state_dict(encoder)
        self.model.to(self.device)
        self.average = {k: v.detach().clone() for k, v in self.model.state_dict().items()}
        self.optimisers = build_optimisers(self.model)
        self.step, self.spent, self.pictures = 0, 0.0, 0
        self.latents, self.new_vae = video_latents.fit(range(10**8, 10**8 + 200)).parts, True
        if self.path.exists():
            self.resume()
        strength = Latents(*self.latents).projection.norm(dim=1)
        self.model.scale = strength.view(-1, 1, 1, 1)  # strong channels weigh more than weak ones

    def losses(self, batch: Batch, strength: float, half: bool) -> tuple[Tensor, Tensor]:
        """Losses of the two tasks."""
        return losses(self.model, batch, strength, half)

    def book(self, report: Callable[[str], None], workers: int) -> Book:
        """The clips."""
        return ClipBook(range(CLIPS), Latents(*self.latents), report, workers)
