"""Folders of runs for the browser: each content once, and not more of them than there is room."""

import shutil
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection
from pathlib import Path

ROOM = 1 << 30


class Runs:
    """Folders named by their content; the most recently used are kept, up to `room` bytes.

    Only what this object wrote is deleted. A lock lets only one thread write or delete at a time.
    """

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._sizes: OrderedDict[Path, int] = OrderedDict()
        self._lock = threading.Lock()
        self._deletions = 0

    @property
    def deletions(self) -> int:
        """How many of the folders were deleted, by this object or by anyone else."""
        with self._lock:
            gone = [folder for folder in self._sizes if not folder.is_dir()]
            for folder in gone:
                del self._sizes[folder]
            self._deletions += len(gone)
            return self._deletions

    def write(self, folder: Path, fill: Callable[[Path], None]) -> None:
        """Have the folder filled, unless it is there.

        fill: called with an empty folder, which gets its name when it is whole.
        """
        with self._lock:
            if not folder.is_dir():
                part = folder.with_name(folder.name + ".part")
                shutil.rmtree(part, ignore_errors=True)
                part.mkdir(parents=True)
                fill(part)
                part.rename(folder)
                self._sizes[folder] = 0
            self._note(folder)

    def add(self, folder: Path, name: str, fill: Callable[[Path], None]) -> None:
        """Have one more file of a folder written, unless it is there."""
        with self._lock:
            if not (folder / name).is_file():
                part = folder / f"part-{name}"
                fill(part)
                part.rename(folder / name)
                self._note(folder)

    def tidy(self, keep: Collection[Path]) -> None:
        """Delete the folders used longest ago that there is no room for, but none of `keep`."""
        with self._lock:
            for folder in [each for each in self._sizes if each not in keep]:
                if sum(self._sizes.values()) <= self._room:
                    return
                shutil.rmtree(folder, ignore_errors=True)
                del self._sizes[folder]
                self._deletions += 1

    def _note(self, folder: Path) -> None:
        if folder in self._sizes:
            self._sizes[folder] = sum(path.stat().st_size for path in folder.iterdir())
            self._sizes.move_to_end(folder)
