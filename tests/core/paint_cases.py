"""Small pictures as core paints them, maps as it resizes them, and who wins, in tests/data/view.

The browser's code is held to them too. `write()` writes them anew after a deliberate change.
"""

import json

import torch
from torch import Tensor

from concept_attention.core.colormaps import NAMES
from concept_attention.core.hues import hues
from concept_attention.core.overlay import Style, blend
from concept_attention.core.resize import Mode, covered, resize
from concept_attention.core.segments import winners
from concept_attention.core.types import Heatmaps

from .view_cases import FOLDER

PAINT, RESIZE, HUES, WINNERS = "paint.json", "resize.json", "hues.json", "winners.json"
SIZE = (5, 7)  # of the painted picture
STYLES = (
    # colour map, opacity
    *((name, 0.7) for name in NAMES),
    ("viridis", 0.0),
    ("viridis", 0.25),
    ("viridis", 1.0),
)
SIZES: tuple[tuple[tuple[int, int], tuple[int, int]], ...] = (
    # grid, picture: whole patches; rows padded; both padded
    ((2, 3), (16, 24)),
    ((2, 5), (13, 40)),
    ((2, 3), (11, 20)),
)
SHARES = (
    # Eighths, so that ties are exact after resizing too: concepts, then backgrounds.
    (([[4, 1, 2], [2, 4, 0]], [[2, 4, 2], [2, 1, 0]]), ([[2, 3, 4], [4, 3, 8]],)),
    (([[4, 1, 2], [2, 4, 0]], [[4, 7, 6], [6, 4, 8]]), ()),
    (([[3, 3, 3], [1, 2, 4]],), ([[3, 2, 1], [6, 2, 2]], [[2, 3, 4], [1, 4, 2]])),
    (([[4, 4, 4], [4, 4, 4]],), ([[4, 4, 4], [4, 4, 4]],)),
)
MODES: tuple[Mode, ...] = ("bilinear", "nearest")


def picture() -> Tensor:
    """Colours [1, H, W, 3] in 0..255, with black, white and the pure ones."""
    colours = torch.randint(0, 256, (1, *SIZE, 3), generator=torch.Generator().manual_seed(1))
    colours[0, 0, :5] = torch.tensor(
        [[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255]]
    )
    return colours


def field() -> Tensor:
    """Values [1, H, W] in 0..1, with both ends and the middle."""
    values = torch.rand(1, *SIZE, generator=torch.Generator().manual_seed(2))
    values[0, 1, :3] = torch.tensor([0.0, 0.5, 1.0])
    return values


def painted() -> dict:
    """One picture and field, and what every style makes of them, in 0..255."""
    under, values = picture(), field()
    results = [
        {
            "table": name,
            "opacity": opacity,
            "expected": _bytes(_blend(under, values, name, opacity)),
        }
        for name, opacity in STYLES
    ]
    height, width = SIZE
    return {
        "width": width,
        "height": height,
        "picture": under.flatten().tolist(),
        "field": values.double().flatten().tolist(),
        "cases": results,
    }


def resized() -> list[dict]:
    """Maps of two concepts at the size of their picture."""
    cases = []
    for grid, size in SIZES:
        maps = torch.rand(2, *grid, generator=torch.Generator().manual_seed(sum(size)))
        extent = covered(grid, size)
        for mode in MODES:
            sized = resize(maps, size, mode, picture=size)
            cases.append(
                {
                    "grid": list(grid),
                    "size": list(size),
                    "covered": [e / side for e, side in zip(extent, size, strict=True)],
                    "nearest": mode == "nearest",
                    "maps": _rounded(maps),
                    "expected": _rounded(sized),
                }
            )
    return cases


def won() -> list[dict]:
    """For each of SHARES who wins on the grid and on a picture of twice its size, -1 for nobody."""
    cases = []
    for shown, hidden in SHARES:
        values, behind = (torch.tensor(each) / 8 for each in (shown, hidden))
        for size in ((2, 3), (4, 6)):
            sized = resize(values, size)[:, None, None]
            rest = resize(behind.amax(0), size)[None, None] if hidden else None
            labels = tuple(f"concept {i}" for i in range(len(shown)))
            winner = winners(Heatmaps(sized, labels, ((0.0, 1.0),), rest))
            cases.append(
                {
                    "size": list(size),
                    "background": [False] * len(shown) + [True] * len(hidden),
                    "maps": _rounded(torch.cat((values, behind)) if hidden else values),
                    "expected": winner.flatten().tolist(),
                }
            )
    return cases


def coloured() -> list[list[float]]:
    """The hues of 24 concepts, in 0..255."""
    return [[round(part, 3) for part in hue] for hue in (hues(24).double() * 255).tolist()]


def write() -> None:
    """Write all of it."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    made = {PAINT: painted(), RESIZE: resized(), HUES: coloured(), WINNERS: won()}
    for name, content in made.items():
        (FOLDER / name).write_text(json.dumps(content) + "\n", encoding="utf-8")


def _blend(under: Tensor, values: Tensor, name: str, opacity: float) -> Tensor:
    return blend(under.float() / 255, values, Style(opacity=opacity, colormap=name))


def _bytes(drawn: Tensor) -> list[int]:
    return (drawn * 255).round().int().flatten().tolist()


def _rounded(values: Tensor) -> list[float]:
    return [round(value, 6) for value in values.flatten().tolist()]
