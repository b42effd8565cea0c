"""ComfyUI and the pack in a benchmark's own process, and the pocket models."""

import sys
from pathlib import Path

import torch

from hosting import pack

# Files of the pocket models and what their model is called.
MODELS = {"flux": "FLUX.1", "sd3": "SD3.5", "video": "CogVideoX"}


def start_host(folder: Path | None) -> None:
    """Make ComfyUI and the pack importable, on the CPU where there is no GPU."""
    if folder is None:
        raise SystemExit("error: Say where ComfyUI is: --comfyui DIR, or COMFYUI_DIR.")
    sys.path.insert(0, str(folder))
    sys.argv = [sys.argv[0], *([] if torch.cuda.is_available() else ["--cpu"])]
    import comfy.options

    comfy.options.enable_args_parsing()
    pack.register()
