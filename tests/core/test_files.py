"""Captures survive the disk bit for bit, and other files are told apart."""

import json
from dataclasses import fields

import pytest
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from concept_attention.core.errors import ConceptAttentionError
from concept_attention.core.files import load_capture, save_capture
from concept_attention.core.types import Capture


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


def test_a_newer_version_asks_for_an_update(tmp_path):
    save_capture(tmp_path / "a", make())
    tensors, metadata = parts(tmp_path / "a")
    assert metadata["version"] == "1"
    save_file(tensors, tmp_path / "b", {**metadata, "version": "3"})
    with pytest.raises(ConceptAttentionError, match=r"version 3, this .* up to 2"):
        load_capture(tmp_path / "b")


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


def test_spans_that_do_not_fit_the_grid_are_told_apart(tmp_path):
    save_capture(tmp_path / "a", make(spans=(1, 4)))
    with pytest.raises(ConceptAttentionError, match="a grid of 1 frames and spans of 2"):
        load_capture(tmp_path / "a")


def test_a_picture_saved_without_spans_is_read(tmp_path):
    save_capture(tmp_path / "a", make())
    tensors, metadata = parts(tmp_path / "a")
    plain = json.loads(metadata["capture"])
    del plain["spans"]
    save_file(tensors, tmp_path / "b", {**metadata, "capture": json.dumps(plain)})
    assert load_capture(tmp_path / "b").spans == (1,)


@pytest.mark.parametrize("name", ["splits", "choices"])
def test_tokens_that_do_not_fit_the_concepts_are_told_apart(tmp_path, name):
    save_capture(tmp_path / "a", make(**{name: ("all", "last")}))
    with pytest.raises(ConceptAttentionError, match=f"3 concepts and {name} of 2"):
        load_capture(tmp_path / "a")


def test_a_capture_saved_without_its_tokens_is_read(tmp_path):
    save_capture(tmp_path / "a", make())
    tensors, metadata = parts(tmp_path / "a")
    plain = json.loads(metadata["capture"])
    del plain["splits"], plain["choices"]
    save_file(tensors, tmp_path / "b", {**metadata, "capture": json.dumps(plain)})
    loaded = load_capture(tmp_path / "b")
    assert (loaded.splits, loaded.choices) == ((), ())
