"""The command line: what a person sees when something outside the code is wrong."""

import errno
import re
import runpy
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import demo
import host
from hosting import checks, child, locate, pack
from hosting.checks import Check
from hosting.errors import HostError


@pytest.mark.parametrize(
    ("raised", "line"),
    [
        (HostError("No network: check it."), "error: No network: check it.\n"),
        (OSError(errno.ENOSPC, "No space left"), "error: The disk is full: free some space"),
    ],
)
def test_what_a_person_can_mend_is_one_line_and_a_failure(monkeypatch, capsys, raised, line):
    def run(target):
        raise raised

    monkeypatch.setattr(demo, "run", run)
    monkeypatch.setattr(sys, "argv", ["host.py", "demo"])
    monkeypatch.setattr(host.signal, "signal", lambda *_: None)
    assert host.main() == 1
    assert capsys.readouterr().err.startswith(line)


def test_an_old_python_is_told_so_before_anything_else_is_imported(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 9, 18))
    with pytest.raises(SystemExit, match=r"needs Python 3\.10 or later; this is .*PYTHON=python3"):
        runpy.run_path(str(pack.ROOT / "tools" / "host.py"))


def test_make_without_a_target_lists_them_all():
    done = subprocess.run(
        ["make", "-C", str(pack.ROOT)], capture_output=True, text=True, check=True
    )
    for target in ("demo", "serve", "test", "test-core", "lint", "bench", "pocket", "golden"):
        assert f"make {target} " in done.stdout


def test_bench_runs_every_benchmark_once_or_the_part_that_is_asked_for():
    def runs(*arguments):
        command = ["make", "-n", "-C", str(pack.ROOT), "bench", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return re.findall(r"host\.py \w+ tools/(\w+\.py ?\w*)", done.stdout)

    assert runs("ARGS=speed") == ["bench.py speed"]
    programs = {path.name for path in (pack.ROOT / "tools").glob("bench*.py") if _runs(path)}
    assert sorted(name.strip() for name in runs()) == sorted(programs - {"bench_decode.py"})


def _runs(path):
    return 'if __name__ == "__main__":' in path.read_text()


def test_golden_without_a_folder_says_what_is_missing():
    done = subprocess.run(
        ["make", "-C", str(pack.ROOT), "golden"], capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "make golden DIR=folder" in done.stdout


@pytest.fixture
def tier(monkeypatch):
    """A tier of small commands in this Python."""
    monkeypatch.setattr(checks.environment, "ensure", lambda dev: sys.executable)

    def make(**statuses):
        names = statuses.items()
        made = tuple(Check(name, ("-c", f"raise SystemExit({status})")) for name, status in names)
        monkeypatch.setitem(checks.TIERS, "all", made)

    return make


def test_the_last_line_says_that_everything_passed(tier, capsys):
    tier(first=0, second=0)
    assert checks.run("all") == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("Everything passed in ")


def test_all_checks_run_and_the_last_line_names_those_that_failed(tier, capsys):
    tier(first=1, second=0, no_test_found=5)
    assert checks.run("all") == 1
    out = capsys.readouterr().out
    assert out.splitlines()[-1] == "2 of 3 checks FAILED: first, no_test_found."
    assert "== second" in out


def test_without_a_browser_the_other_checks_run_and_it_is_named(monkeypatch, tmp_path, capsys):
    def no_browser():
        raise HostError("Chromium is not here")

    host = locate.Host(tmp_path, Path(sys.executable), owned=True)
    monkeypatch.setattr(checks.environment, "ensure", lambda dev: sys.executable)
    monkeypatch.setattr(checks.locate, "provide", lambda: host)
    monkeypatch.setattr(checks.browser, "ensure", no_browser)
    code = f"import os; raise SystemExit(os.environ['COMFYUI_DIR'] != {str(tmp_path)!r})"
    tier = (Check("first", ("-c", code), host=True), Check("second", ("-c", "")))
    monkeypatch.setitem(checks.TIERS, "all", tier)
    assert checks.run("all") == 1
    out = capsys.readouterr().out
    assert "error: Chromium is not here" in out
    assert out.splitlines()[-1] == "1 of 2 checks FAILED: Chromium."


@pytest.fixture
def javascript(monkeypatch):
    """A tier of one check in Node.js and one in Python; `node.ensure` is set by the test."""
    monkeypatch.setattr(checks.environment, "ensure", lambda dev: sys.executable)
    code = "import sys; raise SystemExit(sys.argv[1:] != ['node'])"
    tier = (Check("script", ("-c", code, "node"), node=True), Check("second", ("-c", "")))
    monkeypatch.setitem(checks.TIERS, "all", tier)

    def set_up(ensure):
        monkeypatch.setattr(checks.node, "ensure", ensure)

    return set_up


def test_what_checks_the_javascript_is_run_by_nodejs(javascript, tmp_path, capfd):
    wrapper = tmp_path / "node"
    wrapper.write_text(f'#!/bin/sh\necho by node\nexec {sys.executable} "$@"\n')
    wrapper.chmod(0o755)
    javascript(lambda: wrapper)
    assert checks.run("all") == 0
    assert capfd.readouterr().out.splitlines().count("by node") == 1


def test_without_nodejs_the_other_checks_run_and_its_own_are_named(javascript, capsys):
    def no_network():
        raise HostError("The npm registry cannot be reached")

    javascript(no_network)
    assert checks.run("all") == 1
    out = capsys.readouterr().out
    assert "error: The npm registry cannot be reached" in out
    assert "== second" in out and "== script" not in out
    assert out.splitlines()[-1] == "1 of 2 checks FAILED: script."


def test_the_javascript_is_checked_by_make_lint_and_make_test_core():
    names = {tier: [check.name for check in checks.TIERS[tier]] for tier in checks.TIERS}
    assert "tsc" in names["lint"] and "vitest" in names["core"]
    assert {"tsc", "vitest"} <= set(names["all"])


def test_a_command_that_is_stopped_can_end_what_it_started(tmp_path):
    code = (
        "import pathlib, signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n"
        "try:\n    pathlib.Path('up').touch(); time.sleep(60)\n"
        "finally:\n    pathlib.Path('ended').touch()\n"
    )

    def stop(*_):
        raise KeyboardInterrupt

    old = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, 1.0)
    try:
        with pytest.raises(KeyboardInterrupt):
            child.run([sys.executable, "-c", code], cwd=tmp_path)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
    assert (tmp_path / "ended").exists()
