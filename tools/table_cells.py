"""Lines and cells of the benchmarks' Markdown tables."""

from collections.abc import Iterable, Sequence


def cell(value: float, low: float, high: float, form: str = ".3f") -> str:
    """A figure and its interval, as in "0.716 (0.696 to 0.736)"."""
    return f"{value:{form}} ({low:{form}} to {high:{form}})"


def line(cells: Iterable[str]) -> str:
    """One line of a table."""
    return f"| {' | '.join(cells)} |"


def head(names: Sequence[str]) -> list[str]:
    """The two lines that a table begins with."""
    return [line(names), "|---" * len(names) + "|"]
