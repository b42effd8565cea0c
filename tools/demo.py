"""`make demo`: the pocket models' example workflows through the real host, into output/demo/."""

import json
import re
import shutil
import time
from pathlib import Path
from typing import Any

from hosting import cache, locate, pack, workflow
from hosting.console import Bar, Phases
from hosting.errors import HostError
from hosting.server import Server

EXAMPLES = pack.ROOT / "example_workflows"
# Where the host saves a workflow's files -> its name, and where they go below the target.
WORKFLOWS = {
    "demo": ("Pocket - concept heatmaps", "."),
    "demo-sd3": ("Pocket SD3.5 - concept heatmaps", "sd3"),
    "demo-video": ("Pocket video - concept heatmaps", "video"),
    "demo-inpaint": ("Pocket - inpaint a concept", "inpaint"),
    "demo-models": ("Pocket - compare two models", "compare"),
    "demo-timeline": ("Pocket - timeline", "timeline"),
    "demo-report": ("Pocket - prompt report", "report"),
    "demo-audit": ("Pocket - audit", "audit"),
    "demo-words": ("Pocket - words of the prompt", "words"),
    "demo-negative": ("Pocket - negative prompt", "negative"),
    "demo-kinds": ("Pocket - kinds of maps", "kinds"),
}

# A saved file's name as the host makes it: prefix, five-digit counter, endings.
_SAVED = re.compile(r"(?P<prefix>.+?)_\d{5}_?\.")

_ORDER = ("picture", "video", "heatmap", "overlay", "capture")  # as a person wants to look at them


def run(target: Path) -> int:
    """Make the demonstration in the folder `target`; 0, or HostError with what went wrong."""
    phases, files = Phases(), []
    with phases.phase("set-up"):
        host = locate.provide()
    with cache.scratch("demo") as scratch:
        server = Server(host, scratch)
        try:
            with phases.phase("starting ComfyUI"):
                server.start()
            print(f"ComfyUI runs on the {'CPU' if server.cpu else 'GPU'}.", flush=True)
            for folder, (name, below) in WORKFLOWS.items():
                files += _make(server, phases, name, folder, target / below)
        finally:
            server.stop()
    print("\nWritten:")
    print("\n".join(f"  {path}" for path in files))
    print(f"\nTime:\n{phases.table()}")
    return 0


def read_example(name: str) -> dict[str, Any]:
    """An example workflow as the editor saved it."""
    return json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8"))


def _make(server: Server, phases: Phases, name: str, folder: str, target: Path) -> list[Path]:
    try:
        Run(server, phases).execute(read_example(name))
        return deliver(server.output / folder, target)
    except HostError as error:
        raise HostError(f"{error}\nComfyUI printed last:\n{server.log_tail()}") from error


class Run:
    """One execution of a workflow file, drawn as a progress bar and timed node by node."""

    def __init__(self, server: Server, phases: Phases):
        self._client, self._phases = server.client, phases
        self._bar = Bar()
        self._titles: dict[str, str] = {}
        self._current, self._since = "", time.perf_counter()

    def execute(self, document: dict[str, Any]) -> dict[str, Any]:
        """Queue the workflow and wait for its end; its history entry."""
        prompt = workflow.to_prompt(document, self._client.object_info())
        self._titles = {key: node["_meta"]["title"] for key, node in prompt.items()}
        self._since = time.perf_counter()
        try:
            return self._client.run(prompt, document, self._on_event)
        finally:
            self._bar.close()

    def _on_event(self, kind: str, data: dict[str, Any]) -> None:
        if kind == "executing":
            self._switch(data.get("node"))
        elif kind == "progress" and data.get("max", 0) > 1:
            title = self._titles.get(str(data.get("node")), "Working")
            self._bar.show(title, data["value"], data["max"])
        elif kind.startswith("execution_") and kind != "execution_start":
            self._switch(None)

    def _switch(self, node: str | None) -> None:
        """The host went on to another node, or ended."""
        now = time.perf_counter()
        if self._current:
            self._phases.add(self._titles.get(self._current, self._current), now - self._since)
        self._current, self._since = node or "", now


def deliver(output: Path, target: Path) -> list[Path]:
    """Copy what the run saved into `target` under clear names; the new paths.

    One file of a prefix becomes `prefix.png`; one file per concept `prefix-concept.png`, the names
    read from the capture file. What an earlier demo left in `target` under such names is replaced.
    """
    groups = saved_files(output)
    captures = [path for files in groups.values() for path in files if _is_capture(path)]
    if not groups:
        raise HostError("The workflow ran, but saved nothing.")
    labels = shown_labels(captures[0]) if captures else []
    target.mkdir(parents=True, exist_ok=True)
    for prefix in {*_ORDER, *groups}:
        for old in target.glob(f"{prefix}*"):
            if old.is_file():  # not another workflow's folder, such as video
                old.unlink()
    paths = []
    for prefix, files in sorted(groups.items(), key=lambda group: _place(group[0])):
        for file, ending in zip(files, _endings(prefix, len(files), labels), strict=True):
            paths.append(target / f"{prefix}{ending}{file.suffix}")
            shutil.copyfile(file, paths[-1])
    return paths


def saved_files(output: Path) -> dict[str, list[Path]]:
    """The files of an output folder by the name that the workflow gave them, in their order."""
    groups: dict[str, list[Path]] = {}
    for path in sorted(path for path in output.rglob("*") if path.is_file()):
        match = _SAVED.match(path.name)
        groups.setdefault(match["prefix"] if match else path.stem, []).append(path)
    return groups


def shown_labels(capture: Path) -> list[str]:
    """The labels of the concepts that have a heatmap: all but the background."""
    plain = json.loads(safetensors_metadata(capture)["capture"])
    pairs = zip(plain["labels"], plain["background"], strict=True)
    return [label for label, hidden in pairs if not hidden]


def safetensors_metadata(path: Path) -> dict[str, str]:
    """A safetensors file's metadata: eight bytes of length, then JSON."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        return json.loads(file.read(length)).get("__metadata__", {})


def _place(prefix: str) -> int:
    return _ORDER.index(prefix) if prefix in _ORDER else len(_ORDER)


def _endings(prefix: str, count: int, labels: list[str]) -> list[str]:
    if count == 1:
        return [""]
    if prefix.startswith("heatmap") and count == len(labels):
        names = [re.sub(r"\W+", "-", label).strip("-") for label in labels]
        if len(set(names)) == count and all(names):
            return [f"-{name}" for name in names]
    return [f"-{number + 1}" for number in range(count)]


def _is_capture(path: Path) -> bool:
    return path.suffix == ".safetensors"
