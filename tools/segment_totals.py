"""What the figures of many pictures come to: accuracy, mIoU and mAP with bootstrap intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

REPEATS = 1000  # of the bootstrap


@dataclass(frozen=True)
class Figure:
    """A figure of all pictures, its 95 % bootstrap interval over pictures, and its repeats."""

    value: float
    low: float
    high: float
    repeats: np.ndarray


def single_figures(rows: Sequence[Mapping[str, float]]) -> dict[str, Figure]:
    """Accuracy, mIoU and mAP of `single` of every picture, in this order.

    mIoU: the mean over the concept and the rest, each of all pictures' pixels.
    """
    tp, fp, fn, tn, ap = (
        sampled([row[name] for row in rows]) for name in ("tp", "fp", "fn", "tn", "ap")
    )
    return {
        "accuracy": figure((tp + tn) / (tp + fp + fn + tn)),
        "mIoU": figure((tp / (tp + fp + fn) + tn / (tn + fp + fn)) / 2),
        "mAP": figure(ap / len(rows)),
    }


def multi_figures(rows: Sequence[Mapping[str, Any]]) -> dict[str, Figure]:
    """Accuracy, mIoU and mAP of `multi` of every picture; "classes" names its concepts.

    mIoU: the mean over the classes, each of all pictures' pixels; a row's class of None is none.
    """
    names = sorted({name for row in rows for name in row["classes"] if name is not None})
    inter, union = np.zeros((len(rows), len(names))), np.zeros((len(rows), len(names)))
    for i, row in enumerate(rows):
        for name, shared, all_of_it in zip(row["classes"], row["inter"], row["union"], strict=True):
            if name is not None:
                inter[i, names.index(name)] += shared
                union[i, names.index(name)] += all_of_it
    right, pixels, ap = (sampled([row[name] for row in rows]) for name in ("right", "pixels", "ap"))
    shared, all_of_it = sampled(inter), sampled(union)
    with np.errstate(invalid="ignore"):  # a class that no picture of a repeat has
        ious = shared / all_of_it
    return {
        "accuracy": figure(right / pixels),
        "mIoU": figure(np.nanmean(ious, axis=1)),
        "mAP": figure(ap / len(rows)),
    }


def sampled(values: Any) -> np.ndarray:
    """Sums over the pictures of values [n, ...], and over pictures drawn anew from them:
    [1 + REPEATS, ...]. The same draws for every figure of n pictures, so that differences are
    paired.
    """
    values = np.asarray(values, dtype=np.float64)
    drawn = np.random.default_rng(0).multinomial(
        len(values), np.full(len(values), 1 / len(values)), REPEATS
    )
    weights = np.concatenate((np.ones((1, len(values))), drawn))
    return weights @ values


def figure(repeats: np.ndarray) -> Figure:
    """From the value of all pictures and those of the repeats, [1 + REPEATS]."""
    low, high = np.percentile(repeats[1:], (2.5, 97.5))
    return Figure(float(repeats[0]), float(low), float(high), repeats)


def difference(one: Figure, other: Figure) -> Figure:
    """One figure less another of the same pictures."""
    return figure(one.repeats - other.repeats)


def paper_miou(accuracy: Figure) -> Figure:
    """mIoU as the paper's code counts it for ImageNet-Segmentation, from the accuracy.

    Mask and its complement are two channels of one array there, so that a pixel that is right is in
    both classes' intersections, and a wrong one in both unions: accuracy / (2 - accuracy).
    """
    return figure(accuracy.repeats / (2 - accuracy.repeats))
