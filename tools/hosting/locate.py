"""Which ComfyUI is used: the user's, the one around the checkout, or the one in the cache."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from . import archive, environment, pack
from .errors import HostError

FLOOR = (0, 30, 0)


@dataclass(frozen=True)
class Host:
    """A ComfyUI folder and the Python that runs it.

    owned: it lies in our cache; a user's own folder (owned is false) is never written to.
    pack_inside: the name under which its custom_nodes already holds this checkout, if it does.
    """

    folder: Path
    python: Path
    owned: bool
    pack_inside: str | None = None


def provide(variables: Mapping[str, str] = os.environ, root: Path = pack.ROOT) -> Host:
    """The host, set up if need be: COMFYUI_DIR, else the ComfyUI around `root`, else the cache.

    Raises HostError if COMFYUI_DIR or COMFYUI_PYTHON names nothing usable, or ComfyUI is too old.
    """
    folder = users_folder(variables, root)
    if folder is None:
        python = environment.ensure()
        return Host(archive.ensure(python), python, owned=True)
    python = users_python(folder, variables) or environment.ensure()
    return Host(folder, python, owned=False, pack_inside=name_inside(folder, root))


def users_folder(variables: Mapping[str, str], root: Path) -> Path | None:
    """The ComfyUI that the user has, checked; None if there is none to be seen."""
    if given := variables.get("COMFYUI_DIR", ""):
        folder = Path(given).expanduser().resolve()
        if not (folder / "main.py").is_file():
            raise HostError(f"COMFYUI_DIR is {given!r}, which holds no ComfyUI (no main.py).")
    elif root.parent.name == "custom_nodes" and (root.parent.parent / "main.py").is_file():
        folder = root.parent.parent
    else:
        return None
    require_version(folder)
    return folder


def users_python(folder: Path, variables: Mapping[str, str]) -> Path | None:
    """COMFYUI_PYTHON, else the environment inside or beside the folder; None if there is none."""
    if given := variables.get("COMFYUI_PYTHON", ""):
        python = Path(given).expanduser().absolute()
        if not python.is_file():
            raise HostError(f"COMFYUI_PYTHON is {given!r}, which is not a Python interpreter.")
        return python
    candidates = [
        environment.python_in(place / name)
        for place in (folder, folder.parent)
        for name in (".venv", "venv")
    ]
    candidates.append(folder.parent / "python_embeded" / "python.exe")  # the portable build's name
    return next((python for python in candidates if python.is_file()), None)


def name_inside(folder: Path, root: Path) -> str | None:
    """The entry of the folder's custom_nodes that is, or links to, the checkout."""
    nodes = folder / "custom_nodes"
    if not nodes.is_dir():
        return None
    resolved = root.resolve()
    return next((entry.name for entry in nodes.iterdir() if entry.resolve() == resolved), None)


def version_of(folder: Path) -> tuple[int, ...] | None:
    """ComfyUI's version as numbers, or None if the folder does not say."""
    file = folder / "comfyui_version.py"
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    match = re.search(r"__version__\s*=\s*[\"'](\d+)\.(\d+)(?:\.(\d+))?", text)
    return tuple(int(part or 0) for part in match.groups()) if match else None


def require_version(folder: Path) -> None:
    """Raise HostError if the ComfyUI in the folder is below the floor."""
    found = version_of(folder)
    if found is None or found < FLOOR:
        name = ".".join(map(str, found)) if found else "a version older than 0.3"
        raise HostError(
            f"The ComfyUI in {folder} is {name}; Concept Attention needs "
            f"{'.'.join(map(str, FLOOR))} or later: update ComfyUI, or unset COMFYUI_DIR."
        )
