"""The Python environment in the cache: a venv filled from the lock files, complete or absent."""

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from . import cache, pip
from .errors import HostError

TOOLS = Path(__file__).resolve().parents[1]
HOST_LOCK = TOOLS / "host.lock"
DEV_LOCK = TOOLS / "dev.lock"
NODE_LOCK = TOOLS / "node.lock"


def ensure(dev: bool = False, node: bool = False) -> Path:
    """The environment's Python; made on first use, with test tools if `dev`, Node.js if `node`.

    Raises HostError if Python's venv module is missing, the network or the disk fails.
    """
    folder = cache.root() / folder_name()
    with cache.lock("environment"):
        if not is_complete(folder, HOST_LOCK):
            _create(folder)
            _install(folder, HOST_LOCK, "Installing ComfyUI's requirements (several GB)")
        if dev and not is_complete(folder, DEV_LOCK):
            _install(folder, DEV_LOCK, "Installing the test tools")
        if node and not is_complete(folder, NODE_LOCK):
            _install(folder, NODE_LOCK, "Installing Node.js")
    return python_in(folder)


def folder_name() -> str:
    """One folder per Python version and content of the host's lock file."""
    return f"env-py{sys.version_info[0]}{sys.version_info[1]}-{_digest(HOST_LOCK)}"


def python_in(folder: Path) -> Path:
    """The interpreter of a venv."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def is_complete(folder: Path, lock: Path) -> bool:
    """Whether all of the lock file was installed, and the interpreter still starts."""
    if not _stamp(folder, lock).is_file() or not python_in(folder).exists():
        return False
    command = [str(python_in(folder)), "-c", ""]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _create(folder: Path) -> None:
    venv, ensurepip, own_pip = (
        importlib.util.find_spec(name) is not None for name in ("venv", "ensurepip", "pip")
    )
    if not venv or not (ensurepip or own_pip):
        raise HostError(
            f"This Python ({sys.executable}) lacks its {'pip' if venv else 'venv'} module: install "
            "it (Debian, Ubuntu: apt-get install python3-venv) and run the same command again."
        )
    if folder.exists():
        print("The environment in the cache is incomplete; making it anew.", flush=True)
        shutil.rmtree(folder)
    # A venv cannot be moved once made, so it is built in place and stamped when it is complete.
    if ensurepip:
        _run(folder, ["venv", str(folder)])
        return
    # Debian's python3 comes without ensurepip; its pip can fill another environment.
    _run(folder, ["venv", "--without-pip", str(folder)])
    own = f"pip=={importlib.metadata.version('pip')}"
    _run(folder, ["pip", "--python", str(python_in(folder)), "install", "--quiet", own])


def _run(folder: Path, arguments: list[str]) -> None:
    command = [sys.executable, "-m", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = (done.stderr + done.stdout).strip().splitlines() or ["no reason given"]
        raise HostError(f"Making the environment {folder} failed: {lines[-1]}")


def _install(folder: Path, lock: Path, what: str) -> None:
    print(what, flush=True)
    arguments = ["install", "--require-hashes", "-r", str(lock)]
    # A package may have several lines, each for some Python versions or systems.
    names = set(re.findall(r"^([\w.-]+)==", lock.read_text(), re.MULTILINE))
    pip.run(python_in(folder), arguments, what, len(names))
    _stamp(folder, lock).write_text("complete\n")


def _stamp(folder: Path, lock: Path) -> Path:
    return folder / f"{lock.stem}-{_digest(lock)}.complete"


def _digest(lock: Path) -> str:
    return cache.sha256(lock)[:12]
