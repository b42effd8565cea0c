"""The cache folder: where it is, and that one process at a time prepares it."""

import subprocess
import sys
import threading
from pathlib import Path

from hosting import cache, pack


def test_xdg_cache_home_is_honoured_unless_it_is_relative(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.root() == tmp_path / "concept-attention"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    assert cache.root() == tmp_path / "home" / ".cache" / "concept-attention"


def test_a_second_process_waits_for_the_first(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    code = "from hosting import cache\nwith cache.lock('thing'): print('entered', flush=True)\n"
    with cache.lock("thing"):
        other = subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=pack.ROOT / "tools",
            stdout=subprocess.PIPE,
            text=True,
        )
        assert "waiting" in other.stdout.readline()
        lines = []
        reader = threading.Thread(target=lambda: lines.extend(other.stdout))
        reader.start()
        reader.join(0.2)
        assert lines == []
    reader.join(10)
    assert (other.wait(10), lines) == (0, ["entered\n"])
    other.stdout.close()
