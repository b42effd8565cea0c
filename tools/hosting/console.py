"""What a person sees while waiting: one progress bar, and how long each phase took."""

import contextlib
import shutil
import sys
import time
from collections.abc import Iterator


class Bar:
    """A progress bar on one line of a terminal; a few plain lines where output goes to a file."""

    def __init__(self, stream=None):
        self._stream = stream or sys.stdout
        self._tty = self._stream.isatty()
        self._label, self._tenth, self._open = "", -1, False

    def show(self, label: str, value: int, total: int) -> None:
        """Draw `value` of `total` under `label`; a new label starts a new line."""
        if label != self._label:
            self.close()
            self._label, self._tenth = label, -1
        share = min(1.0, value / total) if total else 0.0
        if self._tty:
            self._draw(share, value, total)
        elif int(share * 10) > self._tenth:
            self._tenth = int(share * 10)
            print(f"{label}: {value}/{total}", file=self._stream, flush=True)

    def close(self) -> None:
        """End the line that is being drawn."""
        if self._open:
            print(file=self._stream, flush=True)
        self._label, self._open = "", False

    def _draw(self, share: float, value: int, total: int) -> None:
        numbers = f" {value}/{total}"
        label = self._label[:32].ljust(32)
        width = max(10, min(40, shutil.get_terminal_size().columns - len(label) - len(numbers) - 4))
        bar = ("#" * round(share * width)).ljust(width, ".")
        print(f"\r{label} [{bar}]{numbers}", end="", file=self._stream, flush=True)
        self._open = True


class Phases:
    """Seconds per named phase, in the order in which they ended."""

    def __init__(self):
        self.seconds: dict[str, float] = {}

    @contextlib.contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Count the time of the block under `name`."""
        start = time.perf_counter()
        yield
        self.add(name, time.perf_counter() - start)

    def add(self, name: str, seconds: float) -> None:
        """Add to a phase's time."""
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds

    def table(self) -> str:
        """One aligned line per phase that took a twentieth of a second or more, and the sum."""
        rows = [item for item in self.seconds.items() if item[1] >= 0.05]
        total = sum(self.seconds.values())
        rest = total - sum(seconds for _, seconds in rows)
        rows += [("the rest", rest), ("total", total)]
        width = max(len(name) for name, _ in rows)
        return "\n".join(f"  {name.ljust(width)}  {seconds:7.1f} s" for name, seconds in rows)
