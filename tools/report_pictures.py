"""Pictures whose content is known, and their heatmaps: what the Concept Report is judged by.

existing: drawn scenes; every label is exact. misprompted: the same kind, with a prompt that names
an absent thing in the place of a present one. generated: the model's own pictures. crowded: the
same, of prompts with more things than it was trained on, so that it leaves some out. What is in a
picture of the model is what the reader of pictures finds.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

DRAWN = ("existing", "misprompted")
PAINTED = ("generated", "crowded")
KINDS = (*DRAWN, *PAINTED)
ABSENT_THINGS = 2
CROWD = 6
LEAST_SCENERY = 40  # of a picture's 1,024 blocks: the reader sees a sky or a ground
_FIRST_SEED = 10**9 + 5 * 10**6  # neither training nor the other benchmarks reached these


@dataclass(frozen=True, eq=False)
class Sample:
    """One picture's heatmaps on the token grid [C, 1, 1, h, w] and what is known about it.

    truth: for every concept whether it is there, None where the reader is not sure. is_thing: not
    a sky or a ground. wanted: the prompt names it. marks: [H, W], indices into pocket.world.LABELS.
    """

    heatmaps: Any
    truth: tuple[bool | None, ...]
    is_thing: tuple[bool, ...]
    wanted: tuple[bool, ...]
    marks: Tensor


class Pictures:
    """Makes samples with a pocket model that its node has loaded."""

    def __init__(self, model: Any, clip: Any, vae: Any, steps: int, cfg: float) -> None:
        from concept_attention.pocket.measure import Reader

        self.model, self.clip, self.vae = model, clip, vae
        self.steps, self.cfg = steps, cfg
        self.reader = Reader.load()

    def sample(self, kind: str, number: int) -> Sample:
        """The sample of a kind and a number from 0, a pure function of the two."""
        seed = _FIRST_SEED + 10**6 * KINDS.index(kind) + number
        return self._drawn(kind, seed) if kind in DRAWN else self._painted(kind, seed)

    def _drawn(self, kind: str, seed: int) -> Sample:
        from concept_attention.nodes.image import capture_pictures
        from concept_attention.nodes.sources import source_of
        from concept_attention.pocket.prompts import prompt_of
        from concept_attention.pocket.world import scene

        rng, drawn = random.Random(seed), scene(seed)
        names = [*drawn.things, drawn.ground, drawn.sky]
        absent = _absent(rng, names)
        shown = [*names, *absent]
        told = drawn
        if kind == "misprompted":
            told = replace(drawn, things=(*drawn.things[1:], absent[0]))
        prompt = prompt_of(rng, told)
        concepts = self.concepts(shown)
        picture = torch.from_numpy(drawn.picture)[None].float() / 255
        source = source_of(self.model, picture, None, self.vae)
        capture = capture_pictures(
            self.model, source, self._prompt(prompt), concepts, 0.5, seed=seed
        )
        truth = tuple(name in names for name in shown)
        return _sample(capture, shown, truth, prompt, torch.from_numpy(drawn.labels).long())

    def paint(self, prompt: str, concepts: Any, seed: int) -> tuple[Tensor, Any]:
        """The model's picture of a prompt, uint8 [1, H, W, 3], and the capture of its run."""
        import nodes

        from concept_attention.nodes.capture import attach_to_model, make_run

        run = make_run(self.model, concepts, "auto", "all", 1024, None)
        asked = (seed, self.steps, self.cfg, "euler", "simple")
        latent = {"samples": torch.zeros(1, 16, 32, 32)}
        texts = (self._prompt(prompt), self._prompt(""))
        model = attach_to_model(self.model, run)
        sampled = nodes.common_ksampler(model, *asked, *texts, latent)[0]["samples"]
        return (self.vae.decode(sampled) * 255).round().to(torch.uint8), run.capture()

    def read(self, picture: Tensor, names: Sequence[str]) -> tuple[tuple[bool | None, ...], Tensor]:
        """What the reader finds of these names, None where it is not sure, and its label map.

        A thing is there from the reader's own number of blocks on, and is not there with none.
        """
        from concept_attention.pocket.measure import LEAST_BLOCKS
        from concept_attention.pocket.things import THINGS
        from concept_attention.pocket.world import LABELS

        blocks = self.reader.read(picture).argmax(1)
        found = []
        for name in names:
            count = int((blocks == LABELS.index(name)).sum())
            least = LEAST_BLOCKS if name in THINGS else LEAST_SCENERY
            found.append(True if count >= least else False if count <= 1 else None)
        return tuple(found), self.reader.labels(picture)[0]

    def concepts(self, names: Sequence[str]) -> Any:
        """Concepts of these words, and the background that every encoder adds."""
        from concept_attention.core.concepts import DEFAULT_BACKGROUND
        from concept_attention.nodes.encode import encode_concepts

        return encode_concepts(self.clip, list(names), [DEFAULT_BACKGROUND])

    def _painted(self, kind: str, seed: int) -> Sample:
        from concept_attention.pocket.prompts import prompt_of
        from concept_attention.pocket.things import THINGS
        from concept_attention.pocket.world import scene

        rng, drawn = random.Random(seed), scene(seed)
        if kind == "crowded":
            drawn = replace(drawn, things=tuple(rng.sample(list(THINGS), CROWD)))
            prompt = ", ".join((*drawn.things, drawn.ground))
        else:
            prompt = prompt_of(rng, drawn)
        words = named(prompt)
        shown = [*words, *_absent(rng, [*words, drawn.ground, drawn.sky])]
        picture, capture = self.paint(prompt, self.concepts(shown), seed)
        truth, marks = self.read(picture, shown)
        return _sample(capture, shown, truth, prompt, marks)

    def _prompt(self, text: str) -> Any:
        return self.clip.encode_from_tokens_scheduled(self.clip.tokenize(text))


def named(prompt: str) -> list[str]:
    """The labels that a prompt names, each once, in its order."""
    from concept_attention.pocket.prompts import SYNONYMS
    from concept_attention.pocket.world import LABELS

    words = [SYNONYMS.get(word, word) for word in prompt.replace(",", " ").split()]
    return [word for word in dict.fromkeys(words) if word in LABELS]


def _absent(rng: random.Random, there: Sequence[str]) -> list[str]:
    """Things, and one sky or ground, that are not among those."""
    from concept_attention.pocket.things import THINGS
    from concept_attention.pocket.world import GROUNDS, SKIES

    things = rng.sample([name for name in THINGS if name not in there], ABSENT_THINGS)
    return [*things, rng.choice([name for name in (*GROUNDS, *SKIES) if name not in there])]


def _sample(
    capture: Any, shown: list[str], truth: tuple[bool | None, ...], prompt: str, marks: Tensor
) -> Sample:
    from concept_attention.core.decode import decode
    from concept_attention.pocket.things import THINGS

    words = named(prompt)
    is_thing = tuple(name in THINGS for name in shown)
    wanted = tuple(name in words for name in shown)
    return Sample(decode(capture), truth, is_thing, wanted, marks)
