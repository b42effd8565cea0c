"""Evaluates a model's heatmaps on ImageNet-Segmentation or PASCAL VOC 2012, as the paper does.

You bring the data and the weights. --data is for imagenet the folder that data_processing.py of
the paper's repository (helblazer811/ConceptAttention, experiments/imagenet_segmentation) makes of
gtsegs_ijcv.mat: data.csv, images/ and segmentation_masks/; the .mat file itself is not read. For
voc it is the folder VOC2012 (or VOCdevkit) with JPEGImages, SegmentationClass and ImageSets.

Weights go by the names that ComfyUI's loaders show, in the folders that it has them in:

  python3 tools/host.py run tools/evaluate.py imagenet --data DIR --preset paper \\
      --unet flux1-schnell.safetensors --clip clip_l.safetensors t5xxl_fp16.safetensors \\
      --clip-type flux --vae ae.safetensors

Every picture's figures are written down at once: a run that was stopped goes on when it is started
again with the same arguments, and --table prints what there is. The maps are compared on the token
grid's nearest neighbours with label maps of 224 x 224 (single) or 64 x 64 pixels (multi). single:
above its own mean a map says that the concept is there; multi: the highest concept takes each
token, any background concept stands for the background.

The preset paper is the authors' script for ImageNet-Segmentation. Their scripts for VOC differ: one
draw, step 3 of 4 (--draws 1 --noise 0.25 --background background floor grass tree sky), and for a
single class the highest concept instead of the mean.
"""

import argparse
import hashlib
import json
import os
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch

from bench_host import start_host
from evaluation import MULTI, PRESETS, SINGLE, Evaluation, Settings
from evaluation_data import VOC, VOC_NAMES, EvaluationError, ImageNet
from evaluation_models import loaded
from evaluation_table import table
from hosting import cache

POCKET = ("FLUX.1", "SD3.5")
POCKET_SIZE = 256


def main() -> int:
    """Evaluate, and print the table."""
    arguments = _parser().parse_args()
    try:
        data, settings = _data(arguments), _settings(arguments)
        about = _about(arguments, settings, len(data))
        path = arguments.results or _default_results(about)
        done = resumed(path, about)
        if not arguments.table:
            done = _evaluated(arguments, settings, data, path, about, done)
    except (EvaluationError, FileNotFoundError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped; the same command goes on from here.", file=sys.stderr)
        return 130
    if not done:
        print(f"error: There are no results in {path} yet.", file=sys.stderr)
        return 1
    print(table(about, [row["figures"] for row in done]))
    return 0


def _evaluated(
    arguments: argparse.Namespace, settings: Settings, data: Any, path: Path, *known: Any
) -> list[dict[str, Any]]:
    """`run`, with the model that was asked for."""
    start_host(arguments.comfyui)
    from concept_attention.core.errors import ConceptAttentionError

    try:
        with torch.inference_mode():
            evaluation = Evaluation(*loaded(arguments), settings)
            return run(evaluation, data, arguments.task, path, *known)
    except ConceptAttentionError as error:
        raise EvaluationError(str(error)) from error


def run(
    evaluation: Evaluation,
    data: Any,
    task: str,
    path: Path,
    about: dict[str, Any],
    done: list[dict[str, Any]],
) -> list[dict[str, Any]]:
    """Evaluate the pictures that have no results yet; the results of all."""
    # What a stop cut off is overwritten.
    lines = [json.dumps(line) + "\n" for line in (about, *done)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(lines), encoding="utf-8")
    count, start, begun = about["pictures"], time.monotonic(), len(done)
    every = max(1, count // 100)
    with path.open("a", encoding="utf-8") as file:
        for i in range(begun, count):
            row = {"picture": data.name(i), "figures": evaluation.row(data[i], task)}
            file.write(json.dumps(row) + "\n")
            file.flush()
            done.append(row)
            if (i + 1) % every == 0 or i + 1 == count:
                each = (time.monotonic() - start) / (i + 1 - begun)
                left = each * (count - i - 1) / 60
                message = f"{i + 1} of {count}, {each:.1f} s each, {left:.0f} min left"
                print(message, file=sys.stderr, flush=True)
    return done


def resumed(path: Path, about: dict[str, Any]) -> list[dict[str, Any]]:
    """Results of the same evaluation that are there; a last line that a stop cut off is none.

    Raises EvaluationError when the file is another evaluation's.
    """
    if not path.exists():
        return []
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n")[:-1]]
    if lines and lines[0] != about:
        different = sorted(key for key in about if lines[0].get(key) != about[key])
        raise EvaluationError(
            f"results: {path} is of another evaluation, which differs in: {', '.join(different)}. "
            "Name another file."
        )
    return lines[1:]


def _data(arguments: argparse.Namespace) -> Any:
    if arguments.dataset == "imagenet":
        if arguments.task == MULTI:
            raise EvaluationError(
                "task: ImageNet-Segmentation has one class a picture. Use single."
            )
        return ImageNet(arguments.data)
    return VOC(arguments.data, arguments.classes or VOC_NAMES, arguments.task == SINGLE)


def _settings(arguments: argparse.Namespace) -> Settings:
    """Those of the preset, and what was asked for beside it."""
    preset = PRESETS[arguments.preset]
    if arguments.pocket:
        preset = replace(preset, size=POCKET_SIZE)
    names = ("draws", "noise", "background", "tokens", "layers", "size", "seed")
    given = {name: getattr(arguments, name) for name in names}
    given["background"] = tuple(given["background"]) if given["background"] is not None else None
    return replace(preset, **{name: value for name, value in given.items() if value is not None})


def _about(arguments: argparse.Namespace, settings: Settings, count: int) -> dict[str, Any]:
    """What results belong to; it is the first line of their file."""
    names = ("pocket", "checkpoint", "unet", "weight_dtype", "clip", "clip_type", "vae")
    about = {
        "dataset": arguments.dataset,
        "task": arguments.task,
        "data": str(arguments.data.resolve()),
        "pictures": min(count, arguments.count or count),
        "model": {name: getattr(arguments, name) for name in names if getattr(arguments, name)},
        "preset": arguments.preset,
        "settings": asdict(settings),
        "code": _code(),
    }
    return json.loads(json.dumps(about))  # tuples become lists, as in the file


def _code() -> str:
    """Of what the figures of a picture are counted by, so that versions are not mixed."""
    digest = hashlib.sha256()
    for name in ("evaluation", "evaluation_data", "segment_figures"):
        digest.update(Path(__file__).with_name(f"{name}.py").read_bytes())
    return digest.hexdigest()[:12]


def _default_results(about: dict[str, Any]) -> Path:
    digest = hashlib.sha256(json.dumps(about).encode()).hexdigest()[:12]
    return cache.root() / "evaluate" / f"{about['dataset']}-{about['task']}-{digest}.jsonl"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("dataset", choices=("imagenet", "voc"))
    add("--data", type=Path, required=True, help="the data set's folder")
    add("--task", choices=(SINGLE, MULTI), default=SINGLE, help="one class, or every class")
    add(
        "--preset",
        choices=PRESETS,
        default="pack",
        help="pack: its defaults. paper: 5 draws of noise, step 2 of 4, 3 x 3 blur, the fixed "
        "background list, first tokens, layers 14-17 of FLUX.1",
    )
    add("--pocket", choices=POCKET, help="a pocket model, to try it out")
    add("--checkpoint", help="of models/checkpoints")
    add("--unet", help="of models/diffusion_models")
    add("--weight-dtype", default="default", help="of --unet, as in Load Diffusion Model")
    add("--clip", nargs="+", help="one to three of models/text_encoders")
    add("--clip-type", default="flux", help="of --clip: flux, sd3, ...")
    add("--vae", help="of models/vae")
    add("--classes", nargs="+", help="names of the classes 1, 2, ... of voc (the paper's)")
    add("--count", type=int, help="only the first pictures")
    add("--draws", type=int)
    add("--noise", type=float, help="of the model's schedule, 0 to 1")
    add("--background", nargs="*", help="background concepts")
    add("--tokens", help="auto, first, last, mean or all")
    add("--layers", help="auto, 15-18, ...")
    add("--size", type=int, help="side that pictures are stretched to")
    add("--seed", type=int)
    add("--results", type=Path, help="file for every picture's figures (default: in the cache)")
    add("--table", action="store_true", help="print the table of what there is, run nothing")
    add("--comfyui", type=Path, default=os.environ.get("COMFYUI_DIR"))
    return parser


if __name__ == "__main__":
    sys.exit(main())
