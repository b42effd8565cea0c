"""Every check that a change must pass, one after the other, and a last line that says how it went.

All of them run even if one fails: a person wants the whole list at once.
"""

import os
import time
from dataclasses import dataclass, field
from pathlib import Path

from . import browser, cache, child, environment, locate, node, pack
from .errors import HostError


@dataclass(frozen=True)
class Check:
    """Arguments of the environment's Python, or of Node.js if `node`.

    host: it needs ComfyUI and a browser.
    """

    name: str
    arguments: tuple[str, ...]
    host: bool = False
    node: bool = False
    variables: dict[str, str] = field(default_factory=dict)


# The cache of vitest would lie in node_modules, which checkouts share.
VITEST = ("run", "--dir", "tests/web", "--no-cache")
LINT = (
    Check("ruff check", ("-m", "ruff", "check", ".")),
    Check("ruff format", ("-m", "ruff", "format", "--check", ".")),
    Check("mypy", ("-m", "mypy")),
    Check("tsc", ("node_modules/typescript/bin/tsc", "--project", "jsconfig.json"), node=True),
)
CORE = (
    Check("tests/core", ("-m", "pytest", "-q", "tests/core")),
    Check("vitest", ("node_modules/vitest/vitest.mjs", *VITEST), node=True),
)
TOOLS = (Check("tests/tools", ("-m", "pytest", "-q", "tests/tools")),)
HOST = (Check("tests/host", ("-m", "pytest", "-q", "--durations=10", "tests/host"), host=True),)
REGISTRY = (
    Check(
        "comfy node validate",
        ("-m", "comfy_cli", "--skip-prompt", "--no-enable-telemetry", "node", "validate"),
        variables={"DO_NOT_TRACK": "1", "HOME": "{cache}/home"},  # it writes settings into its home
    ),
)
TIERS = {
    "lint": LINT,
    "core": CORE,
    "all": (*LINT, *CORE, *TOOLS, *HOST, *REGISTRY),
}


def run(tier: str) -> int:
    """Set up what the tier needs and run it; 0 if every check passed, else 1."""
    checks = TIERS[tier]
    start = time.perf_counter()
    python = environment.ensure(dev=True)
    variables, ready = base_variables(), {}
    failed: list[str] = []
    program = _node() if any(check.node for check in checks) else None
    for check in checks:
        if check.node and program is None:  # that it is missing has been said
            failed.append(check.name)
            continue
        if check.host and "COMFYUI_PYTHON" not in ready:  # what needs neither has run by then
            host = locate.provide()
            # The tests themselves need our test tools; the servers that they start run as yours.
            ready |= {"COMFYUI_DIR": str(host.folder), "COMFYUI_PYTHON": str(host.python)}
            ready |= _browser(failed)
        if not _passes(check, program if check.node else python, {**variables, **ready}):
            failed.append(check.name)
    seconds = time.perf_counter() - start
    if failed:
        print(f"\n{len(failed)} of {len(checks)} checks FAILED: {', '.join(failed)}.", flush=True)
        return 1
    names = ", ".join(check.name for check in checks)
    print(f"\nEverything passed in {seconds:.0f} s: {names}.", flush=True)
    return 0


def _node() -> Path | None:
    """Where Node.js is; without it the checks of the JavaScript fail, and the others go on."""
    try:
        return node.ensure()
    except HostError as error:
        print(f"error: {error}", flush=True)
        return None


def _browser(failed: list[str]) -> dict[str, str]:
    """Where Chromium is; without one that is a check that failed, and the others go on."""
    try:
        return {"CHROMIUM": str(browser.ensure())}
    except HostError as error:
        print(f"error: {error}", flush=True)
        failed.append("Chromium")
        return {}


def base_variables() -> dict[str, str]:
    """The environment of a child process; torch's waiting threads leave the cores to others."""
    return {**os.environ, "OMP_WAIT_POLICY": "PASSIVE"}


def _passes(check: Check, program: Path | None, variables: dict[str, str]) -> bool:
    print(f"\n== {check.name}", flush=True)
    own = {key: text.format(cache=cache.root()) for key, text in check.variables.items()}
    command = [str(program), *check.arguments]
    # pytest's status 5, no test found, is a failure like any other.
    return child.run(command, cwd=pack.ROOT, env={**variables, **own}) == 0
