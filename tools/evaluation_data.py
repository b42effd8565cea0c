"""Data sets of pictures with label maps, in the formats that the paper was evaluated on."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

IGNORED = 255  # label of pixels that count for nothing
# The paper's one-token names of the classes 1 to 20 of PASCAL VOC.
VOC_NAMES = (
    *("plane", "bike", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
    *("table", "dog", "horse", "motorcycle", "person", "pot", "sheep", "sofa", "train", "monitor"),
)


class EvaluationError(Exception):
    """Data or arguments are not as they should be; the text says what was found, what is needed."""


@dataclass(frozen=True)
class Picture:
    """picture: RGB. labels: uint8 [H, W]; 0 is none of the names, IGNORED counts for nothing.
    names: label -> the concept that it stands for, of those that are in the picture.
    """

    picture: Image.Image
    labels: np.ndarray
    names: dict[int, str]


class ImageNet:
    """ImageNet-Segmentation as the paper's authors' data_processing.py writes it.

    data.csv with a column simplified_name, a row for every picture; the picture of the n-th row,
    counted from 0, is images/n.png, its mask segmentation_masks/n.png, where 0 is not the object.
    """

    def __init__(self, folder: Path) -> None:
        if folder.suffix == ".mat":
            raise EvaluationError(
                f"data: {folder.name} is the original file, whose classes have no names in it. "
                "Give the folder that data_processing.py of the paper's repository makes of it."
            )
        table = folder / "data.csv"
        if not table.is_file():
            raise EvaluationError(f"data: there is no data.csv in {folder}.")
        with table.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        if not rows or not rows[0].get("simplified_name"):
            raise EvaluationError(f"data: {table} has no rows with a simplified_name.")
        self._folder = folder
        self._names = [row["simplified_name"].strip() for row in rows]

    def __len__(self) -> int:
        return len(self._names)

    def __getitem__(self, index: int) -> Picture:
        mask = _opened(self._folder / "segmentation_masks" / f"{index}.png")
        labels = (np.asarray(mask.convert("L")) > 0).astype(np.uint8)
        picture = _opened(self._folder / "images" / f"{index}.png").convert("RGB")
        return Picture(picture, labels, {1: self._names[index]})

    def name(self, index: int) -> str:
        """Of the picture, in results."""
        return str(index)


class VOC:
    """PASCAL VOC 2012: JPEGImages, SegmentationClass and ImageSets/Segmentation/val.txt.

    folder: VOC2012, or one above it. names: of the classes 1, 2, ... one_class: only pictures with
    a single class, as in the paper's single-class table.
    """

    def __init__(
        self, folder: Path, names: Sequence[str] = VOC_NAMES, one_class: bool = False
    ) -> None:
        tried = (folder, folder / "VOC2012", folder / "VOCdevkit" / "VOC2012")
        lists = [root / "ImageSets" / "Segmentation" / "val.txt" for root in tried]
        found = next((path for path in lists if path.is_file()), None)
        if found is None:
            raise EvaluationError(f"data: there is no ImageSets/Segmentation/val.txt in {folder}.")
        self._root = found.parents[2]
        self._names = tuple(names)
        ids = found.read_text(encoding="utf-8").split()
        if one_class:
            ids = [each for each in ids if len(self._classes(self._labels(each), each)) == 1]
        if not ids:
            raise EvaluationError(f"data: {found} names no picture that can be used.")
        self._ids = ids

    def __len__(self) -> int:
        return len(self._ids)

    def __getitem__(self, index: int) -> Picture:
        name = self._ids[index]
        labels = self._labels(name)
        classes = self._classes(labels, name)
        if not classes:
            raise EvaluationError(f"data: {name} has no class; take it out of val.txt.")
        picture = _opened(self._root / "JPEGImages" / f"{name}.jpg").convert("RGB")
        return Picture(picture, labels, classes)

    def name(self, index: int) -> str:
        """Of the picture, in results."""
        return self._ids[index]

    def _labels(self, name: str) -> np.ndarray:
        path = self._root / "SegmentationClass" / f"{name}.png"
        mask = _opened(path)
        if mask.mode not in ("P", "L"):
            raise EvaluationError(
                f"data: {path} is a picture of mode {mask.mode}; a label map has a palette (P) "
                "whose indices are the classes, or is grey (L)."
            )
        return np.asarray(mask)

    def _classes(self, labels: np.ndarray, name: str) -> dict[int, str]:
        present = [int(value) for value in np.unique(labels) if value not in (0, IGNORED)]
        unknown = [value for value in present if value > len(self._names)]
        if unknown:
            raise EvaluationError(
                f"data: {name} has the label {unknown[0]}, and there are {len(self._names)} "
                "classes. Name all of them with --classes."
            )
        return {value: self._names[value - 1] for value in present}


def _opened(path: Path) -> Image.Image:
    if not path.is_file():
        raise EvaluationError(f"data: {path} is missing.")
    with Image.open(path) as image:
        return image.copy()
