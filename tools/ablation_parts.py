"""The ablations of the method on one picture, with a pocket model and exact label maps."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from ablation_maps import BOTH, IMAGE, NEITHER, THEMSELVES, Eye, Spaces
from ablation_scenes import MULTI, SINGLE, Scene
from segment_figures import paper_blur
from truth_tokens import CHOICES

PARTS = ("decoding", "background", "tokens", "attention", "noise")
NOISE = 0.5
LEVELS = (0.1, 0.3, 0.7, 0.9)  # beside NOISE
DRAWS = (1, 2, 5)
TEMPERATURES = (0.1, 0.3, 1.0, 3.0, 10.0, 100.0)
SMOOTHINGS = (0.5, 1.0, 2.0)
# For the paper's "background floor tree person grass face": words that the pocket models know.
SEVERAL = ("background", "grass", "sea", "sand", "sky", "night")
# Background concepts: the paper's protocol of one class has a fixed list of several.
LISTS = {"none": (), "default": ("background",), "several": SEVERAL}
BEHIND = {SINGLE: "several", MULTI: "default"}
MASKED = (IMAGE, THEMSELVES, NEITHER)
# (table, row) -> protocol -> maps [C, N] of all its concepts, the background's last.
Maps = dict[tuple[str, str], dict[str, Tensor]]


class Bench:
    """A pocket model, and its ablations on single pictures."""

    def __init__(self, name: str, family: str) -> None:
        from concept_attention.core.defaults import defaults
        from concept_attention.nodes.pocket import LoadPocketModel

        self.eye = Eye(*LoadPocketModel.execute(name).args[:2])
        self.unit_concepts = defaults(family).unit_concepts

    def row(self, seed: int, parts: Sequence[str] = PARTS) -> dict[str, Any]:
        """Figures of one scene: table -> row -> figures of both protocols."""
        look = Look(self.eye, Scene(seed), self.unit_concepts)
        found: dict[str, dict[str, Any]] = {}
        for part in parts:
            for (table, row), maps in getattr(look, part)().items():
                found.setdefault(table, {})[row] = look.scene.judged(maps)
        return {"seed": seed, "tables": found}


class Look:
    """One scene, as a model sees it: each part gives the maps of its tables' rows."""

    def __init__(self, eye: Eye, scene: Scene, unit_concepts: bool) -> None:
        self.scene = scene
        self._eye, self._unit_concepts = eye, unit_concepts
        self._latent = eye.latent(scene.picture)
        self._spaces = Spaces(eye.transformer)

    def decoding(self) -> Maps:
        """All that one capture can be decoded to."""
        found: Maps = {}
        kinds = {name: self._spaces.captures(name, own) for name, own in self._standard.items()}

        def add(table: str, row: str, space: str = "output", **options: Any) -> None:
            found[table, row] = {
                name: self._decoded(spaces[space], **options) for name, spaces in kinds.items()
            }

        for space in kinds[SINGLE]:
            add("space", f"{space}, softmax", space)
            add("space", f"{space}, no softmax", space, softmax=False)
        layers = self._standard[SINGLE].total_layers
        add("layers", "auto")
        for layer in range(layers):
            add("layers", str(layer), layers=str(layer))
        for text in (f"0-{layers // 2 - 1}", f"{layers // 2}-{layers - 1}", f"1-{layers - 1}"):
            add("layers", text, layers=text)
        for temperature in TEMPERATURES:
            add("temperature", f"{temperature:g}", temperature=temperature)
        for order in ("softmax first", "scores first"):
            add("order", order, order=order)
        for unit, row in ((False, "as they are"), (True, "of length 1")):
            add("concept vectors", row, unit_concepts=unit)
        add("smoothing", "0")
        for smoothing in SMOOTHINGS:
            add("smoothing", f"{smoothing:g}", smoothing=smoothing)
        add("smoothing", "3 x 3 of the paper", smoothing="paper")
        return found

    def background(self) -> Maps:
        """Background concepts: none (with several concepts only), the default, several."""
        return self._table("background", LISTS)

    def tokens(self) -> Maps:
        """Which tokens stand for a concept of several: each concept in one of several forms."""
        return self._table("tokens", CHOICES)

    def attention(self) -> Maps:
        """What the concepts attend to."""
        found = {name: self._decoded(capture) for name, capture in self._standard.items()}
        return {("attention", BOTH): found, **self._table("attention", MASKED)}

    def _table(self, table: str, rows: Iterable[str]) -> Maps:
        return {
            (table, row): {
                name: self._decoded(self._first[table, row, name])
                for name in self.scene.shown
                if (table, row, name) in self._first
            }
            for row in rows
        }

    def noise(self) -> Maps:
        """Noise levels, and numbers of draws: one forward for all but the first draw."""
        more, seed = max(DRAWS) - 1, self.scene.seed
        levels = (*(NOISE,) * more, *LEVELS)
        seeds = [*(seed + 10**6 * (1 + i) for i in range(more)), *(seed,) * len(LEVELS)]
        rest = self._captures(levels, seeds)
        found: Maps = {}
        for name, first in self._standard.items():
            # [draws and levels, ...]: the first draw, the other draws, the other levels.
            every = replace(
                first,
                scores=torch.cat((first.scores, rest[name].scores)),
                norms=torch.cat((first.norms, rest[name].norms)),
            )
            maps = self._decode(every)
            for i, level in zip((0, *range(more + 1, len(maps))), (NOISE, *LEVELS), strict=True):
                found.setdefault(("noise", f"{level:g}"), {})[name] = maps[i]
            for count in DRAWS:
                drawn = replace(
                    every,
                    scores=every.scores[:count].mean(0, keepdim=True),
                    norms=every.norms[:count].mean(0, keepdim=True),
                )
                found.setdefault(("draws", f"{count}"), {})[name] = self._decoded(drawn)
            row = ("draws", f"{more + 1}, mean of their softmaxes")
            found.setdefault(row, {})[name] = maps[: more + 1].mean(0)
        return found

    @cached_property
    def _first(self) -> dict[tuple[str, str, str], Any]:
        """(table, row, protocol) -> capture, all beside one forward."""
        asked = {
            ("background", row, name): self._concepts(name, behind)
            for row, behind in LISTS.items()
            for name in self.scene.shown
            if behind or name == MULTI  # a single concept alone is everywhere
        }
        asked |= {
            ("attention", to, name): self._concepts(name, LISTS[BEHIND[name]])
            for to in MASKED
            for name in self.scene.shown
        }
        asked |= {
            ("tokens", choice, MULTI): self._eye.concepts(
                self.scene.phrases, LISTS[BEHIND[MULTI]], choice
            )
            for choice in CHOICES
        }
        observers = {
            ("background", behind, name): self._spaces.observer(name)
            for name, behind in BEHIND.items()
        }
        masks = {key: key[1] for key in asked if key[0] == "attention"}
        noisy, sigmas = self._noised([NOISE], [self.scene.seed])
        with self._spaces.watching():
            return self._eye.look(noisy, sigmas, self.scene.prompt, asked, observers, masks)

    @property
    def _standard(self) -> dict[str, Any]:
        """Protocol -> capture, with the protocol's own background."""
        return {name: self._first["background", behind, name] for name, behind in BEHIND.items()}

    def _captures(self, levels: Sequence[float], seeds: Sequence[int]) -> dict[str, Any]:
        """Protocol -> capture of a forward of its own."""
        asked = {name: self._concepts(name, LISTS[BEHIND[name]]) for name in self.scene.shown}
        return self._eye.look(*self._noised(levels, seeds), self.scene.prompt, asked)

    def _concepts(self, name: str, behind: Sequence[str]) -> Any:
        shown = self.scene.shown[name]
        return self._eye.concepts(shown, [text for text in behind if text not in shown])

    def _noised(self, levels: Sequence[float], seeds: Sequence[int]) -> tuple[Tensor, Tensor]:
        return self._eye.noised(self._latent, levels, seeds)

    def _decoded(self, capture: Any, **options: Any) -> Tensor:
        """Maps [C, N] of a capture of one picture."""
        return self._decode(capture, **options)[0]

    def _decode(
        self, capture: Any, softmax: bool = True, smoothing: Any = 0, **options: Any
    ) -> Tensor:
        """Maps [B, C, N] as the pack decodes them; smoothing: in tokens, or "paper"."""
        from concept_attention.core.decode import positions, shares, unit_scores
        from concept_attention.core.smooth import smooth

        if softmax:
            maps = shares(capture, **options)
        else:
            scores = capture.scores
            if self._unit_concepts:
                scores = unit_scores(scores, capture.norms)
            maps = scores[:, 0, positions(capture)[0]].mean(1)
        if smoothing == 0:
            return maps
        squares = maps.unflatten(-1, capture.grid[1:])
        squares = paper_blur(squares) if smoothing == "paper" else smooth(squares, smoothing)
        return squares.flatten(-2)
