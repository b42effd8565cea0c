"""Which token should stand for a concept that the text encoder splits into several.

The words of the picture book in forms of several tokens, on held-out scenes with exact label maps:
noise, one forward, and beside that one forward a capture for every form and choice.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import torch

from table_cells import cell, head, line
from truth_figures import interval, judge, picture_auc

CHOICES = ("first", "last", "mean", "all")
NOISE = 0.5


def _placed(name: str, drawn: Any) -> str:
    """A name and then its place, whose own name comes last."""
    if name == drawn.ground:
        return f"{name} under the {drawn.sky}"
    return f"{name} {'over' if name == drawn.sky else 'on'} {drawn.ground}"


# A form, by the concept that a house on grass gets in it: (name, scene) -> concept.
FORMS: dict[str, Callable[[str, Any], str]] = {
    "house": lambda name, _: name,
    "the house": lambda name, _: f"the {name}",
    "a house": lambda name, _: f"a {name}",
    "a picture of the house": lambda name, _: f"a picture of the {name}",
    "house on grass": _placed,
}
MIXED = "each concept in one of these forms"
MEAN = "mean"
# The only word of the picture book that T5 splits: a word boundary, "s" and "and".
SPLIT = "sand"

# (form, choice) -> figures of a scene; (SPLIT, choice) -> those of that word; (MEAN, choice) -> a
# number.
Row = Mapping[tuple[str, str], Any]


class Tokens:
    """Forms and choices measured with one model."""

    def __init__(self, model: Any, clip: Any, vae: Any) -> None:
        self._model, self._clip, self._vae = model, clip, vae
        self._encoded: dict[tuple[str, str], Any] = {}

    def tables(self, seeds: Sequence[int]) -> str:
        """Markdown tables over the scenes of these seeds."""
        return tables([self.row(seed) for seed in seeds])

    def row(self, seed: int) -> Row:
        """Figures of one scene."""
        from concept_attention.core.decode import decode
        from concept_attention.pocket.things import THINGS
        from concept_attention.pocket.world import LABELS, scene

        drawn, rng = scene(seed), random.Random(f"tokens {seed}")
        names = [*drawn.things, drawn.ground, drawn.sky]
        every = [*names, rng.choice([thing for thing in THINGS if thing not in names])]
        texts = {form: [write(name, drawn) for name in every] for form, write in FORMS.items()}
        texts[MIXED] = [rng.choice(list(FORMS.values()))(name, drawn) for name in every]
        labels = torch.from_numpy(drawn.labels).long()
        truth = torch.stack([labels == LABELS.index(name) for name in names])
        is_thing = [name in THINGS for name in names]
        row: dict[tuple[str, str], Any] = {}
        for key, capture in self._captures(drawn, seed, texts).items():
            heat = decode(capture).values[:, 0, 0]
            row[key] = judge(heat, truth, is_thing)
            if key[0] == SPLIT_FORM and SPLIT in names:
                place = names.index(SPLIT)
                row[SPLIT, key[1]] = judge(heat, truth, [i == place for i in range(len(names))])
        for choice in CHOICES:
            row[MEAN, choice] = _mean([row[form, choice]["mIoU"] for form in FORMS])
        return row

    def _captures(self, drawn: Any, seed: int, texts: Mapping[str, Sequence[str]]) -> dict:
        """One forward of the noised scene, a capture of it for every form and choice."""
        from concept_attention.nodes.capture import make_run
        from concept_attention.pocket.prompts import prompt_of

        picture = torch.from_numpy(drawn.picture)[None].float() / 255
        latent = self._model.model.process_latent_in(self._vae.encode(picture)).float()
        noise = torch.randn(latent.shape, generator=torch.Generator().manual_seed(seed))
        noisy, level = (1 - NOISE) * latent + NOISE * noise, torch.tensor([NOISE])
        prompt = self._clip.tokenize(prompt_of(random.Random(seed), drawn))
        runs = {
            (form, choice): make_run(
                self._model, self._concepts(own, choice), "all", "all", 1024, None
            )
            for form, own in texts.items()
            for choice in CHOICES
        }
        wrappers: dict[str, dict[str, list[Any]]] = {}
        for run in runs.values():
            run.begin(noisy.shape, [NOISE, 0.0], [{"uuid": 0}])
            for kind, wrapper in run.wrappers.items():
                wrappers.setdefault(kind, {}).setdefault("bench", []).append(wrapper)
        forward = partial(
            self._model.model.apply_model,
            c_crossattn=self._clip.encode_from_tokens(prompt),
            transformer_options={"wrappers": wrappers, "uuids": [0]},
        )
        for run in runs.values():
            forward = partial(run.predict_noise, forward)
        forward(noisy, level)
        for run in runs.values():
            run.report(0)
        return {key: run.capture() for key, run in runs.items()}

    def _concepts(self, texts: Sequence[str], choice: str) -> Any:
        """Concepts of these texts and the background that every encoder adds."""
        from concept_attention.core.concepts import DEFAULT_BACKGROUND
        from concept_attention.core.types import Concepts
        from concept_attention.nodes.encode import encode_concepts

        parts = []
        for text in (*texts, DEFAULT_BACKGROUND):
            if (text, choice) not in self._encoded:
                self._encoded[text, choice] = encode_concepts(self._clip, [text], [], choice)
            parts.append(self._encoded[text, choice])
        *shown, behind = (part.items[0] for part in parts)
        return Concepts((*shown, replace(behind, background=True)), parts[0].encoder)


SPLIT_FORM = next(iter(FORMS))


def tables(rows: Sequence[Row]) -> str:
    """Markdown tables of the rows of several scenes."""
    forms = (*FORMS, MIXED)
    split = ([row for row in rows if (SPLIT, CHOICES[0]) in row],)  # none in a few scenes
    lines = [
        f"**Choice of tokens, mIoU, n = {len(rows)}**",
        "",
        *head(("concept", *CHOICES)),
        *(_line(form, form, rows, _miou) for form in forms),
        _line("mean of the five forms", MEAN, rows, _mean),
        *(_line(f"{SPLIT} alone, n = {len(rows)}", SPLIT, rows, _iou) for rows in split if rows),
        "",
        f"**Choice of tokens, AUC per picture, n = {len(rows)}**",
        "",
        *head(("concept", *CHOICES)),
        *(_line(form, form, rows, picture_auc) for form in forms),
        "",
    ]
    return "\n".join(lines)


def _line(
    title: str, key: str, rows: Sequence[Row], statistic: Callable[[Sequence[Any]], float]
) -> str:
    cells = []
    for choice in CHOICES:
        cells.append(cell(*interval([row[key, choice] for row in rows], statistic)))
    return line((title, *cells))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _miou(figures: Sequence[Mapping[str, Any]]) -> float:
    return _mean([figure["mIoU"] for figure in figures])


def _iou(figures: Sequence[Mapping[str, Any]]) -> float:
    return _mean([figure["things' IoU"] for figure in figures])
