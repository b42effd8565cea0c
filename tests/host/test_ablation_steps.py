"""The ablation of steps: maps of some steps of one run, judged where the reader is sure."""

from types import SimpleNamespace

import pytest
import torch

import ablation_steps
import ablation_tables
import bench_ablation
from ablation_scenes import MULTI
from ablation_steps import CHOICES, STEPS, Bench, Painted, asked
from concept_attention.core.decode import shares
from concept_attention.pocket.prompts import SYNONYMS
from concept_attention.pocket.things import THINGS
from concept_attention.pocket.world import LABELS, scene

SEED = 10**9
MODELS = {"flux": "FLUX.1", "sd3": "SD3.5"}
# A picture of 4 x 2 tokens of 16 pixels: a tree in the first column, grass in the next two, sky.
LABEL_MAP = torch.tensor([[LABELS.index(name) for name in ("tree", "grass", "grass", "sky")]] * 2)
PIXELS = LABEL_MAP.repeat_interleave(16, 0).repeat_interleave(16, 1)


def maps(*best):
    """Maps whose highest is that of the given concept at each of the four columns."""
    heat = torch.zeros(5, 4)
    heat[list(best), range(4)] = 1
    return heat.repeat(1, 2)


@pytest.fixture(autouse=True)
def _no_gradients():
    with torch.inference_mode():
        yield


@pytest.fixture(scope="module", params=MODELS)
def bench(request):
    return Bench(MODELS[request.param], request.param)


def test_every_choice_is_of_the_steps_of_one_run(bench, monkeypatch):
    captures, paint = [], bench.pictures.paint

    def kept(*given):
        picture, capture = paint(*given)
        captures.append(capture)
        return picture, capture

    monkeypatch.setattr(bench.pictures, "paint", kept)
    row = bench.row(SEED)
    (capture,) = captures
    assert capture.steps == tuple(range(STEPS))
    rows = row["tables"]["steps"]
    assert tuple(rows) == CHOICES
    assert ablation_tables.STANDARD["steps"] in rows
    single = [shares(capture, steps=str(step)) for step in range(STEPS)]
    last = torch.stack(single[7:]).mean(0)
    assert torch.allclose(shares(capture, steps="7-9"), last, atol=1e-6)
    assert torch.equal(shares(capture, steps="auto"), shares(capture, steps="all"))
    assert rows["auto"][MULTI] != rows["0"][MULTI]
    assert {len(own[MULTI]["classes"]) for own in rows.values()} == {len(capture.labels)}


def test_concepts_are_what_the_prompt_names_and_one_thing_that_the_scene_has_not():
    for seed in range(SEED, SEED + 5):
        prompt, names = asked(seed)
        words = {SYNONYMS.get(word, word) for word in prompt.replace(",", " ").split()}
        assert set(names[:-1]) == words & set(LABELS)
        assert names[-1] in THINGS
        assert names[-1] not in scene(seed).things


def test_what_the_reader_finds_is_the_truth():
    painted = Painted(["tree", "grass", "sky", "house"], (True, True, True, False), PIXELS)
    found = painted.judged(maps(0, 1, 1, 1))
    assert found["right"] == 3 * 512
    assert found["pixels"] == 4 * 512
    assert found["inter"] == [512, 2 * 512, 0, 0, 0]
    assert found["union"] == [512, 3 * 512, 512, 0, 0]
    assert found["classes"] == ["tree", "grass", "sky", "house", None]
    assert (found["wins"], found["pairs"]) == (1, 1)


def test_what_the_reader_is_not_sure_of_counts_for_nothing():
    painted = Painted(["tree", "grass", "sky", "house"], (None, True, True, False), PIXELS)
    found = painted.judged(maps(3, 1, 1, 2))
    assert found["right"] == found["pixels"] == 3 * 512
    assert found["classes"] == [None, "grass", "sky", "house", None]
    assert found["union"][3] == found["pairs"] == 0


def test_a_thing_of_the_prompt_that_was_not_painted_is_absent():
    painted = Painted(["tree", "grass", "boat", "house"], (True, True, False, False), PIXELS)
    found = painted.judged(maps(0, 1, 2, 1))  # the boat's peak is as high as the tree's
    assert (found["wins"], found["pairs"]) == (1.5, 2)
    assert found["pixels"] == 3 * 512
    assert found["union"][2] == 512


def test_a_picture_of_which_nothing_is_known_is_in_no_table(bench, monkeypatch):
    unsure = SimpleNamespace(
        concepts=lambda names: names,
        paint=lambda *_: (None, None),
        read=lambda _, names: ([None] * len(names), PIXELS),
    )
    monkeypatch.setattr(bench, "pictures", unsure)
    row = bench.row(SEED)
    assert row == {"seed": SEED, "tables": {}}
    own = Painted(["tree", "grass"], (True, True), PIXELS).judged(maps(0, 1, 1, 1)[:3])
    other = {"seed": 0, "tables": {"order": {"softmax first": {MULTI: own | {"pairs": 1}}}}}
    lines = ablation_tables.tables([row, other], unit_concepts=False).splitlines()
    assert lines[0] == "**Order, n = 1**"


def test_a_table_of_one_protocol_has_no_columns_of_the_other():
    one = {"right": 1, "pixels": 2, "inter": [1], "union": [2], "ap": 0.25, "classes": ["sky"]}
    rows = [{"auto": {MULTI: one | {"wins": 1.0, "pairs": 2}}}]
    rows[0]["0"] = {MULTI: one | {"inter": [2], "wins": 1.0, "pairs": 2}}
    lines = ablation_tables.table("steps", rows, "auto").splitlines()
    columns = "multi: accuracy | multi: mIoU | multi: mAP | AUC | multi mIoU, difference"
    assert lines[2] == f"| steps | {columns} |"
    assert lines[4].startswith("| **auto** | 0.500 (0.500 to 0.500) |")
    assert lines[4].endswith("|  |")
    assert lines[5].endswith("| +0.500 (+0.500 to +0.500) |")


def test_the_part_has_results_of_its_own(monkeypatch, tmp_path):
    class Stub:
        def __init__(self, *names):
            assert names == ("SD3.5", "sd3")

        def row(self, seed, parts):
            return {"seed": seed, "parts": parts, "tables": {}}

    monkeypatch.setattr(ablation_steps, "Bench", Stub)
    path = tmp_path / "rows.jsonl"
    bench_ablation.measure("sd3", ablation_steps.PARTS, 2, path)
    assert [row["parts"] for row in bench_ablation.read(path)] == [["steps"]] * 2
    monkeypatch.setattr(bench_ablation.cache, "root", lambda: tmp_path)
    names = {bench_ablation.results_path("sd3", part).name for part in ("all", "noise", "steps")}
    assert len(names) == 3
