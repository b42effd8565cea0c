"""ComfyUI in this process, on the CPU, with the pack loaded through its real entry point."""

import os
import sys
import tempfile
from pathlib import Path

import pytest

from hosting import pack

sys.dont_write_bytecode = True  # nothing is written into a user's ComfyUI, not even __pycache__

_folder = os.environ.get("COMFYUI_DIR", "")
if not (Path(_folder) / "comfyui_version.py").is_file():
    pytest.exit(
        f"tests/host needs ComfyUI: COMFYUI_DIR is {_folder!r}, which holds none. "
        "Run `make test`, or set COMFYUI_DIR to a ComfyUI folder.",
        returncode=2,
    )
sys.path.insert(0, str(Path(_folder).resolve()))

from comfy.cli_args import args

args.cpu = True  # before anything of comfy looks for a device
args.disable_metadata = False

import folder_paths

_own = Path(tempfile.mkdtemp(prefix="concept-attention-tests-"))
for _name in ("output", "input", "temp", "user"):
    (_own / _name).mkdir()
    getattr(folder_paths, f"set_{_name}_directory")(str(_own / _name))

if (pack.ROOT / "__init__.py").is_file():
    pack.run_entry_point()
