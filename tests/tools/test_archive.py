"""ComfyUI's archive: used only whole and with the right hash, and fetched again when broken."""

import io
import tarfile

import pytest

from hosting import archive, cache
from hosting.errors import HashError, HostError


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "concept-attention"


@pytest.fixture
def good(monkeypatch, tmp_path):
    """The bytes of a right archive; the expected hash is set to theirs."""
    path = tmp_path / "good.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        _add(tar, "pack-1/vendor/ComfyUI/main.py", b"print('host')")
        _add(tar, "pack-1/vendor/ComfyUI/comfy/sd.py", b"x = 1")
        _add(tar, "pack-1/vendor/Other/main.py", b"no")
        _add(tar, "pack-1/vendor/ComfyUI/../../../escaped.py", b"no")
    monkeypatch.setattr(archive, "SHA256", cache.sha256(path))
    return path.read_bytes()


def _add(tar, name, content):
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))


def _downloads(*contents):
    """A download that delivers the contents one after the other, and the list of its calls."""
    calls = []

    def download(folder, fresh):
        (folder / "a.tar.gz").write_bytes(contents[len(calls)])
        calls.append(fresh)

    return download, calls


def test_only_the_host_s_folder_is_unpacked_and_the_second_call_downloads_nothing(home, good):
    download, calls = _downloads(good)
    folder = archive.ensure(None, download)
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert files == ["comfy/sd.py", "main.py"]
    assert archive.ensure(None, download) == folder
    assert calls == [False]


def test_a_partial_download_is_fetched_again_without_pip_s_cache(home, good):
    download, calls = _downloads(good[:50], good)
    assert (archive.ensure(None, download) / "main.py").is_file()
    assert calls == [False, True]


def test_a_hash_that_pip_refuses_is_fetched_again_without_its_cache(home, good):
    calls = []

    def download(folder, fresh):
        calls.append(fresh)
        if not fresh:
            raise HashError("pip refused the file")
        (folder / "a.tar.gz").write_bytes(good)

    assert (archive.ensure(None, download) / "main.py").is_file()
    assert calls == [False, True]


def test_pip_is_told_the_hash_before_it_runs_anything_of_the_archive(home, monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(
        archive.pip, "run", lambda python, arguments, *_, **__: asked.append(arguments)
    )
    archive._pip_download(tmp_path)(tmp_path, False)
    assert "--require-hashes" in asked[0]
    wanted = (tmp_path / "archive.txt").read_text()
    assert wanted == f"{archive.REQUIREMENT} --hash=sha256:{archive.SHA256}\n"


def test_a_wrong_hash_is_one_clear_sentence_and_leaves_nothing_behind(home, good):
    download, _ = _downloads(b"other", b"other")
    with pytest.raises(HostError, match=r"wrong SHA-256 \(d9298a10.* instead of .*not used"):
        archive.ensure(None, download)
    assert [path.name for path in home.iterdir() if path.is_dir()] == []


def test_an_interrupted_unpacking_is_done_again(home, good, monkeypatch):
    download, calls = _downloads(good, good)

    def interrupted(path, target):
        (target / "main.py").write_text("half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(archive, "_unpack", interrupted)
        archive.ensure(None, download)
    folder = archive.ensure(None, download)
    assert (folder / "main.py").read_bytes() == b"print('host')"
    assert calls == [False, False]


def test_a_failed_download_passes_its_reason_on_and_leaves_nothing_behind(home, good):
    def download(folder, fresh):
        raise HostError("no network")

    with pytest.raises(HostError, match="no network"):
        archive.ensure(None, download)
    assert [path.name for path in home.iterdir() if path.is_dir()] == []
