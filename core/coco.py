"""Heatmaps as a segmentation data set in COCO's form. Source: cocodataset.org, format-data."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .errors import ConceptAttentionError
from .resize import resize
from .segments import has_rivals, strongest
from .types import Heatmaps
from .version import VERSION


def data_set(heatmaps: Heatmaps, picture: tuple[int, int], stem: str) -> dict[str, Any]:
    """Images, categories and annotations of heatmaps that lie on the token grid.

    picture: (height, width) that the maps are resized to. Pixels belong to concepts, or to none, as
    `segments.winners` has it. One annotation for each concept and image in which it has a pixel:
    its region as uncompressed run lengths, area and bbox (x, y, width, height) in pixels, and as
    score the peak of its map there, a share from 0 to 1. Images are batch items, or a video's
    frames; stem begins their file_name.

    Raises ConceptAttentionError for what `check` refuses.
    """
    check(heatmaps)
    data: dict[str, Any] = {
        "info": {"description": "Concept Attention heatmaps", "version": VERSION},
        "images": [],
        "categories": [
            {"id": number, "name": label, "supercategory": "concept"}
            for number, label in enumerate(heatmaps.labels, 1)
        ],
        "annotations": [],
    }
    shares, concepts = heatmaps.shares, len(heatmaps.labels)
    if heatmaps.background is not None:
        shares = torch.cat((shares, heatmaps.background[None]))
    size = {"height": picture[0], "width": picture[1]}
    for image, (item, maps) in enumerate(items(shares), 1):
        data["images"].append({"id": image, "file_name": f"{stem}{item}.png", **size})
        for region in _regions(resize(maps, picture, picture=picture), concepts):
            number = len(data["annotations"]) + 1
            data["annotations"].append({"id": number, "image_id": image, **region})
    return data


def check(heatmaps: Heatmaps) -> None:
    """Raise ConceptAttentionError for a single concept without a background: it has no region."""
    if not has_rivals(heatmaps):
        raise ConceptAttentionError(
            f"export: coco needs two concepts or a background, and '{heatmaps.labels[0]}' is alone "
            "in the capture: it would win every pixel. Choose png or npz, or name a background in "
            "the Concept Encoder and capture again."
        )


def items(values: Tensor) -> Iterator[tuple[str, Tensor]]:
    """Maps [C, H, W] of each batch item and frame of [C, B, F, H, W], with what tells them apart.

    That is "b00" where there are several items, "f0000" where there are several frames, or both.
    """
    batch, frames = values.shape[1:3]
    for item in range(batch):
        for frame in range(frames):
            names = [f"b{item:02}"] * (batch > 1) + [f"f{frame:04}"] * (frames > 1)
            yield "_".join(names), values[:, item, frame]


def run_lengths(region: NDArray[np.bool_]) -> list[int]:
    """A region [H, W] column by column: lengths of runs outside and inside in turn, outside first.

    >>> run_lengths(np.array([[True, False], [True, True]]))
    [0, 2, 1, 1]
    """
    flat = region.ravel(order="F")
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    lengths: list[int] = np.diff(np.concatenate(([0], changes, [flat.size]))).tolist()
    return [0, *lengths] if flat[0] else lengths


def _regions(shares: Tensor, concepts: int) -> Iterator[dict[str, Any]]:
    """What every concept has of shares [C or C + 1, H, W]: behind the concepts' is background's."""
    background = shares[concepts] if len(shares) > concepts else None
    winner = strongest(shares[:concepts], background).cpu().numpy()
    peaks = shares.flatten(1).amax(1).tolist()
    for concept in range(concepts):
        region = winner == concept
        if not region.any():
            continue
        rows, columns = np.flatnonzero(region.any(1)), np.flatnonzero(region.any(0))
        top, left = int(rows[0]), int(columns[0])
        yield {
            "category_id": concept + 1,
            "segmentation": {"size": list(region.shape), "counts": run_lengths(region)},
            "area": int(region.sum()),
            "bbox": [left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top],
            "iscrowd": 0,
            "score": peaks[concept],
        }
