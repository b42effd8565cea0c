"""Save Capture and Load Capture inside the host: names, folders, exports, the workflow."""

import json
import os
from dataclasses import fields
from pathlib import Path

import folder_paths
import numpy as np
import pytest
import torch
from comfy.cli_args import args
from PIL import Image
from safetensors import safe_open

from concept_attention.core.decode import decode
from concept_attention.core.errors import ConceptAttentionError
from concept_attention.core.types import Capture
from concept_attention.nodes.files import LoadCapture, SaveCapture

from .executor import Host, node
from .models import capture_of, concepts, custom, inputs, latent, model, sigmas
from .models import node as host_node
from .test_decode_nodes import make

OUTPUT = Path(folder_paths.get_output_directory())
INPUT = Path(folder_paths.get_input_directory())
END = ".capture.safetensors"


def files(folder):
    return sorted(path.name for path in (OUTPUT / folder).iterdir())


def metadata(path):
    with safe_open(path, framework="pt") as file:
        return file.metadata()


def same(one, other):
    pairs = [(getattr(one, field.name), getattr(other, field.name)) for field in fields(Capture)]
    return all(torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b for a, b in pairs)


@pytest.fixture
def secret():
    """A capture outside of the host's folders."""
    path = OUTPUT.parent / f"secret{END}"
    name = SaveCapture.execute(make(), "for-secret").ui["captures"][0]["filename"]
    (OUTPUT / name).rename(path)
    yield path
    path.unlink()


def test_a_saved_capture_is_listed_and_loads_equal():
    capture = make()
    names = []
    for count in (1, 2):
        saved = SaveCapture.execute(capture, "maps/test")
        assert saved.result == (capture,)
        assert list(saved.ui) == ["captures"]
        (entry,) = saved.ui["captures"]
        assert entry["subfolder"] == "maps" and entry["type"] == "output"
        assert entry["filename"] == f"test_0000{count}_{END}"
        names.append(f"maps/{entry['filename']} [output]")
    (file,) = LoadCapture.define_schema().inputs
    assert file.options[-2:] == names
    assert LoadCapture.validate_inputs(names[0]) is True
    assert same(capture, LoadCapture.execute(names[0]).result[0])


def test_a_changed_file_is_read_again():
    entry = SaveCapture.execute(make(), "changing").ui["captures"][0]
    name = f"{entry['filename']} [output]"
    before = LoadCapture.fingerprint_inputs(name)
    assert LoadCapture.fingerprint_inputs(name) == before
    path = Path(folder_paths.get_annotated_filepath(name))
    os.utime(path, ns=(before[0] + 1_000_000, before[0] + 1_000_000))
    assert LoadCapture.fingerprint_inputs(name) != before


def refused(name):
    """Refused before the workflow runs, and when a name comes from another node."""
    told = f"file: there is no capture {name[:200]!r} in the input or output folder"
    assert LoadCapture.validate_inputs(name) == told
    assert LoadCapture.fingerprint_inputs(name) is None
    with pytest.raises(ConceptAttentionError) as error:
        LoadCapture.execute(name)
    assert str(error.value) == told


@pytest.mark.parametrize(
    "name",
    [
        f"none{END}",
        "",
        ".",
        "..",
        " [output]",
        f"../secret{END}",
        f"../secret{END} [output]",
        f"../secret{END} [input]",
        f"maps/../../secret{END} [output]",
        f"..\\secret{END} [output]",
        f"a\0{END}",
        f"{'a' * 5000}{END}",
        "a/" * 5000,
        "[output]",
        "x [output] [temp]",
    ],
)
def test_a_name_that_is_no_capture_s_is_refused(secret, name):
    refused(name)


def test_a_name_that_is_not_known_yet_is_not_refused():
    assert LoadCapture.validate_inputs(None) is True
    assert LoadCapture.fingerprint_inputs(None) is None


def test_a_whole_path_is_refused(secret):
    refused(str(secret))
    refused(f"{secret} [output]")


def test_a_temporary_file_is_refused(secret):
    temporary = Path(folder_paths.get_temp_directory()) / f"here{END}"
    temporary.write_bytes(secret.read_bytes())
    refused(f"here{END} [temp]")


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
@pytest.mark.parametrize("folder", [INPUT, OUTPUT], ids=["input", "output"])
def test_a_link_out_of_the_folder_is_neither_followed_nor_listed(secret, folder):
    mark = " [output]" if folder == OUTPUT else ""
    links = [folder / f"link{END}", folder / "linked", folder / f"loop{END}"]
    targets = [secret, secret.parent, links[2]]
    inside = folder / f"inside{END}"
    inside.write_bytes(secret.read_bytes())
    links.append(folder / f"good{END}")
    targets.append(inside)
    for link, target in zip(links, targets, strict=True):
        link.symlink_to(target)
    try:
        for name in (f"link{END}", f"linked/secret{END}", f"loop{END}"):
            refused(f"{name}{mark}")
        listed = LoadCapture.define_schema().inputs[0].options
        assert {f"inside{END}{mark}", f"good{END}{mark}"} <= set(listed)
        assert not any(name.startswith(("link", "loop")) for name in listed)
        assert LoadCapture.validate_inputs(f"good{END}{mark}") is True
        assert same(make(), LoadCapture.execute(f"good{END}{mark}").result[0])
    finally:
        for path in (*links, inside):
            path.unlink()


def test_a_file_that_is_no_capture_is_one_clear_error():
    (INPUT / f"bad{END}").write_bytes(b"PK not a capture at all")
    with pytest.raises(ConceptAttentionError, match=f"capture file: bad{END} is not a safetensors"):
        LoadCapture.execute(f"bad{END}")
    (INPUT / f"bad{END}").unlink()


@pytest.mark.parametrize("prefix", ["../outside", "/outside", "a/../../outside", "a\0/b"])
def test_a_prefix_outside_the_output_folder_is_refused(prefix):
    before = sorted(OUTPUT.parent.rglob("*"))
    with pytest.raises(Exception, match="outside the output folder"):
        SaveCapture.execute(make(), prefix, "all")
    assert sorted(OUTPUT.parent.rglob("*")) == before


def test_exports_lie_beside_the_capture_and_are_listed():
    capture = make(batch=2)
    for count in (1, 2):  # the counter goes on past exports
        saved = SaveCapture.execute(capture, "exports/all", "all")
        stem = f"all_0000{count}_"
        listed = {key: [each["filename"] for each in found] for key, found in saved.ui.items()}
        assert listed == {
            "captures": [f"{stem}{END}"],
            "images": [
                f"{stem}{number}-{label}_b0{item}.png"
                for number, label in ((1, "dragon"), (2, "rock"), (3, "sky"))
                for item in (0, 1)
            ],
            "exports": [f"{stem}.heatmaps.npz", f"{stem}.coco.json"],
        }
        places = [each for found in saved.ui.values() for each in found]
        assert all((each["subfolder"], each["type"]) == ("exports", "output") for each in places)
        on_disk = {name for name in files("exports") if name.startswith(stem)}
        assert on_disk == {each["filename"] for each in places}
    with np.load(OUTPUT / "exports" / f"{stem}.heatmaps.npz") as read:
        assert np.array_equal(read["values"], decode(capture).values.numpy())
    data = json.loads((OUTPUT / "exports" / f"{stem}.coco.json").read_text(encoding="utf-8"))
    assert [each["name"] for each in data["categories"]] == ["dragon", "rock", "sky"]
    with Image.open(OUTPUT / "exports" / listed["images"][0]) as picture:
        assert picture.size == (40, 56)


@pytest.mark.parametrize("export", ["none", "png", "npz", "coco"])
def test_one_kind_is_written_alone(export):
    saved = SaveCapture.execute(make(), f"kinds/{export}", export)
    ends = {"none": [], "png": ["png"] * 3, "npz": ["npz"], "coco": ["json"]}[export]
    assert sorted(name.rsplit(".", 1)[1] for name in files("kinds") if name.startswith(export)) == [
        *ends,
        "safetensors",
    ]
    assert len(saved.ui["captures"]) == 1


def test_a_capture_that_cannot_be_exported_is_not_saved_in_part():
    capture = make()
    capture.scores[:] = float("nan")
    with pytest.raises(ConceptAttentionError, match="its scores are not finite"):
        SaveCapture.execute(capture, "nan/a", "png")
    assert files("nan") == []
    assert torch.isnan(_loaded(SaveCapture.execute(capture, "nan/a")).scores).all()


def _loaded(saved):
    entry = saved.ui["captures"][0]
    return LoadCapture.execute(f"{entry['subfolder']}/{entry['filename']} [output]").result[0]


@pytest.mark.parametrize("family", ["dev", "cog5b"])
def test_a_real_run_comes_back_and_is_exported(family):
    capture = capture_of(family)
    saved = SaveCapture.execute(capture, f"real/{family}", "all")
    assert same(capture, _loaded(saved))
    frames = sum(capture.spans)
    assert len(saved.ui["images"]) == capture.background.count(False) * frames


def test_the_seed_is_that_of_the_sampler():
    assert capture_of("dev").seed == 3
    assert capture_of("dev", seed=2**64 - 1).seed == 2**64 - 1
    guider = host_node("BasicGuider", model=model("dev"), conditioning=inputs("dev")["positive"])
    rest = (guider, latent("dev"), sigmas(model("dev")))
    assert custom(*rest, concepts=concepts("dev"))[1].seed == 3
    noise = host_node("RandomNoise", noise_seed=9)
    assert custom(*rest, noise=noise, concepts=concepts("dev"))[1].seed == 9

    class Foreign:
        seed = "of another pack"
        generate_noise = noise.generate_noise

    assert custom(*rest, noise=Foreign(), concepts=concepts("dev"))[1].seed is None


def workflow():
    """Sample with a seed, save, export."""
    names = ("model", "concepts", "positive", "negative", "latent_image")
    links = {name: ("load", place) for place, name in enumerate(names)}
    settings = {key: inputs("dev")[key] for key in ("cfg", "sampler_name", "scheduler", "denoise")}
    return {
        "load": node("Load", family="dev"),
        "sample": node("ConceptAttentionSampler", seed=11, steps=2, **links, **settings),
        "save": node(
            "ConceptAttentionSave",
            capture=("sample", 1),
            filename_prefix="workflow/run",
            export="png",
        ),
        "keep": node("Keep", value=("save", 0), name="capture"),
    }


def test_the_workflow_lies_in_the_files_as_in_the_host_s_pictures():
    canvas = {"nodes": [{"id": 1, "title": "岩石"}]}
    capture = Host().run(workflow(), {"workflow": canvas, "more": [1]})["capture"]
    assert capture.seed == 11
    saved = sorted((OUTPUT / "workflow").glob(f"*{END}"))[-1]
    found = metadata(saved)
    assert json.loads(found["prompt"]) == workflow()
    assert json.loads(found["workflow"]) == canvas and json.loads(found["more"]) == [1]
    assert json.loads(found["capture"])["seed"] == 11
    pictures = sorted((OUTPUT / "workflow").glob("*.png"))
    assert len(pictures) == capture.background.count(False)
    for path in pictures:
        with Image.open(path) as picture:
            assert json.loads(picture.text["prompt"]) == workflow()
            assert json.loads(picture.text["workflow"]) == canvas


def test_without_metadata_neither_workflow_nor_seed_is_written(monkeypatch):
    monkeypatch.setattr(args, "disable_metadata", True)
    before = set((OUTPUT / "workflow").glob("*")) if (OUTPUT / "workflow").is_dir() else set()
    capture = Host().run(workflow(), {"workflow": {"nodes": []}})["capture"]
    assert capture.seed == 11
    new = sorted(set((OUTPUT / "workflow").glob("*")) - before)
    saved = next(path for path in new if path.name.endswith(END))
    assert sorted(metadata(saved)) == ["capture", "format", "version", "written_by"]
    assert json.loads(metadata(saved)["capture"])["seed"] is None
    for path in new:
        if path.suffix == ".png":
            with Image.open(path) as picture:
                assert list(picture.text) == ["concept"]
