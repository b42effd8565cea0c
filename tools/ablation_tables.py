"""Tables of the ablations, with 95 % bootstrap intervals over pictures."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from segment_totals import (
    Figure,
    difference,
    figure,
    multi_figures,
    sampled,
    single_figures,
)
from table_cells import cell, head, line

SPACES = {
    "output": "output (this pack)",
    "cross": "cross-attention",
    "cross_plain": "cross-attention, not rotated",
    "cross_rope": "cross-attention, rotated",
    "value": "value",
}
# Table -> the row of what the pack does, by the name that `ablation_parts` gives it.
STANDARD = {
    "space": "output, softmax",
    "layers": "auto",
    "temperature": "1",
    "order": "softmax first",
    "smoothing": "0",
    "background": "default",
    "tokens": "all",
    "attention": "image and themselves",
    "noise": "0.5",
    "draws": "1",
    "steps": "auto",
}
METRICS = ("accuracy", "mIoU", "mAP")
AUC = "AUC"
# Of the columns; the AUC is the multi-class protocol's.
_KEYS = (
    *((protocol, metric) for protocol in ("single", "multi") for metric in METRICS),
    (AUC, AUC),
)


def tables(rows: Sequence[Mapping[str, Any]], unit_concepts: bool) -> str:
    """Markdown of every table of some pictures' results. unit_concepts: whether the pack scales
    this model's concept vectors.
    """
    standard = {**STANDARD, "concept vectors": "of length 1" if unit_concepts else "as they are"}
    found: dict[str, list[Any]] = {}
    for row in rows:  # one that nothing could be measured in has no tables
        for name, own in row["tables"].items():
            found.setdefault(name, []).append(own)
    return "\n".join(table(name, own, standard[name]) for name, own in found.items())


def table(name: str, rows: Sequence[Mapping[str, Any]], standard: str) -> str:
    """One table of the protocols that there are: every choice, what the pack does in bold, and how
    much the others differ from it.
    """
    found = {choice: figures([row[choice] for row in rows]) for choice in _ordered(rows[0])}
    keys = [key for key in _KEYS if any(key in own for own in found.values())]
    compared = [key for key in keys if key[1] == "mIoU"]
    names = [AUC if key == (AUC, AUC) else ": ".join(key) for key in keys]
    differences = [f"{protocol} mIoU, difference" for protocol, _ in compared]
    lines = [
        f"**{name[:1].upper()}{name[1:]}, n = {len(rows)}**",
        "",
        *head((name, *names, *differences)),
    ]
    base = found[standard]
    for choice, own in found.items():
        cells = [_cell(own.get(key)) for key in keys]
        for key in compared:
            same = choice == standard or key not in own
            cells.append("" if same else _cell(difference(own[key], base[key]), "+.3f"))
        title = _title(choice)
        lines.append(line((f"**{title}**" if choice == standard else title, *cells)))
    return "\n".join((*lines, ""))


def figures(rows: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], Figure]:
    """(protocol, metric) -> figure of one choice over all pictures; (AUC, AUC) too.

    AUC: in how many pairs of a present and an absent thing of one picture the present one's peak is
    higher.
    """
    found: dict[tuple[str, str], Figure] = {}
    if "single" in rows[0]:
        own = single_figures([row["single"] for row in rows])
        found |= {("single", metric): value for metric, value in own.items()}
    many = [row["multi"] for row in rows]
    found |= {("multi", metric): value for metric, value in multi_figures(many).items()}
    wins, pairs = (sampled([row[name] for row in many]) for name in ("wins", "pairs"))
    return found | {(AUC, AUC): figure(wins / pairs)}


def _ordered(choices: Iterable[str]) -> list[str]:
    """Numbers by their size; else as they are."""
    names = list(choices)
    try:
        return sorted(names, key=float)
    except ValueError:
        return names


def _title(choice: str) -> str:
    space, comma, rest = choice.partition(", ")
    return f"{SPACES[space]}{comma}{rest}" if space in SPACES else choice


def _cell(found: Figure | None, form: str = ".3f") -> str:
    if found is None:
        return ""
    return cell(found.value, found.low, found.high, form)
