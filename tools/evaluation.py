"""The paper's protocol on single pictures, with any model that the host has loaded."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from evaluation_data import IGNORED, Picture
from segment_figures import multi, paper_blur, single

SINGLE, MULTI = "single", "multi"
REST = "background"  # the class of pixels that belong to none
# Side that label maps are compared at, as in the paper's code.
SIDE = {SINGLE: 224, MULTI: 64}
_PAPER_LAYERS = {19: "14-17"}  # FLUX.1's, by the number of its layers; others': the pack's own


@dataclass(frozen=True)
class Settings:
    """draws: of noise; their maps are averaged. noise: of the model's schedule, 0 to 1. blur: 3 x 3
    on the token grid. background: concepts beside the picture's own. tokens, layers: as in the
    nodes, layers "paper" is the paper's. size: side that pictures are stretched to; halved: by way
    of half of it, as the paper's code does. seed: of the first draw.
    """

    draws: int = 1
    noise: float = 0.5
    blur: bool = False
    background: tuple[str, ...] = ("background",)
    tokens: str = "auto"
    layers: str = "auto"
    size: int = 1024
    halved: bool = False
    seed: int = 4


PRESETS = {
    "pack": Settings(),
    # Step 2 of 4 is half of the schedule.
    "paper": Settings(
        draws=5,
        blur=True,
        background=("background", "floor", "tree", "person", "grass", "face"),
        tokens="first",
        layers="paper",
        halved=True,
    ),
}


class Evaluation:
    """A loaded model, and the figures of single pictures."""

    def __init__(self, model: Any, clip: Any, vae: Any, settings: Settings) -> None:
        from concept_attention.core.families import family_of

        transformer = model.get_model_object("diffusion_model")
        total = len(family_of(transformer).blocks(transformer))
        layers = settings.layers
        if layers == "paper":
            layers = _PAPER_LAYERS.get(total, "auto")
        self.settings = replace(settings, layers=layers)
        self._model, self._clip, self._vae = model, clip, vae
        self._encoded: dict[str, Any] = {}

    def row(self, picture: Picture, task: str) -> dict[str, Any]:
        """Figures of one picture, see `segment_figures`."""
        labels = list(picture.names)
        shown = [picture.names[label] for label in labels]
        maps = self._maps(picture.picture, shown)
        squares = _squeezed(picture.labels, SIDE[task])
        counted = squares != IGNORED
        grid = tuple(maps.shape[1:])
        total = in_tokens(counted, grid)
        own = torch.stack([in_tokens(squares == label, grid) for label in labels])
        heat = maps.flatten(1)
        if task == SINGLE:
            return single(heat[0], own[0], total)
        behind = heat[len(shown) :]
        rest = behind.amax(0) if len(behind) else heat.new_full(heat.shape[1:], -torch.inf)
        heat = torch.cat((heat[: len(shown)], rest[None]))
        own = torch.cat((own, in_tokens(squares == 0, grid)[None]))
        found = multi(heat, own, total, range(len(shown)))
        return found | {"classes": [*shown, REST]}

    def _maps(self, picture: Image.Image, shown: Sequence[str]) -> Tensor:
        """Maps [C, H, W] of all concepts, the background's last, on the token grid."""
        from concept_attention.core.decode import shares
        from concept_attention.nodes.image import capture_pictures
        from concept_attention.nodes.sources import source_of

        settings = self.settings
        values = torch.from_numpy(np.array(stretched(picture, settings))).float() / 255
        encoded = source_of(self._model, values[None], None, self._vae).latents(slice(0, 1))
        source = source_of(self._model, None, {"samples": encoded}, None)
        prompt = ",".join(f"a {name}" for name in shown)
        conditioning = self._clip.encode_from_tokens_scheduled(self._clip.tokenize(prompt))
        asked = (self._model, source, conditioning, self._concepts(shown), settings.noise, 1)
        total: Any = 0
        for draw in range(settings.draws):
            seed = settings.seed + draw
            capture = capture_pictures(*asked, seed, settings.layers, memory_mb=1024)
            total = total + shares(capture, settings.layers)[0].cpu()
        maps = (total / settings.draws).unflatten(-1, capture.grid[1:])
        return paper_blur(maps) if settings.blur else maps

    def _concepts(self, shown: Sequence[str]) -> Any:
        """A background concept that the picture has is not background there."""
        from concept_attention.core.types import Concepts
        from concept_attention.nodes.encode import encode_concepts

        known = {name.casefold() for name in shown}
        behind = [name for name in self.settings.background if name.casefold() not in known]
        parts = []
        for text in (*shown, *behind):
            if text not in self._encoded:
                own = encode_concepts(self._clip, [text], [], self.settings.tokens)
                self._encoded[text] = own
            parts.append(self._encoded[text])
        items = [replace(part.items[0], background=i >= len(shown)) for i, part in enumerate(parts)]
        return Concepts(tuple(items), parts[0].encoder)


def stretched(picture: Image.Image, settings: Settings) -> Image.Image:
    """The picture as a square of the settings' size."""
    size = settings.size
    if not settings.halved:
        return picture.resize((size, size), Image.Resampling.BICUBIC)
    half = picture.resize((size // 2, size // 2), Image.Resampling.BICUBIC)
    return half.resize((size, size), Image.Resampling.NEAREST)


def in_tokens(mask: np.ndarray, grid: tuple[int, ...]) -> Tensor:
    """Pixels of a mask [H, W] in each token of a grid, [N]: those that the nearest neighbour takes
    from it when the grid is stretched over the mask.
    """
    rows, columns = (
        np.arange(length) * count // length for length, count in zip(mask.shape, grid, strict=True)
    )
    places = rows[:, None] * grid[1] + columns
    counts = np.bincount(places[mask], minlength=grid[0] * grid[1])
    return torch.from_numpy(counts).float()


def _squeezed(labels: np.ndarray, side: int) -> np.ndarray:
    small = Image.fromarray(labels).resize((side, side), Image.Resampling.NEAREST)
    return np.asarray(small)
