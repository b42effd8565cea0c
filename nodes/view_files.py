"""The viewer's files in the host's temp folder, and the message that says where they are."""

import hashlib
import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any

import folder_paths
import numpy as np
from PIL import Image
from torch import Tensor

from ..core.overlay import Style, overlay
from ..core.resize import resize
from ..core.runs import Runs
from ..core.types import Heatmaps
from ..core.view import Settings, View

RUNS = Runs()
MOST_BYTES = 18_000  # of the message, which travels through the web socket whole
_ROOT = "concept_attention"
_SHEET_SIDE = 256  # of its panels: it is looked at small
_QUICK = 1  # PNG: three times as fast as the usual level, for a tenth more bytes


def write(
    views: list[tuple[Tensor, View]], maps: Heatmaps, settings: Settings
) -> dict[str, list[dict[str, Any]]]:
    """Write pictures [I, H, W, 3] with their views, and a sheet of the maps [C, B, F, h, w].

    Returns the node's ui; the first view is what the sheet shows.
    """
    names = [_name(image, view) for image, view in views]
    folders = [Path(folder_paths.get_temp_directory()) / _ROOT / name for name in names]
    for (image, view), folder in zip(views, folders, strict=True):
        RUNS.write(folder, lambda part, i=image, v=view: _fill(part, i, v))
    wanted = hashlib.blake2b(repr(astuple(settings)).encode(), digest_size=8).hexdigest()
    sheet = f"sheet-{wanted}.png"
    RUNS.add(folders[0], sheet, lambda path: _save(_sheet(views[0][0], maps), path))
    bundles = [
        {**view.bundle, "id": name, "files": _place(name)}
        for (_, view), name in zip(views, names, strict=True)
    ]
    message = {
        "concept_attention_view": bundles,
        "concept_attention_sheet": [{"filename": sheet, **_place(names[0])}],
    }
    if len(json.dumps(message)) > MOST_BYTES:
        message["concept_attention_view"] = [
            _outlined(bundle, folder, wanted)
            for bundle, folder in zip(bundles, folders, strict=True)
        ]
    RUNS.tidy(folders)
    return message


def _outlined(bundle: dict[str, Any], folder: Path, wanted: str) -> dict[str, Any]:
    """What is left of a bundle too large for the message; the whole of it is the file `more`."""
    name, text = f"bundle-{wanted}.json", json.dumps(bundle)
    RUNS.add(folder, name, lambda path: _write_text(path, text))
    return {**{key: bundle[key] for key in ("version", "id", "files")}, "more": name}


def _place(name: str) -> dict[str, str]:
    return {"subfolder": f"{_ROOT}/{name}", "type": "temp"}


def _name(image: Tensor, view: View) -> str:
    """A name of all that the files hold."""
    fixed = {key: value for key, value in view.bundle.items() if key != "chosen"}
    digest = hashlib.blake2b(json.dumps(fixed).encode(), digest_size=16)
    for array in view.arrays:
        digest.update(np.ascontiguousarray(array))
    for pixels in _pixels(image):
        digest.update(pixels)
    return digest.hexdigest()


def _fill(folder: Path, image: Tensor, view: View) -> None:
    for number, array in enumerate(view.arrays):
        array.tofile(folder / f"scores-{number:05}.f16")
    # zlib works outside the interpreter's lock.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        names = (folder / f"picture-{number:05}.png" for number in range(image.shape[0]))
        for group in _grouped(zip(_pixels(image), names, strict=True)):
            list(pool.map(lambda pair: _save(*pair), group))


def _grouped(pairs: Iterator[Any]) -> Iterator[list[Any]]:
    """A few at a time, so that not all of a video's frames wait in memory."""
    group = []
    for pair in pairs:
        group.append(pair)
        if len(group) == 8:
            yield group
            group = []
    yield group


def _pixels(image: Tensor) -> Iterator[np.ndarray]:
    for picture in image:
        scaled = picture[..., :3].float().clamp(0, 1).mul(255).round().byte()
        yield np.ascontiguousarray(scaled.cpu().numpy())


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _save(pixels: np.ndarray, path: Path) -> None:
    Image.fromarray(pixels).save(path, format="PNG", compress_level=_QUICK)


def _sheet(image: Tensor, maps: Heatmaps) -> np.ndarray:
    """The first picture with every map over it, labelled, [H, W, 3] bytes."""
    height, width = image.shape[1:3]
    scale = min(1.0, _SHEET_SIDE / max(height, width))
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    picture = resize(image[:1, ..., :3].movedim(-1, 1).float(), size).movedim(1, -1)
    first = replace(maps, values=maps.values[:, :1, :1])
    (pixels,) = _pixels(overlay(picture, first, Style()))
    return pixels
