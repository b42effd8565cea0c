"""Figures that say how well heatmaps follow label maps, and their tables."""

import random
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from segment_figures import average_precision
from table_cells import cell, head, line

NAMES = {
    "output": "output space (this pack)",
    "cross": "cross-attention",
    "cross_plain": "cross-attention, not rotated",
    "cross_rope": "cross-attention, rotated",
    "value": "value space",
    "chance": "chance (noise)",
}
FIRST_SEED = 10**9  # training never reached these
METRICS = ("pixel accuracy", "mIoU", "things' IoU", "mAP")
AUCS = ("AUC, pooled", "AUC, per picture")


def judge(heat: Tensor, truth: Tensor, is_thing: Sequence[bool]) -> dict[str, Any]:
    """Figures of one picture: heat [C + 1, h, w] with the absent concept last, truth bool [C, H,
    W]. The background takes part in the softmax, but not here.

    Pixel accuracy: share of pixels whose highest map is their own concept's. mIoU: mean over
    concepts of intersection over union of the argmax. mAP: mean over concepts of the average
    precision of the map's value as a score of every pixel. Pixels of no concept are left out.
    Peaks: highest value of each map.
    """
    full = functional.interpolate(
        heat[None], truth.shape[1:], mode="bilinear", align_corners=False
    )[0]
    inside = truth.any(0)
    best, truth = full.argmax(0)[inside], truth[:, inside]
    ious = []
    for i, own in enumerate(truth):
        union = ((best == i) | own).sum().item()
        ious.append(((best == i) & own).sum().item() / max(union, 1))
    scores = full[: len(truth), inside]
    precisions = average_precision(scores, truth, torch.ones_like(best))
    things = [iou for iou, thing in zip(ious, is_thing, strict=True) if thing]
    right = truth.gather(0, best.clamp_max(len(truth) - 1)[None])[0] & (best < len(truth))
    peaks = heat.flatten(1).amax(1)
    return {
        "pixel accuracy": right.float().mean().item(),
        "mIoU": sum(ious) / len(ious),
        "things' IoU": sum(things) / len(things),
        "mAP": sum(precisions) / len(precisions),
        "present": [peaks[i].item() for i, thing in enumerate(is_thing) if thing],
        "absent": peaks[-1].item(),
    }


def interval(
    items: Sequence[Any], statistic: Callable[[Sequence[Any]], float]
) -> tuple[float, float, float]:
    """The statistic of all items and its 95 % bootstrap interval over pictures."""
    rng = random.Random(0)
    repeats = sorted(statistic(rng.choices(items, k=len(items))) for _ in range(1000))
    return statistic(items), repeats[25], repeats[974]


def table(title: str, rows: Sequence[dict[str, Any]]) -> str:
    """Markdown table of the kinds that there are, with 95 % bootstrap intervals over pictures."""
    header = ("maps", *METRICS, *AUCS)
    lines = [f"**{title}**", "", *head(header)]
    for kind, name in NAMES.items():
        if kind not in rows[0]:
            continue
        figures = [row[kind] for row in rows]
        cells = []
        for metric in METRICS:
            values = [figure[metric] for figure in figures]
            cells.append(cell(*interval(values, _mean)))
        cells += [cell(*interval(figures, auc)) for auc in (pooled_auc, picture_auc)]
        lines.append(line((name, *cells)))
    return "\n".join((*lines, ""))


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    """The output space's figures without their intervals."""
    figures = [row["output"] for row in rows]
    means = {metric: _mean([figure[metric] for figure in figures]) for metric in METRICS}
    aucs = dict(zip(AUCS, (pooled_auc(figures), picture_auc(figures)), strict=True))
    return {name: round(value, 3) for name, value in {**means, **aucs}.items()}


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def pooled(found: Sequence[Sequence[bool]]) -> float:
    """Share of all hits."""
    flat = [hit for hits in found for hit in hits]
    return sum(flat) / len(flat)


def pooled_auc(figures: Sequence[dict[str, Any]]) -> float:
    """Probability that a present thing's peak is above an absent one's, of any two pictures.

    Peaks are lower where there are more concepts, so that chance is below 0.5.
    """
    present = torch.tensor([peak for figure in figures for peak in figure["present"]])
    absent = torch.tensor([figure["absent"] for figure in figures]).sort().values
    below = torch.searchsorted(absent, present) + torch.searchsorted(absent, present, right=True)
    return (below.double().mean() / 2 / len(absent)).item()


def picture_auc(figures: Sequence[dict[str, Any]]) -> float:
    """Probability that a present thing's peak is above that of its own picture's absent one; a tie
    counts half. Chance is 0.5.
    """
    wins = [
        (figure["absent"] < peak) + 0.5 * (figure["absent"] == peak)
        for figure in figures
        for peak in figure["present"]
    ]
    return sum(wins) / len(wins)
