"""Compares captures with golden numbers: `make golden DIR=folder`.

A golden file holds the inputs of one tiny model and what the reference implementation of the paper
makes of them (tests/golden/golden.py). The model is the host's own class, the capture runs through
the same wrappers that the sampler nodes attach. Errors are relative to the largest magnitude of the
expected tensor.
"""

import argparse
import dataclasses
import math
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch

from hosting import pack

LIMIT = 1e-4
SUPPORTED = {
    "flux1": "t5xxl",
    "flux2": "qwen3_4b",
    "sd3": "clip_l+clip_g",
    "cogvideox": "t5xxl",
}  # arch of a file -> text encoder of its concepts

Errors = dict[str, float]


def supported(meta: dict) -> bool:
    """Whether the file's family is one that the pack captures."""
    return meta["arch"] in SUPPORTED


def build_model(meta: dict, formula: object) -> torch.nn.Module:
    """The host's diffusion model of a golden file, float32."""
    import comfy.sd

    state_dict = formula.weights(meta["arch"], meta["config"], meta["seed"])
    options = {"dtype": torch.float32}
    return comfy.sd.load_diffusion_model_state_dict(state_dict, options).model.diffusion_model


def concepts_of(meta: dict, golden: dict) -> object:
    """The file's concepts, all of them shown, at the place that the file gives.

    Rows that the reference lets take part and does not report (`skip`) come first.
    """
    from concept_attention.core.types import Concept, Concepts

    place = (meta["concept_position"] or [0])[-1]
    rows = golden["concepts"][0]
    items = tuple(Concept(f"{i}", row[None], (place,), 512) for i, row in enumerate(rows))
    return Concepts(items, SUPPORTED[meta["arch"]])


def forward(
    model: Callable[..., torch.Tensor], golden: dict, step: int, options: dict
) -> torch.Tensor:
    """One evaluation of the host's model at timestep number `step`."""
    t = golden["timesteps"][step].expand(golden["x"].shape[0])
    extra = {name: golden[name] for name in ("y", "guidance") if name in golden}
    with torch.inference_mode():
        return model(
            golden["x"], t, context=golden["context"], transformer_options=options, **extra
        )


def run(model: torch.nn.Module, meta: dict, golden: dict) -> SimpleNamespace:
    """Both timesteps with capture on: outputs, capture, and the vectors of each (step, layer)."""
    from comfy.patcher_extension import WrapperExecutor

    from concept_attention.core.run import CaptureRun

    vectors: dict[tuple[int, int], tuple[torch.Tensor, torch.Tensor]] = {}
    steps = len(meta["timesteps"])
    step = 0

    def observe(layer: int, concept_out: torch.Tensor, image_out: torch.Tensor) -> None:
        vectors[step, layer] = concept_out, image_out

    capture_run = CaptureRun(model, concepts_of(meta, golden), observe=observe)
    capture_run.begin(golden["x"].shape, [*meta["timesteps"], 0.0], [{"uuid": "positive"}])
    # The files' inputs are the diffusion model's own, so its forward is wrapped for every family.
    wrapped = WrapperExecutor.new_class_executor(model.forward, model, [capture_run.evaluate])
    options = {"uuids": ["positive"], "cond_or_uncond": [0]}
    outs = []
    for step in range(steps):

        def evaluate(x: torch.Tensor, t: torch.Tensor, step: int = step) -> torch.Tensor:
            return forward(wrapped.execute, golden, step, options)

        outs.append(capture_run.predict_noise(evaluate, golden["x"], golden["timesteps"][step]))
        capture_run.report(step)
    capture = _reported(capture_run.capture(), meta["skip"])
    vectors = {key: (own[:, meta["skip"] :], image) for key, (own, image) in vectors.items()}
    return SimpleNamespace(outs=outs, capture=capture, vectors=vectors)


def _reported(capture: Any, skip: int) -> Any:
    """The capture without the first `skip` concepts."""
    return dataclasses.replace(
        capture,
        scores=capture.scores[..., skip:, :],
        norms=capture.norms[..., skip:],
        labels=capture.labels[skip:],
        background=capture.background[skip:],
        splits=capture.splits[skip:],
        choices=capture.choices[skip:],
    )


def compare(path: Path, formula: object) -> tuple[dict, Errors]:
    """(meta, worst relative error by kind of tensor) of one golden file."""
    from concept_attention.core.decode import decode

    meta, golden = formula.load(path)
    model = build_model(meta, formula)
    result = run(model, meta, golden)
    batched = golden["x"].shape[0] > 1
    errors: Errors = {}

    def check(kind: str, found: torch.Tensor, expected: torch.Tensor) -> None:
        found = found if batched else found[0]
        error = float((found - expected).abs().max() / expected.abs().max())
        errors[kind] = max(errors.get(kind, 0.0), math.inf if math.isnan(error) else error)

    for step in range(len(meta["timesteps"])):
        check(
            "out", result.outs[step], golden[f"out.{step}"] if batched else golden[f"out.{step}"][0]
        )
        changed = not torch.equal(result.outs[step], forward(model, golden, step, {}))
        errors["picture changed"] = max(errors.get("picture changed", 0.0), float(changed))
        for layer in range(meta["layers"]):
            name = f"{step}.{layer}"
            scores = result.capture.scores[:, step, layer]
            expected = golden[f"scores.{name}"]
            check("scores", scores, expected)
            centred = expected - expected.mean(-2, keepdim=True)
            check("scores, centred", scores - scores.mean(-2, keepdim=True), centred)
            concept_out, image_out = result.vectors[step, layer]
            check("concept_out", concept_out, golden[f"concept_out.{name}"])
            if layer in meta["image_out_layers"]:
                check("image_out", image_out, golden[f"image_out.{name}"])
    layers = ",".join(str(layer) for layer in meta["heatmap"]["layers"])
    options = {
        "temperature": meta["heatmap"]["temperature"],
        "order": "softmax first",
        "unit_concepts": False,
    }
    maps = decode(result.capture, layers=layers, steps="all", **options).values.transpose(0, 1)
    check("heatmap", maps.squeeze(2), golden["heatmap"])
    return meta, errors


def report(path: Path, meta: dict, errors: Errors, write: Callable[[str], object]) -> bool:
    """Print a file's worst errors; returns whether all are within the limit."""
    worst = max(errors, key=lambda kind: errors[kind])
    passed = errors[worst] <= LIMIT
    verdict = "ok  " if passed else "MISS"
    write(f"{verdict} {path.name} ({meta['arch']}): worst {errors[worst]:.1e} in {worst}")
    write("     " + ", ".join(f"{kind} {error:.1e}" for kind, error in errors.items()))
    return passed


def prepare() -> object:
    """Put the host and the pack within reach; returns the weights formula's module."""
    sys.path.insert(0, os.environ["COMFYUI_DIR"])
    sys.path.insert(0, str(pack.ROOT / "tests" / "golden"))
    from comfy.cli_args import args

    args.cpu = True
    pack.register()
    import golden

    return golden


def main() -> int:
    """Compare every golden file of a folder; exit status 1 on a miss, 2 when there is none."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        print(f"{folder}: no golden files (*.safetensors) here")
        return 2
    formula = prepare()
    passed, others, compared = True, [], 0
    for path in files:
        if not supported(formula.load(path)[0]):
            others.append(path.name)
            continue
        compared += 1
        passed &= report(path, *compare(path, formula), print)
    if others:
        print("not supported yet: " + ", ".join(others))
    verdict = "within" if passed else "NOT within"
    print(f"{compared} files compared, {verdict} {LIMIT:g} of each tensor's largest magnitude")
    return 0 if passed and compared else 1


if __name__ == "__main__":
    sys.exit(main())
