"""What the registry hands out, and what the lock files pin."""

import json
import re

import pathspec
import pytest

from hosting import checks, environment, node, pack

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
    "web/concept_attention.js",
    "web/data/colormaps.bin",
    "web/docs/ConceptAttentionDecode.md",
    "web/viewer/worker.mjs",
    "example_workflows/Pocket - concept heatmaps.json",
)
LOCKS = (environment.HOST_LOCK, environment.DEV_LOCK, environment.NODE_LOCK)
LEFT_OUT = (
    ".ci/run",
    "Makefile",
    "docs/tour.jpg",
    "jsconfig.json",
    "node_modules",
    "package.json",
    "package-lock.json",
    "pocket/kinds.py",
    "pocket/train.py",
    "pocket/video_train.py",
    "tests/core/test_decode.py",
    "tests/web/decode.test.mjs",
    "tools/host.py",
)


def test_the_archive_holds_what_a_user_needs_and_nothing_for_developers():
    lines = (pack.ROOT / ".comfyignore").read_text(encoding="utf-8").splitlines()
    ignored = pathspec.GitIgnoreSpec.from_lines(lines)
    assert [path for path in NEEDED if ignored.match_file(path)] == []
    assert [path for path in LEFT_OUT if not ignored.match_file(path)] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_an_exact_version_and_a_hash_and_no_address(lock):
    text = lock.read_text(encoding="utf-8")
    assert "://" not in text
    entries = re.split(r"\n(?=\S)", text)
    for entry in entries:
        assert re.match(r"[\w.-]+==[\w.+]+ ", entry) and "--hash=sha256:" in entry, entry[:80]


def test_every_locked_npm_package_has_an_exact_version_and_a_hash_and_no_address():
    text = (pack.ROOT / "package-lock.json").read_text(encoding="utf-8")
    assert "resolved" not in text and "registry" not in text
    entries = json.loads(text)["packages"]
    own = entries.pop("")
    assert own["devDependencies"].keys() == {"@types/node", "typescript", "vitest"}
    for name, version in own["devDependencies"].items():
        assert entries[f"node_modules/{name}"]["version"] == version
    for name, entry in entries.items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", entry["version"]), name
        assert entry["integrity"].startswith("sha512-"), name


def test_package_json_asks_for_the_node_that_is_looked_for_and_what_is_locked():
    package = json.loads((pack.ROOT / "package.json").read_text(encoding="utf-8"))
    locked = json.loads((pack.ROOT / "package-lock.json").read_text(encoding="utf-8"))
    assert package["private"] is True and "dependencies" not in package
    assert package["engines"] == {"node": f">={node.FLOOR}"}
    assert package["devDependencies"] == locked["packages"][""]["devDependencies"]
    assert package["scripts"]["test"] == " ".join(("vitest", *checks.VITEST))


def test_the_two_lock_files_agree_on_every_package_that_both_name():
    named = re.compile(r"^([\w.-]+)==(\S+)(.*?) \\$", re.MULTILINE)
    host, dev = (
        {(name, marker): version for name, version, marker in named.findall(lock.read_text())}
        for lock in (environment.HOST_LOCK, environment.DEV_LOCK)
    )
    shared = host.keys() & dev.keys()
    assert len(shared) > 10
    assert {key: host[key] for key in shared} == {key: dev[key] for key in shared}
