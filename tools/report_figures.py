"""How well the Concept Report tells what is in a picture: figures of many samples, as tables."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from report_pictures import Sample
from truth_figures import interval

Scored = tuple[list[float], list[float]]  # of one picture: scores of what is there, and is not
VERDICTS = ("present", "weak", "confused", "absent")
SIZE = (256, 256)


@dataclass(frozen=True, eq=False)
class Judged:
    """One sample with its report, and its concepts' scores by every candidate for the score.

    null: the same with the first absent concept as null concept; None where there are too few.
    """

    sample: Sample
    report: Any
    null: Any
    candidates: dict[str, Tensor]


def judge(sample: Sample) -> Judged:
    """The report on a sample as the nodes make it: at the picture's size, with the defaults."""
    from concept_attention.core.report import Settings, report
    from concept_attention.core.resize import resized

    heatmaps = resized(sample.heatmaps, SIZE)
    absent = [i for i, there in enumerate(sample.truth) if there is False]
    null = None
    if len(absent) > 1:
        null = report(heatmaps, Settings(null_concepts=(heatmaps.labels[absent[0]],)))
    return Judged(sample, report(heatmaps, Settings()), null, _candidates(heatmaps))


def _candidates(heatmaps: Any) -> dict[str, Tensor]:
    """What the score could be, [C] each."""
    flat = heatmaps.shares[:, 0, 0].flatten(1)
    background = heatmaps.background[0, 0].flatten()

    def top(part: float) -> Tensor:
        return flat.topk(round(part * flat.shape[1]), dim=1).values

    every = torch.cat((flat, background[None]))
    lead = [flat[i] - torch.cat((every[:i], every[i + 1 :])).amax(0) for i in range(len(flat))]
    best = every.argmax(0)
    own = torch.stack([(best == i).float().mean() for i in range(len(flat))])
    return {
        "mean of the top 0.5 % (the score)": top(0.005).mean(1),
        "mean of the top 1 %": top(0.01).mean(1),
        "99 % quantile": top(0.01)[:, -1],
        "peak": flat.amax(1),
        "peak above the background": (flat - background).amax(1),
        "peak above the next best": torch.stack(lead).amax(1),
        "share of the picture": own + 1e-6 * flat.amax(1),
        "mean of the map": flat.mean(1),
    }


def scored(
    judged: Sequence[Judged], score: Callable[[Judged, int], float], things: bool = False
) -> list[Scored]:
    """Each picture's scores of what is there and is not; `things` leaves skies and grounds out."""
    rows = []
    for each in judged:
        sides: Scored = ([], [])
        for i, there in enumerate(each.sample.truth):
            if there is not None and (each.sample.is_thing[i] or not things):
                sides[0 if there else 1].append(score(each, i))
        rows.append(sides)
    return rows


def own_score(judged: Judged, index: int) -> float:
    """The report's score of a concept."""
    return judged.report.items[0].findings[index].score


def pooled_auc(rows: Sequence[Scored]) -> float:
    """Probability that something present, of any picture, scores above something absent."""
    present = torch.tensor([score for row in rows for score in row[0]], dtype=torch.float64)
    absent = torch.tensor([score for row in rows for score in row[1]], dtype=torch.float64)
    absent = absent.sort().values
    below = torch.searchsorted(absent, present) + torch.searchsorted(absent, present, right=True)
    return (below.double().mean() / 2 / len(absent)).item()


def picture_auc(rows: Sequence[Scored]) -> float:
    """The same within a picture; a tie counts half."""
    wins = [(a < p) + 0.5 * (a == p) for row in rows for p in row[0] for a in row[1]]
    return sum(wins) / len(wins)


def false_absent(rows: Sequence[Scored], threshold: float) -> float:
    """Part of what is there that scores below the threshold."""
    found = [score < threshold for row in rows for score in row[0]]
    return sum(found) / len(found)


def false_present(rows: Sequence[Scored], threshold: float) -> float:
    """Part of what is not there that scores from the threshold on."""
    found = [score >= threshold for row in rows for score in row[1]]
    return sum(found) / len(found)


def best_threshold(rows: Sequence[Scored]) -> float:
    """The threshold, in hundredths, with the smallest sum of both errors; the middle of several."""
    steps = [i / 100 for i in range(1, 100)]
    errors = [false_absent(rows, step) + false_present(rows, step) for step in steps]
    best = [step for step, error in zip(steps, errors, strict=True) if error <= min(errors)]
    return best[len(best) // 2]


def candidate_table(groups: dict[str, Sequence[Judged]]) -> str:
    """AUC, pooled and per picture, of every candidate for the score, in each group of pictures."""
    header = [
        "score",
        *(f"{name}: {kind}" for name in groups for kind in ("pooled", "per picture")),
    ]
    lines = _head(header)
    for name in next(iter(groups.values()))[0].candidates:
        cells = []
        for judged in groups.values():
            rows = scored(judged, lambda each, i, name=name: float(each.candidates[name][i]))
            cells += [f"{pooled_auc(rows):.4f}", f"{picture_auc(rows):.4f}"]
        lines.append(_row([name, *cells]))
    return "\n".join((*lines, ""))


def default_table(groups: dict[str, Sequence[Judged]], threshold: float) -> str:
    """AUC and both error rates at a threshold, with intervals, for each group of pictures."""
    lines = _head(
        [
            "pictures",
            "present / absent concepts",
            "AUC, pooled",
            "AUC, per picture",
            "AUC, things alone, pooled",
            f"false absent at {threshold:.2f}",
            f"false present at {threshold:.2f}",
        ]
    )
    for name, judged in groups.items():
        rows, things = scored(judged, own_score), scored(judged, own_score, things=True)
        counts = [sum(len(row[side]) for row in rows) for side in (0, 1)]
        cells = [_auc(rows, pooled_auc), _auc(rows, picture_auc), _auc(things, pooled_auc)]
        lines.append(
            _row(
                [
                    f"{name}, n = {len(rows)}",
                    f"{counts[0]} / {counts[1]}",
                    *cells,
                    *errors(rows, threshold),
                ]
            )
        )
    return "\n".join((*lines, ""))


def errors(rows: Sequence[Scored], threshold: float) -> list[str]:
    """Both error rates with their intervals."""
    return [
        _percent(interval(rows, partial(rate, threshold=threshold)))
        for rate in (false_absent, false_present)
    ]


def halves_table(groups: dict[str, Sequence[Judged]]) -> str:
    """The threshold chosen on every other picture, and its errors on the rest."""
    lines = _head(["pictures", "threshold", "false absent", "false present"])
    for name, judged in groups.items():
        rows = scored(judged, own_score)
        threshold = best_threshold(rows[::2])
        rest = rows[1::2]
        title = f"{name}, {len(rows[::2])} to choose, {len(rest)} to measure"
        lines.append(_row([title, f"{threshold:.2f}", *errors(rest, threshold)]))
    return "\n".join((*lines, ""))


def null_table(groups: dict[str, Sequence[Judged]], threshold: float) -> str:
    """The same concepts without and with one absent concept of each picture as null concept."""
    lines = _head(["pictures", "null concepts", "AUC, pooled", "false absent", "false present"])
    for name, judged in groups.items():
        kept = [each for each in judged if each.null is not None]
        for title, pick in (("none", lambda each: each.report), ("one", lambda each: each.null)):
            rows = []
            for each in kept:
                sides: Scored = ([], [])
                for i, finding in enumerate(pick(each).items[0].findings):
                    there = each.sample.truth[i]
                    if there is not None and not each.null.items[0].findings[i].is_null:
                        sides[0 if there else 1].append(finding.score)
                rows.append(sides)
            cells = [_auc(rows, pooled_auc), *errors(rows, threshold)]
            lines.append(_row([f"{name}, n = {len(rows)}", title, *cells]))
    return "\n".join((*lines, ""))


def verdict_table(groups: dict[str, Sequence[Judged]]) -> str:
    """How often each verdict was given to what is there, what is not, and what was asked for and
    is not.
    """
    lines = _head(["pictures", "concepts", "number", *VERDICTS])
    kinds = (
        ("there", lambda there, wanted: there is True),
        ("not there, not in the prompt", lambda there, wanted: there is False and not wanted),
        ("not there, though in the prompt", lambda there, wanted: there is False and wanted),
        ("half painted: the reader is not sure", lambda there, wanted: there is None),
    )
    for name, judged in groups.items():
        for title, belongs in kinds:
            found = [
                each.report.items[0].findings[i].verdict
                for each in judged
                for i, there in enumerate(each.sample.truth)
                if belongs(there, each.sample.wanted[i])
            ]
            if found:
                parts = [f"{found.count(verdict) / len(found):.1%}" for verdict in VERDICTS]
                lines.append(_row([name, title, str(len(found)), *parts]))
    return "\n".join((*lines, ""))


def place_table(groups: dict[str, Sequence[Judged]]) -> str:
    """How well place and box of present things agree with their exact places."""
    lines = _head(
        ["pictures", "things found", "place in words right", "box: median IoU", "IoU >= 0.5"]
    )
    for name, judged in groups.items():
        pairs = [pair for each in judged for pair in _places(each)]
        right = sum(said == true for said, true, _ in pairs) / len(pairs)
        ious = torch.tensor([iou for _, _, iou in pairs])
        cells = [f"{right:.1%}", f"{ious.median():.2f}", f"{(ious >= 0.5).float().mean():.1%}"]
        lines.append(_row([name, str(len(pairs)), *cells]))
    return "\n".join((*lines, ""))


def _places(judged: Judged) -> list[tuple[str, str, float]]:
    """For every thing that is there and was found: the word, the true word, IoU of the boxes."""
    from concept_attention.core.report.figures import box
    from concept_attention.core.report.words import place
    from concept_attention.pocket.world import LABELS

    found = []
    for i, finding in enumerate(judged.report.items[0].findings):
        if not (judged.sample.is_thing[i] and judged.sample.truth[i] is True):
            continue
        own = (judged.sample.marks == LABELS.index(finding.label)).float()
        if finding.verdict == "present" and own.any():
            iou = _iou(finding.best.box, box(own))
            found.append((finding.best.place, place(own), iou))
    return found


def _iou(one: Sequence[int], other: Sequence[int]) -> float:
    sides = []
    for axis in (0, 1):
        ends = (one[axis] + one[axis + 2], other[axis] + other[axis + 2])
        sides.append(max(0, min(ends) - max(one[axis], other[axis])))
    both = sides[0] * sides[1]
    return both / (one[2] * one[3] + other[2] * other[3] - both)


def _auc(rows: Sequence[Scored], statistic: Callable[[Sequence[Scored]], float]) -> str:
    value, low, high = interval(rows, statistic)
    return f"{value:.3f} ({low:.3f} to {high:.3f})"


def _percent(figure: tuple[float, float, float]) -> str:
    value, low, high = figure
    return f"{value:.1%} ({low:.1%} to {high:.1%})"


def _head(names: Sequence[str]) -> list[str]:
    return [_row(names), "|---" * len(names) + "|"]


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
