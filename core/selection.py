"""Text such as "15-18", "-4:", "0,5,9" or "70%-100%" as indices of layers or steps."""

import re
from collections.abc import Sequence
from fractions import Fraction

from .errors import ConceptAttentionError

_NUMBER = re.compile(r"-?\d+")
_CLOSED = re.compile(r"(\d+)-(\d+)")
_OPEN = re.compile(r"(-?\d+)?:(-?\d+)?")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)%?-(\d+(?:\.\d+)?)%")
_DASHES = str.maketrans("\u2013\u2212", "--")
_FORMS = "all, 7, 15-18 (both ends), -4: (the last 4), :4, 70%-100%, or several with commas"


def parse(text: str, total: int, what: str, clip: bool = False) -> tuple[int, ...]:
    """Indices that text names, ascending and without repeats, out of 0 .. total - 1.

    Parts, separated by commas: "all"; "7", or "-1" counted from the end; "15-18" with both ends;
    "-4:", ":4", "3:9" as Python slices; "70%-100%", the indices i with 70 % <= i / total < 100 %,
    or the one under way at the start if that is none. what: the input's name, which begins messages
    ("layers", "steps", "capture_layers", "capture_steps"). clip: parts may reach past the ends, for
    the pack's own defaults only.

    Raises ConceptAttentionError for an empty text, an unreadable part, an index out of range.

    >>> parse("-2:, 0", 19, "layers")
    (0, 17, 18)
    """
    found: set[int] = set()
    for part in _parts(text, what):
        found.update(_indices(part, text, total, what, clip))
    return tuple(sorted(found))


def pick(text: str, captured: Sequence[tuple[int, ...]], total: int, what: str) -> tuple[int, ...]:
    """Positions in captured of the entries that text asks for.

    captured: what was recorded, each entry the indices averaged in it (normally one). An entry is
    chosen when all of its indices are asked for. "all" and percentages take what was captured of
    them; every other index asked for must be in a chosen entry, so that no average is silently over
    less than was asked.

    Raises ConceptAttentionError, listing what was captured, when an index or everything is missing.

    >>> pick("1-2", [(0,), (1, 2), (3,)], 4, "layers")
    (1,)
    """
    asked = set(parse(text, total, what))
    chosen = tuple(i for i, entry in enumerate(captured) if asked.issuperset(entry))
    covered = {index for i in chosen for index in captured[i]}
    strict: set[int] = set()
    for part in _parts(text, what):
        if part != "all" and "%" not in part:
            strict.update(_indices(part, text, total, what, clip=False))
    missing = sorted(strict - covered)
    if missing or not chosen:
        raise ConceptAttentionError(_not_captured(text, missing, captured, total, what))
    return chosen


def pick_default(
    text: str, captured: Sequence[tuple[int, ...]], total: int, what: str
) -> tuple[int, ...]:
    """Positions in captured of what the default text names; all of them when none was captured."""
    wanted = set(parse(text, total, what, clip=True))
    chosen = tuple(i for i, entry in enumerate(captured) if wanted.issuperset(entry))
    return chosen or tuple(range(len(captured)))


def _parts(text: str, what: str) -> list[str]:
    parts = ["".join(part.split()).lower() for part in text.translate(_DASHES).split(",")]
    if not all(parts):
        empty = "is empty" if not any(parts) else "has an empty part"
        raise ConceptAttentionError(f"{what}: '{text}' {empty}. Allowed: {_FORMS}.")
    return parts


def _indices(part: str, text: str, total: int, what: str, clip: bool) -> range:
    if part == "all":
        return range(total)
    if match := _PERCENT.fullmatch(part):
        return _percent(match, part, text, total, what)
    first, last = _ends(part, text, total, what)
    if clip:
        return range(max(first, 0), min(last, total - 1) + 1)
    if first < 0 or last >= total:
        things = what.removeprefix("capture_")
        owner = "this model" if things == "layers" else "this run"
        raise ConceptAttentionError(
            f"{what}: {_quoted(part, text)}: {owner} has {total} {things}, 0 to {total - 1}"
        )
    if first > last:
        raise ConceptAttentionError(
            f"{what}: {_quoted(part, text)} names nothing: it ends before it starts"
        )
    return range(first, last + 1)


def _ends(part: str, text: str, total: int, what: str) -> tuple[int, int]:
    """First and last index of a part, both included, not yet checked against the range."""
    if match := _CLOSED.fullmatch(part):
        return int(match[1]), int(match[2])
    if _NUMBER.fullmatch(part):
        index = _from_end(int(part), total)
        return index, index
    match = _OPEN.fullmatch(part)
    if not match or part == ":":
        raise ConceptAttentionError(
            f"{what}: {_quoted(part, text)} is not understood. Allowed: {_FORMS}."
        )
    first = _from_end(int(match[1]), total) if match[1] else 0
    last = _from_end(int(match[2]), total) - 1 if match[2] else total - 1
    return first, last


def _from_end(index: int, total: int) -> int:
    return index + total if index < 0 else index


def _percent(match: re.Match[str], part: str, text: str, total: int, what: str) -> range:
    # Exact, so that 70 % of 10 is 7 and never 7.000000000000001.
    low, high = Fraction(match[1]) / 100, Fraction(match[2]) / 100
    if not low < high <= 1:
        raise ConceptAttentionError(
            f"{what}: {_quoted(part, text)}: percentages rise from 0% to 100%, such as 70%-100%"
        )
    chosen = [i for i in range(total) if low * total <= i < high * total]
    start = chosen[0] if chosen else int(low * total)
    return range(start, start + max(1, len(chosen)))


def _quoted(part: str, text: str) -> str:
    return f"'{part}'" if part == text.strip() else f"'{part}' in '{text}'"


def _not_captured(
    text: str, missing: list[int], captured: Sequence[tuple[int, ...]], total: int, what: str
) -> str:
    absent = f"not captured: {', '.join(map(str, missing))}" if missing else "nothing captured"
    kept = ", ".join(
        str(entry[0]) if len(entry) == 1 else f"{'+'.join(map(str, entry))} averaged"
        for entry in captured
    )
    return f"{what}: '{text}': {absent}. Captured of 0 to {total - 1}: {kept}."
