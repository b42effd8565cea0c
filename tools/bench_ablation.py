"""Measures every choice of the method on the pocket models, as the paper's tables do.

Held-out scenes of the picture book with exact label maps, one forward of the noised picture each.
Single-class: one thing and several background concepts, against the rest, where its map is above
its mean. Multi-class: all that is in the scene, one thing that is not, and the default background;
the highest map takes each token. The steps: the model's own pictures of the same scenes' prompts,
see `ablation_steps`. Results of every picture are kept in the cache folder, so that a run that was
stopped goes on; --table prints what is there.
"""

import argparse
import hashlib
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch

import ablation_steps
import ablation_tables
from ablation_parts import PARTS, Bench
from bench_host import MODELS, start_host
from hosting import cache, pack
from truth_figures import FIRST_SEED

ALL, STEPS = "all", "steps"  # the parts that look at the same pictures together, and the other one
# What the results depend on.
CODE = {
    ALL: ("ablation_parts", "ablation_maps", "ablation_scenes", "segment_figures"),
    STEPS: ("ablation_steps", "ablation_scenes", "report_pictures", "segment_figures"),
}


def main() -> None:
    """Run the parts, or print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--comfyui", type=Path, default=os.environ.get("COMFYUI_DIR"))
    parser.add_argument("--model", choices=("flux", "sd3"), help="one model only")
    parser.add_argument("--count", type=int, default=500, help="held-out pictures")
    parser.add_argument("--part", choices=(*PARTS, STEPS), help="one part only")
    parser.add_argument("--table", action="store_true", help="print tables of what there is")
    parser.add_argument("--restart", action="store_true", help="throw away what there is")
    arguments = parser.parse_args()
    start_host(arguments.comfyui)
    for model in (arguments.model,) if arguments.model else ("flux", "sd3"):
        print(f"### Ablations on the pocket {MODELS[model]}\n", flush=True)
        for part in (arguments.part,) if arguments.part else (ALL, STEPS):
            print(tables(arguments, model, part), flush=True)


def tables(arguments: argparse.Namespace, model: str, part: str) -> str:
    """The tables of a part, or of ALL but the steps; what is missing is measured first."""
    path = results_path(model, part)
    if arguments.restart:
        path.unlink(missing_ok=True)
    if not arguments.table:
        with torch.inference_mode():
            measure(model, PARTS if part == ALL else (part,), arguments.count, path)
    rows = read(path)[: arguments.count]
    return ablation_tables.tables(rows, model == "sd3") if rows else "Nothing is there yet.\n"


def results_path(model: str, part: str) -> Path:
    """Where the results of every picture are kept, one JSON object a line.

    Of this very model and code: what another one gave is not mixed with it.
    """
    digest, weights = hashlib.sha256(), [f"pocket-{model}"]
    if part == STEPS:
        weights.append("reader")
    for path in (
        *(Path(__file__).with_name(f"{name}.py") for name in CODE.get(part, CODE[ALL])),
        *(pack.ROOT / "pocket" / f"{name}.safetensors" for name in weights),
    ):
        digest.update(path.read_bytes())
    folder = cache.root() / "ablation"
    folder.mkdir(exist_ok=True)
    return folder / f"{model}-{part}-{digest.hexdigest()[:12]}.jsonl"


def read(path: Path) -> list[dict[str, Any]]:
    """The results that are there; a last line that a stop cut off is none."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines[:-1]]


def measure(model: str, parts: Sequence[str], count: int, path: Path) -> None:
    """Measure the pictures that have no results yet."""
    done = read(path)
    if len(done) >= count:
        return
    # What a stop cut off is overwritten.
    path.write_text("".join(json.dumps(row) + "\n" for row in done), encoding="utf-8")
    kind = ablation_steps.Bench if STEPS in parts else Bench
    bench, start = kind(MODELS[model], model), time.monotonic()
    with path.open("a", encoding="utf-8") as file:
        for i in range(len(done), count):
            file.write(json.dumps(bench.row(FIRST_SEED + i, parts)) + "\n")
            file.flush()
            if (i + 1) % 25 == 0 or i + 1 == count:
                seconds = (time.monotonic() - start) / (i + 1 - len(done))
                print(
                    f"{model}: {i + 1} of {count}, {seconds:.2f} s each",
                    file=sys.stderr,
                    flush=True,
                )


if __name__ == "__main__":
    main()
