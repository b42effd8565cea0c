"""Labels of every script are drawn rightly or not at all: never as boxes."""

import shutil
from pathlib import Path

import pytest
import torch
from PIL import ImageFont, features

from concept_attention.core import labels
from concept_attention.core.labels import (
    Caption,
    _fitted,
    captions,
    line,
    number_legend,
    text_size,
)

CJK = Path(__file__).resolve().parents[1] / "data" / "fonts" / "two_characters.ttf"
SHAPED = features.check("raqm")


def drawn(caption, size=(64, 400)):
    return line(size, 40, caption)


@pytest.mark.parametrize("text", ["dragon", "небо", "Größe, œuvre", "ουρανός", "Việt Nam", "x → y"])
def test_the_shipped_font_has_latin_greek_and_cyrillic(text):
    assert captions([text], folders=[]) == (Caption(text, labels.SHIPPED),)


def test_the_shipped_font_is_small_and_has_its_licence():
    folder = labels.SHIPPED.parent
    assert sum(file.stat().st_size for file in folder.iterdir()) < 1_000_000
    assert "Bitstream Vera" in (folder / "LICENSE.txt").read_text(encoding="utf-8")


def test_chinese_is_drawn_with_a_font_of_the_system(tmp_path):
    shutil.copy(CJK, tmp_path / "cjk.ttf")
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    caption = captions(["dragon", "岩石"], folders=[tmp_path])[1]
    assert caption == Caption("岩石", tmp_path / "cjk.ttf")
    boxes = drawn(Caption("\U0010ffff\U0010ffff", caption.font))
    assert not torch.equal(drawn(caption), boxes)


def test_without_such_a_font_a_number_stands_for_the_label():
    names = ("dragon", "岩石", "небо", "龙")
    found = captions(names, folders=[])
    assert [caption.text for caption in found] == ["dragon", "#2", "небо", "#4"]
    assert number_legend(names, found) == ("#2 = 岩石", "#4 = 龙")


def test_a_font_that_has_only_some_characters_is_not_used():
    assert captions(["岩石龙"], folders=[CJK.parent])[0].text == "#1"


def test_the_font_of_last_resort_is_not_used(tmp_path):
    shutil.copy(CJK, tmp_path / "LastResort.ttf")
    assert captions(["岩石"], folders=[tmp_path])[0].text == "#1"


@pytest.mark.parametrize("text", ["صخرة", "סלע", "नदी"])
def test_without_shaping_letters_that_join_or_run_leftwards_are_not_drawn(monkeypatch, text):
    monkeypatch.setattr(labels.features, "check", lambda feature: False)
    assert captions([text, "é", "e\u0301"], folders=[]) == (
        Caption("#1"),
        Caption("é"),
        Caption("é"),
    )


def test_arabic_is_drawn_joined_and_leftwards_where_pillow_can():
    caption = captions(["صخرة"], folders=[])[0]
    assert caption.text == ("صخرة" if SHAPED else "#1")
    apart = ImageFont.truetype(labels.SHIPPED, 40, layout_engine=ImageFont.Layout.BASIC)
    assert text_size(caption, 40)[0] < 0.9 * apart.getlength("صخرة")


def test_joiners_and_spaces_need_no_glyph():
    joined = "a\u200db\ufe0f"
    found = captions([joined, "two  words"], folders=[])
    assert [caption.text for caption in found] == [joined if SHAPED else "#1", "two words"]


def test_a_line_has_the_size_asked_for_and_text_in_it():
    strip = drawn(Caption("dragon"), (32, 120))
    assert strip.shape == (32, 120, 3)
    assert strip.dtype == torch.float32
    assert strip.max() > 0.9 and strip[-1, -1].mul(255).round().tolist() == [24, 24, 27]


def test_a_long_text_is_cut_inside_its_room():
    strip = line((32, 120), 20, Caption("a very long concept that nobody could fit"), "0 to 1")
    ink = strip.amax(dim=(0, 2)) > 0.2
    assert ink[0:100].any()
    gap = 120 - text_size(Caption("0 to 1"), 20)[0]
    assert not ink[gap - 8 : gap - 1].any()


def test_a_text_that_fits_when_smaller_is_whole_and_of_another_as_much_is_left_as_fits():
    caption, pixels = Caption("mountain"), 30
    whole = text_size(caption, pixels)[0]
    assert _fitted(caption, pixels, whole)[0] == "mountain"
    assert _fitted(caption, pixels, round(whole * 0.8))[0] == "mountain"
    for room in range(0, whole // 2, 3):
        text, font = _fitted(caption, pixels, room)
        kept = len(text.rstrip("\u2026"))
        assert text == ("mountain"[:kept] + "\u2026" if kept else "")
        assert font.getlength(text) <= room + 2  # what is drawn is a bit narrower than its room
        assert text_size(Caption("mountain"[: kept + 1] + "\u2026"), font.size)[0] > room


def test_thousands_of_letters_are_measured_a_few_times(monkeypatch):
    measured = []

    def counted(caption, pixels):
        measured.append(len(caption.text))
        return text_size(caption, pixels)

    monkeypatch.setattr(labels, "text_size", counted)
    assert _fitted(Caption("x" * 5000), 15, 200)[0].endswith("\u2026")
    assert len(measured) < 20


def test_a_line_without_any_room_is_empty():
    assert line((32, 3), 20, Caption("dragon"), "0 to 1").shape == (32, 3, 3)


def test_this_systems_folders_are_looked_up():
    assert all(isinstance(folder, Path) for folder in labels.font_folders())
