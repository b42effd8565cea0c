"""The curves of a timeline: strength, place and truth by step and by layer."""

from torch import Tensor

from .plot import Chart, Line, plot, stacked
from .timeline import Timeline
from .timeline_points import DECIDED, Point
from .timeline_words import layer_name, sigma

_PIXELS = 14
_SIZE = (240, 620)


def curves(timeline: Timeline) -> Tensor:
    """Plots by step on the left and by layer on the right: [H, W, 3] in 0..1 on the CPU.

    From above: where the concept is (overlap with the last step's segment; with a true mask IoU and
    average precision too), its peak, and its share of the picture with the change from before.
    """
    steps = tuple(
        (str(step), sigma(level))
        for step, level in zip(timeline.steps, timeline.sigmas, strict=True)
    )
    layers = tuple(
        (layer_name(entry).removeprefix("layers ").removeprefix("layer "),)
        for entry in timeline.layers
    )
    left = _charts(timeline.step_points, "step", steps, ("step", "sigma"), timeline)
    right = _charts(timeline.layer_points, "layer", layers, ("layer",), timeline)
    drawn = [
        [plot(chart, _SIZE, _PIXELS) for chart in row] for row in zip(left, right, strict=True)
    ]
    return stacked(drawn, _PIXELS)


def _charts(
    points: tuple[Point, ...],
    what: str,
    ticks: tuple[tuple[str, ...], ...],
    axes: tuple[str, ...],
    timeline: Timeline,
) -> tuple[Chart, Chart, Chart]:
    by_step = what == "step"
    mark = timeline.decided if by_step else None
    name, last = timeline.label, timeline.steps[-1]
    goal = f"overlap with step {last}'s segment" if by_step else "overlap with all layers' segment"
    place = [_line(goal, points, "agreement")]
    if points[0].truth_iou is not None:
        place.append(_line("IoU with the truth", points, "truth_iou"))
        place.append(_line("average precision", points, "truth_precision"))
    found = "" if mark is None else f", decided at step {timeline.steps[mark]}"
    level = DECIDED if by_step else None
    strength = (
        _line("share of the picture", points, "share"),
        _line(f"change from the {what} before", points, "change"),
    )
    common = (ticks, axes)
    return (
        Chart(f"{name}: its place by {what}{found}", tuple(place), *common, 1.0, mark, level),
        Chart(f"{name}: its peak", (_line("peak", points, "peak"),), *common, 1.0, mark),
        Chart(f"{name}: its share and change", strength, *common, mark=mark),
    )


def _line(name: str, points: tuple[Point, ...], what: str) -> Line:
    return Line(name, tuple(getattr(point, what) for point in points))
