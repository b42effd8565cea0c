"""Captures survive the disk bit for bit, and other files are told apart."""

import json
import os
import re
from dataclasses import fields
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from concept_attention.core.errors import ConceptAttentionError
from concept_attention.core.file_checks import FIELDS
from concept_attention.core.files import TENSORS, load_capture, save_capture
from concept_attention.core.types import Capture
from concept_attention.core.version import VERSION
from hosting import pack

OLD = Path(__file__).parents[1] / "data" / "captures" / "version-1.capture.safetensors"


def make(**changes):
    generator = torch.Generator().manual_seed(0)
    plain = {
        "scores": torch.randn(2, 3, 2, 3, 6, generator=generator) * 1e4,
        "norms": torch.rand(2, 3, 2, 3, generator=generator),
        "grid": (1, 2, 3),
        "picture": (32, 48),
        "steps": (0, 4, 9),
        "layers": ((3,), (4, 5)),
        "sigmas": (1.0, 0.1 + 0.2, 1 / 3),
        "total_steps": 10,
        "total_layers": 6,
        "labels": ("dragon, red", "岩石", 'a "quoted" صخرة'),
        "background": (False, False, True),
        "family": "flux",
        "splits": (("red", "dragon"), ("", "\u5ca9\u77f3"), ("a",)),
        "choices": ("all", "last", "first"),
        "seed": 2**64 - 1,
    }
    return Capture(**{**plain, **changes})


def parts(path):
    with safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in ("scores", "norms")}
        return tensors, dict(file.metadata())


def test_a_capture_comes_back_equal_in_every_bit(tmp_path):
    capture = make()
    save_capture(tmp_path / "a.safetensors", capture)
    loaded = load_capture(str(tmp_path / "a.safetensors"))
    for field in fields(Capture):
        saved, read = getattr(capture, field.name), getattr(loaded, field.name)
        if isinstance(saved, torch.Tensor):
            assert torch.equal(saved, read) and saved.dtype == read.dtype
        else:
            assert saved == read and type(saved) is type(read)
    assert [path.name for path in tmp_path.iterdir()] == ["a.safetensors"]


def test_views_and_odd_numbers_are_saved_as_they_are(tmp_path):
    scores = torch.full((3, 2, 2, 3, 6), float("inf")).transpose(0, 1)
    save_capture(tmp_path / "a", make(scores=scores))
    assert torch.equal(load_capture(tmp_path / "a").scores, scores)


def test_saving_again_replaces_the_file(tmp_path):
    for family in ("flux", "flux2"):
        save_capture(tmp_path / "a", make(family=family))
    assert load_capture(tmp_path / "a").family == "flux2"


def test_a_folder_that_is_not_there_is_the_systems_error_and_leaves_nothing(tmp_path):
    with pytest.raises((OSError, SafetensorError), match="No such file"):
        save_capture(tmp_path / "none" / "a", make())
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConceptAttentionError, match=r"there is no file .*b\.safetensors"):
        load_capture(tmp_path / "b.safetensors")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not safetensors at all"])
def test_a_file_of_another_kind_is_told_apart(tmp_path, content):
    (tmp_path / "b").write_bytes(content)
    with pytest.raises(ConceptAttentionError, match="b is not a safetensors file or is damaged"):
        load_capture(tmp_path / "b")


def test_a_cut_file_is_told_apart(tmp_path):
    save_capture(tmp_path / "a", make())
    (tmp_path / "b").write_bytes((tmp_path / "a").read_bytes()[:-8])
    with pytest.raises(ConceptAttentionError, match="b is not a safetensors file or is damaged"):
        load_capture(tmp_path / "b")


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}])
def test_other_tensors_are_told_apart(tmp_path, metadata):
    save_file({"weight": torch.zeros(2)}, tmp_path / "b", metadata)
    with pytest.raises(ConceptAttentionError, match="b holds no capture"):
        load_capture(tmp_path / "b")


@pytest.mark.parametrize(("version", "told"), [("3", "3"), ("", "unknown"), ("\u0661", "\u0661")])
def test_a_newer_version_asks_for_an_update(tmp_path, version, told):
    save_capture(tmp_path / "a", make())
    tensors, metadata = parts(tmp_path / "a")
    assert metadata["version"] == "2"
    save_file(tensors, tmp_path / "b", {**metadata, "version": version})
    with pytest.raises(
        ConceptAttentionError,
        match=f"b is of version {told}, this release reads versions 1 to 2. Update Concept",
    ):
        load_capture(tmp_path / "b")


def test_a_file_of_the_first_version_is_read():
    capture = load_capture(OLD)
    assert capture.scores.shape == (1, 2, 2, 3, 6)
    assert torch.equal(capture.scores.flatten(), torch.arange(72) / 8 - 4)
    assert torch.equal(capture.norms.flatten(), torch.arange(12) / 4)
    assert (capture.grid, capture.picture, capture.spans) == ((1, 2, 3), (32, 44), (1,))
    assert (capture.steps, capture.total_steps) == ((0, 3), 4)
    assert (capture.layers, capture.total_layers) == (((3,), (4, 5)), 6)
    assert (capture.sigmas, capture.family) == ((1.0, 0.25), "flux")
    assert capture.labels == ("dragon", "\u5ca9\u77f3", "background")
    assert capture.background == (False, False, True)
    assert capture.splits == (("dragon",), ("\u5ca9", "\u77f3"), ("background",))
    assert capture.choices == ("first", "all", "first")
    assert capture.seed is None


def test_the_description_is_json_that_others_can_read(tmp_path):
    workflow = {"prompt": '{"3": {}}', "workflow": '{"nodes": []}', "version": "theirs"}
    save_capture(tmp_path / "a", make(), workflow)
    _, metadata = parts(tmp_path / "a")
    described = json.loads(metadata.pop("capture"))
    assert metadata == {
        "format": "concept-attention-capture",
        "version": "2",
        "written_by": f"concept-attention {VERSION}",
        "prompt": '{"3": {}}',
        "workflow": '{"nodes": []}',
    }
    assert described["labels"] == ["dragon, red", "\u5ca9\u77f3", make().labels[2]]
    assert (described["seed"], described["grid"]) == (2**64 - 1, [1, 2, 3])


def test_every_field_of_a_capture_is_written_and_checked():
    assert {field.name for field in fields(Capture)} == {*TENSORS, *FIELDS, "spaces"}


def test_the_pack_s_version_is_that_of_its_project_file():
    project = (pack.ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert re.findall(r'^version = "(.+)"$', project, re.MULTILINE) == [VERSION]


def test_what_a_later_release_adds_is_left_out(tmp_path):
    save_capture(tmp_path / "a", make())
    tensors, metadata = parts(tmp_path / "a")
    plain = {**json.loads(metadata["capture"]), "later": {"a": [1]}}
    more = {**tensors, "later": torch.zeros(3, dtype=torch.float16)}
    save_file(more, tmp_path / "b", {**metadata, "capture": json.dumps(plain)})
    assert torch.equal(load_capture(tmp_path / "b").scores, make().scores)


def test_a_file_that_changes_later_does_not_change_what_was_read(tmp_path):
    save_capture(tmp_path / "a", make())
    loaded = load_capture(tmp_path / "a")
    size = (tmp_path / "a").stat().st_size
    with (tmp_path / "a").open("r+b") as file:
        file.seek(size - 400)
        file.write(bytes(400))
    assert torch.equal(loaded.scores, make().scores)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_others_may_read_the_file_as_they_may_any_new_one(tmp_path):
    save_capture(tmp_path / "a", make())
    (tmp_path / "plain").touch()
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"grid": (1, 3, 3)}, r"capture: it has scores of shape \[2, 3, 2, 3, 6\]"),
        ({"scores": torch.zeros(2, 3, 2, 3, 6).half()}, "scores are torch.float16, not float32"),
    ],
)
def test_what_could_not_be_read_again_is_not_written(tmp_path, changes, told):
    with pytest.raises(ConceptAttentionError, match=told):
        save_capture(tmp_path / "a", make(**changes))
    assert list(tmp_path.iterdir()) == []


def test_a_capture_or_workflow_too_large_for_a_file_is_not_written(tmp_path):
    huge = torch.zeros(1).expand(2**20, 3, 2, 3, 600)
    wide = {"grid": (1, 20, 30), "picture": (320, 480), "norms": huge[..., 0]}
    with pytest.raises(ConceptAttentionError, match=r"has at most 8,589,934,592\. Capture fewer"):
        save_capture(tmp_path / "a", make(scores=huge, **wide))
    with pytest.raises(ConceptAttentionError, match=r"workflow take .* --disable-metadata"):
        save_capture(tmp_path / "a", make(), {"workflow": '"' * 2**23})
    assert list(tmp_path.iterdir()) == []


def test_a_description_that_lacks_something_is_named(tmp_path):
    save_capture(tmp_path / "a", make())
    tensors, metadata = parts(tmp_path / "a")
    plain = json.loads(metadata["capture"])
    del plain["grid"]
    save_file(tensors, tmp_path / "b", {**metadata, "capture": json.dumps(plain)})
    with pytest.raises(ConceptAttentionError, match=r"b lacks a part of a capture .*grid"):
        load_capture(tmp_path / "b")


def test_scores_that_do_not_fit_their_description_are_named(tmp_path):
    save_capture(tmp_path / "a", make())
    tensors, metadata = parts(tmp_path / "a")
    cut = {**tensors, "scores": tensors["scores"][..., :5].contiguous()}
    save_file(cut, tmp_path / "b", metadata)
    with pytest.raises(ConceptAttentionError, match=r"scores of shape \[2, 3, 2, 3, 5\]"):
        load_capture(tmp_path / "b")


def test_a_picture_saved_without_spans_is_read(tmp_path):
    save_capture(tmp_path / "a", make())
    tensors, metadata = parts(tmp_path / "a")
    plain = json.loads(metadata["capture"])
    del plain["spans"]
    save_file(tensors, tmp_path / "b", {**metadata, "capture": json.dumps(plain)})
    assert load_capture(tmp_path / "b").spans == (1,)


def test_a_capture_saved_without_its_tokens_is_read(tmp_path):
    save_capture(tmp_path / "a", make())
    tensors, metadata = parts(tmp_path / "a")
    plain = json.loads(metadata["capture"])
    del plain["splits"], plain["choices"]
    save_file(tensors, tmp_path / "b", {**metadata, "capture": json.dumps(plain)})
    loaded = load_capture(tmp_path / "b")
    assert (loaded.splits, loaded.choices) == ((), ())
