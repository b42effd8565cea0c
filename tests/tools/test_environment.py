"""The environment in the cache: complete or made anew, and pip's failures as sentences."""

import importlib.util
import sys
from pathlib import Path

import pytest

from hosting import environment, pip
from hosting.errors import HostError


@pytest.fixture
def installs(monkeypatch, tmp_path):
    """An empty cache, small lock files, and no real venv or pip; the list of what was installed."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    done = []
    for name in ("host", "dev", "node"):
        lock = tmp_path / f"{name}.lock"
        lock.write_text(f"{name}==1\n")
        monkeypatch.setattr(environment, f"{name.upper()}_LOCK", lock)

    def create(folder):
        done.append("venv")
        environment.python_in(folder).parent.mkdir(parents=True)
        environment.python_in(folder).symlink_to(sys.executable)

    def run(python, arguments, what, packages=0):
        done.append(Path(arguments[-1]).stem)

    monkeypatch.setattr(environment, "_create", create)
    monkeypatch.setattr(pip, "run", run)
    return done


def test_it_is_set_up_once_and_the_test_tools_only_when_asked_for(installs):
    python = environment.ensure()
    assert installs == ["venv", "host"]
    assert environment.ensure() == environment.ensure(dev=True) == python
    assert environment.ensure(dev=True) == python
    assert installs == ["venv", "host", "dev"]


def test_nodejs_is_installed_only_when_asked_for(installs):
    environment.ensure(dev=True)
    environment.ensure(node=True)
    environment.ensure(dev=True, node=True)
    assert installs == ["venv", "host", "dev", "node"]


def test_another_lock_file_is_another_environment(installs):
    first = environment.ensure()
    environment.HOST_LOCK.write_text("host==2\n")
    assert environment.ensure() != first
    assert installs == ["venv", "host", "venv", "host"]


def test_an_environment_whose_python_is_gone_is_made_anew(installs, monkeypatch):
    python = environment.ensure()
    python.unlink()
    python.parent.rmdir()
    environment.ensure()
    assert installs == ["venv", "host", "venv", "host"]


def test_an_interrupted_installation_is_done_again(installs, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(pip, "run", interrupted)
        environment.ensure()
    folder = environment.cache.root() / environment.folder_name()
    assert not environment.is_complete(folder, environment.HOST_LOCK)


def test_a_python_without_venv_is_one_clear_sentence(monkeypatch, tmp_path):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(HostError, match=r"lacks its venv module: install it .*python3-venv"):
        environment._create(tmp_path / "env")


def test_a_python_without_ensurepip_fills_the_environment_with_its_own_pip(monkeypatch, tmp_path):
    find, calls = importlib.util.find_spec, []
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: None if name == "ensurepip" else find(name)
    )
    monkeypatch.setattr(environment, "_run", lambda folder, arguments: calls.append(arguments))
    environment._create(tmp_path / "env")
    assert calls[0] == ["venv", "--without-pip", str(tmp_path / "env")]
    python = str(environment.python_in(tmp_path / "env"))
    assert calls[1][:4] == ["pip", "--python", python, "install"]
    assert calls[1][-1].startswith("pip==")


@pytest.mark.parametrize(
    ("printed", "sentence"),
    [
        ("OSError: [Errno 28] No space left on device", "the disk is full"),
        (
            "WARNING: Retrying after connection broken by 'NewConnectionError(...)'\n"
            "ERROR: No matching distribution found for torch==2.11.0",
            "cannot be reached: check the network",
        ),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "hash"),
        ("ERROR: No matching distribution found for torch==2.11.0", "no build fits this Python"),
        ("noise\nERROR: Something new.", "Something new"),
        ("", "gave no reason"),
    ],
)
def test_pip_s_errors_become_half_a_sentence(printed, sentence):
    assert sentence in pip.reason(printed)


def test_a_failing_pip_is_an_error_that_says_what_to_do(tmp_path, capsys):
    with pytest.raises(HostError, match=r"Downloading it failed: .*run the same command again"):
        pip.run(Path(sys.executable), ["install", "--no-such-option"], "Downloading it")
