"""Which ComfyUI is taken, and with which Python."""

from pathlib import Path

import pytest

from hosting import archive, environment, locate
from hosting.errors import HostError


def comfyui(folder: Path, version: str = "0.30.0") -> Path:
    (folder / "custom_nodes").mkdir(parents=True)
    (folder / "main.py").touch()
    (folder / "comfyui_version.py").write_text(f'__version__ = "{version}"\n')
    return folder


def python_at(folder: Path) -> Path:
    python = environment.python_in(folder)
    python.parent.mkdir(parents=True)
    python.touch()
    return python


@pytest.fixture(autouse=True)
def ours(monkeypatch, tmp_path):
    """What would be provisioned, without doing it."""
    python, folder = tmp_path / "ours" / "python", tmp_path / "ours" / "ComfyUI"
    monkeypatch.setattr(environment, "ensure", lambda dev=False: python)
    monkeypatch.setattr(archive, "ensure", lambda used: folder)
    return python, folder


def test_without_any_comfyui_the_one_in_the_cache_is_used_and_is_ours(tmp_path, ours):
    host = locate.provide({}, tmp_path / "checkout")
    assert (host.python, host.folder, host.owned) == (*ours, True)


def test_comfyui_dir_comes_before_the_comfyui_around_the_checkout(tmp_path, ours):
    given = comfyui(tmp_path / "given")
    around = comfyui(tmp_path / "around") / "custom_nodes" / "checkout"
    host = locate.provide({"COMFYUI_DIR": str(given)}, around)
    assert (host.folder, host.python, host.owned) == (given, ours[0], False)
    assert host.pack_inside is None


def test_the_comfyui_around_the_checkout_is_used_and_already_holds_the_pack(tmp_path):
    around = comfyui(tmp_path / "around")
    checkout = around / "custom_nodes" / "my-copy"
    checkout.mkdir()
    host = locate.provide({}, checkout)
    assert (host.folder, host.pack_inside, host.owned) == (around, "my-copy", False)


def test_a_link_to_the_checkout_in_custom_nodes_is_seen(tmp_path):
    given, checkout = comfyui(tmp_path / "given"), tmp_path / "checkout"
    checkout.mkdir()
    (given / "custom_nodes" / "linked").symlink_to(checkout)
    assert locate.provide({"COMFYUI_DIR": str(given)}, checkout).pack_inside == "linked"


def test_a_folder_named_custom_nodes_without_comfyui_around_it_is_nothing(tmp_path, ours):
    checkout = tmp_path / "custom_nodes" / "checkout"
    checkout.mkdir(parents=True)
    assert locate.provide({}, checkout).folder == ours[1]


@pytest.mark.parametrize("place", ["given/.venv", "given/venv", ".venv", "venv"])
def test_the_user_s_own_environment_inside_or_beside_is_used(tmp_path, place):
    given = comfyui(tmp_path / "given")
    python = python_at(tmp_path / place)
    assert locate.provide({"COMFYUI_DIR": str(given)}, tmp_path / "checkout").python == python


def test_comfyui_python_comes_first(tmp_path):
    given = comfyui(tmp_path / "given")
    python_at(given / ".venv")
    named = python_at(tmp_path / "elsewhere")
    variables = {"COMFYUI_DIR": str(given), "COMFYUI_PYTHON": str(named)}
    assert locate.provide(variables, tmp_path / "checkout").python == named


@pytest.mark.parametrize("version", ["0.30.0", "0.30.1", "0.31.0", "0.100.0", "1.0.0"])
def test_versions_from_the_floor_on_are_accepted(tmp_path, version):
    locate.require_version(comfyui(tmp_path / "host", version))


@pytest.mark.parametrize("version", ["0.29.9", "0.3.75", "0.3.0"])
def test_an_older_comfyui_is_an_error_that_names_both_versions(tmp_path, version):
    given = comfyui(tmp_path / "host", version)
    with pytest.raises(HostError, match=rf"is {version}; Concept Attention needs 0.30.0 or later"):
        locate.provide({"COMFYUI_DIR": str(given)}, tmp_path / "checkout")


def test_a_comfyui_from_before_version_files_is_an_error(tmp_path):
    given = comfyui(tmp_path / "host")
    (given / "comfyui_version.py").unlink()
    with pytest.raises(HostError, match=r"older than 0\.3"):
        locate.require_version(given)


def test_a_comfyui_dir_or_python_that_is_not_there_is_an_error_that_names_the_variable(tmp_path):
    with pytest.raises(HostError, match=r"COMFYUI_DIR is '/nowhere', which holds no ComfyUI"):
        locate.provide({"COMFYUI_DIR": "/nowhere"}, tmp_path)
    variables = {"COMFYUI_DIR": str(comfyui(tmp_path / "host")), "COMFYUI_PYTHON": "/no/python"}
    with pytest.raises(HostError, match=r"COMFYUI_PYTHON is '/no/python', which is not"):
        locate.provide(variables, tmp_path)
