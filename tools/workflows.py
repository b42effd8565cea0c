"""Writes the example workflows and their thumbnails: `python tools/workflows.py --help`.

Runs in the environment of `make setup`, as `python3 tools/host.py run tools/workflows.py build`.
"""

import argparse
import io
import json
import sys
from pathlib import Path
from typing import Any

from PIL import Image

from graphs import examples
from hosting import cache, locate, pack, workflow
from hosting.client import Client
from hosting.errors import HostError
from hosting.server import Server

FOLDER = pack.ROOT / "example_workflows"
POCKET = FOLDER / "Pocket - concept heatmaps.json"
_THUMBNAIL = (640, 640)  # at most, in pixels


def main() -> int:
    """Run the command named on the command line."""
    parser = argparse.ArgumentParser(description="The example workflows.")
    parser.add_argument("command", choices=("build", "thumbnail"), help=_HELP)
    command = {"build": build, "thumbnail": thumbnail}[parser.parse_args().command]
    try:
        with (
            cache.scratch("workflows") as folder,
            Server(locate.provide(), folder, cpu=True) as server,
        ):
            for path in command(server.client):
                print(f"Written: {path.relative_to(pack.ROOT)}")
    except HostError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


_HELP = "build: write the files; thumbnail: run the pocket workflow and write its .jpg"


def build(client: Client) -> list[Path]:
    """Write every example's file; their paths."""
    object_info = client.object_info()
    paths = []
    for name in examples.EXAMPLES:
        document = examples.build(name, object_info, pack_version())
        paths.append(FOLDER / f"{name}.json")
        text = json.dumps(document, indent=2, ensure_ascii=False)
        paths[-1].write_text(text + "\n", encoding="utf-8")
    return paths


def thumbnail(client: Client) -> list[Path]:
    """Run the pocket workflow and write its overlay as the thumbnail; its path."""
    document = json.loads(POCKET.read_text(encoding="utf-8"))
    prompt = workflow.to_prompt(document, client.object_info())
    overlay = next(key for key, node in prompt.items() if node["_meta"]["title"] == "Overlay")
    outputs = client.run(prompt, document, lambda kind, data: None)["outputs"]
    picture = _opened(client, outputs[overlay]["images"][0])
    picture.thumbnail(_THUMBNAIL)
    path = POCKET.with_suffix(".jpg")
    picture.save(path, quality=88, optimize=True)
    return [path]


def pack_version() -> str:
    """The version in pyproject.toml, which Python 3.10 has no parser for."""
    lines = (pack.ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    line = next(line for line in lines if line.startswith("version = "))
    return line.split('"')[1]


def _opened(client: Client, record: dict[str, Any]) -> Image.Image:
    return Image.open(io.BytesIO(client.view(record))).convert("RGB")


if __name__ == "__main__":
    sys.exit(main())
