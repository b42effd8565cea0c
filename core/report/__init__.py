"""Concept Report: what heatmaps say about a prompt, in figures, words and verdicts."""

from .account import Check, Finding, Item, Report, Settings, check, report
from .chart import chart
from .text import as_dict, as_json, as_text, failure
from .verdict import THRESHOLD

__all__ = [
    "THRESHOLD",
    "Check",
    "Finding",
    "Item",
    "Report",
    "Settings",
    "as_dict",
    "as_json",
    "as_text",
    "chart",
    "check",
    "failure",
    "report",
]
