"""How much of the picture masks cover, in words."""

from collections.abc import Sequence

from torch import Tensor


def percent(part: float) -> str:
    """A part of 0..1 in percent; what is there at all is never written as 0.

    >>> [percent(part) for part in (0.0, 0.0001, 0.1234, 1.0)]
    ['0 %', '<0.1 %', '12.3 %', '100 %']
    """
    if part == 0:
        return "0 %"
    if part > 1 - 1e-6:  # a feathered full mask is full but for rounding
        return "100 %"
    return "<0.1 %" if part < 0.001 else f"{min(part, 0.999):.1%}".replace("%", " %")


def coverage(masks: Sequence[Tensor], names: Sequence[str]) -> str:
    """One line for each mask [..., H, W]: its mean, and the smallest and largest of several planes.

    >>> coverage([torch.zeros(1, 1, 2, 3), torch.tensor([[[1.0]], [[0.0]]])], ["rock", "sky"])
    'rock: 0 % (empty)\\nsky: 50.0 % (0 % to 100 %)'
    """
    return "\n".join(f"{name}: {_covered(mask)}" for mask, name in zip(masks, names, strict=True))


def _covered(mask: Tensor) -> str:
    parts = mask.flatten(0, -3).double().mean((-2, -1))
    mean, low, high = (percent(float(part)) for part in (parts.mean(), parts.min(), parts.max()))
    if not mask.any():
        return f"{mean} (empty)"
    return mean if len(parts) == 1 else f"{mean} ({low} to {high})"
