"""A report as text for people and as JSON for programs."""

import json
from typing import Any

from .account import Check, Finding, Item, Report
from .figures import Figures

VERSION = 1  # of the JSON; a key is never renamed within one
_DIGITS = 4


def as_text(report: Report) -> str:
    """One line for each concept of each picture, and one for each check."""
    lines = []
    for number, item in enumerate(report.items):
        if number:
            lines.append("")
        if len(report.items) > 1:
            lines.append(f"{_what(report)} {number + 1}")
        lines += [_line(finding, report) for finding in item.findings]
        lines.append(f"background: {_percent(item.background_share)} of the picture")
        if warning := _warning(item, report):
            lines.append(warning)
    if report.checks:
        lines.append("")
        lines += [check_line(check, report) for check in report.checks]
        lines.append("PASSED" if report.passed else "FAILED")
    return "\n".join(lines)


def verdict_text(finding: Finding) -> str:
    """The verdict as a person reads it."""
    if finding.verdict == "confused":
        return f"confused with {finding.rival}"
    return finding.verdict or "known to be absent"


def check_line(check: Check, report: Report) -> str:
    """What a check asked for, what was found, and the threshold."""
    finding, threshold = check.finding, report.settings.threshold
    where = f" in {_what(report)} {check.item + 1}" if len(report.items) > 1 else ""
    result = "passed" if check.passed else "FAILED"
    text = (
        f'{result}: "{finding.label}" must be {check.must_be}{where}: it is {verdict_text(finding)}'
        f", score {finding.score:.2f}, threshold {threshold:.2f}"
    )
    if not check.passed and check.must_be == "absent" and finding.score < threshold:
        level = report.items[check.item].null_level
        text += f", but the null concepts reach {level:.2f} themselves, so nothing can be told"
    return text


def failure(report: Report) -> str:
    """The message of a report that did not pass: every check that failed."""
    return "; ".join(check_line(check, report) for check in report.checks if not check.passed)


def as_json(report: Report) -> str:
    """The whole report. Labels are the user's own; places are pixels of the maps."""
    return json.dumps(as_dict(report), ensure_ascii=False, indent=1)


def as_dict(report: Report) -> dict[str, Any]:
    """What `as_json` writes; its keys are those of the help page of Concept Report."""
    settings = report.settings
    return {
        "version": VERSION,
        "width": report.size[1],
        "height": report.size[0],
        "frames": report.frames,
        "threshold": settings.threshold,
        "null_concepts": list(settings.null_concepts),
        "passed": report.passed,
        "checks": [
            {
                "item": check.item,
                "concept": check.finding.label,
                "must_be": check.must_be,
                "verdict": check.finding.verdict,
                "score": _round(check.finding.score),
                "passed": check.passed,
            }
            for check in report.checks
        ],
        "items": [_item(item, number) for number, item in enumerate(report.items)],
    }


def _item(item: Item, number: int) -> dict[str, Any]:
    return {
        "item": number,
        "null_level": None if item.null_level is None else _round(item.null_level),
        "background_share": _round(item.background_share),
        "concepts": [_concept(finding) for finding in item.findings],
    }


def _concept(finding: Finding) -> dict[str, Any]:
    return {
        "concept": finding.label,
        "verdict": "null" if finding.is_null else finding.verdict,
        "confused_with": finding.rival if finding.verdict == "confused" else None,
        "score": _round(finding.score),
        "raw_score": _round(finding.raw_score),
        "frame": finding.frame,
        **_figures(finding.best),
        "share": _round(finding.share),
        "lost_to": finding.rival,
        "lost": _round(finding.lost),
        "overlap": {label: _round(value) for label, value in finding.overlap.items()},
        "frames": [{"raw_score": _round(each.score), **_figures(each)} for each in finding.frames],
    }


def _figures(figures: Figures) -> dict[str, Any]:
    return {
        "share": _round(figures.share),
        "peak": _round(figures.peak),
        "peak_at": list(figures.peak_at),
        "place": figures.place,
        "box": list(figures.box),
        "sharpness": _round(figures.sharpness),
    }


def _line(finding: Finding, report: Report) -> str:
    text = f"{finding.label}: {verdict_text(finding)}, score {finding.score:.2f}"
    if finding.verdict in ("absent", None):
        return text
    x, y, width, height = finding.best.box
    text += f", {_percent(finding.share)} of the picture, {finding.best.place}"
    text += f", box {width} x {height} at ({x}, {y})"
    if report.frames > 1:
        seen = sum(each.share > 0 for each in finding.frames)
        text += f", highest in frame {finding.frame}, wins places in {seen} of {report.frames}"
    if finding.verdict == "confused":
        text += f"; {finding.rival} takes {_percent(finding.lost)} of its places"
    return text


def _warning(item: Item, report: Report) -> str:
    if item.null_level is None or item.null_level < report.settings.threshold:
        return ""
    return (
        f"Careful: a null concept scores {item.null_level:.2f}. Either it is in the picture, or "
        "these maps do not tell what is there from what is not."
    )


def _what(report: Report) -> str:
    return "video" if report.frames > 1 else "picture"


def _percent(part: float) -> str:
    return "under 1 %" if 0 < part < 0.01 else f"{round(100 * part)} %"


def _round(value: float) -> float:
    return round(value, _DIGITS)
