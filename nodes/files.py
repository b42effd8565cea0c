"""Save Capture and Load Capture."""

from pathlib import Path

import folder_paths

from ..core.files import load_capture, save_capture
from ..core.types import Capture
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
            "later or elsewhere, without the model. The file is as large as the capture: 25 MB for "
            "4 concepts, 19 layers and 20 steps at 1024 x 1024.",
            search_aliases=[*_ALIASES, "export capture"],
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
            ],
            outputs=[
                CaptureType.Output(display_name="capture", tooltip="The same capture, unchanged.")
            ],
        )

    @classmethod
    def execute(
        cls, capture: Capture, filename_prefix: str = "captures/ConceptAttention"
    ) -> io.NodeOutput:
        folder, name, counter, subfolder, _ = folder_paths.get_save_image_path(
            filename_prefix, folder_paths.get_output_directory()
        )
        filename = f"{name}_{counter:05}_{_SUFFIX}"
        save_capture(Path(folder) / filename, capture)
        saved = {"filename": filename, "subfolder": subfolder, "type": "output"}
        return io.NodeOutput(capture, ui={"captures": [saved]})


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
        if file is not None and not folder_paths.exists_annotated_filepath(file):
            return f"file: there is no capture '{file}' in the input or output folder"
        return True

    @classmethod
    def fingerprint_inputs(cls, file: str | None = None) -> tuple[int, int] | None:
        if file is None or not folder_paths.exists_annotated_filepath(file):
            return None
        status = Path(folder_paths.get_annotated_filepath(file)).stat()
        return status.st_mtime_ns, status.st_size

    @classmethod
    def execute(cls, file: str) -> io.NodeOutput:
        return io.NodeOutput(load_capture(folder_paths.get_annotated_filepath(file)))


def _capture_files() -> list[str]:
    """Names as the host reads them: plain in the input folder, marked in the output folder."""
    places = (
        (folder_paths.get_input_directory(), ""),
        (folder_paths.get_output_directory(), " [output]"),
    )
    return [
        path.relative_to(place).as_posix() + mark
        for place, mark in places
        for path in sorted(Path(place).rglob(f"*{_SUFFIX}"))
    ]
