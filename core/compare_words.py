"""A comparison in words and as JSON."""

import json
from collections.abc import Sequence
from dataclasses import fields

from .agreement import rounded
from .compare import Comparison, Figures, mean_figures

_STILL = 0.5  # pixels; less is no move that anyone sees


def describe(comparison: Comparison, names: tuple[str, str]) -> str:
    """A line for each concept, with the mean over batch items and frames, and what else to know.

    names: what the two runs are called.
    """
    count = len(comparison.figures[0])
    rows, columns = comparison.a.shape[-2:]
    over = f"; means over {count} batch items or frames" if count > 1 else ""
    called = "" if names == ("A", "B") else f"A: {names[0]}. B: {names[1]}. "
    lines = [f"{called}Compared at {columns} x {rows} pixels{over}."]
    for label, figures in zip(comparison.labels, comparison.figures, strict=True):
        lines.append(f"{label}: {', '.join(phrases(mean_figures(figures)))}.")
    for only, run in ((comparison.only_a, "A"), (comparison.only_b, "B")):
        if only:
            lines.append(f"Only in {run}: {', '.join(only)}.")
    return "\n".join((*lines, *comparison.notes))


def phrases(figures: Figures) -> tuple[str, ...]:
    """The figures of one concept, one phrase each."""
    share = f"share {_percent(figures.share_a)} to {_percent(figures.share_b)}"
    return (
        f"correlation {number(figures.correlation)}",
        f"segments overlap {number(figures.iou)} (IoU)",
        f"soft IoU {number(figures.soft_iou)}",
        move(figures),
        f"{share} of the picture",
        f"mean difference {figures.mean_difference:.3f}",
    )


def move(figures: Figures) -> str:
    """From where to where the centre went, in words."""
    if figures.moved_share is None:
        return "no centre to compare"
    way = shift(figures)
    if not way:
        return "centre in the same place"
    return f"moved {way} ({_percent(figures.moved_share)} of the diagonal)"


def shift(figures: Figures) -> str:
    """The way of the centre from A to B, such as "12 px right, 4 px up"; "" for none."""
    steps = ((figures.right, ("left", "right")), (figures.down, ("up", "down")))
    return ", ".join(
        f"{abs(step):.0f} px {words[step > 0]}"
        for step, words in steps
        if step is not None and abs(step) >= _STILL
    )


def as_json(comparison: Comparison, names: tuple[str, str]) -> str:
    """All figures, for each concept and each of its batch items and frames."""
    frames = comparison.a.shape[2]
    concepts = []
    for label, figures in zip(comparison.labels, comparison.figures, strict=True):
        items = [
            {"item": place // frames, "frame": place % frames, **_plain(each)}
            for place, each in enumerate(figures)
        ]
        concepts.append({"label": label, "mean": _plain(mean_figures(figures)), "items": items})
    rows, columns = comparison.a.shape[-2:]
    document = {
        "a": names[0],
        "b": names[1],
        "width": columns,
        "height": rows,
        "concepts": concepts,
        "only_in_a": comparison.only_a,
        "only_in_b": comparison.only_b,
        "notes": comparison.notes,
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def _plain(figures: Figures) -> dict[str, float | None]:
    names: Sequence[str] = (*(field.name for field in fields(Figures)), "change")
    return rounded({name: getattr(figures, name) for name in names})


def number(value: float | None) -> str:
    """A figure with two digits, and never as -0.00."""
    return "none" if value is None else f"{round(value, 2) + 0.0:.2f}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
