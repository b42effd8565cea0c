"""From the frames of the token grid to those of the video."""

from collections.abc import Sequence
from typing import Literal, get_args

import torch
from torch import Tensor

from .errors import ConceptAttentionError

Frames = Literal["video", "interpolated", "latent"]


def spans(latents: int, tokens: int, compression: int) -> tuple[int, ...]:
    """Frames of the video behind each frame of the token grid.

    latents: latent frames; the first is one frame of the video, each other one `compression`.
    tokens: frames of the token grid, each of as many latent frames, the last perhaps of fewer.

    >>> spans(4, 4, 4)
    (1, 4, 4, 4)
    >>> spans(4, 2, 4)
    (5, 8)
    """
    patch = -(-latents // tokens)
    ends = [min((i + 1) * patch, latents) for i in range(tokens)]
    frames = [1 + (end - 1) * compression for end in ends]
    return tuple(b - a for a, b in zip([0, *frames], frames, strict=False))


def to_frames(values: Tensor, spans: Sequence[int], frames: Frames) -> Tensor:
    """Maps [..., F, H, W] of the token grid as maps of the video's frames, [..., V, H, W].

    "video": each map holds for all its frames. "interpolated": linear between the middles of
    neighbouring spans, constant before the first and after the last. "latent": as they are.
    Raises ConceptAttentionError for another word.
    """
    if frames not in get_args(Frames):
        raise ConceptAttentionError(f"frames: '{frames}' is not one of {get_args(Frames)}")
    if frames == "latent" or all(span == 1 for span in spans):
        return values
    if frames == "video":
        counts = torch.tensor(spans, device=values.device)
        return values.repeat_interleave(counts, dim=-3)
    return _interpolated(values, spans)


def _interpolated(values: Tensor, spans: Sequence[int]) -> Tensor:
    lengths = torch.tensor(spans, dtype=torch.float64)
    ends = lengths.cumsum(0)
    middles = ends - (lengths + 1) / 2
    places = torch.arange(int(ends[-1]), dtype=torch.float64)
    after = torch.searchsorted(middles, places).clamp(1, max(1, len(spans) - 1))
    if len(spans) == 1:
        return values.expand(*values.shape[:-3], len(places), *values.shape[-2:])
    before = after - 1
    share = (places - middles[before]) / (middles[after] - middles[before])
    weight = share.clamp(0, 1).to(values)[:, None, None]
    before, after = before.to(values.device), after.to(values.device)
    return torch.lerp(values.index_select(-3, before), values.index_select(-3, after), weight)
