"""What other programs read of an export is what was decoded."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from concept_attention.core.decode import decode
from concept_attention.core.errors import ConceptAttentionError
from concept_attention.core.exports import exports, file_label
from concept_attention.core.resize import resize
from concept_attention.core.types import Capture
from concept_attention.core.writing import write_together

PICTURE = (32, 40)  # the grid of 2 x 3 tokens of 16 pixels covers 48 columns, of which 8 are cut


def make(
    labels=("red dragon", "岩石", "background"), batch=1, spans=(1,), scores=None, hidden=True
):
    shape = (batch, 2, 2, len(labels), 6 * len(spans))
    random = torch.randn(shape, generator=torch.Generator().manual_seed(1)) * 2
    return Capture(
        scores=random if scores is None else scores.expand(shape).contiguous(),
        norms=torch.ones(shape[:-1]),
        grid=(len(spans), 2, 3),
        picture=PICTURE,
        steps=(0, 1),
        layers=((0,), (1,)),
        sigmas=(1.0, 0.5),
        total_steps=2,
        total_layers=2,
        labels=labels,
        background=(*(False for _ in labels[1:]), hidden),
        family="flux",
        spans=spans,
    )


def halves():
    """Exact shares: "red dragon" has the left two columns of tokens, the background the rest."""
    scores = torch.tensor([[9.0, 9, 0, 9, 9, 0], [0.0] * 6, [0.0, 0, 9, 0, 0, 9]]) * 10
    return make(scores=scores)


def written(folder, capture, export, notes=None):
    """The names of the files, in alphabetical order."""
    files = exports(capture, "run_00001_", export, notes)
    write_together({folder / name: write for name, write in files.items()})
    assert sorted(path.name for path in folder.iterdir()) == sorted(files)
    return sorted(files)


def grey(path):
    with Image.open(path) as picture:
        return np.array(picture), picture.mode, dict(picture.text)


def region_of(annotation):
    """As COCO's tools read run lengths: column by column, outside first."""
    segmentation = annotation["segmentation"]
    counts, (height, width) = segmentation["counts"], segmentation["size"]
    flat = np.repeat(np.arange(len(counts)) % 2 == 1, counts)
    return flat.reshape(width, height).T


def test_nothing_is_written_unless_asked(tmp_path):
    assert written(tmp_path, make(), "none") == []


def test_all_writes_every_kind(tmp_path):
    assert written(tmp_path, make(), "all") == [
        "run_00001_.coco.json",
        "run_00001_.heatmaps.npz",
        "run_00001_1-red-dragon.png",
        "run_00001_2-岩石.png",
    ]


def test_pictures_hold_the_shares_in_16_bits(tmp_path):
    capture = make()
    names = written(tmp_path, capture, "png", {"prompt": '{"1": {}}'})
    values = decode(capture).values
    for number, name in enumerate(names):
        pixels, mode, texts = grey(tmp_path / name)
        assert (pixels.shape, mode) == (PICTURE, "I;16")
        sized = resize(values[number, 0, 0], PICTURE, picture=PICTURE)
        assert np.abs(pixels / 65535 - sized.numpy()).max() <= 0.501 / 65535
        assert texts == {"prompt": '{"1": {}}', "concept": capture.labels[number]}
    assert len(np.unique(pixels)) > 300  # more than 8 bits can hold


def test_a_share_of_one_is_white_and_none_is_black(tmp_path):
    written(tmp_path, halves(), "png")
    pixels = grey(tmp_path / "run_00001_1-red-dragon.png")[0]
    assert pixels[0, 0] == 65535
    # The last column's middle, where it would be black, is cut off: 1/32 of a token beyond.
    assert pixels[-1, -1] == round(65535 / 32)
    assert grey(tmp_path / "run_00001_2-岩石.png")[0].max() == 0


def test_items_and_frames_have_pictures_of_their_own(tmp_path):
    capture = make(batch=2, spans=(1, 2))
    names = written(tmp_path, capture, "png")
    assert len(names) == 2 * 2 * 3
    assert names[:6] == [
        f"run_00001_1-red-dragon_b0{item}_f000{frame}.png" for item in (0, 1) for frame in (0, 1, 2)
    ]
    read = {name: grey(tmp_path / name)[0] for name in names}
    video = decode(capture, frames="video").values
    for place, name in enumerate(names):
        values = video.flatten(0, 2)[place]
        expected = resize(values, PICTURE, picture=PICTURE).mul(65535).round().numpy()
        assert np.array_equal(read[name], expected)
    assert np.array_equal(read[names[1]], read[names[2]])
    assert not np.array_equal(read[names[0]], read[names[1]])


def test_labels_that_differ_in_what_a_name_cannot_have_stay_apart(tmp_path):
    names = written(tmp_path, make(labels=("a/b", "a:b", "../", "background")), "png")
    assert names == ["run_00001_1-a-b.png", "run_00001_2-a-b.png", "run_00001_3-concept.png"]


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("../../etc/passwd", "etc-passwd"),
        ("C:\\temp\\x", "C-temp-x"),
        ("a\0b\n.png", "a-b-png"),
        ("岩石", "岩石"),
        ("नमस्ते", "नमस्ते"),
        ("cafe\u0301", "caf\u00e9"),
        ("x" * 500, "x" * 40),
        ("?", "concept"),
        ("", "concept"),
    ],
)
def test_a_label_becomes_part_of_a_name(label, expected):
    assert file_label(label) == expected


def test_numpy_reads_the_maps_on_their_grid(tmp_path):
    capture = make(batch=2, spans=(1, 4))
    assert written(tmp_path, capture, "npz") == ["run_00001_.heatmaps.npz"]
    heatmaps = decode(capture)
    with np.load(tmp_path / "run_00001_.heatmaps.npz", allow_pickle=False) as read:
        found = dict(read)
    assert sorted(found) == ["background", "grid", "labels", "picture", "spans", "values"]
    assert found["values"].dtype == np.float32
    assert np.array_equal(found["values"], heatmaps.values.numpy())
    assert np.array_equal(found["background"], heatmaps.background.numpy())
    assert found["labels"].tolist() == ["red dragon", "岩石"]
    assert found["grid"].tolist() == [2, 2, 3] and found["spans"].tolist() == [1, 4]
    assert found["picture"].tolist() == list(PICTURE)


def test_without_a_background_there_is_none(tmp_path):
    capture = make(hidden=False)
    written(tmp_path, capture, "all")
    with np.load(tmp_path / "run_00001_.heatmaps.npz", allow_pickle=False) as read:
        assert "background" not in read and read["values"].shape == (3, 1, 1, 2, 3)
    data = json.loads((tmp_path / "run_00001_.coco.json").read_text(encoding="utf-8"))
    assert sum(found["area"] for found in data["annotations"]) == PICTURE[0] * PICTURE[1]


def test_the_data_set_of_a_hand_made_map_is_exact(tmp_path):
    assert written(tmp_path, halves(), "coco") == ["run_00001_.coco.json"]
    data = json.loads((tmp_path / "run_00001_.coco.json").read_text(encoding="utf-8"))
    assert data["images"] == [
        {"id": 1, "file_name": "run_00001_.png", "height": 32, "width": 40},
    ]
    assert [(each["id"], each["name"]) for each in data["categories"]] == [
        (1, "red dragon"),
        (2, "岩石"),
    ]
    # "red dragon" has two columns of tokens, 32 pixels, less half a token's glide: it has the
    # larger share up to the border between the tokens. The other concept has no pixel.
    (only,) = data["annotations"]
    assert {**only, "score": round(only["score"], 6)} == {
        "id": 1,
        "image_id": 1,
        "category_id": 1,
        "segmentation": {"size": [32, 40], "counts": [0, 32 * 32, 8 * 32]},
        "area": 32 * 32,
        "bbox": [0, 0, 32, 32],
        "iscrowd": 0,
        "score": 1.0,
    }


def test_regions_are_where_a_concept_has_the_largest_share(tmp_path):
    capture = make(batch=2, spans=(1, 2))
    written(tmp_path, capture, "coco")
    data = json.loads((tmp_path / "run_00001_.coco.json").read_text(encoding="utf-8"))
    names = [image["file_name"] for image in data["images"]]
    assert names == [f"run_00001_b0{b}_f000{f}.png" for b in (0, 1) for f in (0, 1, 2)]
    video = decode(capture, frames="video")
    every = torch.cat((video.values, video.background[None])).flatten(1, 2)
    seen = 0
    for image in data["images"]:
        maps = resize(every[:, image["id"] - 1], PICTURE, picture=PICTURE)
        largest = maps.argmax(0).numpy()  # no two are equal in it
        own = [each for each in data["annotations"] if each["image_id"] == image["id"]]
        assert {each["category_id"] - 1 for each in own} == set(np.unique(largest)) - {2}
        for each in own:
            concept = each["category_id"] - 1
            region = region_of(each)
            assert np.array_equal(region, largest == concept)
            rows, columns = np.nonzero(region)
            left, top, width, height = each["bbox"]
            assert (left, top) == (columns.min(), rows.min())
            assert (left + width, top + height) == (columns.max() + 1, rows.max() + 1)
            assert each["area"] == region.sum()
            assert each["score"] == maps[concept].max()
            seen += 1
    assert [each["id"] for each in data["annotations"]] == list(range(1, seen + 1))


@pytest.mark.parametrize("export", ["png", "npz", "coco", "all"])
def test_scores_that_are_not_finite_are_refused_before_anything_is_written(tmp_path, export):
    with pytest.raises(ConceptAttentionError, match="its scores are not finite"):
        written(tmp_path, make(scores=torch.tensor(float("nan"))), export)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("export", ["coco", "all"])
def test_a_single_concept_without_a_background_has_no_segmentation(tmp_path, export):
    alone = make(labels=("red dragon",), hidden=False)
    with pytest.raises(ConceptAttentionError, match=r"export: coco .* 'red dragon' is alone"):
        written(tmp_path, alone, export)
    assert list(tmp_path.iterdir()) == []
    assert len(written(tmp_path, alone, "png")) == 1


def test_an_unknown_export_is_named():
    with pytest.raises(ConceptAttentionError, match=r"export: 'gif' is not one of \('none', 'png'"):
        exports(make(), "run", "gif")


def test_a_writer_that_fails_leaves_what_was_there(tmp_path):
    def fails(path):
        path.write_text("half")
        raise OSError("the disk is full")

    (tmp_path / "a").write_text("old")
    with pytest.raises(OSError, match="the disk is full"):
        write_together({tmp_path / "a": lambda path: path.write_text("new"), tmp_path / "b": fails})
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_text() == "old"
