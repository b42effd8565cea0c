"""The ablations: what is changed is changed there only, and counted as the tables say."""

import json

import pytest
import torch

import ablation_tables
import bench_ablation
import truth_maps
from ablation_maps import BOTH, IMAGE, NEITHER, THEMSELVES, Spaces, attending
from ablation_parts import BEHIND, LISTS, NOISE, PARTS, Bench, Look
from ablation_scenes import MULTI, SINGLE, Scene, in_tokens
from concept_attention.core import stream
from concept_attention.core.decode import shares
from concept_attention.pocket.world import LABELS, scene

SEED = 10**9
MODELS = {"flux": "FLUX.1", "sd3": "SD3.5"}


@pytest.fixture(autouse=True)
def _no_gradients():
    with torch.inference_mode():
        yield


@pytest.fixture(scope="module", params=MODELS)
def bench(request):
    return Bench(MODELS[request.param], request.param)


@pytest.fixture(scope="module")
def row(bench):
    with torch.inference_mode():
        return bench.row(SEED)


def test_every_table_has_the_row_of_what_the_pack_does(row):
    for name, rows in row["tables"].items():
        standard = ablation_tables.STANDARD.get(name, "of length 1")
        assert standard in rows
        assert len(rows) > 1
    assert {*row["tables"], "steps"} == {*ablation_tables.STANDARD, "concept vectors"}


def test_rows_that_mean_the_same_have_the_same_figures(bench, row):
    tables = row["tables"]
    standard = tables["layers"]["auto"]
    own = "of length 1" if bench.unit_concepts else "as they are"
    for table, name in (
        ("space", "output, softmax"),
        ("temperature", "1"),
        ("order", "softmax first"),
        ("concept vectors", own),
        ("smoothing", "0"),
        ("attention", BOTH),
        ("noise", "0.5"),
        ("draws", "1"),
    ):
        assert tables[table][name] == standard
    assert tables["background"]["several"][SINGLE] == standard[SINGLE]
    assert tables["background"]["default"][MULTI] == standard[MULTI]
    assert SINGLE not in tables["background"]["none"]
    assert len({json.dumps(own) for own in tables["attention"].values()}) == 4


def test_latents_are_those_of_the_vae(bench):
    from concept_attention.nodes.pocket import LoadPocketModel

    picture = Scene(SEED).picture
    model, _, vae = LoadPocketModel.execute(MODELS["flux"]).args
    encoded = model.model.process_latent_in(vae.encode(picture[None].float() / 255))
    assert torch.allclose(bench.eye.latent(picture), encoded, atol=1e-4)


def test_other_spaces_are_those_of_the_benchmark_of_truth(bench):
    eye, drawn = bench.eye, Scene(SEED)
    given = eye.noised(eye.latent(drawn.picture), [NOISE], [SEED])
    concepts = eye.concepts(drawn.shown[MULTI], LISTS[BEHIND[MULTI]])
    spaces = Spaces(eye.transformer)
    with spaces.watching():
        seen = {MULTI: spaces.observer(MULTI)}
        own = eye.look(*given, drawn.prompt, {MULTI: concepts}, seen)[MULTI]
    count, layers = len(concepts.items), range(own.total_layers)
    unit = bench.unit_concepts
    with truth_maps.collecting(eye.transformer, layers, count, unit) as collector:
        eye.look(*given, drawn.prompt, {MULTI: concepts}, {MULTI: collector.observe})
    maps = collector.maps((256,))
    found = spaces.captures(MULTI, own)
    assert set(found) == set(maps)
    for space, capture in found.items():
        assert torch.allclose(shares(capture, "all")[0], maps[space], atol=1e-5)


def test_a_capture_beside_others_is_that_of_a_run_of_its_own(bench):
    eye, drawn = bench.eye, Scene(SEED)
    look = Look(eye, drawn, bench.unit_concepts)
    alone = look._captures([NOISE], [SEED])
    for name, capture in look._standard.items():
        assert torch.equal(capture.scores, alone[name].scores)
    batch = look._captures([NOISE, 0.9], [SEED, SEED])
    assert torch.allclose(batch[MULTI].scores[:1], alone[MULTI].scores, rtol=1e-3, atol=1e-3)
    assert not torch.allclose(batch[MULTI].scores[1:], alone[MULTI].scores, rtol=1e-1)


def test_concepts_attend_to_what_they_may_and_afterwards_to_all():
    # One head of width 1: a concept's query 0 weighs everything alike.
    q = torch.zeros(1, 1, 2, 1)
    own, image = (torch.ones(1, 1, 2, 1) for _ in range(2))
    own_v = torch.tensor([2.0, 4.0]).view(1, 1, 2, 1)
    image_v = torch.tensor([10.0, 12.0]).view(1, 1, 2, 1)
    given = (q, own, own_v, image, image_v)
    before, found = stream.attend, {}
    for to in (BOTH, IMAGE, THEMSELVES, NEITHER):
        with attending(to):
            found[to] = stream.attend(*given).flatten().tolist()
    assert found == {BOTH: [7, 7], IMAGE: [11, 11], THEMSELVES: [3, 3], NEITHER: [2, 4]}
    assert stream.attend is before
    with pytest.raises(RuntimeError), attending(IMAGE):
        raise RuntimeError
    assert stream.attend is before


def test_a_scene_s_concepts_are_what_is_there_and_one_thing_that_is_not():
    drawn, own = scene(SEED), Scene(SEED)
    names = [*drawn.things, drawn.ground, drawn.sky]
    assert own.shown[SINGLE] == names[:1]
    assert own.shown[MULTI][:-1] == names
    assert own.shown[MULTI][-1] not in names
    pixels = (torch.from_numpy(drawn.labels) == LABELS.index(names[0])).sum()
    right = torch.eye(len(names) + 2)[[0] * 256].T
    figures = own.judged({SINGLE: right[:1], MULTI: right})
    assert figures[MULTI]["inter"][0] == figures[MULTI]["right"] == pixels
    assert figures[MULTI]["classes"] == [*own.shown[MULTI], None]
    assert figures[MULTI]["pairs"] == len(drawn.things)


def test_pixels_are_counted_by_token():
    mask = torch.zeros(4, 6, dtype=torch.bool)
    mask[0, 0] = mask[1, 1] = mask[3, 5] = True
    assert in_tokens(mask, 2).tolist() == [2, 0, 0, 0, 0, 1]


def test_a_stopped_run_goes_on(monkeypatch, tmp_path, row):
    class Stub:
        def __init__(self, *names):
            self.seen = seen

        def row(self, seed, parts):
            if len(seen) == stop:
                raise KeyboardInterrupt
            seen.append(seed - SEED)
            return {"seed": seed, "tables": {part: {} for part in parts}}

    monkeypatch.setattr(bench_ablation, "Bench", Stub)
    path, seen, stop = tmp_path / "rows.jsonl", [], 2
    with pytest.raises(KeyboardInterrupt):
        bench_ablation.measure("flux", PARTS[:1], 4, path)
    with path.open("a") as file:
        file.write('{"seed"')
    assert len(bench_ablation.read(path)) == 2
    stop = 9
    bench_ablation.measure("flux", PARTS[:1], 4, path)
    assert seen == [0, 1, 2, 3]
    assert [each["seed"] - SEED for each in bench_ablation.read(path)] == [0, 1, 2, 3]


def test_a_table_says_what_the_pack_does_and_how_far_the_others_are_from_it():
    def figures(tp, miss):
        one = {"tp": tp, "fp": 0, "fn": miss, "tn": 8, "ap": 0.5}
        many = {"right": tp, "pixels": tp + miss, "inter": [tp], "union": [tp + miss], "ap": 0.25}
        return {SINGLE: one, MULTI: {**many, "classes": ["sky"], "wins": 1.0, "pairs": 2}}

    rows = [{"tables": {"order": {"softmax first": figures(4, 4), "scores first": figures(6, 2)}}}]
    lines = ablation_tables.tables(rows, unit_concepts=False).splitlines()
    assert lines[0] == "**Order, n = 1**"
    three = "{0:.3f} ({0:.3f} to {0:.3f})".format
    assert lines[4] == (
        f"| **softmax first** | {three(0.75)} | {three((4 / 8 + 8 / 12) / 2)} | {three(0.5)} | "
        f"{three(0.5)} | {three(0.5)} | {three(0.25)} | {three(0.5)} |  |  |"
    )
    assert lines[5].endswith("| +0.192 (+0.192 to +0.192) | +0.250 (+0.250 to +0.250) |")
