"""Held-out scenes whose pixels are known, and the figures of maps of them, for the ablations."""

import random
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from segment_figures import multi, single
from truth_tokens import FORMS

SINGLE, MULTI = "single", "multi"


class Scene:
    """A held-out scene: its concepts by protocol, and what its pixels are."""

    def __init__(self, seed: int) -> None:
        from concept_attention.pocket.prompts import prompt_of
        from concept_attention.pocket.things import THINGS
        from concept_attention.pocket.world import LABELS, scene

        drawn, rng = scene(seed), random.Random(seed)
        self.seed = seed
        self.prompt = prompt_of(rng, drawn)
        self.picture = torch.from_numpy(drawn.picture)
        names = [*drawn.things, drawn.ground, drawn.sky]
        absent = rng.choice([thing for thing in THINGS if thing not in drawn.things])
        self.shown = {SINGLE: names[:1], MULTI: [*names, absent]}
        forms = list(FORMS.values())
        self.phrases = [rng.choice(forms)(name, drawn) for name in self.shown[MULTI]]
        self._things = len(drawn.things)
        labels = torch.from_numpy(drawn.labels).long()
        self._pixels = torch.stack(
            [in_tokens(labels == LABELS.index(name)) for name in self.shown[MULTI]]
        )
        self._total = in_tokens(torch.ones_like(labels, dtype=torch.bool))

    def judged(self, maps: Mapping[str, Tensor]) -> dict[str, Any]:
        """Figures of the maps [C, N] of each protocol that there are, the background's last."""
        found = {}
        if SINGLE in maps:
            found[SINGLE] = single(maps[SINGLE][0], self._pixels[0], self._total)
        names = self.shown[MULTI]
        absent = len(names) - 1
        things = range(self._things), [absent]
        found[MULTI] = several(maps[MULTI], self._pixels, self._total, names, range(absent), things)
        return found


def several(
    heat: Tensor,
    pixels: Tensor,
    total: Tensor,
    classes: Sequence[str | None],
    present: Sequence[int],
    things: tuple[Sequence[int], Sequence[int]],
) -> dict[str, Any]:
    """`segment_figures.multi` of maps [C, N], the background's last, with what their tables need.

    pixels: of each concept but the background at each place, [C - B, N]. total: all that count,
    [N]. classes: the concepts' names, None for one that is none. present: concepts that are there.
    things: those that are there, and those that are not; every pair of them is a comparison of
    peaks.
    """
    own = pixels.new_zeros(heat.shape)
    own[: len(pixels)] = pixels
    peaks = heat.amax(1)
    here, absent = (peaks[list(side)] for side in things)
    wins = (absent[:, None] < here).sum() + 0.5 * (absent[:, None] == here).sum()
    return multi(heat, own, total, present) | {
        "classes": [*classes, *[None] * (len(heat) - len(classes))],
        "wins": wins.item(),
        "pairs": len(here) * len(absent),
    }


def in_tokens(mask: Tensor, side: int = 16) -> Tensor:
    """Pixels of a mask [H, W] in each token of the pocket models, [N]."""
    rows, columns = (length // side for length in mask.shape)
    return mask.reshape(rows, side, columns, side).sum((1, 3)).flatten().float()
