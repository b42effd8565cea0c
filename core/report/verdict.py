"""From figures to an answer: present, weak, absent or confused with another concept."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from .figures import region

Verdict = Literal["present", "weak", "absent", "confused"]

# All were chosen on the pocket models, see BENCHMARKS.md: tools/bench_report.py.
THRESHOLD = 0.4
WEAK = 0.7  # of the threshold
ABSENT_LEVEL = 0.25  # 19 of 20 absent concepts score less
LOST = 0.5  # of a concept's places that another one takes: then it is confused with that one


@dataclass(frozen=True)
class Rival:
    """The concept that takes most of another's places: its index, and what part of them."""

    index: int
    part: float


def rival(values: Tensor, best: Tensor, index: int) -> Rival | None:
    """Who wins the places where concept `index` is at least half as high as its peak.

    values: [H, W], its map. best: [H, W], see `segments.winners`. None where no other concept wins
    any; the background is nobody.
    """
    taken = best[region(values)]
    others = taken[(taken >= 0) & (taken != index)]
    if not len(others):
        return None
    counts = torch.bincount(others)
    winner = int(counts.argmax())
    return Rival(winner, int(counts[winner]) / len(taken))


def verdict(score: float, threshold: float, other: Rival | None) -> Verdict:
    """The verdict on a score.

    "absent" below 70 % of the threshold. Else "confused" where another concept takes at least half
    of its places, see `rival`: the model sees something there, and more of the other. Else
    "present" from the threshold on, "weak" below it.
    """
    if score < WEAK * threshold:
        return "absent"
    if other is not None and other.part >= LOST:
        return "confused"
    return "present" if score >= threshold else "weak"


def on_scale(score: float, level: float) -> float:
    """A score on the scale of what is known to be absent.

    level: the highest score of the null concepts in the same picture, 0 without any. Up to 0.25,
    which is what absent concepts reach on the pocket models, nothing changes. A higher level
    becomes 0.25, with 0 and 1 as they are and straight lines between, so that the same threshold
    asks for as much above it.

    >>> on_scale(0.9, 0.2), on_scale(0.75, 0.5), on_scale(0.4, 0.5)
    (0.9, 0.625, 0.2)
    """
    if level <= ABSENT_LEVEL:
        return score
    if score <= level:
        return ABSENT_LEVEL * score / level
    return ABSENT_LEVEL + (1 - ABSENT_LEVEL) * (score - level) / (1 - level)
