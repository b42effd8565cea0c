"""Heatmaps of a capture as files that other programs read: PNG, NPZ and COCO-style JSON."""

import json
import unicodedata
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

from .coco import check, data_set, items
from .decode import decode
from .errors import ConceptAttentionError
from .resize import resize
from .types import Capture, Heatmaps
from .writing import Writer

Export = Literal["none", "png", "npz", "coco", "all"]

_WHITE = 2**16 - 1  # of a PNG of 16 bits: a share of 1
_NAME = 40  # characters of a label in a file's name
_COMPRESSION = 4  # of a PNG, as the host's


def exports(
    capture: Capture, stem: str, export: Export, notes: Mapping[str, str] | None = None
) -> dict[str, Writer]:
    """Names of files, which begin with stem, and what writes each.

    The maps are those of `decode` by default: the family's layers, steps, temperature and order,
    not stretched. "png": a picture for each concept and batch item or frame of a video, 16 bits of
    grey, 0 for a share of 0 and 65535 for 1; it holds the texts in notes, and the label as
    "concept". "npz": see `arrays`. "coco": see `coco.data_set`. "all": these three.

    Raises ConceptAttentionError for an unknown export, for a capture that cannot be decoded, and in
    "coco" and "all" for one of a single concept without a background.
    """
    if export not in get_args(Export):
        raise ConceptAttentionError(f"export: '{export}' is not one of {get_args(Export)}")
    if export == "none":
        return {}
    files: dict[str, Writer] = {}
    shown = decode(capture, frames="video")
    if export in ("png", "all"):
        files.update(_pictures(shown, capture.picture, stem, notes or {}))
    if export in ("npz", "all"):
        files[f"{stem}.heatmaps.npz"] = partial(_write_npz, arrays(capture))
    if export in ("coco", "all"):
        check(shown)
        files[f"{stem}.coco.json"] = partial(_write_coco, shown, capture.picture, stem)
    return files


def arrays(capture: Capture) -> dict[str, NDArray[Any]]:
    """Heatmaps on the token grid, for numpy.

    values: [C, B, F, H, W] float32, shares from 0 to 1. background: [B, F, H, W], the largest share
    of a background concept; left out where there is none. labels: [C] texts. grid: (F, H, W).
    picture: its (height, width) in pixels. spans: [F], frames of the video behind each of the
    grid's.
    """
    heatmaps = decode(capture)
    found: dict[str, NDArray[Any]] = {
        "values": heatmaps.values.cpu().numpy(),
        "labels": np.array(heatmaps.labels, dtype=np.str_),
        "grid": np.array(capture.grid),
        "picture": np.array(capture.picture),
        "spans": np.array(capture.spans),
    }
    if heatmaps.background is not None:
        found["background"] = heatmaps.background.cpu().numpy()
    return found


def file_label(label: str) -> str:
    """A label as part of a file's name: letters and digits of any script, joined by hyphens.

    >>> file_label("../a red dragon?")
    'a-red-dragon'
    """
    plain = unicodedata.normalize("NFC", label)
    # Marks belong to letters in many scripts.
    kept = (c if c.isalnum() or unicodedata.category(c)[0] == "M" else " " for c in plain)
    return "-".join("".join(kept).split())[:_NAME].rstrip("-") or "concept"


def _pictures(
    heatmaps: Heatmaps, picture: tuple[int, int], stem: str, notes: Mapping[str, str]
) -> dict[str, Writer]:
    files: dict[str, Writer] = {}
    for number, label in enumerate(heatmaps.labels, 1):
        texts = {**notes, "concept": label}
        for item, maps in items(heatmaps.values[number - 1 : number]):
            # The number keeps apart labels that differ only in what a name cannot have.
            name = "_".join(filter(None, (f"{stem}{number}-{file_label(label)}", item)))
            files[f"{name}.png"] = partial(_write_png, maps[0], picture, texts)
    return files


def _write_png(
    values: Tensor, picture: tuple[int, int], texts: Mapping[str, str], path: Path
) -> None:
    sized = resize(values, picture, picture=picture)
    grey = sized.mul(_WHITE).round().int().cpu().numpy().astype(np.uint16)
    info = PngInfo()
    for key, text in texts.items():
        info.add_text(key, text)
    Image.fromarray(grey).save(path, format="PNG", pnginfo=info, compress_level=_COMPRESSION)


def _write_npz(found: Mapping[str, Any], path: Path) -> None:
    with path.open("wb") as file:  # a name would get .npz behind it
        np.savez_compressed(file, **found)


def _write_coco(heatmaps: Heatmaps, picture: tuple[int, int], stem: str, path: Path) -> None:
    text = json.dumps(data_set(heatmaps, picture, stem), ensure_ascii=False)
    path.write_text(text, encoding="utf-8")
