"""The cache folder outside the checkout: one writer at a time, and nothing half-written."""

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

if os.name == "nt":
    import msvcrt
else:
    import fcntl


def root() -> Path:
    """`$XDG_CACHE_HOME/concept-attention`, else `~/.cache/concept-attention`; made if missing."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG specification says to ignore relative paths.
    parent = Path(base) if Path(base).is_absolute() else Path.home() / ".cache"
    folder = parent / "concept-attention"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def sha256(path: Path) -> str:
    """The file's SHA-256 in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


@contextlib.contextmanager
def lock(name: str) -> Iterator[None]:
    """Hold the named lock; a second process waits, and one that died holds nothing."""
    with (root() / f"{name}.lock").open("a+") as file:
        if not _try_lock(file.fileno()):
            print(f"Another run is preparing the {name}; waiting for it.", flush=True)
            _wait_lock(file.fileno())
        try:
            yield
        finally:
            _unlock(file.fileno())


@contextlib.contextmanager
def building(target: Path) -> Iterator[Path]:
    """A folder to fill; it becomes `target` only if the block ends without an error.

    So a folder under its final name is always complete, whatever interrupted the run before.
    """
    work = Path(tempfile.mkdtemp(prefix=f".{target.name}.partial-", dir=target.parent))
    try:
        yield work
        if target.exists():
            shutil.rmtree(target)
        work.rename(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)


@contextlib.contextmanager
def scratch(name: str) -> Iterator[Path]:
    """A temporary folder that is gone after the block."""
    with tempfile.TemporaryDirectory(prefix=f"concept-attention-{name}-") as folder:
        yield Path(folder).resolve()


def _try_lock(descriptor: int) -> bool:
    try:
        if os.name == "nt":
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _wait_lock(descriptor: int) -> None:
    if os.name != "nt":
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return
    while not _try_lock(descriptor):  # LK_LOCK itself gives up after ten seconds
        with contextlib.suppress(OSError):
            msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)
            return


def _unlock(descriptor: int) -> None:
    if os.name == "nt":
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
    else:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
