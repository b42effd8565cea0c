"""pip in the environment, with its progress passed through and its failures as one sentence."""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from .console import Bar
from .errors import HashError, HostError

_WRONG_HASH = r"DO NOT MATCH THE HASHES"

# What pip prints, and the sentence for it; the first that matches wins.
_REASONS = (
    (r"No space left on device|\[Errno 28\]|not enough space", "the disk is full: free some space"),
    (_WRONG_HASH, "a downloaded file has another hash than the lock file says"),
    (
        r"NewConnectionError|NameResolutionError|Temporary failure in name resolution|getaddrinfo"
        r"|ConnectTimeout|ReadTimeout|Max retries exceeded|ProxyError|Network is unreachable"
        r"|Connection refused|ConnectionError|from versions: none",
        "the Python package index cannot be reached: check the network or the proxy",
    ),
    (r"No matching distribution|requires a different Python", "no build fits this Python"),
)


def run(python: Path, arguments: Sequence[str], what: str, packages: int = 0) -> None:
    """Run pip and wait; `packages` is how many it will collect, for the progress bar.

    Raises HostError with the reason in one sentence, HashError for a file with a wrong hash; what
    was complete on disk stays usable.
    """
    command = [str(python), "-m", "pip", *arguments]
    if sys.stdout.isatty():
        code, errors = _run_visibly(command)
    else:
        code, errors = _run_counted(command, what, packages)
    if code:
        kind = HashError if re.search(_WRONG_HASH, errors, re.IGNORECASE) else HostError
        raise kind(f"{what} failed: {reason(errors)}. Then run the same command again.")


def reason(errors: str) -> str:
    """pip's error output as half a sentence."""
    for pattern, sentence in _REASONS:
        if re.search(pattern, errors, re.IGNORECASE):
            return sentence
    lines = [line.strip() for line in errors.splitlines() if line.startswith("ERROR")]
    return (lines or ["pip gave no reason"])[-1].removeprefix("ERROR: ").rstrip(".")


def environment() -> dict[str, str]:
    """Variables for pip: it asks nothing and does not advertise its own next version."""
    return {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}


def _run_visibly(command: list[str]) -> tuple[int, str]:
    """On a terminal pip draws its own bars; only its errors are kept aside."""
    done = subprocess.run(
        command, env=environment(), stderr=subprocess.PIPE, text=True, check=False
    )
    return done.returncode, done.stderr


def _run_counted(command: list[str], what: str, packages: int) -> tuple[int, str]:
    """In a log file pip's hundreds of lines are counted instead of shown."""
    bar, count, errors = Bar(), 0, []
    with subprocess.Popen(
        command,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        for line in process.stdout or ():
            if line.startswith(("Collecting", "Requirement already")):
                count += 1
                bar.show(what, min(count, packages - 1), packages)
            elif not line.startswith((" ", "Processing", "Downloading", "Using cached")):
                errors.append(line)
    if process.returncode == 0:
        bar.show(what, packages, packages)
    bar.close()
    return process.returncode, "".join(errors)
