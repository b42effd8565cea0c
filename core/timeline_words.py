"""What a timeline says, in words and as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict

from .agreement import rounded
from .timeline import Timeline, averaged
from .timeline_points import DECIDED, Point


def answer(timeline: Timeline) -> str:
    """When the place was decided, in one or two sentences."""
    name, last = f"'{timeline.label}'", timeline.steps[-1]
    if len(timeline.steps) < 2:
        return f"Only step {last} is shown, which does not tell when the place of {name} was found."
    if timeline.decided is None:
        return (
            f"{name} has no place at step {last}, the last one shown: another concept or the "
            "background is stronger everywhere."
        )
    place, step = timeline.decided, timeline.steps[timeline.decided]
    rule = f"overlaps that of step {last} by at least half (IoU {DECIDED} or more)"
    if place == 0:
        return (
            f"The place of {name} was decided at step {step} (sigma {sigma(timeline.sigmas[0])}) "
            f"already, the first one shown: from there on its segment {rule}."
        )
    before = timeline.step_points[place - 1].agreement or 0.0
    when = f"step {step} (sigma {sigma(timeline.sigmas[place])})"
    if place == len(timeline.steps) - 1:
        return (
            f"The place of {name} was decided only at {when}, the last one shown: at step "
            f"{timeline.steps[place - 1]} its segment overlapped that by {before:.2f}."
        )
    return (
        f"The place of {name} was decided at {when}: from there on its segment {rule}. At step "
        f"{timeline.steps[place - 1]} the overlap was {before:.2f}."
    )


def describe(timeline: Timeline) -> str:
    """The answer, and what else the numbers tell."""
    lines = [answer(timeline)]
    changes = [each.change or 0.0 for each in timeline.step_points]
    if len(changes) > 1:
        most = max(range(1, len(changes)), key=changes.__getitem__)
        lines.append(
            f"Its map changed most from step {timeline.steps[most - 1]} to "
            f"{timeline.steps[most]}, by {changes[most]:.3f} on average."
        )
    if timeline.step_points[0].truth_iou is not None:
        step = _best(timeline.step_points)
        layer = _best(timeline.layer_points)
        lines.append(
            f"Closest to the truth: step {timeline.steps[step]} with IoU "
            f"{timeline.step_points[step].truth_iou:.2f}, {layer_name(timeline.layers[layer])} "
            f"with {timeline.layer_points[layer].truth_iou:.2f}."
        )
    if averaged(timeline.layers):
        groups = [layer_name(entry) for entry in timeline.layers if len(entry) > 1]
        lines.append(
            f"Recorded as averages, which hides what each layer does: {', '.join(groups)}."
        )
    return "\n".join(lines)


def as_json(timeline: Timeline) -> str:
    """All numbers, for each step and layer, and the answer in words."""
    place = timeline.decided
    document = {
        "concept": timeline.label,
        "family": timeline.family,
        "item": timeline.item,
        "steps": [
            {"step": step, "sigma": level, **rounded(asdict(point))}
            for step, level, point in zip(
                timeline.steps, timeline.sigmas, timeline.step_points, strict=True
            )
        ],
        "layers": [
            {"layers": entry, **rounded(asdict(point))}
            for entry, point in zip(timeline.layers, timeline.layer_points, strict=True)
        ],
        "decided": None
        if place is None
        else {"step": timeline.steps[place], "sigma": timeline.sigmas[place], "iou": DECIDED},
        "answer": describe(timeline),
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def layer_name(entry: Sequence[int]) -> str:
    """What an entry of a capture's layers is called."""
    if len(entry) == 1:
        return f"layer {entry[0]}"
    run = list(entry) == list(range(entry[0], entry[-1] + 1))
    text = f"{entry[0]}-{entry[-1]}" if run else ",".join(map(str, entry))
    return f"layers {text} averaged"


def sigma(value: float) -> str:
    """A noise level in three or four characters."""
    return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f}"


def _best(points: Sequence[Point]) -> int:
    return max(range(len(points)), key=lambda place: points[place].truth_iou or 0.0)
