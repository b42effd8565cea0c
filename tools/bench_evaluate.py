"""Runs of a model with capture off and on, as a sampler makes them, without the sampler."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn


def forward(
    model: Callable[..., Tensor], given: SimpleNamespace, options: dict[str, Any]
) -> Tensor:
    """One evaluation of the host's model."""
    inputs = {"context": given.context, "transformer_options": dict(options), **given.extra}
    return model(given.x, given.t, **inputs)


def plain(model: nn.Module, given: SimpleNamespace, steps: int) -> Tensor:
    """`steps` evaluations without capture; the last one's output."""
    for _ in range(steps):
        out = forward(model, given, {})
    return out


def captured(
    model: nn.Module, given: SimpleNamespace, concepts: Any, steps: int, **options: Any
) -> tuple[Tensor, Any]:
    """`steps` evaluations with capture, from its start to its end: the last output and the capture.

    All steps and, unless options say otherwise, all layers, by the wrappers that the nodes attach.
    options: of core.run.CaptureRun; with stop, each evaluation ends at the last layer.
    """
    from comfy.patcher_extension import WrapperExecutor

    from concept_attention.core.run import CaptureRun

    run = CaptureRun(model, concepts, budget=2**40, **options)
    sigmas = [1 - step / steps for step in range(steps + 1)]
    run.begin(given.x.shape, sigmas, [{"uuid": "positive"}])
    uuids: dict[str, Any] = {"uuids": ["positive"]}
    wrappers = [run.wrappers["apply_model"]] if "apply_model" in run.wrappers else []
    if "diffusion_model" in run.wrappers:  # the model itself calls it
        uuids["wrappers"] = {"diffusion_model": {None: [run.wrappers["diffusion_model"]]}}
    wrapped = WrapperExecutor.new_class_executor(model.forward, model, wrappers).execute
    for step in range(steps):
        # The noise level is read, which a meta tensor does not allow.
        device = "cpu" if given.x.is_meta else given.x.device
        sigma = torch.full((1,), sigmas[step], device=device)
        out = run.predict_noise(lambda x, t: forward(wrapped, given, uuids), given.x, sigma)
        run.report(step)
    return out, run.capture()
