"""`tools/evaluate.py` from end to end: data sets of four scenes, the pocket model, a stop."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import save_file

import evaluate
import evaluation_models
from concept_attention.nodes.pocket import LoadPocketModel
from concept_attention.pocket import checkpoint
from concept_attention.pocket.world import LABELS, scene
from evaluation import PRESETS, Evaluation
from segment_totals import single_figures

# The classes 1, 2, ... of our VOC; what is none of them is its background.
CLASSES = ("house", "tree", "boat", "car")
SCENES = (("house",), ("tree", "car"), ("boat",), ("car",))
BACKGROUND = ("background", "grass", "sky")


@pytest.fixture(autouse=True)
def _host_is_there(monkeypatch):
    monkeypatch.setattr(evaluate, "start_host", lambda folder: None)


@pytest.fixture(scope="module")
def scenes():
    return [
        scene(7 + i, things=things, sky="sky", ground="grass") for i, things in enumerate(SCENES)
    ]


@pytest.fixture(scope="module")
def voc(tmp_path_factory, scenes):
    root = tmp_path_factory.mktemp("voc") / "VOCdevkit" / "VOC2012"
    for folder in ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation"):
        (root / folder).mkdir(parents=True)
    for i, drawn in enumerate(scenes):
        Image.fromarray(drawn.picture).save(root / f"JPEGImages/{i}.jpg", quality=95)
        labels = np.zeros_like(drawn.labels)
        for value, name in enumerate(CLASSES, 1):
            labels[drawn.labels == LABELS.index(name)] = value
        labels[:8] = 255  # pixels that count for nothing
        mask = Image.fromarray(labels)
        mask.putpalette([i for colour in range(256) for i in (colour, 255 - colour, 7)])
        mask.save(root / f"SegmentationClass/{i}.png")
    (root / "ImageSets/Segmentation/val.txt").write_text("0\n1\n2\n3\n")
    return root.parents[1]


@pytest.fixture(scope="module")
def imagenet(tmp_path_factory, scenes):
    root = tmp_path_factory.mktemp("imagenet")
    for folder in ("images", "segmentation_masks"):
        (root / folder).mkdir()
    lines = [",simplified_name"]
    for i, (drawn, things) in enumerate(zip(scenes, SCENES, strict=True)):
        Image.fromarray(drawn.picture).save(root / f"images/{i}.png")
        mask = (drawn.labels == LABELS.index(things[0])).astype(np.uint8)
        Image.fromarray(mask).save(root / f"segmentation_masks/{i}.png")
        lines.append(f"{i},{things[0]}")
    (root / "data.csv").write_text("\n".join(lines) + "\n")
    return root


@pytest.fixture
def call(monkeypatch, tmp_path, capsys):
    """Run the program; its exit code, output and error output."""

    def called(*arguments):
        given = [str(each) for each in arguments]
        results = () if "--results" in given else ("--results", str(tmp_path / "results.jsonl"))
        monkeypatch.setattr("sys.argv", ["evaluate.py", *given, *results])
        code = evaluate.main()
        return code, *capsys.readouterr()

    return called


def test_a_stopped_evaluation_goes_on_and_gives_the_same_table(
    voc, call, monkeypatch, tmp_path, capsys
):
    asked = ("voc", "--data", voc, "--task", "multi", "--pocket", "FLUX.1", "--classes", *CLASSES)
    asked = (*asked, "--background", *BACKGROUND, "--results")
    code, whole, progress = call(*asked, tmp_path / "whole.jsonl")
    assert code == 0
    assert "4 of 4" in progress
    row, seen = Evaluation.row, []

    def stopping(self, picture, task):
        if len(seen) == 2:
            raise KeyboardInterrupt
        seen.append(picture)
        return row(self, picture, task)

    monkeypatch.setattr(Evaluation, "row", stopping)
    code, out, progress = call(*asked, tmp_path / "parts.jsonl")
    assert (code, out) == (130, "")
    assert "goes on from here" in progress
    parts = tmp_path / "parts.jsonl"
    assert parts.read_text().count("\n") == 1 + 2
    with parts.open("a") as file:
        file.write('{"picture": "2", "fig')  # a line that a kill cut off
    code, out, _ = call(*asked, parts, "--table")
    assert code == 0
    assert "n = 2 of 4" in out
    monkeypatch.setattr(Evaluation, "row", row)
    code, out, progress = call(*asked, parts)
    assert (code, out) == (0, whole)
    assert "3 of 4" in progress
    assert parts.read_text() == (tmp_path / "whole.jsonl").read_text()


def test_several_classes_are_found_and_the_table_is_the_paper_s(voc, call, tmp_path):
    asked = ("voc", "--data", voc, "--task", "multi", "--pocket", "SD3.5", "--classes", *CLASSES)
    code, out, _ = call(*asked, "--background", *BACKGROUND)
    assert code == 0
    lines = out.splitlines()
    assert lines[0] == "**PASCAL VOC 2012, multi-class, n = 4 of 4, preset pack**"
    assert lines[2:4] == ["| maps | Acc | mIoU | mAP |", "|---|---|---|---|"]
    assert lines[5] == "| the paper, FLUX.1 schnell | 86.99 | 51.39 |  |"
    name, accuracy, miou, precision = lines[4].strip("| ").split(" | ")
    assert name == "pocket SD3.5"
    assert float(accuracy.split()[0]) > 85
    assert float(miou.split()[0]) > 50
    assert float(precision.split()[0]) > 70
    rows = [json.loads(line) for line in (tmp_path / "results.jsonl").read_text().splitlines()[1:]]
    assert [row["picture"] for row in rows] == ["0", "1", "2", "3"]
    assert [row["figures"]["classes"] for row in rows] == [
        [*sorted(things, key=CLASSES.index), "background"] for things in SCENES
    ]
    # 64 x 64 pixels, less the first two rows, which are ignored.
    assert [row["figures"]["pixels"] for row in rows] == [64 * 62] * 4


def test_one_class_of_voc_leaves_out_pictures_of_several(voc, call):
    code, out, _ = call("voc", "--data", voc, "--pocket", "FLUX.1", "--classes", *CLASSES)
    assert code == 0
    assert "single-class, n = 3 of 3" in out
    assert "| the paper, FLUX.1 schnell | 87.85 | 76.45 | 90.19 |" in out


def test_the_paper_s_setting_on_imagenet_segmentation(imagenet, call, tmp_path):
    paper = PRESETS["paper"]
    assert (paper.draws, paper.noise, paper.blur, paper.seed) == (5, 0.5, True, 4)
    assert paper.background == ("background", "floor", "tree", "person", "grass", "face")
    asked = ("imagenet", "--data", imagenet, "--pocket", "FLUX.1", "--preset", "paper")
    code, out, _ = call(*asked, "--background", "background", "tree", "grass")
    assert code == 0
    lines = out.splitlines()
    assert lines[2] == "| maps | Acc | mIoU | mAP | mIoU of the two classes |"
    assert lines[5] == "| the paper, FLUX.1 schnell | 83.07 | 71.04 | 90.45 |  |"
    accuracy, coded, _, two = (float(cell.split()[0]) for cell in lines[4].split("|")[2:6])
    assert coded == pytest.approx(100 * accuracy / (200 - accuracy), abs=0.02)
    rows = [json.loads(line) for line in (tmp_path / "results.jsonl").read_text().splitlines()[1:]]
    figures = single_figures([row["figures"] for row in rows])
    assert two == pytest.approx(100 * figures["mIoU"].value, abs=0.005)
    assert sum(rows[0]["figures"][name] for name in ("tp", "fp", "fn", "tn")) == 224 * 224
    assert accuracy > 60
    assert "draws 5" in lines[-1]
    assert "background background+tree+grass" in lines[-1]


def test_weights_are_loaded_by_name_with_the_host_s_loaders(imagenet, call, monkeypatch, tmp_path):
    import folder_paths

    parts = checkpoint.read("flux")
    for kind, weights in (("diffusion_models", parts.transformer), ("vae", parts.vae)):
        folder = tmp_path / kind
        folder.mkdir()
        whole = {key: value.contiguous() for key, value in weights.items()}
        save_file(whole, folder / "tiny.safetensors")
        places = ([str(folder)], {".safetensors"})
        monkeypatch.setitem(folder_paths.folder_names_and_paths, kind, places)
    # No loader of the host reads so small a text encoder.
    asked_for = []

    def clip(nodes, names, kind):
        asked_for.append((names, kind))
        return LoadPocketModel.execute().args[1]

    monkeypatch.setattr(evaluation_models, "text_encoder", clip)
    asked = ("imagenet", "--data", imagenet, "--size", 256, "--results")
    weights = ("--unet", "tiny.safetensors", "--vae", "tiny.safetensors", "--clip", "a", "b")
    code, out, _ = call(*asked, tmp_path / "named.jsonl", *weights)
    assert code == 0
    assert asked_for == [(["a", "b"], "flux")]
    named = out.splitlines()
    pocket = call(*asked, tmp_path / "pocket.jsonl", "--pocket", "FLUX.1")[1].splitlines()
    assert named[4] == pocket[4].replace("pocket FLUX.1", "tiny.safetensors")


@pytest.mark.parametrize(
    ("names", "loader"),
    [(["a"], "CLIPLoader"), (["a", "b"], "DualCLIPLoader"), (["a", "b", "c"], "TripleCLIPLoader")],
)
def test_text_encoders_go_to_the_loader_of_as_many(names, loader, monkeypatch):
    import nodes
    from comfy_extras import nodes_sd3

    def load(self, *given):
        return ((loader, given),)

    if loader == "TripleCLIPLoader":
        found = SimpleNamespace(execute=lambda *given: SimpleNamespace(args=load(None, *given)))
        monkeypatch.setattr(nodes_sd3, loader, found)
        assert evaluation_models.text_encoder(nodes, names, "sd3") == (loader, ("a", "b", "c"))
    else:
        monkeypatch.setattr(getattr(nodes, loader), "load_clip", load)
        assert evaluation_models.text_encoder(nodes, names, "sd3") == (loader, (*names, "sd3"))


def test_results_of_another_evaluation_are_not_mixed_in(voc, call, tmp_path):
    asked = ("voc", "--data", voc, "--pocket", "FLUX.1", "--classes", *CLASSES, "--count", 1)
    assert call(*asked)[0] == 0
    code, _, error = call(*asked, "--noise", "0.3")
    assert code == 1
    assert "is of another evaluation, which differs in: settings" in error


def test_what_is_missing_is_said(voc, imagenet, call):
    code, _, error = call("imagenet", "--data", imagenet, "--task", "multi", "--pocket", "FLUX.1")
    assert (code, error[:25]) == (1, "error: task: ImageNet-Seg")
    code, _, error = call("voc", "--data", voc, "--classes", *CLASSES, "--comfyui", voc)
    assert code == 1
    assert "model: there is none for --unet, --clip, --vae." in error
    code, _, error = call("voc", "--data", voc, "--unet", "no.safetensors", "--classes", *CLASSES)
    assert code == 1
    assert "no.safetensors" in error
    code, _, error = call("voc", "--data", voc, "--pocket", "FLUX.1", "--classes", *"wxyz")
    assert code == 1
    assert 'its text encoder does not know "w"' in error
