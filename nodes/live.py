"""Live maps: the maps as they form, in the preview of the node that samples."""

import types
from collections.abc import Callable
from typing import Any

import latent_preview
import numpy as np
import torch
from comfy.utils import ProgressBar
from PIL import Image
from torch import Tensor

from ..core.errors import ConceptAttentionError
from ..core.live import Throttle, chosen, draw
from ..core.run import CaptureRun
from ..core.types import Capture, Concepts
from ._host import io

OFF = "off"
MODES = (OFF, "segments", "concept")
INTERVAL = 1 / 3  # seconds from one preview to the next, at least

_KEY = "concept_attention.live"
_FORMAT = "JPEG"  # the host's own choice for previews

Preview = tuple[str, Image.Image, int]  # as the host's progress bar takes it
Callback = Callable[[int, Tensor, Tensor, int], None]


def live_inputs(unit: str = "step") -> list[Any]:
    """Inputs live_maps and live_concept; unit: what a node does between two of its previews."""
    return [
        io.Combo.Input(
            "live_maps",
            options=list(MODES),
            default=OFF,
            optional=True,
            tooltip="Shows the maps in this node's preview while they form, as far as they have "
            f"come with each {unit}: segments paints every place in the hue of the strongest "
            "concept there, concept lays the map of live_concept over the picture. The result "
            "stays the same, bit for bit; off costs nothing.",
        ),
        io.String.Input(
            "live_concept",
            default="",
            optional=True,
            advanced=True,
            placeholder="the first concept",
            tooltip="The concept that live_maps shows when it is set to concept, as it is written "
            "in the Concept Encoder. Empty: the first one.",
        ),
    ]


class Live:
    """The previews of one run of a node, not too many of them. concept: None for segments."""

    def __init__(self, latent_format: Any, concept: str | None) -> None:
        self._concept = concept
        self._throttle = Throttle(INTERVAL)
        self._factors: Any = None
        if latent_format.latent_rgb_factors is not None:
            self._factors = latent_preview.Latent2RGBPreviewer(
                latent_format.latent_rgb_factors,
                latent_format.latent_rgb_factors_bias,
                latent_format.latent_rgb_factors_reshape,
            )

    def due(self, last: bool) -> bool:
        """Whether it is time for a preview."""
        return self._throttle.due(last)

    def preview(self, capture: Capture | None, picture: Tensor | None) -> Preview | None:
        """A preview for the host's progress bar; None when there is nothing to show yet."""
        drawn = draw(capture, picture, self._concept, latent_preview.MAX_PREVIEW_RESOLUTION)
        if drawn is None:
            return None
        image = Image.fromarray((drawn.clamp(0, 1) * 255).round().byte().numpy())
        return _FORMAT, image, max(image.size)

    def picture(self, latents: Tensor, previewer: Any = None) -> Tensor | None:
        """Latents of the model as a small picture [H, W, 3] in 0..1, by the host's own means.

        previewer: the user's choice, which other packs may have replaced by one that makes no
        picture; without one the latent format's colours will do. None for a model without any.
        """
        for each in (previewer, self._factors):
            made = None if each is None else each.decode_latent_to_preview(latents)
            if isinstance(made, Image.Image):
                return torch.from_numpy(np.array(made.convert("RGB"))).float() / 255
        return None


def live_of(patcher: Any, concepts: Concepts, live_maps: str, live_concept: str) -> Live | None:
    """What the inputs ask for; raises ConceptAttentionError for what is not there to be shown."""
    if live_maps not in MODES:
        raise ConceptAttentionError(f"live_maps: '{live_maps}' is not one of {', '.join(MODES)}")
    if live_maps == OFF:
        return None
    concept = None
    if live_maps == "concept":
        concept = chosen(live_concept, concepts.labels, concepts.background)
    return Live(patcher.get_model_object("latent_format"), concept)


def show_live(model_options: dict[str, Any], run: CaptureRun, live: Live | None) -> None:
    """Let the samplings with these options show what the run has recorded; None: as before."""
    if live is None:
        return

    def outer_sample(
        executor: Any,
        noise: Tensor,
        latent_image: Tensor,
        sampler: Any,
        sigmas: Tensor,
        denoise_mask: Tensor | None = None,
        callback: Callback | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        shown = _showing(callback, run, live)
        return executor(noise, latent_image, sampler, sigmas, denoise_mask, shown, *args, **kwargs)

    wrappers = model_options["transformer_options"]["wrappers"]
    # The outermost one is given the host's callback itself, and other packs' run around ours.
    wrappers["outer_sample"] = {_KEY: [outer_sample], **wrappers["outer_sample"]}


class _Previewer(latent_preview.LatentPreviewer):  # type: ignore[misc]  # the host is not typed
    """In the place of the host's previewer: its picture with the maps over it, when it is due."""

    def __init__(self, run: CaptureRun, live: Live, inner: Any) -> None:
        self.due = False
        self._run = run
        self._live = live
        self._inner = inner

    def decode_latent_to_preview_image(self, preview_format: str, x0: Tensor) -> Preview | None:
        """The preview; None for none this time, which leaves the last one where it is."""
        if not self.due:
            return None
        return self._live.preview(self._run.so_far(), self._live.picture(x0, self._inner))


def _showing(callback: Callback | None, run: CaptureRun, live: Live) -> Callback:
    """A callback that shows the maps and does all that the given one does."""
    cells = _hosts_cells(callback)
    inner = cells["previewer"].cell_contents if cells else None
    previewer = _Previewer(run, live, inner)
    if cells:
        step_done = _with(callback, {**cells, "previewer": types.CellType(previewer)})
    else:
        step_done = _followed(callback, previewer)

    def shown(step: int, x0: Tensor, x: Tensor, total_steps: int) -> None:
        previewer.due = live.due(last=step + 1 >= total_steps)
        step_done(step, x0, x, total_steps)

    return shown


def _hosts_cells(callback: Any) -> dict[str, Any]:
    """What the host's own callback closes over, by name; nothing for anyone else's callback."""
    made_by = (getattr(callback, "__module__", ""), getattr(callback, "__qualname__", ""))
    if made_by != ("latent_preview", "prepare_callback.<locals>.callback"):
        return {}
    cells = dict(zip(callback.__code__.co_freevars, callback.__closure__ or (), strict=True))
    return cells if "previewer" in cells else {}


def _with(callback: Any, cells: dict[str, Any]) -> Callback:
    """The same function over other variables.

    The host's callback draws its preview, keeps the estimate and moves the progress bar in one. To
    draw a second preview after it would make the two flicker; so a copy of it is called that has
    our previewer for the host's. The callback itself, and everything global, stay as they are.
    """
    code = callback.__code__
    closure = tuple(cells[name] for name in code.co_freevars)
    return types.FunctionType(
        code, callback.__globals__, callback.__name__, callback.__defaults__, closure
    )


def _followed(callback: Callback | None, previewer: _Previewer) -> Callback:
    """A callback of another pack's making, and then our preview on the same node."""
    bar = ProgressBar(1)

    def followed(step: int, x0: Tensor, x: Tensor, total_steps: int) -> None:
        if callback is not None:
            callback(step, x0, x, total_steps)
        preview = previewer.decode_latent_to_preview_image(_FORMAT, x0)
        if preview is not None:
            bar.update_absolute(step + 1, total_steps, preview)

    return followed
