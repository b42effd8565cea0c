"""What the demonstration hands over: clear names, one heatmap per shown concept."""

import io
import json

import pytest

import demo
from hosting.console import Bar, Phases
from hosting.errors import HostError


def capture(path, labels, background):
    plain = {"labels": labels, "background": background, "family": "flux"}
    header = json.dumps({"__metadata__": {"capture": json.dumps(plain)}}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header)


def output(folder, *names):
    (folder / "demo").mkdir(parents=True)
    for name in names:
        (folder / "demo" / name).write_text(name)
    return folder


def test_files_get_the_workflow_s_name_and_the_concept_s_label(tmp_path):
    made = output(
        tmp_path / "made",
        "picture_00001_.png",
        "heatmap_00002_.png",
        "heatmap_00001_.png",
        "overlay_00001_.png",
    )
    labels = ["дом, red", "background", "sky"]
    capture(made / "demo" / "capture_00001_.capture.safetensors", labels, [False, True, False])
    paths = demo.deliver(made, tmp_path / "demo")
    assert [path.name for path in paths] == [
        "picture.png",
        "heatmap-дом-red.png",
        "heatmap-sky.png",
        "overlay.png",
        "capture.safetensors",
    ]
    assert (tmp_path / "demo" / "heatmap-sky.png").read_text() == "heatmap_00002_.png"


def test_an_earlier_demonstration_is_replaced(tmp_path):
    made = output(tmp_path / "made", "picture_00001_.png")
    capture(made / "demo" / "capture_00001_.capture.safetensors", ["sky"], [False])
    target = tmp_path / "demo"
    target.mkdir()
    (target / "heatmap-old.png").touch()
    (target / "video").mkdir()  # of another workflow
    demo.deliver(made, target)
    names = sorted(path.name for path in target.iterdir())
    assert names == ["capture.safetensors", "picture.png", "video"]


def test_a_workflow_without_a_capture_is_delivered_too(tmp_path):
    made = output(tmp_path / "made", "sheet_00001_.png", "difference_00001_.png")
    (made / "demo" / "difference_00002_.png").touch()
    names = [path.name for path in demo.deliver(made, tmp_path / "demo")]
    assert names == ["difference-1.png", "difference-2.png", "sheet.png"]


def test_a_run_that_saved_nothing_is_an_error(tmp_path):
    with pytest.raises(HostError, match="saved nothing"):
        demo.deliver(output(tmp_path / "made"), tmp_path / "demo")


def test_the_progress_bar_prints_plain_lines_where_there_is_no_terminal():
    stream = io.StringIO()
    bar = Bar(stream)
    for value in range(1, 41):
        bar.show("Sampling", value, 40)
    bar.close()
    lines = stream.getvalue().splitlines()
    assert (len(lines), lines[-1]) == (11, "Sampling: 40/40")


def test_phases_of_one_name_are_summed_and_short_ones_are_the_rest():
    phases = Phases()
    for name, seconds in (("decode", 1.0), ("sample", 2.5), ("decode", 0.5), ("load", 0.04)):
        phases.add(name, seconds)
    rows = [line.split()[:-1] for line in phases.table().splitlines()]
    assert rows == [["decode", "1.5"], ["sample", "2.5"], ["the", "rest", "0.0"], ["total", "4.0"]]
