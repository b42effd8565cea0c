"""A Chromium for the browser test: the one that is installed, else Debian's."""

import os
import shutil
import subprocess
from pathlib import Path

from .errors import HostError

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def ensure() -> Path:
    """The browser's executable: CHROMIUM, else one on the path, else installed by apt-get as root.

    Raises HostError if there is none and it cannot be installed here.
    """
    if given := os.environ.get("CHROMIUM", ""):
        if not Path(given).is_file():
            raise HostError(f"CHROMIUM is {given!r}, which is not an executable file.")
        return Path(given)
    return _on_path() or _from_debian()


def _on_path() -> Path | None:
    found = (shutil.which(name) for name in NAMES)
    return next((Path(path) for path in found if path), None)


def _from_debian() -> Path:
    remedy = (
        "The browser test needs Chromium: install it (Debian, Ubuntu: apt-get install chromium), "
        "or set CHROMIUM to the executable of a Chrome or Chromium."
    )
    apt = shutil.which("apt-get")
    if apt is None or not hasattr(os, "geteuid") or os.geteuid() != 0:
        raise HostError(remedy)
    print("Installing Chromium for the browser test (apt-get)", flush=True)
    options = ["-qq", "-o", "Dpkg::Use-Pty=0"]
    for arguments in (["update"], ["install", "-y", "--no-install-recommends", "chromium"]):
        done = subprocess.run(
            [apt, *options, *arguments],
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode:
            lines = done.stderr.strip().splitlines() or ["no reason given"]
            raise HostError(f"apt-get {arguments[0]} failed: {lines[-1]} {remedy}")
    found = _on_path()
    if found is None:
        raise HostError(remedy)
    return found
