"""How well maps segment one picture, as the paper counts it.

A place is a pixel, or a token that stands for several pixels: maps are compared with label maps
without being smoothed on the way, as the paper does (nearest neighbour).
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

_BLUR = (0.27406862, 0.45186276, 0.27406862)  # a gaussian of sigma 1, at -1, 0 and 1


def single(heat: Tensor, own: Tensor, total: Tensor) -> dict[str, float]:
    """One concept against the rest: heat [N], pixels of the concept at each place [N], all pixels.

    Where the map is above its own mean the concept is said to be (paper, section 5.1). Gives pixels
    said and true (tp), said and false (fp), unsaid and true (fn), neither (tn), and the average
    precision, as the paper's code has it: of the map stretched to 0..1 for the concept together
    with what is left to 1 for the rest.
    """
    said = heat > heat.mean()
    rest = total - own
    low, high = heat.min(), heat.max()
    stretched = (heat - low) / (high - low) if high > low else torch.zeros_like(heat)
    both = torch.cat((stretched, 1 - stretched))
    precision = average_precision(both[None], torch.cat((own, rest))[None], total.repeat(2))[0]
    counts = {"tp": own[said], "fp": rest[said], "fn": own[~said], "tn": rest[~said]}
    return {name: part.sum().item() for name, part in counts.items()} | {"ap": precision}


def multi(heat: Tensor, own: Tensor, total: Tensor, present: Sequence[int]) -> dict[str, Any]:
    """Several concepts, each place the highest's: heat [C, N], pixels of each concept [C, N] (none
    for one that is not in the picture, or that is background), all pixels [N].

    Gives the pixels right and all of them; for every concept those of intersection and union; the
    average precisions of the concepts present, each against all others.
    """
    best = heat.argmax(0)
    said = functional.one_hot(best, len(heat)).T.to(own)
    inter = (said * own).sum(1)
    union = (said * total).sum(1) + own.sum(1) - inter
    places = list(present)
    precisions = average_precision(heat[places], own[places], total)
    return {
        "right": inter.sum().item(),
        "pixels": total.sum().item(),
        "inter": inter.tolist(),
        "union": union.tolist(),
        "ap": sum(precisions) / len(precisions),
    }


def average_precision(score: Tensor, own: Tensor, total: Tensor) -> list[float]:
    """Area under precision against recall of each row of `score` [V, N] for `own` of `total` pixels
    at each place, [V, N] and [N]; places of one score are one step. 0 where there is nothing to
    find.
    """
    order = score.argsort(dim=-1, descending=True)
    ranked = score.gather(-1, order)
    hits = own.double().gather(-1, order).cumsum(-1)
    seen = total.double().expand_as(score).gather(-1, order).cumsum(-1)
    # Of places with one score only the last is a point of the curve.
    ends = torch.ones_like(ranked, dtype=torch.bool)
    ends[:, :-1] = ranked[:, 1:] != ranked[:, :-1]
    found = []
    for row_hits, row_seen, row_ends in zip(hits, seen, ends, strict=True):
        at, among = row_hits[row_ends], row_seen[row_ends].clamp_min(1)
        gained = torch.diff(at, prepend=at.new_zeros(1))
        whole = at[-1].item()
        found.append((gained * at / among).sum().item() / whole if whole else 0.0)
    return found


def paper_blur(maps: Tensor) -> Tensor:
    """Maps [..., H, W] under the 3 x 3 gaussian of sigma 1 of the paper's code, mirrored at the
    border.
    """
    flat = maps.reshape(-1, 1, *maps.shape[-2:])
    weights = flat.new_tensor(_BLUR)
    kernel = weights[:, None] * weights / weights.sum() ** 2
    padded = functional.pad(flat, (1, 1, 1, 1), mode="reflect")
    return functional.conv2d(padded, kernel[None, None]).reshape(maps.shape)
