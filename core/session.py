"""Captures for any sampler: a fresh run for every sampling with an attached model."""

from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager
from typing import Any

from torch import Tensor

from .errors import ConceptAttentionError
from .fingerprint import fingerprints
from .history import History
from .run import CaptureRun
from .types import Capture


class CaptureSession:
    """The host's outer_sample wrapper of an attached model; it keeps what was captured.

    start: a run whose other wrappers are in place for one sampling of a guider. origin: what is
    sampling now. finished: the latent that the host makes of the model's last estimate.
    """

    def __init__(
        self,
        history: History,
        start: Callable[[Any], AbstractContextManager[CaptureRun]],
        origin: Callable[[], Hashable],
        finished: Callable[[Any, Tensor], Tensor],
    ) -> None:
        self._history = history
        self._start = start
        self._origin = origin
        self._finished = finished

    def outer_sample(
        self,
        executor: Any,
        noise: Tensor,
        latent_image: Tensor,
        sampler: Any,
        sigmas: Tensor,
        denoise_mask: Tensor | None = None,
        callback: Callable[..., None] | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        """Sample with a run of its own; raises ConceptAttentionError before, for bad input.

        A run that ends early leaves nothing. One that ends and could not be captured is noted with
        the reason: the picture is made, and only who asks for its capture needs to know.
        """
        estimates: dict[str, Tensor] = {}

        def reported(step: int, *report: Any) -> None:
            estimates.update(last=report[0])
            if callback is not None:
                callback(step, *report)

        inputs = (noise, latent_image, sampler, sigmas, denoise_mask, reported, *args)
        guider = executor.class_obj
        with self._start(guider) as run:
            out = run.outer_sample(executor, *inputs, **kwargs)
        results = fingerprints(out)
        last = estimates.get("last")
        if last is not None and last.shape == out.shape:
            results |= fingerprints(self._finished(guider, last))
        self._history.add(self._origin(), results, *_outcome(run))
        return out


def _outcome(run: CaptureRun) -> tuple[Capture | None, str]:
    """A run's capture, or why there is none."""
    try:
        return run.capture(), ""
    except ConceptAttentionError as error:
        return None, str(error)
