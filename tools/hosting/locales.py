"""The interface's texts by language, as the editor reads them from locales/.

English comes from the nodes themselves, so that it never says something else than they do.
"""

import json
from pathlib import Path
from typing import Any

from . import pack

FOLDER = pack.ROOT / "locales"
ENGLISH = FOLDER / "en" / "nodeDefs.json"

Json = dict[str, Any]


def english(nodes: Json) -> Json:
    """Names and tooltips of nodes as /object_info describes them, in the form of nodeDefs.json."""
    return {name: _node(info) for name, info in sorted(nodes.items())}


def write_english(nodes: Json, path: Path = ENGLISH) -> Path:
    """Write the English texts of the nodes; the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(english(nodes), indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
    return path


def _node(info: Json) -> Json:
    inputs = {
        name: _text(entry[1].get("display_name") or name, entry[1].get("tooltip", ""))
        for group in ("required", "optional")
        for name, entry in info["input"].get(group, {}).items()
    }
    pairs = zip(info["output_name"], info["output_tooltips"], strict=True)
    outputs = {str(slot): _text(name, tooltip or "") for slot, (name, tooltip) in enumerate(pairs)}
    return {
        "display_name": info["display_name"],
        "description": info["description"],
        "inputs": inputs,
        "outputs": outputs,
    }


def _text(name: str, tooltip: str) -> Json:
    return {"name": name, "tooltip": tooltip}
