"""Captures as files: safetensors with what is not a tensor as JSON in the metadata.

The tensors of a baseline are named `space/scores` and `space/norms`.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from .errors import ConceptAttentionError
from .file_checks import FIELDS, fault
from .file_header import MOST_BYTES, MOST_HEADER, DamagedError, Header, parse, read_header
from .spaces import BASELINES
from .types import Capture, Scored
from .version import VERSION as PACK_VERSION
from .writing import Writer, write_together

FORMAT = "concept-attention-capture"
VERSION = 2  # 1 had no seed, no baselines, no workflow and no version of the pack
_READ = tuple(str(version) for version in range(1, VERSION + 1))

TENSORS = ("scores", "norms")
_BETWEEN = "/"  # a space's name and its tensor's
_OF_SPACES = tuple(f"{space}{_BETWEEN}{name}" for space in BASELINES for name in TENSORS)
_NEEDED = {
    field.name
    for field in fields(Capture)
    if field.default is MISSING and field.default_factory is MISSING
}


def save_capture(
    path: str | Path, capture: Capture, notes: Mapping[str, str] | None = None
) -> None:
    """Write a capture; an existing file is replaced only once the new one is complete.

    notes: texts for the metadata beside our own, such as the host's "prompt" and "workflow". Raises
    ConceptAttentionError, before anything is written, for what load_capture would refuse.
    """
    write_together({Path(path): capture_writer(capture, notes)})


def capture_writer(capture: Capture, notes: Mapping[str, str] | None = None) -> Writer:
    """What writes the file of save_capture, once it is clear that load_capture will read it."""
    plain = {name: getattr(capture, name) for name in FIELDS}
    tensors = _named(capture)
    if wrong := fault(plain, {name: tensor.shape for name, tensor in tensors.items()}):
        raise ConceptAttentionError(f"capture: it {wrong}")
    metadata = {
        **(notes or {}),
        "format": FORMAT,
        "version": str(VERSION),
        "written_by": f"concept-attention {PACK_VERSION}",
        "capture": json.dumps(plain),
    }
    _check_sizes(tensors, metadata)
    return lambda path: _write(path, tensors, metadata)


def load_capture(path: str | Path) -> Capture:
    """Read a capture that save_capture wrote, equal in every bit, on the CPU.

    Tensors and fields that this release does not know are left out; those that a file of an older
    version lacks have their defaults. Scores may be infinite or no numbers, as a model that
    overflows leaves them: decoding refuses them.

    Raises ConceptAttentionError for a file that is missing, is no safetensors file, holds something
    else, is of a newer version, is larger than MOST_BYTES, or whose parts do not fit together; it
    is known before a tensor is read.
    """
    path = Path(path)
    what = f"capture file: {path.name}"
    try:
        if not path.is_file():
            raise ConceptAttentionError(f"capture file: there is no file {path}")
        header = read_header(path)
        plain = _described(header, what)
        names = [name for name in (*TENSORS, *_OF_SPACES) if name in header.tensors]
        _check_tensors(header, plain, names, what)
        with safe_open(path, framework="pt") as file:
            # Copies: what the library returns lies in the file, and changes or ends with it.
            tensors = {name: file.get_tensor(name).clone() for name in names}
    except (DamagedError, SafetensorError) as error:
        raise ConceptAttentionError(
            f"{what} is not a safetensors file or is damaged ({error})"
        ) from error
    except OSError as error:
        raise ConceptAttentionError(f"{what} cannot be read ({error.strerror})") from error
    own = {name: tensors[name] for name in TENSORS}
    return Capture(**plain, **own, spaces=_spaces(tensors))


def _named(capture: Capture) -> dict[str, Tensor]:
    """Every tensor of a capture, by its name in a file."""
    tensors = {name: getattr(capture, name) for name in TENSORS}
    for space, part in capture.spaces.items():
        if space not in BASELINES:
            raise ConceptAttentionError(
                f"capture: it has the space '{space}'; expected are {', '.join(BASELINES)}"
            )
        tensors |= {f"{space}{_BETWEEN}{name}": getattr(part, name) for name in TENSORS}
    return tensors


def _spaces(names: Mapping[str, Tensor]) -> dict[str, Scored]:
    """The baselines, in the order of core.spaces, which a file's names are not in."""
    found = [space for space in BASELINES if f"{space}{_BETWEEN}scores" in names]
    return {
        space: Scored(*(names[f"{space}{_BETWEEN}{name}"] for name in TENSORS)) for space in found
    }


def _described(header: Header, what: str) -> dict[str, Any]:
    """The fields of Capture in a header's metadata; later ones are not known here."""
    metadata = header.metadata
    if metadata.get("format") != FORMAT:
        raise ConceptAttentionError(f"{what} holds no capture; choose a file of Save Capture")
    version = metadata.get("version", "")
    if version not in _READ:
        raise ConceptAttentionError(
            f"{what} is of version {version[:20] or 'unknown'}, this release reads versions 1 to "
            f"{VERSION}. Update Concept Attention."
        )
    described = parse(metadata.get("capture", ""))
    if not isinstance(described, dict):
        raise DamagedError("its description is not an object")
    try:
        return {name: _tuples(described[name]) for name in FIELDS if name in described}
    except RecursionError as error:
        raise DamagedError("its description is nested too deeply") from error


def _check_tensors(header: Header, plain: Mapping[str, Any], names: list[str], what: str) -> None:
    needed = _NEEDED | _pairs(names)
    missing = sorted(needed - set(plain) - set(names))
    if missing:
        raise ConceptAttentionError(
            f"{what} lacks a part of a capture ({', '.join(missing)}); save it again"
        )
    for name in names:
        if header.tensors[name].dtype != "F32":
            raise ConceptAttentionError(
                f"{what} has {name} of the type {header.tensors[name].dtype[:10]}; it must be F32"
            )
    if wrong := fault(plain, {name: header.tensors[name].shape for name in names}):
        raise ConceptAttentionError(f"{what} {wrong}; save it again")


def _pairs(names: Iterable[str]) -> set[str]:
    """Both tensors of every baseline that has one."""
    spaces = {name.partition(_BETWEEN)[0] for name in names if _BETWEEN in name}
    return {f"{space}{_BETWEEN}{name}" for space in spaces for name in TENSORS}


def _check_sizes(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    size = sum(tensor.nbytes for tensor in tensors.values())
    if size > MOST_BYTES - MOST_HEADER:
        raise ConceptAttentionError(
            f"capture: it takes {size:,} bytes; a file has at most {MOST_BYTES:,}. Capture fewer "
            "steps or layers (capture_steps, capture_layers, memory_mb)."
        )
    # Escaped for JSON once more a text grows; ours are ASCII and have quotes to escape.
    length = len(json.dumps(metadata, ensure_ascii=False).encode("utf-8"))
    if length > MOST_HEADER - 2**16:
        raise ConceptAttentionError(
            f"capture: its description and workflow take {length:,} bytes; a file has room for "
            f"{MOST_HEADER:,}. Start ComfyUI with --disable-metadata to leave the workflow out."
        )
    for name, tensor in tensors.items():
        if str(tensor.dtype) != "torch.float32":
            raise ConceptAttentionError(f"capture: its {name} are {tensor.dtype}, not float32")


def _write(path: Path, tensors: Mapping[str, Tensor], metadata: dict[str, str]) -> None:
    path.touch()
    mode = path.stat().st_mode
    save_file({name: x.detach().cpu().contiguous() for name, x in tensors.items()}, path, metadata)
    path.chmod(mode)  # the library's files are for their owner alone, whatever the system's habit


def _tuples(value: Any) -> Any:
    return tuple(_tuples(part) for part in value) if isinstance(value, list) else value
