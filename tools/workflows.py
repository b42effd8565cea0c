"""Writes the example workflows and the blueprint anew: `make workflows`."""

import json
import sys
from pathlib import Path

from graphs import blueprint, examples
from hosting import cache, locate, pack
from hosting.client import Client
from hosting.errors import HostError
from hosting.server import Server

FOLDER = pack.ROOT / "example_workflows"
BLUEPRINTS = pack.ROOT / "subgraphs"


def main() -> int:
    """Write the files; exit status 1 if the host cannot be had."""
    try:
        with (
            cache.scratch("workflows") as folder,
            Server(locate.provide(), folder, cpu=True) as server,
        ):
            for path in build(server.client):
                print(f"Written: {path.relative_to(pack.ROOT)}")
    except HostError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def build(client: Client) -> list[Path]:
    """Write every example's file and the blueprint's; their paths."""
    given = (client.object_info(), pack_version())
    files = {FOLDER / f"{name}.json": examples.build(name, *given) for name in examples.EXAMPLES}
    files[BLUEPRINTS / f"{blueprint.NAME}.json"] = blueprint.build(*given)
    for path, document in files.items():
        path.parent.mkdir(exist_ok=True)
        text = json.dumps(document, indent=2, ensure_ascii=False)
        path.write_text(text + "\n", encoding="utf-8")
    return list(files)


def pack_version() -> str:
    """The version in pyproject.toml, which Python 3.10 has no parser for."""
    lines = (pack.ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    line = next(line for line in lines if line.startswith("version = "))
    return line.split('"')[1]


if __name__ == "__main__":
    sys.exit(main())
