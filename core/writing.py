"""Several files at once: all of them or none."""

from collections.abc import Callable, Mapping
from pathlib import Path

Writer = Callable[[Path], None]


def write_together(files: Mapping[Path, Writer]) -> None:
    """Call every writer, and give the files their names once all are complete.

    Until then they end in ".part". An existing file is replaced by the new one; when a writer
    fails, no file appears, changes or is left over.
    """
    parts = {path: Path(f"{path}.part") for path in files}
    try:
        for path, write in files.items():
            write(parts[path])
        for path, part in parts.items():
            part.replace(path)
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)
