"""What the registry hands out, and what the lock files pin."""

import re

import pathspec
import pytest

from hosting import environment, pack

NEEDED = (
    "__init__.py",
    "LICENSE",
    "README.md",
    "pyproject.toml",
    "core/decode.py",
    "core/fonts/LICENSE.txt",
    "nodes/sampler.py",
    "pocket/checkpoint.py",
    "pocket/clips.py",
    "pocket/video_vae.py",
    "pocket/pocket-flux.safetensors",
    "pocket/pocket-sd3.safetensors",
    "pocket/pocket-video.safetensors",
    "web/docs/ConceptAttentionDecode.md",
    "example_workflows/Pocket - concept heatmaps.json",
)
LEFT_OUT = (
    ".ci/run",
    "Makefile",
    "docs/tour.jpg",
    "pocket/kinds.py",
    "pocket/train.py",
    "pocket/video_train.py",
    "tests/core/test_decode.py",
    "tools/host.py",
)


def test_the_archive_holds_what_a_user_needs_and_nothing_for_developers():
    lines = (pack.ROOT / ".comfyignore").read_text(encoding="utf-8").splitlines()
    ignored = pathspec.GitIgnoreSpec.from_lines(lines)
    assert [path for path in NEEDED if ignored.match_file(path)] == []
    assert [path for path in LEFT_OUT if not ignored.match_file(path)] == []


@pytest.mark.parametrize("lock", [environment.HOST_LOCK, environment.DEV_LOCK])
def test_every_locked_package_has_an_exact_version_and_a_hash_and_no_address(lock):
    text = lock.read_text(encoding="utf-8")
    assert "://" not in text
    entries = re.split(r"\n(?=\S)", text)
    for entry in entries:
        assert re.match(r"[\w.-]+==[\w.+]+ ", entry) and "--hash=sha256:" in entry, entry[:80]


def test_the_two_lock_files_agree_on_every_package_that_both_name():
    named = re.compile(r"^([\w.-]+)==(\S+)(.*?) \\$", re.MULTILINE)
    host, dev = (
        {(name, marker): version for name, version, marker in named.findall(lock.read_text())}
        for lock in (environment.HOST_LOCK, environment.DEV_LOCK)
    )
    shared = host.keys() & dev.keys()
    assert len(shared) > 10
    assert {key: host[key] for key in shared} == {key: dev[key] for key in shared}
