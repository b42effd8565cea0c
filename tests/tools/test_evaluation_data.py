"""Readers of the data sets that `tools/evaluate.py` evaluates on."""

import numpy as np
import pytest
from PIL import Image

from evaluation_data import VOC, VOC_NAMES, EvaluationError, ImageNet

LABELS = np.array([[0, 1, 255], [3, 1, 0]], dtype=np.uint8)  # 2 x 3


def write_voc(root, labels, mode="P"):
    """Pictures of one colour and label maps in VOC's layout."""
    for folder in ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation"):
        (root / folder).mkdir(parents=True)
    names = [f"2007_{i:06}" for i in range(len(labels))]
    (root / "ImageSets/Segmentation/val.txt").write_text("".join(f"{name}\n" for name in names))
    for name, values in zip(names, labels, strict=True):
        height, width = values.shape[:2]
        Image.new("RGB", (width, height), (200, 100, 50)).save(root / f"JPEGImages/{name}.jpg")
        mask = Image.fromarray(values)
        if mode == "P":
            mask.putpalette([i for colour in range(256) for i in (colour, 255 - colour, 7)])
        mask.save(root / f"SegmentationClass/{name}.png")
    return root


def test_voc_labels_are_the_indices_of_the_palette(tmp_path):
    write_voc(tmp_path / "VOCdevkit" / "VOC2012", [LABELS])
    for folder in (tmp_path, tmp_path / "VOCdevkit", tmp_path / "VOCdevkit" / "VOC2012"):
        data = VOC(folder)
        assert len(data) == 1
        assert data.name(0) == "2007_000000"
        assert data[0].labels.tolist() == LABELS.tolist()
        assert data[0].names == {1: "plane", 3: "bird"}
        assert (data[0].picture.mode, data[0].picture.size) == ("RGB", (3, 2))


def test_voc_has_the_paper_s_twenty_names():
    assert len(VOC_NAMES) == len(set(VOC_NAMES)) == 20
    assert (VOC_NAMES[0], VOC_NAMES[14], VOC_NAMES[19]) == ("plane", "person", "monitor")


def test_one_class_leaves_out_pictures_with_more_or_none(tmp_path):
    one, none = np.where(LABELS == 3, 0, LABELS), np.zeros_like(LABELS)
    write_voc(tmp_path, [LABELS, one, none])
    data = VOC(tmp_path, one_class=True)
    assert [data.name(i) for i in range(len(data))] == ["2007_000001"]
    assert data[0].names == {1: "plane"}
    with pytest.raises(EvaluationError, match="2007_000002 has no class"):
        VOC(tmp_path)[2]


def test_a_label_without_a_name_is_an_error(tmp_path):
    write_voc(tmp_path, [LABELS])
    with pytest.raises(
        EvaluationError, match="2007_000000 has the label 3, and there are 2 classes"
    ):
        VOC(tmp_path, ("house", "tree"))[0]


def test_a_label_map_in_colours_is_an_error(tmp_path):
    write_voc(tmp_path, [np.dstack([LABELS] * 3)], mode="RGB")
    with pytest.raises(
        EvaluationError, match="is a picture of mode RGB; a label map has a palette"
    ):
        VOC(tmp_path)[0]


def test_a_folder_that_is_no_data_set_is_an_error(tmp_path):
    with pytest.raises(EvaluationError, match=r"there is no ImageSets/Segmentation/val\.txt in"):
        VOC(tmp_path)
    with pytest.raises(EvaluationError, match=r"there is no data\.csv in"):
        ImageNet(tmp_path)
    with pytest.raises(EvaluationError, match=r"gtsegs_ijcv\.mat is the original file"):
        ImageNet(tmp_path / "gtsegs_ijcv.mat")


def test_missing_pictures_are_named(tmp_path):
    write_voc(tmp_path, [LABELS])
    (tmp_path / "JPEGImages/2007_000000.jpg").unlink()
    with pytest.raises(EvaluationError, match=r"2007_000000\.jpg is missing"):
        VOC(tmp_path)[0]


def test_imagenet_is_read_as_the_paper_s_code_writes_it(tmp_path):
    for folder in ("images", "segmentation_masks"):
        (tmp_path / folder).mkdir()
    mask = np.array([[0, 1, 1], [0, 0, 255]], dtype=np.uint8)
    for i in range(2):
        Image.new("RGB", (3, 2), (10, 20, 30)).save(tmp_path / f"images/{i}.png")
        Image.fromarray(mask).save(tmp_path / f"segmentation_masks/{i}.png")
    header = ",image_path,segmentation_mask_path,simplified_name,imagenet_name\n"
    rows = "0,a,b,dog,malinois\n1,a,b,plane,dive bomber\n"
    (tmp_path / "data.csv").write_text(header + rows)
    data = ImageNet(tmp_path)
    assert (len(data), data.name(1)) == (2, "1")
    assert data[1].names == {1: "plane"}
    assert data[1].labels.tolist() == [[0, 1, 1], [0, 0, 1]]
    (tmp_path / "data.csv").write_text("image_path\na\n")
    with pytest.raises(EvaluationError, match="has no rows with a simplified_name"):
        ImageNet(tmp_path)
