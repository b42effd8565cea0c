"""The account of heatmaps: figures, verdicts and checks for every concept and picture."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import ConceptAttentionError
from ..segments import require_rivals, strongest
from ..types import Heatmaps
from .figures import Figures, figures, overlap, presence
from .verdict import THRESHOLD, Verdict, on_scale, rival, verdict

_LISTS = ("null_concepts", "must_be_present", "must_be_absent")


@dataclass(frozen=True)
class Settings:
    """What is asked of a report; the labels are those of the heatmaps.

    threshold: score from which on a concept is present, above 0, up to 1. null_concepts: known to
    be absent, so that their scores are the scale, see `verdict.on_scale`.
    """

    threshold: float = THRESHOLD
    null_concepts: tuple[str, ...] = ()
    must_be_present: tuple[str, ...] = ()
    must_be_absent: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """One concept in one batch item: a picture, or a whole video.

    score: on the scale of the null concepts; raw_score: as it was. Both are the highest of all
    frames, and frame is the one that has it. share: of the picture, the mean over frames. rival:
    label of the concept that takes most of this one's places in that frame, lost: what part of
    them. overlap: soft intersection over union with every other concept. frames: each frame's own
    figures, whose score is raw. is_null: it belongs to the scale and has no verdict of its own.
    """

    label: str
    verdict: Verdict | None
    score: float
    raw_score: float
    share: float
    frame: int
    frames: tuple[Figures, ...]
    rival: str | None
    lost: float
    overlap: dict[str, float]
    is_null: bool = False

    @property
    def best(self) -> Figures:
        """The figures of the frame in which the score is highest."""
        return self.frames[self.frame]


@dataclass(frozen=True)
class Item:
    """One batch item. null_level: highest raw score of its null concepts, None without any.
    background_share: part of its places that the background wins.
    """

    findings: tuple[Finding, ...]
    null_level: float | None
    background_share: float


@dataclass(frozen=True)
class Check:
    """Whether one concept is in one batch item what it must be: "present" or "absent"."""

    item: int
    finding: Finding
    must_be: Verdict
    passed: bool


@dataclass(frozen=True)
class Report:
    """What heatmaps say. size: (height, width) of the maps; frames: of each batch item."""

    items: tuple[Item, ...]
    checks: tuple[Check, ...]
    settings: Settings
    size: tuple[int, int]
    frames: int

    @property
    def passed(self) -> bool:
        """Whether every check passed; True where there was nothing to check."""
        return all(check.passed for check in self.checks)


def report(heatmaps: Heatmaps, settings: Settings) -> Report:
    """Figures and a verdict for every concept and batch item of heatmaps [C, B, F, H, W].

    The softmax itself is judged, whatever the heatmaps were stretched to. A check of "present"
    passes on that verdict alone. One of "absent" passes below the threshold, whatever the verdict,
    and only where the null concepts' own scores are below it too: what is not clear fails.

    Raises ConceptAttentionError for what `check` refuses, values that are not finite, a single
    concept without a background, labels that the heatmaps lack, and nothing but null concepts.
    """
    check(settings)
    require_rivals(heatmaps)
    _check_labels(heatmaps.labels, settings)
    # On the CPU, which finds the pieces of a map; and not every device has float64 to sum in.
    shares = heatmaps.shares.cpu()
    background = None if heatmaps.background is None else heatmaps.background.cpu()
    if not bool(torch.isfinite(shares).all()):
        raise ConceptAttentionError(
            "heatmaps: they hold values that are not finite; decode a capture whose scores are"
        )
    items = tuple(
        _item(shares[:, i], None if background is None else background[i], heatmaps, settings)
        for i in range(shares.shape[1])
    )
    checks = _checks(items, settings)
    frames, height, width = shares.shape[2:]
    return Report(items, checks, settings, (height, width), frames)


def check(settings: Settings) -> None:
    """Raises ConceptAttentionError for what `report` would refuse, without any heatmaps.

    That is a threshold outside 0..1 or of 0, and a label with two parts to play.
    """
    if not 0 < settings.threshold <= 1:
        raise ConceptAttentionError(
            f"threshold: {settings.threshold} is not above 0 and at most 1, as a score is"
        )
    parts: dict[str, str] = {}
    for name in _LISTS:
        for label in getattr(settings, name):
            if label in parts:
                raise ConceptAttentionError(
                    f"{name}: '{label}' is also in {parts[label]}; a concept can be in one of them"
                )
            parts[label] = name


def _item(
    shares: Tensor, background: Tensor | None, heatmaps: Heatmaps, settings: Settings
) -> Item:
    """One batch item: shares [C, F, H, W], background [F, H, W]."""
    best = strongest(shares, background)
    raw = presence(shares)  # [C, F]
    nulls = [heatmaps.labels.index(label) for label in settings.null_concepts]
    level = float(raw[nulls].max()) if nulls else None
    overlaps = overlap(shares)
    findings = tuple(
        _finding(shares, best, overlaps[i], i, level, heatmaps.labels, settings)
        for i in range(len(shares))
    )
    return Item(findings, level, float((best < 0).float().mean()))


def _finding(
    shares: Tensor,
    best: Tensor,
    overlaps: Tensor,
    index: int,
    level: float | None,
    labels: Sequence[str],
    settings: Settings,
) -> Finding:
    frames = tuple(
        figures(values, won) for values, won in zip(shares[index], best == index, strict=True)
    )
    frame = max(range(len(frames)), key=lambda i: frames[i].score)
    other = rival(shares[index, frame], best[frame], index)
    raw, is_null = frames[frame].score, labels[index] in settings.null_concepts
    score = on_scale(raw, level or 0.0)
    others = {label: float(overlaps[i]) for i, label in enumerate(labels) if i != index}
    return Finding(
        label=labels[index],
        verdict=None if is_null else verdict(score, settings.threshold, other),
        score=score,
        raw_score=raw,
        share=sum(each.share for each in frames) / len(frames),
        frame=frame,
        frames=frames,
        rival=labels[other.index] if other else None,
        lost=other.part if other else 0.0,
        overlap=others,
        is_null=is_null,
    )


def _checks(items: Sequence[Item], settings: Settings) -> tuple[Check, ...]:
    found = []
    for number, item in enumerate(items):
        by_label = {finding.label: finding for finding in item.findings}
        for label in settings.must_be_present:
            passed = by_label[label].verdict == "present"
            found.append(Check(number, by_label[label], "present", passed))
        readable = item.null_level is None or item.null_level < settings.threshold
        for label in settings.must_be_absent:
            passed = readable and by_label[label].score < settings.threshold
            found.append(Check(number, by_label[label], "absent", passed))
    return tuple(found)


def _check_labels(labels: Sequence[str], settings: Settings) -> None:
    for name in _LISTS:
        for label in getattr(settings, name):
            if label not in labels:
                raise ConceptAttentionError(
                    f"{name}: '{label}' is not among the heatmaps. They have: {', '.join(labels)}. "
                    "Add it in the Concept Encoder, and let Heatmap Decode put out all concepts."
                )
    if len(settings.null_concepts) == len(labels):
        raise ConceptAttentionError(
            "null_concepts: they are all the concepts there are, so that none is left to report"
        )
