"""Runs of a model with capture off and on, as a sampler makes them, without the sampler."""

from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn


def forward(model: nn.Module, given: SimpleNamespace, options: dict[str, Any]) -> Tensor:
    """One evaluation of the host's model."""
    return model(given.x, given.t, given.context, transformer_options=dict(options), **given.extra)


def plain(model: nn.Module, given: SimpleNamespace, steps: int) -> Tensor:
    """`steps` evaluations without capture; the last one's output."""
    for _ in range(steps):
        out = forward(model, given, {})
    return out


def captured(
    model: nn.Module, given: SimpleNamespace, concepts: Any, steps: int
) -> tuple[Tensor, Any]:
    """`steps` evaluations with capture, from its start to its end: the last output and the capture.

    All steps and layers, by the wrappers that the sampler nodes attach.
    """
    from concept_attention.core.run import CaptureRun

    run = CaptureRun(model, concepts, budget=2**40)
    sigmas = [1 - step / steps for step in range(steps + 1)]
    run.begin(given.x.shape, sigmas, [{"uuid": "positive"}])
    wrappers = {"diffusion_model": {"bench": [run.evaluate]}}
    options = {"wrappers": wrappers, "uuids": ["positive"]}
    for step in range(steps):
        # The noise level is read, which a meta tensor does not allow.
        device = "cpu" if given.x.is_meta else given.x.device
        sigma = torch.full((1,), sigmas[step], device=device)
        out = run.predict_noise(lambda x, t: forward(model, given, options), given.x, sigma)
        run.report(step)
    return out, run.capture()
