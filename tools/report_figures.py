"""How well the Concept Report tells what is in a picture: figures of many samples, as tables."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from report_pictures import Sample
from report_rates import Rates, Scored
from table_cells import cell, head, line

VERDICTS = ("present", "weak", "confused", "absent")
SIZE = (256, 256)


@dataclass(frozen=True, eq=False)
class Judged:
    """One sample with its report, and its concepts' scores by every candidate for the score."""

    sample: Sample
    report: Any
    candidates: dict[str, Tensor]


def judge(sample: Sample) -> Judged:
    """The report on a sample as the nodes make it: at the picture's size, with the defaults."""
    from concept_attention.core.report import Settings, report
    from concept_attention.core.resize import resized

    heatmaps = resized(sample.heatmaps, SIZE)
    return Judged(sample, report(heatmaps, Settings()), _candidates(heatmaps))


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


def candidate_table(groups: dict[str, Sequence[Judged]]) -> str:
    """AUC, pooled and per picture, of every candidate for the score, in each group of pictures."""
    kinds = ("pooled", "per picture")
    lines = head(["score", *(f"{name}, {kind}" for name in groups for kind in kinds)])
    for name in next(iter(groups.values()))[0].candidates:
        cells = []
        for judged in groups.values():
            rows = scored(judged, lambda each, i, name=name: float(each.candidates[name][i]))
            rates = Rates(rows)
            cells += [cell(*rates.pooled_auc()), cell(*rates.picture_auc())]
        lines.append(line([name, *cells]))
    return "\n".join((*lines, ""))


def default_table(groups: dict[str, Sequence[Judged]], threshold: float) -> str:
    """AUC and both error rates at a threshold for each group of pictures."""
    names = ["pictures", "concepts there / not", "AUC, pooled", "AUC, per picture"]
    names += ["AUC, things alone, pooled"]
    names += [f"false absent at {threshold:.2f}", f"false present at {threshold:.2f}"]
    lines = head(names)
    for name, judged in groups.items():
        rates = Rates(scored(judged, own_score))
        things = Rates(scored(judged, own_score, things=True))
        counts = " / ".join(str(int(count.sum())) for count in rates.counts)
        aucs = (rates.pooled_auc(), rates.picture_auc(), things.pooled_auc())
        cells = [*(cell(*auc) for auc in aucs), *_errors(rates, threshold)]
        lines.append(line([f"{name}, n = {len(judged)}", counts, *cells]))
    return "\n".join((*lines, ""))


def halves_table(groups: dict[str, Sequence[Judged]]) -> str:
    """The threshold chosen on every other picture, and its errors on the rest."""
    lines = head(["pictures", "threshold", "false absent", "false present"])
    for name, judged in groups.items():
        rows = scored(judged, own_score)
        threshold = Rates(rows[::2]).best_threshold()
        title = f"{name}, {len(rows[::2])} to choose, {len(rows[1::2])} to measure"
        cells = _errors(Rates(rows[1::2]), threshold)
        lines.append(line([title, f"{threshold:.2f}", *cells]))
    return "\n".join((*lines, ""))


def null_table(groups: dict[str, Sequence[Judged]], threshold: float) -> str:
    """The same concepts without and with one absent concept of each picture as null concept."""
    lines = head(["pictures", "null concepts", "AUC, pooled", "false absent", "false present"])
    for name, judged in groups.items():
        kept = [each for each in judged if False in each.sample.truth]
        for title, scaled in (("none", False), ("one", True)):
            rates = Rates([_without_null(each, scaled) for each in kept])
            cells = [cell(*rates.pooled_auc()), *_errors(rates, threshold)]
            lines.append(line([f"{name}, n = {len(kept)}", title, *cells]))
    return "\n".join((*lines, ""))


def _without_null(judged: Judged, scaled: bool) -> Scored:
    """Scores of a picture without its last absent concept; scaled: on the scale of that one."""
    from concept_attention.core.report.verdict import on_scale

    truth = judged.sample.truth
    null = max(i for i, there in enumerate(truth) if there is False)
    level = own_score(judged, null) if scaled else 0.0
    sides: Scored = ([], [])
    for i, there in enumerate(truth):
        if there is not None and i != null:
            sides[0 if there else 1].append(on_scale(own_score(judged, i), level))
    return sides


def verdict_table(groups: dict[str, Sequence[Judged]]) -> str:
    """How often each verdict was given to what is there, what is not, and what was asked for and
    is not.
    """
    lines = head(["pictures", "concepts", "number", *VERDICTS])
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
                lines.append(line([name, title, str(len(found)), *parts]))
    return "\n".join((*lines, ""))


def place_table(groups: dict[str, Sequence[Judged]]) -> str:
    """How well place and box of present things agree with their exact places."""
    lines = head(
        ["pictures", "things found", "place in words right", "box: median IoU", "IoU >= 0.5"]
    )
    for name, judged in groups.items():
        pairs = [pair for each in judged for pair in _places(each)]
        right = sum(said == true for said, true, _ in pairs) / len(pairs)
        ious = torch.tensor([iou for _, _, iou in pairs])
        cells = [f"{right:.1%}", f"{ious.median():.2f}", f"{(ious >= 0.5).float().mean():.1%}"]
        lines.append(line([name, str(len(pairs)), *cells]))
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


def _errors(rates: Rates, threshold: float) -> list[str]:
    """Both error rates with their intervals."""
    return [
        cell(*rates.false_absent(threshold), ".1%"),
        cell(*rates.false_present(threshold), ".1%"),
    ]
