"""Who wins each pixel: the concept with the largest share, or nobody where the background has."""

from collections.abc import Sequence

import torch
from torch import Tensor

from .errors import ConceptAttentionError
from .types import Heatmaps

NOBODY = -1

# Shares of the shown concepts [C, ...], and the backgrounds' largest [...], None without one.
Rivals = tuple[Tensor, Tensor | None]


def has_rivals(heatmaps: Heatmaps) -> bool:
    """Whether anything competes for a pixel: two concepts, or one and a background."""
    return len(heatmaps.labels) > 1 or heatmaps.background is not None


def require_rivals(heatmaps: Heatmaps, otherwise: str = "") -> None:
    """Raise ConceptAttentionError for a single concept without a background.

    otherwise: what else the user can do about it, for the message.
    """
    if not has_rivals(heatmaps):
        raise ConceptAttentionError(
            f"heatmaps: '{heatmaps.labels[0]}' is alone in them and there is no background, so it "
            "would win every pixel. Leave concept empty in Heatmap Decode, or name a background in "
            f"the Concept Encoder{otherwise}."
        )


def winners(heatmaps: Heatmaps) -> Tensor:
    """For every pixel the index of the concept with the largest share: [B, F, H, W] int64.

    NOBODY where no concept's share is larger than the background's. Between concepts with equal
    shares the first one wins. Shares, so that it does not matter what the values were stretched to.

    Raises ConceptAttentionError for a single concept without a background: it would win everywhere.
    """
    require_rivals(heatmaps)
    return strongest(heatmaps.shares, heatmaps.background)


def rivals(shares: Tensor, background: Sequence[bool]) -> Rivals:
    """What competes for each place: of shares [C, ...] of all concepts, the backgrounds' as one.

    Before maps are resized, as `decode.decode` does it: the largest of several is no linear thing.
    """
    hidden = torch.tensor(background, device=shares.device)
    behind = shares[hidden]
    return shares[~hidden], behind.amax(0) if len(behind) else None


def strongest(shares: Tensor, background: Tensor | None) -> Tensor:
    """As `winners`, of shares [C, ...] and the background's [...], or None without one: [...]."""
    best, winner = shares.max(0)  # argmax takes ten times as long on a CPU
    return winner if background is None else winner.where(best > background, NOBODY)


def places_won(winner: Tensor, concepts: int) -> Tensor:
    """For each of so many concepts, where it is the winner [...]: bool [C, ...]."""
    indices = torch.arange(concepts, device=winner.device)
    return winner == indices.view(-1, *[1] * winner.ndim)


def segments(heatmaps: Heatmaps) -> Tensor:
    """Where each concept has the largest share: bool [C, B, F, H, W]; see `winners`."""
    return places_won(winners(heatmaps), len(heatmaps.labels))
