"""What a safetensors file claims to hold, checked before anything of that is read.

The library reads headers of up to 100 MB and believes their sizes until it looks for the numbers;
a file from a stranger is held to what a capture needs.
"""

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

from .errors import ConceptAttentionError

MOST_BYTES = 8 * 2**30  # of a file
MOST_HEADER = 16 * 2**20  # bytes of its header: descriptions, and the workflow
_MOST_DIMENSIONS = 8
_PREFIX = 8  # bytes that hold the header's length


class DamagedError(ValueError):
    """What does not agree in a file; the caller names the file."""


@dataclass(frozen=True)
class Entry:
    """A tensor of a file: its kind of numbers ("F32") and its shape."""

    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Header:
    """The texts and tensors of a file, by name."""

    metadata: Mapping[str, str]
    tensors: Mapping[str, Entry]


def read_header(path: Path) -> Header:
    """The header of a safetensors file whose parts fill it without a gap; no tensor is read.

    Raises ConceptAttentionError for a file of more than MOST_BYTES, and DamagedError for a header
    that is cut, of more than MOST_HEADER bytes, no JSON, or that does not fit the file.
    """
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise ConceptAttentionError(
            f"capture file: {path.name} has {size:,} bytes; at most {MOST_BYTES:,} are read"
        )
    with path.open("rb") as file:
        start = file.read(_PREFIX)
        length = int.from_bytes(start, "little")
        if len(start) < _PREFIX or length > size - _PREFIX:
            raise DamagedError(f"it has {size:,} bytes, fewer than its header")
        if length > MOST_HEADER:
            raise DamagedError(f"its header has {length:,} bytes; at most {MOST_HEADER:,} are read")
        parts = parse(file.read(length))
    if not isinstance(parts, dict):
        raise DamagedError("its header is not an object")
    metadata = parts.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(x, str) for x in metadata.values()):
        raise DamagedError("its metadata is not made of texts")
    return Header(metadata, _tensors(parts, size - _PREFIX - length))


def parse(text: str | bytes) -> Any:
    """JSON whose objects name everything once; raises DamagedError for anything else."""
    try:
        plain = text.decode("utf-8") if isinstance(text, bytes) else text
        return json.loads(plain, object_pairs_hook=_once, parse_constant=_no_number)
    except RecursionError as error:
        raise DamagedError("its description is nested too deeply") from error
    except ValueError as error:
        raise DamagedError(f"its description cannot be read: {error}") from error


def is_whole(value: Any, low: int, high: int) -> bool:
    """Whether a value is a whole number from low to high; true and false are none."""
    return type(value) is int and low <= value <= high


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        raise ValueError(f"{counts.most_common(1)[0][0][:40]!r} is there twice")
    return found


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is not a number")


def _tensors(parts: Mapping[str, Any], room: int) -> dict[str, Entry]:
    """Tensors that lie one behind the other and fill the room (bytes) behind the header."""
    found = sorted(_places(parts, room))
    end = 0
    for begin, after, name, _ in found:
        if begin != end:
            raise DamagedError(f"the numbers of {name[:40]!r} do not follow those before them")
        end = after
    if end != room:
        raise DamagedError(f"its tensors take {end:,} bytes, and it holds {room:,}")
    return {name: entry for _, _, name, entry in found}


def _places(parts: Mapping[str, Any], room: int) -> Iterator[tuple[int, int, str, Entry]]:
    """Begin, end, name and entry of every tensor."""
    for name, claim in parts.items():
        shown = repr(name[:40])
        claims = claim if isinstance(claim, dict) else {}
        dtype, shape = claims.get("dtype"), claims.get("shape")
        if not isinstance(dtype, str) or not _is_list(shape, MOST_BYTES):
            raise DamagedError(f"{shown} is no tensor, or has a shape that none has")
        offsets = claims.get("data_offsets")
        if not _is_list(offsets, room) or len(offsets) != 2 or offsets[0] > offsets[1]:
            raise DamagedError(f"{shown} does not lie in the {room:,} bytes of numbers")
        begin, end = offsets
        if dtype == "F32" and end - begin != 4 * math.prod(shape):
            raise DamagedError(f"{shown} has {end - begin:,} bytes, its shape has others")
        yield begin, end, name, Entry(dtype, tuple(shape))


def _is_list(value: Any, most: int) -> TypeGuard[list[int]]:
    """Whether a value is a short list of whole numbers from 0 to most."""
    short = isinstance(value, list) and len(value) <= _MOST_DIMENSIONS
    return short and all(is_whole(number, 0, most) for number in value)
