"""Save Capture and Load Capture."""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import folder_paths
from comfy.cli_args import args

from ..core.errors import ConceptAttentionError
from ..core.exports import Export, exports
from ..core.files import capture_writer, load_capture
from ..core.types import Capture
from ..core.writing import write_together
from ._host import io
from .types import CaptureType

_SUFFIX = ".capture.safetensors"
_ALIASES = ["heatmap", "attention map", "saliency", "interpretability", "concept attention"]


class SaveCapture(io.ComfyNode):
    """Writes a capture into the host's output folder."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ConceptAttentionSave",
            display_name="Save Capture",
            category="Concept Attention",
            description="Writes a capture into the output folder, so that it can be decoded again "
            "later or elsewhere, without the model, and its heatmaps for other programs if you "
            "like. The file is as large as the capture: 25 MB for 4 concepts, 19 layers and 20 "
            "steps at 1024 x 1024.",
            search_aliases=[*_ALIASES, "export capture", "export heatmaps", "COCO", "NPZ"],
            is_output_node=True,
            inputs=[
                CaptureType.Input(
                    "capture", tooltip="The capture to save, with all its layers and steps."
                ),
                io.String.Input(
                    "filename_prefix",
                    default="captures/ConceptAttention",
                    tooltip="Start of the file's name, with a counter behind it. May name a folder "
                    "inside the output folder, and hold %year%, %month%, %day%, %hour%, %minute%, "
                    "%second%.",
                ),
                io.Combo.Input(
                    "export",
                    options=list(get_args(Export)),
                    default="none",
                    optional=True,
                    tooltip="Heatmaps to write beside the capture, decoded with the model's own "
                    "settings: png for a grey picture of 16 bits for each concept, npz for the "
                    "numbers on the token grid, coco for the segmentation as COCO-style JSON, all "
                    "for these three.",
                ),
            ],
            outputs=[
                CaptureType.Output(display_name="capture", tooltip="The same capture, unchanged.")
            ],
            hidden=[io.Hidden.prompt, io.Hidden.extra_pnginfo],
        )

    @classmethod
    def execute(
        cls,
        capture: Capture,
        filename_prefix: str = "captures/ConceptAttention",
        export: Export = "none",
    ) -> io.NodeOutput:
        folder, name, counter, subfolder, _ = folder_paths.get_save_image_path(
            filename_prefix, folder_paths.get_output_directory()
        )
        stem = f"{name}_{counter:05}_"
        notes = _notes(cls.hidden)
        written = replace(capture, seed=None) if args.disable_metadata else capture
        files = {
            f"{stem}{_SUFFIX}": capture_writer(written, notes),
            **exports(capture, stem, export, notes),
        }
        write_together({Path(folder) / filename: write for filename, write in files.items()})
        return io.NodeOutput(capture, ui=_listed(files, subfolder))


class LoadCapture(io.ComfyNode):
    """Reads a capture from the host's input or output folder."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ConceptAttentionLoad",
            display_name="Load Capture",
            category="Concept Attention",
            description="Reads a capture that Save Capture wrote. It can be decoded without the "
            "model that made it.",
            search_aliases=[*_ALIASES, "import capture", "open capture"],
            inputs=[
                io.Combo.Input(
                    "file",
                    options=_capture_files(),
                    tooltip="A capture file in the input folder, or in the output folder (marked "
                    "[output]). Refresh the node list (R) to see new files. A file that changed is "
                    "read again.",
                )
            ],
            outputs=[
                CaptureType.Output(
                    display_name="capture", tooltip="The capture, on the CPU, for Heatmap Decode."
                )
            ],
        )

    @classmethod
    def validate_inputs(cls, file: str | None = None) -> bool | str:
        # None: the name comes from another node and is known only when that has run.
        return file is None or _place(file) is not None or _absent(file)

    @classmethod
    def fingerprint_inputs(cls, file: str | None = None) -> tuple[int, int] | None:
        path = None if file is None else _place(file)
        if path is None:
            return None
        status = path.stat()
        return status.st_mtime_ns, status.st_size

    @classmethod
    def execute(cls, file: str) -> io.NodeOutput:
        path = _place(file)
        if path is None:
            raise ConceptAttentionError(_absent(file))
        return io.NodeOutput(load_capture(path))


def _notes(hidden: Any) -> dict[str, str]:
    """What the host's Save Image writes of the workflow; nothing with --disable-metadata."""
    if hidden is None or args.disable_metadata:
        return {}
    notes = {name: json.dumps(value) for name, value in (hidden.extra_pnginfo or {}).items()}
    return notes if hidden.prompt is None else {**notes, "prompt": json.dumps(hidden.prompt)}


def _listed(names: Iterable[str], subfolder: str) -> dict[str, list[dict[str, str]]]:
    """The node's ui: pictures under the key that the host shows pictures of."""
    found: dict[str, list[dict[str, str]]] = {}
    for name in names:
        other = "captures" if name.endswith(_SUFFIX) else "exports"
        key = "images" if name.endswith(".png") else other
        place = {"filename": name, "subfolder": subfolder, "type": "output"}
        found.setdefault(key, []).append(place)
    return found


def _place(file: str) -> Path | None:
    """A file in the input or output folder, None for anything else.

    The host leads no name out of its folders, by dots or links; a temporary file is no capture.
    """
    if file.endswith("[temp]"):
        return None
    try:
        path = Path(folder_paths.get_annotated_filepath(file))
        return path if path.is_file() else None
    except (ValueError, OSError):  # leads out of the folder; or is too long for any file
        return None


def _absent(file: str) -> str:
    return f"file: there is no capture {file[:200]!r} in the input or output folder"


def _capture_files() -> list[str]:
    """Names as the host reads them: plain in the input folder, marked in the output folder."""
    places = (
        (folder_paths.get_input_directory(), ""),
        (folder_paths.get_output_directory(), " [output]"),
    )
    names = [
        path.relative_to(place).as_posix() + mark
        for place, mark in places
        for path in sorted(Path(place).rglob(f"*{_SUFFIX}"))
    ]
    return [name for name in names if _place(name) is not None]
