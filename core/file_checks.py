"""Whether the parts of a capture fit together, before a stranger's file is believed."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from .file_header import is_whole

_MOST_SIDE = 2**16  # tokens, or frames of a grid
_MOST_PIXELS = 2**14  # the host's own limit for a picture
_TOKEN_PIXELS = 128  # along a token's side; models have 8 to 64
_MOST_SPAN = 64  # frames of a video behind one of the grid; models have 1 to 8
_MOST_STEPS = 10**6
_MOST_LAYERS = 10**4
_MOST_LETTERS = 2**14  # of a label; text encoders read a few thousand at most
_SHOWN = 60  # characters of a wrong value in a message


def fault(plain: Mapping[str, Any], shapes: Mapping[str, Sequence[int]]) -> str:
    """What is wrong with a capture of these fields and tensors' shapes; "" if nothing is.

    plain: the fields of Capture that are no tensors, by name; lists as tuples. The answer goes
    behind the name of what holds them: "has grid [1, 0, 3]; allowed: ...".
    """
    return next(_faults(plain, shapes), "")


def _faults(plain: Mapping[str, Any], shapes: Mapping[str, Sequence[int]]) -> Iterator[str]:
    for name, (holds, words) in FIELDS.items():
        if name in plain and not holds(plain[name]):
            yield f"has {name} {_short(plain[name])}; allowed: {words}"
    yield from _counts(plain)
    yield from _ranges(plain)
    frames, rows, columns = plain["grid"]
    counts = (len(plain["steps"]), len(plain["layers"]), len(plain["labels"]))
    expected = (*counts, frames * rows * columns)
    scores, norms = tuple(shapes["scores"]), tuple(shapes["norms"])
    if len(scores) != 5 or scores[0] < 1 or scores[1:] != expected:
        yield f"has scores of shape {list(scores)}, its description says {['B', *expected]}"
    if norms != scores[:-1]:
        yield f"has scores of shape {list(scores)} and norms of {list(norms)}"
    own = {"scores": scores, "norms": norms}
    for name, shape in shapes.items():
        space, _, part = name.rpartition("/")
        if tuple(shape) != own[part]:
            yield (
                f"has {part} of shape {list(shape)} in the space '{space}'; "
                f"expected are {list(own[part])}"
            )


def _counts(plain: Mapping[str, Any]) -> Iterator[str]:
    """Lists that have an entry for each concept, step or frame."""
    concepts, steps, frames = len(plain["labels"]), len(plain["steps"]), plain["grid"][0]
    spans = plain.get("spans", (1,))
    if len(spans) != frames:
        yield f"has a grid of {frames} frames and spans of {len(spans)}"
    if sum(spans) < 1:
        yield f"has a video of {sum(spans)} frames"
    if len(plain["sigmas"]) != steps:
        yield f"has {steps} steps and sigmas of {len(plain['sigmas'])}"
    if len(plain["background"]) != concepts:
        yield f"has {concepts} concepts and background of {len(plain['background'])}"
    if all(plain["background"]):
        yield f"has background {_short(plain['background'])}; allowed: false at least once"
    if len(set(plain["labels"])) < concepts:
        yield f"has labels {_short(plain['labels'])}; allowed: each once"
    for name in ("splits", "choices"):
        if len(plain.get(name, ())) not in (0, concepts):
            yield f"has {concepts} concepts and {name} of {len(plain[name])}"


def _ranges(plain: Mapping[str, Any]) -> Iterator[str]:
    """Steps and layers within those that there are, and a picture of its grid's size."""
    steps, layers = plain["steps"], plain["layers"]
    total = plain["total_steps"]
    if list(steps) != sorted(set(steps)) or steps[-1] >= total:
        yield f"has steps {_short(steps)}; allowed: rising ones, from 0 to {total - 1}"
    flat = [layer for group in layers for layer in group]
    total = plain["total_layers"]
    if flat != sorted(set(flat)) or flat[-1] >= total:
        yield f"has layers {_short(layers)}; allowed: rising ones, from 0 to {total - 1}"
    for side, count in zip(plain["picture"], plain["grid"][1:], strict=True):
        if side > count * _TOKEN_PIXELS:
            yield (
                f"has picture {_short(plain['picture'])} on grid {_short(plain['grid'])}"
                f"; allowed: at most {_TOKEN_PIXELS} pixels for each token"
            )


def _short(value: Any) -> str:
    text = repr(list(value) if isinstance(value, tuple) else value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def _whole(low: int, high: int) -> Callable[[Any], bool]:
    return lambda value: is_whole(value, low, high)


def _tuple(holds: Callable[[Any], bool], *counts: int) -> Callable[[Any], bool]:
    """A tuple whose every part holds; of one of these lengths, of any but 0 if none is given."""

    def held(value: Any) -> bool:
        if not isinstance(value, tuple) or not all(map(holds, value)):
            return False
        return len(value) in counts if counts else len(value) > 0

    return held


def _any_tuple(holds: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value == () or _tuple(holds)(value)


def _is_text(value: Any) -> bool:
    # Half of a surrogate pair can be in JSON and cannot be drawn, sent or written.
    return isinstance(value, str) and not any("\ud800" <= char <= "\udfff" for char in value)


def _is_label(value: Any) -> bool:
    return _is_text(value) and len(value) <= _MOST_LETTERS


def _is_finite(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_seed(value: Any) -> bool:
    return value is None or is_whole(value, -(2**63), 2**64 - 1)


FIELDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "grid": (
        _tuple(_whole(1, _MOST_SIDE), 3),
        f"3 whole numbers from 1 to {_MOST_SIDE:,}: frames, rows, columns",
    ),
    "picture": (
        _tuple(_whole(1, _MOST_PIXELS), 2),
        f"2 whole numbers from 1 to {_MOST_PIXELS:,}: height, width",
    ),
    "total_steps": (_whole(1, _MOST_STEPS), f"a whole number from 1 to {_MOST_STEPS:,}"),
    "total_layers": (_whole(1, _MOST_LAYERS), f"a whole number from 1 to {_MOST_LAYERS:,}"),
    "steps": (_tuple(_whole(0, _MOST_STEPS)), "whole numbers, at least one"),
    "layers": (
        _tuple(_tuple(_whole(0, _MOST_LAYERS))),
        "lists of whole numbers, at least one in each",
    ),
    "sigmas": (_tuple(_is_finite), "numbers, at least one"),
    "labels": (
        _tuple(_is_label),
        f"texts of at most {_MOST_LETTERS:,} letters, at least one",
    ),
    "background": (_tuple(_is_flag), "true or false, at least one"),
    "family": (_is_text, "a text"),
    "spans": (_tuple(_whole(0, _MOST_SPAN)), f"whole numbers from 0 to {_MOST_SPAN}"),
    "splits": (_any_tuple(_any_tuple(_is_text)), "lists of texts"),
    "choices": (_any_tuple(_is_text), "texts"),
    "seed": (_is_seed, "nothing, or a whole number of 64 bits"),
}
