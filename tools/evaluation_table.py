"""The table of an evaluation, as the paper prints it, with 95 % bootstrap intervals."""

from collections.abc import Mapping, Sequence
from typing import Any

from segment_totals import Figure, multi_figures, paper_miou, single_figures
from table_cells import cell, head, line

# (data set, task) -> the paper's own figures for its method with FLUX.1 schnell.
PAPER = {
    ("imagenet", "single"): ("83.07", "71.04", "90.45"),
    ("voc", "single"): ("87.85", "76.45", "90.19"),
    ("voc", "multi"): ("86.99", "51.39", ""),
}
_TITLES = {"imagenet": "ImageNet-Segmentation", "voc": "PASCAL VOC 2012"}
_NOTE = (
    "mIoU of this data set as the paper's code counts it: over the channels of the object and of "
    "the rest at once, which is Acc / (2 - Acc). Of the two classes: each one's own, their mean."
)


def table(about: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> str:
    """Markdown of what an evaluation has so far. about: its settings, as evaluate.py has them."""
    where = (about["dataset"], about["task"])
    single = about["task"] == "single"
    figures = (single_figures if single else multi_figures)(rows)
    cells = [figures["accuracy"], figures["mIoU"], figures["mAP"]]
    header, paper = ["maps", "Acc", "mIoU", "mAP"], ["the paper, FLUX.1 schnell", *PAPER[where]]
    as_coded = where == ("imagenet", "single")
    if as_coded:
        cells = [cells[0], paper_miou(figures["accuracy"]), cells[2], cells[1]]
        header.append("mIoU of the two classes")
        paper.append("")
    own = [_model(about), *(_cell(cell) for cell in cells)]
    lines = [
        f"**{_TITLES[where[0]]}, {where[1]}-class, n = {len(rows)} of {about['pictures']}, preset "
        f"{about['preset']}**",
        "",
        *head(header),
        line(own),
        line(paper),
        "",
        *([_NOTE] if as_coded else []),
        "Settings: "
        + ", ".join(f"{name} {_text(value)}" for name, value in about["settings"].items()),
    ]
    return "\n".join(lines)


def _model(about: Mapping[str, Any]) -> str:
    given = about["model"]
    if "pocket" in given:
        return f"pocket {given['pocket']}"
    return str(given.get("unet") or given["checkpoint"])


def _cell(found: Figure) -> str:
    return cell(100 * found.value, 100 * found.low, 100 * found.high, ".2f")


def _text(value: Any) -> str:
    return "+".join(value) if isinstance(value, list) else str(value)
