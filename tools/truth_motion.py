"""Figures that say whether heatmaps follow what moves, and their table."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from table_cells import cell, head, line
from truth_figures import NAMES, interval

HEADER = ("maps", "correlation, median", "correlation, mean", "distance in pixels")
HEADER += ("another's way: correlation, mean", "distance in pixels")


def centres(maps: Tensor) -> Tensor:
    """Centres (row, column) [F, 2] of maps [F, H, W], in their pixels; only what is above half of
    a frame's highest value counts.
    """
    high = (maps - maps.flatten(1).amax(1)[:, None, None] / 2).clamp_min(0).double()
    total = high.sum((1, 2)).clamp_min(1e-12)
    rows, columns = (torch.arange(size, dtype=torch.float64) + 0.5 for size in maps.shape[1:])
    down = (high.sum(2) * rows).sum(1) / total
    across = (high.sum(1) * columns).sum(1) / total
    return torch.stack((down, across), 1)


def correlation(found: Tensor, way: Tensor) -> float:
    """Pearson's of two ways [F, 2] along the straight line that fits the second best; 0 where one
    of them stands still.
    """
    a, b = found - found.mean(0), way - way.mean(0)
    _, _, directions = torch.linalg.svd(b, full_matrices=False)
    a, b = a @ directions[0], b @ directions[0]
    lengths = a.norm() * b.norm()
    return 0.0 if lengths < 1e-9 else (a @ b / lengths).item()


def follow(found: Tensor, way: Tensor, other: Tensor) -> dict[str, float]:
    """How a map's centres follow a thing's way, and another thing's way for comparison."""
    return {
        "correlation": correlation(found, way),
        "distance": (found - way).norm(dim=1).mean().item(),
        "other correlation": correlation(found, other),
        "other distance": (found - other).norm(dim=1).mean().item(),
    }


def motion_table(title: str, rows: Sequence[dict[str, Sequence[dict[str, float]]]]) -> str:
    """Markdown table of the kinds that there are: rows of clips, each a figure for every thing."""
    lines = [f"**{title}**", "", *head(HEADER)]
    for kind, name in NAMES.items():
        if kind in rows[0]:
            own = [row[kind] for row in rows]
            cells = (
                cell(*interval(own, _median)),
                cell(*interval(own, _mean)),
                cell(*interval(own, _distance), ".1f"),
                f"{_of(own, 'other correlation').mean():.3f}",
                f"{_of(own, 'other distance').mean():.1f}",
            )
            lines.append(line((name, *cells)))
    return "\n".join((*lines, ""))


def motion_summary(rows: Sequence[dict[str, Sequence[dict[str, float]]]]) -> dict[str, float]:
    """The output space's figures without their intervals."""
    own = [row["output"] for row in rows]
    figures = {"correlation, median": _median(own), "correlation, mean": _mean(own)}
    figures |= {"distance in pixels": _distance(own)}
    return {name: round(value, 3) for name, value in figures.items()}


def _of(rows: Sequence[Any], name: str) -> Tensor:
    return torch.tensor([figures[name] for row in rows for figures in row])


def _median(rows: Sequence[Any]) -> float:
    return _of(rows, "correlation").median().item()


def _mean(rows: Sequence[Any]) -> float:
    return _of(rows, "correlation").mean().item()


def _distance(rows: Sequence[Any]) -> float:
    return _of(rows, "distance").mean().item()
