"""Arrays as the viewer reads them, with the maps that must come out, in tests/data/view.

The browser's code is held to them too. `write()` writes them anew after a deliberate change.
"""

import json
from pathlib import Path

import numpy as np
import torch

from concept_attention.core.decode import shares
from concept_attention.core.smooth import smooth
from concept_attention.core.types import Capture
from concept_attention.core.view import Settings, view_capture

FOLDER = Path(__file__).resolve().parents[1] / "data" / "view"
FAMILIES = ("flux", "flux2", "sd3")  # softmax first; scores first at 1000; unit vectors
SELECTIONS = (
    # layers, steps (positions), temperature (in units of the family's own), smoothing
    ((0, 1, 2), (0, 1, 2, 3), 1.0, 0.0),
    ((1, 2), (2, 3), 1.0, 0.0),
    ((0, 2), (0, 1, 3), 0.25, 0.0),
    ((2,), (0,), 4.0, 0.0),
    ((0, 1, 2), (1,), 1.0, 0.1),
    ((0, 1, 2), (0, 1, 2, 3), 0.5, 1.0),
    ((1,), (0, 3), 2.0, 2.5),
)


def capture(family: str) -> Capture:
    """4 steps, 3 layers, 3 concepts and the background, on a padded grid of 3 x 5 tokens."""
    generator = torch.Generator().manual_seed(len(family))
    scale = 1000.0 if family == "flux2" else 1.0
    scores = torch.randn(1, 4, 3, 4, 15, generator=generator) * 3 * scale
    norms = torch.rand(1, 4, 3, 4, generator=generator) + 0.5
    return Capture(
        scores=scores,
        norms=norms,
        grid=(1, 3, 5),
        picture=(44, 80),
        steps=(0, 2, 4, 5),
        layers=((0,), (1, 2), (3,)),
        sigmas=(1.0, 0.8, 0.5, 0.2),
        total_steps=6,
        total_layers=4,
        labels=("dragon", "rock", "blue sky", "background"),
        background=(False, False, False, True),
        family=family,
    )


def decoded(array: np.ndarray, bundle: dict, selection: dict) -> torch.Tensor:
    """The maps [C, H, W] that core.decode makes of an array and a selection of positions."""
    auto = bundle["auto"]
    scores = torch.from_numpy(array.astype(np.float32)) * auto["temperature"]
    chosen = scores[selection["steps"]][:, selection["layers"]].flatten(-2)[None]
    steps, layers = chosen.shape[1:3]
    taken = Capture(
        scores=chosen,
        norms=torch.ones(chosen.shape[:-1]),
        grid=(1, *bundle["grid"]),
        picture=tuple(bundle["size"]),
        steps=tuple(range(steps)),
        layers=tuple((layer,) for layer in range(layers)),
        sigmas=(1.0,) * steps,
        total_steps=steps,
        total_layers=layers,
        labels=tuple(bundle["labels"]),
        background=tuple(bundle["background"]),
        family=bundle["family"],
    )
    choice = ("all", "all", selection["temperature"], auto["order"], False)
    maps = shares(taken, *choice).unflatten(-1, taken.grid)
    return smooth(maps, selection["smoothing"])[0, :, 0]


def cases() -> list[dict]:
    """Every family with every selection; the arrays come with the first case of each."""
    found = []
    for family in FAMILIES:
        view = view_capture(capture(family), Settings(), 1, (44, 80))
        for layers, steps, units, smoothing in SELECTIONS:
            selection = {
                "layers": list(layers),
                "steps": list(steps),
                "temperature": units * view.bundle["auto"]["temperature"],
                "smoothing": smoothing,
            }
            maps = decoded(view.arrays[0], view.bundle, selection)
            found.append(
                {
                    "bundle": view.bundle,
                    "file": f"{family}.f16",
                    "selection": selection,
                    "expected": [round(value, 8) for value in maps.flatten().tolist()],
                }
            )
    return found


def write() -> None:
    """Write cases.json and the arrays."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for family in FAMILIES:
        (array,) = view_capture(capture(family), Settings(), 1, (44, 80)).arrays
        (FOLDER / f"{family}.f16").write_bytes(array.tobytes())
    text = ",\n".join(json.dumps(case) for case in cases())
    (FOLDER / "cases.json").write_text(f"[\n{text}\n]\n", encoding="utf-8")
