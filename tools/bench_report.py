"""Measures the Concept Report on the pocket models: AUC of its score, error rates, places.

On drawn scenes with exact labels, and on the model's own pictures as the reader of pictures knows
them; see `report_pictures` for the kinds. Prints Markdown tables for BENCHMARKS.md.
"""

import argparse
import os
import time
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch

import report_figures
import report_pictures
from bench_host import MODELS, start_host
from report_pictures import Pictures, Sample

GROUPS = {
    "existing": ("existing",),
    "existing, a wrong word in the prompt": ("misprompted",),
    "generated": ("generated",),
    "generated, six things": ("crowded",),
}


def main() -> None:
    """Make the samples and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--comfyui", type=Path, default=os.environ.get("COMFYUI_DIR"))
    parser.add_argument("--model", choices=("flux", "sd3"), help="one model only")
    parser.add_argument("--count", type=int, default=200, help="pictures of a kind")
    parser.add_argument("--painted", type=int, default=75, help="generated ones, if fewer")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--cfg", type=float, default=3.0)
    parser.add_argument(
        "--keep", type=Path, help="folder for the samples; those in it are not made again"
    )
    parser.add_argument(
        "--stored", action="store_true", help="take the samples in --keep, and make none"
    )
    arguments = parser.parse_args()
    if arguments.stored and not arguments.keep:
        parser.error("--stored: say where the samples are, with --keep")
    start_host(arguments.comfyui)
    for model in (arguments.model,) if arguments.model else ("flux", "sd3"):
        with torch.inference_mode():
            print(f"### Concept Report on the pocket {MODELS[model]}\n", flush=True)
            print(tables(arguments, model), flush=True)


def tables(arguments: argparse.Namespace, model: str) -> str:
    """All tables of a model."""
    from concept_attention.core.report import THRESHOLD

    start = time.monotonic()
    groups = {
        name: [
            report_figures.judge(sample)
            for kind in kinds
            for sample in samples(arguments, model, kind)
        ]
        for name, kinds in GROUPS.items()
    }
    drawn, painted = list(groups.values())[:2], list(groups.values())[2:]
    both = {"existing": [*drawn[0], *drawn[1]], "generated": [*painted[0], *painted[1]]}
    parts = (
        (
            "What the score could be: AUC, present against absent",
            report_figures.candidate_table(both),
        ),
        ("The score", report_figures.default_table(groups, THRESHOLD)),
        ("A threshold of its own, chosen on one half", report_figures.halves_table(both)),
        ("Null concepts", report_figures.null_table(both, THRESHOLD)),
        ("Verdicts", report_figures.verdict_table(groups)),
        ("Places of things found present", report_figures.place_table(both)),
    )
    text = "\n".join(f"**{title}**\n\n{table}" for title, table in parts)
    return f"{text}\n{time.monotonic() - start:.0f} s\n"


def samples(arguments: argparse.Namespace, model: str, kind: str) -> list[Sample]:
    """The samples of a kind, made or read."""
    count = arguments.count
    if kind in report_pictures.PAINTED:
        count = min(count, arguments.painted)
    path = arguments.keep / f"{model}-{kind}.pt" if arguments.keep else None
    kept = list(_read(path)) if path is not None and path.exists() else []
    if arguments.stored:
        return kept
    if len(kept) < count:
        pictures = _pictures(arguments, model)
        kept += [pictures.sample(kind, number) for number in range(len(kept), count)]
        if path is not None:
            _write(path, kept)
    return kept[:count]


def _pictures(arguments: argparse.Namespace, model: str) -> Pictures:
    from concept_attention.nodes.pocket import LoadPocketModel

    loaded = LoadPocketModel.execute(MODELS[model]).args
    return Pictures(*loaded, arguments.steps, arguments.cfg)


def _read(path: Path) -> Iterator[Sample]:
    from concept_attention.core.types import Heatmaps

    for entry in torch.load(path):
        plain = dict(entry)
        heatmaps = Heatmaps(**plain.pop("heatmaps"))
        yield Sample(heatmaps, **plain)


def _write(path: Path, kept: list[Sample]) -> None:
    entries = []
    for sample in kept:
        plain = {field.name: getattr(sample, field.name) for field in fields(sample)}
        maps = sample.heatmaps
        plain["heatmaps"] = {field.name: getattr(maps, field.name) for field in fields(maps)}
        entries.append(plain)
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(entries, path)


if __name__ == "__main__":
    main()
