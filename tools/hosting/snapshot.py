"""The public face of our nodes as the host reports it, kept in a file so that a change is seen."""

import json
from pathlib import Path
from typing import Any

from . import pack
from .client import Client

FILE = pack.ROOT / "tests" / "host" / "object_info.json"

# Option lists that the host fills in: they differ between its versions and its model folders.
_HOST_OPTIONS = ("sampler_name", "scheduler", "file")


def read(client: Client) -> dict[str, Any]:
    """Our nodes' /object_info without what belongs to the host."""
    nodes = client.pack_nodes()
    for info in nodes.values():
        info.pop("python_module", None)  # holds the name of the folder that the pack lies in
        for group in info["input"].values():
            for name in _HOST_OPTIONS:
                if name in group:
                    group[name] = _without_options(group[name])
    return nodes


def write(client: Client, path: Path = FILE) -> Path:
    """Write the snapshot; the path."""
    text = json.dumps(read(client), indent=1, ensure_ascii=False, sort_keys=True)
    path.write_text(text + "\n", encoding="utf-8")
    return path


def _without_options(entry: list[Any]) -> list[Any]:
    kind, options = (*entry, {})[:2]
    kept = {key: value for key, value in options.items() if key not in ("options", "default")}
    return ["COMBO" if isinstance(kind, list) else kind, kept]
