"""Concept Report: exact figures of small maps, verdicts, checks, words, text and JSON."""

import json
from dataclasses import replace

import pytest
import torch

from concept_attention.core.decode import normalized
from concept_attention.core.errors import ConceptAttentionError
from concept_attention.core.report import (
    THRESHOLD,
    Settings,
    as_dict,
    as_json,
    as_text,
    check,
    failure,
    report,
)
from concept_attention.core.report.figures import (
    box,
    figures,
    overlap,
    presence,
    region,
    sharpness,
)
from concept_attention.core.report.verdict import Rival, on_scale, rival, verdict
from concept_attention.core.segments import strongest
from concept_attention.core.types import Heatmaps

# 2 rows of 3 places: a house at the left, a tree at the lower right, the rest is background.
HOUSE = torch.tensor([[0.9, 0.2, 0.1], [0.7, 0.1, 0.0]])
TREE = torch.tensor([[0.0, 0.1, 0.1], [0.2, 0.3, 0.8]])
BEHIND = torch.tensor([[0.1, 0.7, 0.8], [0.1, 0.6, 0.2]])


def heatmaps(*maps, labels=("house", "tree"), background=BEHIND):
    """Heatmaps of one picture of these maps [H, W]."""
    behind = None if background is None else background[None, None]
    return Heatmaps(torch.stack(maps)[:, None, None], labels, ((0.0, 1.0),), behind)


def judged(*maps, labels=("house", "tree"), background=BEHIND, **settings):
    return report(heatmaps(*maps, labels=labels, background=background), Settings(**settings))


def close(value, expected):
    return value == pytest.approx(expected, abs=1e-6)


def test_the_figures_of_a_small_map():
    won = strongest(torch.stack((HOUSE, TREE)), BEHIND)
    assert won.tolist() == [[0, -1, -1], [0, -1, 1]]
    house = figures(HOUSE, won == 0)
    assert close(house.score, 0.9) and close(house.peak, 0.9)  # the top 0.5 % of 6 is one value
    assert close(house.share, 2 / 6)
    assert house.peak_at == (0, 0) and house.place == "middle left"
    assert house.box == (0, 0, 1, 2)  # 0.9 and 0.7 are at least half of 0.9
    # (sum 2.0)^2 / (6 x sum of squares 1.36)
    assert close(house.sharpness, 1 - 4 / (6 * 1.36))
    tree = figures(TREE, won == 1)
    assert close(tree.score, 0.8) and close(tree.share, 1 / 6)
    assert tree.peak_at == (2, 1) and tree.place == "lower right" and tree.box == (2, 1, 1, 1)


def test_the_score_is_the_mean_of_the_highest_half_percent():
    values = torch.zeros(2, 20, 30)  # 600 places: the highest 3 count
    values[0, 4, 5:8] = torch.tensor([0.9, 0.6, 0.3])
    values[1, 0, 0] = 0.9
    assert torch.allclose(presence(values), torch.tensor([0.6, 0.3]))


def test_sharpness_is_1_minus_the_part_that_is_taken():
    maps = torch.zeros(3, 2, 3)
    maps[0] = 0.4
    maps[1, 0, :2] = 0.7
    assert torch.allclose(sharpness(maps), torch.tensor([0.0, 4 / 6, 0.0]).double(), atol=1e-7)


def test_overlap_is_the_soft_intersection_over_union():
    both = overlap(torch.stack((HOUSE, TREE)))
    # smaller values: 0, 0.1, 0.1, 0.2, 0.1, 0; larger ones: 0.9, 0.2, 0.1, 0.7, 0.3, 0.8
    assert torch.allclose(both, torch.tensor([[1.0, 0.5 / 3.0], [0.5 / 3.0, 1.0]]))
    assert overlap(torch.zeros(2, 2, 3))[0, 1] == 0


def test_the_background_wins_a_tie_and_without_one_a_concept_always_wins():
    assert strongest(torch.full((2, 2, 3), 0.5), torch.full((2, 3), 0.5)).unique().tolist() == [-1]
    assert strongest(torch.stack((HOUSE, TREE)), None).tolist() == [[0, 0, 0], [0, 1, 1]]


def test_a_box_is_of_the_piece_that_holds_the_peak():
    values = torch.tensor([[0.5, 0.0, 0.6], [0.0, 0.0, 1.0]])
    assert region(values).tolist() == [[True, False, True], [False, False, True]]
    assert box(values) == (2, 0, 1, 2)
    assert box(torch.zeros(2, 3)) == (0, 0, 3, 2) and not region(torch.zeros(2, 3)).any()


def test_a_place_is_that_of_the_piece_with_the_peak_not_of_the_faint_rest():
    faint = torch.full((20, 30), 0.1)
    faint[2:5, 3:7] = 0.4
    assert figures(faint, faint > 1).place == "upper left"


def test_a_rival_is_who_takes_the_places_where_a_concept_is_highest():
    best = strongest(torch.stack((HOUSE, TREE)), BEHIND)
    assert rival(torch.tensor([[0.0, 0.2, 0.0], [0.3, 0.3, 0.3]]), best, 2) == Rival(0, 0.25)
    assert rival(HOUSE, best, 0) is None  # nobody else, and the background is nobody
    assert rival(BEHIND, best, 2) is None


@pytest.mark.parametrize(
    ("score", "other", "expected"),
    [
        (0.5, None, "present"),
        (0.49, None, "weak"),
        (0.35, None, "weak"),
        (0.34, None, "absent"),
        (0.5, Rival(1, 0.49), "present"),
        (0.5, Rival(1, 0.5), "confused"),
        (0.35, Rival(1, 1.0), "confused"),
        (0.34, Rival(1, 1.0), "absent"),
    ],
)
def test_the_verdict(score, other, expected):
    assert verdict(score, 0.5, other) == expected


def test_a_report_says_what_is_there_and_what_is_taken_for_another():
    ship = HOUSE * 0.5  # highest where the house is, and lower
    found = judged(HOUSE, TREE, ship, ship * 0.2, labels=("house", "tree", "ship", "cat"))
    (item,) = found.items
    assert [each.verdict for each in item.findings] == ["present", "present", "confused", "absent"]
    assert item.findings[2].rival == "house" and item.findings[2].lost == 1.0
    assert close(item.background_share, 3 / 6) and item.null_level is None
    assert found.passed and found.checks == ()


def test_a_stretch_changes_nothing():
    plain = heatmaps(HOUSE, TREE)
    expected = as_dict(report(plain, Settings()))
    for normalize in ("shared", "per concept"):
        assert as_dict(report(normalized(plain, normalize), Settings())) == expected


def test_null_concepts_are_the_scale_and_have_no_verdict():
    null = torch.full((2, 3), 0.5)
    found = judged(HOUSE, TREE, null, labels=("house", "tree", "cat"), null_concepts=("cat",))
    house, tree, cat = found.items[0].findings
    assert close(found.items[0].null_level, 0.5)
    # 0.5 becomes 0.25 and 1 stays: 0.25 + 0.75 x (0.9 - 0.5) / 0.5
    assert close(house.score, 0.85) and close(house.raw_score, 0.9)
    assert close(tree.score, 0.7)
    assert cat.is_null and cat.verdict is None and close(cat.score, 0.25)


def test_the_scale_changes_only_where_what_is_absent_scores_high():
    assert on_scale(0.3, 0.0) == on_scale(0.3, 0.25) == 0.3
    assert on_scale(0.4, 0.5) == 0.2 and on_scale(0.0, 0.5) == 0.0 and on_scale(1.0, 0.5) == 1.0
    assert on_scale(1.0, 1.0) == 0.25  # no concept is told from the null ones


def test_the_highest_null_concept_of_each_picture_counts():
    values = torch.zeros(3, 2, 1, 2, 3)
    values[0] = 0.8
    values[1, :, 0, 0, 0] = torch.tensor([0.1, 0.6])
    values[2, :, 0, 1, 1] = torch.tensor([0.2, 0.2])
    maps = Heatmaps(values, ("a", "b", "c"), ((0.0, 1.0),))
    found = report(maps, Settings(null_concepts=("b", "c")))
    assert [round(item.null_level, 6) for item in found.items] == [0.2, 0.6]
    assert [round(item.findings[0].score, 6) for item in found.items] == [0.8, 0.625]


def test_what_must_be_is_checked_in_every_picture():
    values = torch.stack((HOUSE, TREE))[:, None, None].repeat(1, 2, 1, 1, 1)
    values[1, 1] = 0.01
    maps = Heatmaps(values, ("house", "tree"), ((0.0, 1.0),), BEHIND.expand(2, 1, 2, 3))
    found = report(maps, Settings(must_be_present=("house",), must_be_absent=("tree",)))
    assert [(each.item, each.finding.label, each.passed) for each in found.checks] == [
        (0, "house", True),
        (0, "tree", False),
        (1, "house", True),
        (1, "tree", True),
    ]
    assert not found.passed
    assert failure(found) == (
        'FAILED: "tree" must be absent in picture 1: it is present, score 0.80, threshold 0.40'
    )


def test_a_confused_concept_is_neither_present_nor_surely_absent():
    labels, ship = ("house", "ship"), HOUSE * 0.9
    for asked in ({"must_be_present": ("ship",)}, {"must_be_absent": ("ship",)}):
        found = judged(HOUSE, ship, labels=labels, **asked)
        assert found.items[0].findings[1].verdict == "confused" and not found.passed


def test_a_null_concept_that_is_there_lets_nothing_pass_as_absent():
    found = judged(HOUSE, TREE, null_concepts=("house",), must_be_absent=("tree",))
    assert close(found.items[0].findings[1].score, 0.25 * 0.8 / 0.9) and not found.passed
    assert "but the null concepts reach 0.90 themselves" in failure(found)
    assert "Careful: a null concept scores 0.90." in as_text(found)


def video():
    """Two frames: the house fades, the tree comes."""
    values = torch.stack(
        (torch.stack((HOUSE, HOUSE * 0.1)), torch.stack((TREE * 0.1, TREE)))
    ).unsqueeze(1)
    return Heatmaps(values, ("house", "tree"), ((0.0, 1.0),), BEHIND.expand(1, 2, 2, 3))


def test_a_video_is_judged_by_its_best_frame_and_lists_all():
    found = report(video(), Settings())
    house, tree = found.items[0].findings
    assert (house.frame, tree.frame) == (0, 1)
    assert close(house.score, 0.9) and close(tree.score, 0.8)
    assert close(house.share, 2 / 12) and close(tree.share, 2 / 12)
    assert house.verdict == tree.verdict == "present"
    assert [round(each.score, 6) for each in house.frames] == [0.9, 0.09]
    assert "highest in frame 1, wins places in 1 of 2" in as_text(found)
    # Smaller values of both frames: 0.07 and 0.11 in sum; larger ones: 2.08 and 1.59.
    assert close(house.overlap["tree"], 0.18 / 3.67)


def test_the_text_has_a_line_for_each_concept():
    found = judged(
        HOUSE, TREE, HOUSE * 0.1, labels=("house", "tree", "cat"), must_be_absent=("cat",)
    )
    assert as_text(found).splitlines() == [
        "house: present, score 0.90, 33 % of the picture, middle left, box 1 x 2 at (0, 0)",
        "tree: present, score 0.80, 17 % of the picture, lower right, box 1 x 1 at (2, 1)",
        "cat: absent, score 0.09",
        "background: 50 % of the picture",
        "",
        'passed: "cat" must be absent: it is absent, score 0.09, threshold 0.40',
        "PASSED",
    ]


def test_the_json_is_whole_and_its_keys_stay():
    labels = ('a "red" house', "岩石")
    found = judged(HOUSE, TREE, labels=labels, must_be_present=("岩石",))
    read = json.loads(as_json(found))
    assert read == as_dict(found)
    assert "岩石" in as_json(found)
    assert read["version"] == 1
    assert list(read) == [
        "version", "width", "height", "frames", "threshold", "null_concepts", "passed", "checks",
        "items",
    ]  # fmt: skip
    assert (read["width"], read["height"], read["frames"]) == (3, 2, 1)
    assert read["threshold"] == THRESHOLD
    assert read["checks"] == [
        {
            "item": 0,
            "concept": "岩石",
            "must_be": "present",
            "verdict": "present",
            "score": 0.8,
            "passed": True,
        }
    ]
    (item,) = read["items"]
    assert list(item) == ["item", "null_level", "background_share", "concepts"]
    assert item["concepts"][0] == {
        "concept": 'a "red" house',
        "verdict": "present",
        "confused_with": None,
        "score": 0.9,
        "raw_score": 0.9,
        "frame": 0,
        "share": 0.3333,
        "peak": 0.9,
        "peak_at": [0, 0],
        "place": "middle left",
        "box": [0, 0, 1, 2],
        "sharpness": 0.5098,
        "lost_to": None,
        "lost": 0.0,
        "overlap": {"岩石": 0.1667},
        "frames": [
            {
                "raw_score": 0.9,
                "share": 0.3333,
                "peak": 0.9,
                "peak_at": [0, 0],
                "place": "middle left",
                "box": [0, 0, 1, 2],
                "sharpness": 0.5098,
            }
        ],
    }


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"threshold": 0.0}, r"threshold: 0\.0 is not above 0 and at most 1"),
        ({"threshold": 1.5}, r"threshold: 1\.5 is not above 0"),
        ({"must_be_absent": ("cat",)}, r"must_be_absent: 'cat' is not among .* house, tree\. Add"),
        ({"null_concepts": ("cat",)}, r"null_concepts: 'cat' is not among the heatmaps"),
        (
            {"must_be_present": ("tree",), "must_be_absent": ("tree",)},
            r"must_be_absent: 'tree' is also in must_be_present",
        ),
        ({"null_concepts": ("house", "tree")}, r"null_concepts: they are all the concepts"),
    ],
)
def test_what_cannot_be_asked_is_an_error(settings, message):
    with pytest.raises(ConceptAttentionError, match=message):
        judged(HOUSE, TREE, **settings)


def test_a_concept_that_is_alone_is_no_report():
    alone = Heatmaps(HOUSE[None, None, None], ("house",), ((0.0, 1.0),))
    with pytest.raises(ConceptAttentionError, match="heatmaps: 'house' is alone in them"):
        report(alone, Settings())
    assert report(replace(alone, background=BEHIND[None, None]), Settings()).items


def test_what_cannot_be_asked_of_any_heatmaps_is_known_without_them():
    with pytest.raises(ConceptAttentionError, match="must_be_absent: 'tree' is also in null_conc"):
        check(Settings(null_concepts=("tree",), must_be_absent=("tree",)))
    with pytest.raises(ConceptAttentionError, match=r"threshold: 0 is not above 0"):
        check(Settings(threshold=0))
    check(Settings(must_be_present=("unheard of",)))


def test_maps_that_are_not_finite_are_no_report():
    with pytest.raises(ConceptAttentionError, match="heatmaps: they hold values that are not fin"):
        judged(HOUSE, TREE * float("nan"))
