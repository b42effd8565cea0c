"""Measures the masks of Heatmap to Masks against exact label maps, one row for each method.

On held-out scenes of the picture book, seen by a pocket model in one forward as by Attention
Capture from Image: how well a concept's mask covers what its label says, and what a thing that is
not in the picture gets. Prints a Markdown table.
"""

import argparse
import os
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
from torch import Tensor

from bench_host import start_host
from table_cells import cell, head, line
from truth_figures import FIRST_SEED, interval

NOISE = 0.5
METRICS = ("IoU", "things' IoU", "absent: empty masks", "absent: part of the picture")


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--comfyui", type=Path, default=os.environ.get("COMFYUI_DIR"))
    parser.add_argument("--model", choices=("FLUX.1", "SD3.5"), default="FLUX.1")
    parser.add_argument("--count", type=int, default=150, help="held-out pictures")
    arguments = parser.parse_args()
    start_host(arguments.comfyui)
    with torch.inference_mode():
        bench = Bench(arguments.model)
        rows = [bench.row(FIRST_SEED + i) for i in range(arguments.count)]
    print(table(f"Masks, pocket {arguments.model}, n = {len(rows)}", rows))


def table(title: str, rows: Sequence[dict[str, tuple[float, ...]]]) -> str:
    """Markdown table of the figures of every way, with 95 % bootstrap intervals over pictures.

    rows: for each picture, by the way's name, the figures in the order of METRICS.
    """
    header = ("masks", *METRICS)
    lines = [f"**{title}**", "", *head(header)]
    for way in rows[0]:
        cells = []
        for place in range(len(METRICS)):
            values = [row[way][place] for row in rows]
            cells.append(cell(*interval(values, lambda found: sum(found) / len(found))))
        lines.append(line((way, *cells)))
    return "\n".join((*lines, ""))


def ways() -> dict[str, tuple[Any, Any]]:
    """Choice and cleaning by the name in the table."""
    from concept_attention.core.masks import Choice, Cleaning

    plain = {name: Choice(name) for name in ("segmentation", "otsu", "mean", "soft")}
    levels = {f"threshold {each}": Choice("threshold", each) for each in (0.2, 0.3, 0.4, 0.5, 0.6)}
    tops = {f"top-k {each} %": Choice("top-k", top_percent=each) for each in (5, 10, 20)}
    found = {name: (choice, Cleaning()) for name, choice in {**plain, **levels, **tops}.items()}
    tidy = Cleaning(fill_holes=True, smallest_percent=0.5)
    for name in ("segmentation", "otsu"):
        found[f"{name}, holes filled, pieces from 0.5 %"] = (plain[name], tidy)
    return found


def judge(masks: Tensor, truth: Tensor, is_thing: Sequence[bool]) -> tuple[float, ...]:
    """Figures of one picture in the order of METRICS.

    masks: [C + A, H, W] in 0..1, those of what is not in the picture last. truth: bool [C, H, W].
    Of a soft mask, intersection and union are the sums of the smaller and of the larger values.
    """
    own, absent = masks[: len(truth)], masks[len(truth) :]
    both = (torch.minimum(own, truth.float()), torch.maximum(own, truth.float()))
    common, either = (each.sum((1, 2)) for each in both)
    ious = (common / either.clamp_min(1e-9)).tolist()
    things = [iou for iou, thing in zip(ious, is_thing, strict=True) if thing]
    empty = (absent.flatten(1).amax(1) == 0).float().mean().item()
    return sum(ious) / len(ious), sum(things) / len(things), empty, absent.mean().item()


class Bench:
    """A pocket model as loaded by its node."""

    def __init__(self, model: str) -> None:
        from concept_attention.nodes.pocket import LoadPocketModel

        self._model, self._clip, self._vae = LoadPocketModel.execute(model).args
        self._ways = ways()

    def row(self, seed: int) -> dict[str, tuple[float, ...]]:
        """Figures of the scene of a seed, with two things that are not in it."""
        from concept_attention.core.masks import masks
        from concept_attention.pocket.things import THINGS
        from concept_attention.pocket.world import LABELS, scene

        drawn = scene(seed)
        names = [*drawn.things, drawn.ground, drawn.sky]
        others = [thing for thing in THINGS if thing not in names]
        absent = random.Random(f"masks {seed}").sample(others, 2)
        heatmaps = self._heatmaps(drawn, seed, [*names, *absent])
        labels = torch.from_numpy(drawn.labels).long()
        truth = torch.stack([labels == LABELS.index(name) for name in names])
        is_thing = [name in THINGS for name in names]
        return {
            way: judge(masks(heatmaps, (), choice, cleaning=cleaning)[:, 0, 0], truth, is_thing)
            for way, (choice, cleaning) in self._ways.items()
        }

    def _heatmaps(self, drawn: Any, seed: int, names: Sequence[str]) -> Any:
        from concept_attention.core.concepts import DEFAULT_BACKGROUND
        from concept_attention.core.decode import decode
        from concept_attention.core.resize import resized
        from concept_attention.nodes.encode import encode_concepts
        from concept_attention.nodes.image import AttentionCaptureImage
        from concept_attention.pocket.prompts import prompt_of

        prompt = prompt_of(random.Random(seed), drawn)
        conditioning = self._clip.encode_from_tokens_scheduled(self._clip.tokenize(prompt))
        concepts = encode_concepts(self._clip, list(names), [DEFAULT_BACKGROUND])
        picture = torch.from_numpy(drawn.picture)[None].float() / 255
        capture = AttentionCaptureImage.execute(
            self._model, conditioning, concepts, NOISE, 1, seed, image=picture, vae=self._vae
        ).result[0]
        return resized(decode(capture), capture.picture, picture=capture.picture)


if __name__ == "__main__":
    main()
