"""The ablation of sampling steps, on pictures that a pocket model paints.

One run for each picture, of which every step is captured; then its maps are decoded from some of
the steps. What is in a picture of the model, and where, is what the reader of pictures finds; where
it is not sure whether something is there, that counts for nothing.
"""

import random
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ablation_scenes import MULTI, in_tokens, several
from report_pictures import Pictures, named

PARTS = ("steps",)
STEPS, CFG = 10, 3.0
# Every step alone, the first and the last three, both halves, all but some at an end.
CHOICES = ("auto", *map(str, range(STEPS)), "0-2", "7-9", "0-4", "5-9", "1-9", "3-9", "0-8")


class Bench:
    """A pocket model, and the ablation of steps on single pictures of it."""

    def __init__(self, name: str, _family: str) -> None:
        from concept_attention.nodes.pocket import LoadPocketModel

        self.pictures = Pictures(*LoadPocketModel.execute(name).args, STEPS, CFG)

    def row(self, seed: int, _parts: Sequence[str] = PARTS) -> dict[str, Any]:
        """Figures of the picture of a scene's prompt: table -> row -> figures.

        No table where the reader is not sure of anything in it.
        """
        from concept_attention.core.decode import shares

        prompt, names = asked(seed)
        picture, capture = self.pictures.paint(prompt, self.pictures.concepts(names), seed)
        painted = Painted(names, *self.pictures.read(picture, names))
        rows = {}
        if painted.there:
            for choice in CHOICES:
                rows[choice] = {MULTI: painted.judged(shares(capture, steps=choice)[0])}
        return {"seed": seed, "tables": {"steps": rows} if rows else {}}


class Painted:
    """A picture of the model: its concepts, and what its pixels are as far as that is known.

    truth: for each concept whether it is there, None where that is not known. labels: [H, W],
    indices into pocket.world.LABELS.
    """

    def __init__(self, names: Sequence[str], truth: Sequence[bool | None], labels: Tensor) -> None:
        from concept_attention.pocket.things import THINGS
        from concept_attention.pocket.world import LABELS

        known = list(zip(names, truth, strict=True))
        self.there = [i for i, there in enumerate(truth) if there]
        self._classes = [None if there is None else name for name, there in known]
        things = [i for i, name in enumerate(names) if name in THINGS]
        self._present = [i for i in things if truth[i] is True]
        self._absent = [i for i in things if truth[i] is False]
        self._pixels = torch.stack(
            [in_tokens((labels == LABELS.index(name)) & bool(there)) for name, there in known]
        )

    def judged(self, maps: Tensor) -> dict[str, Any]:
        """Figures of maps [C, N] of the concepts, the background's last.

        Of the pixels of what is there, each the highest map's.
        """
        total = self._pixels.sum(0)
        things = self._present, self._absent
        return several(maps, self._pixels, total, self._classes, self.there, things)


def asked(seed: int) -> tuple[str, list[str]]:
    """The prompt of a held-out scene, and the concepts: what it names, and one thing that the scene
    has not.
    """
    from concept_attention.pocket.prompts import prompt_of
    from concept_attention.pocket.things import THINGS
    from concept_attention.pocket.world import scene

    rng, drawn = random.Random(seed), scene(seed)
    prompt = prompt_of(rng, drawn)
    absent = rng.choice([thing for thing in THINGS if thing not in drawn.things])
    return prompt, [*named(prompt), absent]
