"""What a run will record, decided once, before sampling."""

import itertools
from dataclasses import dataclass

from .errors import ConceptAttentionError
from .selection import parse

_BYTES = 4  # float32
_FEWEST_STEPS = 4  # below this many, layers are averaged before more steps are dropped


@dataclass(frozen=True)
class Plan:
    """Steps and layers to record; each entry of layers is averaged into one.

    note: a sentence for the user when the memory budget asked for less than everything, else "".
    """

    steps: tuple[int, ...]
    layers: tuple[tuple[int, ...], ...]
    note: str

    @property
    def flat_layers(self) -> tuple[int, ...]:
        """All layers that are read, in order."""
        return tuple(layer for group in self.layers for layer in group)


def make_plan(
    layers: str, steps: str, total_layers: int, total_steps: int, row_bytes: int, budget: int
) -> Plan:
    """Resolve the user's choice within a memory budget.

    row_bytes: bytes of one step and layer, see `row_bytes`; budget: bytes. "auto" and "all" mean
    everything. Above the budget evenly spaced steps are kept, then neighbouring layers averaged.
    Raises ConceptAttentionError for a bad choice or a budget too small for a single map.
    """
    every = ("auto", "all", "")
    kept_layers = parse(
        "all" if layers.strip() in every else layers, total_layers, "capture_layers"
    )
    kept_steps = parse("all" if steps.strip() in every else steps, total_steps, "capture_steps")
    if row_bytes > budget:
        raise ConceptAttentionError(
            f"memory_mb: one step of one layer needs {_mb(row_bytes)} MB, the budget is "
            f"{_mb(budget)} MB. Raise it, or capture fewer concepts or baselines, or a smaller "
            "picture."
        )
    rows = budget // row_bytes
    chosen_steps = _evenly(kept_steps, max(rows // len(kept_layers), min(_FEWEST_STEPS, rows)))
    groups = _groups(kept_layers, rows // len(chosen_steps))
    return Plan(chosen_steps, groups, _note(kept_steps, chosen_steps, kept_layers, groups, budget))


def row_bytes(batch: int, concepts: int, tokens: int, spaces: int = 1) -> int:
    """Bytes of the scores of one step and layer, in so many spaces."""
    return batch * concepts * tokens * spaces * _BYTES


def _evenly(items: tuple[int, ...], count: int) -> tuple[int, ...]:
    if count >= len(items):
        return items
    if count == 1:
        return (items[len(items) // 2],)
    return tuple(items[round(i * (len(items) - 1) / (count - 1))] for i in range(count))


def _groups(items: tuple[int, ...], count: int) -> tuple[tuple[int, ...], ...]:
    count = min(count, len(items))
    edges = [round(i * len(items) / count) for i in range(count + 1)]
    return tuple(items[a:b] for a, b in itertools.pairwise(edges))


def _note(
    asked: tuple[int, ...],
    steps: tuple[int, ...],
    layers: tuple[int, ...],
    groups: tuple[tuple[int, ...], ...],
    budget: int,
) -> str:
    parts = []
    if len(steps) < len(asked):
        parts.append(f"{len(steps)} of {len(asked)} steps, evenly spaced")
    if len(groups) < len(layers):
        parts.append(f"{len(layers)} layers averaged into {len(groups)}")
    if not parts:
        return ""
    return f"The memory budget of {_mb(budget)} MB keeps " + " and ".join(parts) + "."


def _mb(size: int) -> str:
    return f"{size / 2**20:.3g}"
