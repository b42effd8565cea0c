"""The checker of workflow files finds every kind of defect; the builder makes files without any."""

import copy

import pytest

from graphs.graph import Graph
from graphs.problems import problems

INFO = {
    "Load": {
        "input": {"required": {"file": [["a", "b"]]}},
        "input_order": {"required": ["file"]},
        "output": ["MODEL", "CLIP"],
        "output_name": ["MODEL", "CLIP"],
    },
    "ConceptAttentionThing": {
        "input": {
            "required": {
                "seed": ["INT", {"default": 0, "min": 0, "max": 9, "control_after_generate": True}],
                "model": ["MODEL", {}],
                "mode": ["COMBO", {"options": ["x", "y"], "default": "y"}],
            },
            "optional": {"text": ["STRING", {"default": "all", "multiline": True}]},
        },
        "input_order": {"required": ["seed", "model", "mode"], "optional": ["text"]},
        "output": ["IMAGE"],
        "output_name": ["image"],
    },
}


def document():
    graph = Graph("test", INFO, "1.2.3")
    loader = graph.add("Load", {"file": "b"})
    thing = graph.add("ConceptAttentionThing", {"model": loader.out("MODEL"), "seed": 7})
    graph.column("One", 200, loader, note="Read me.")
    graph.column("Two", 300, thing)
    return graph.document()


def test_a_built_file_has_no_problem():
    assert problems(document(), INFO) == []


def test_a_built_file_is_laid_out_in_titled_columns():
    groups = document()["groups"]
    assert [group["title"] for group in groups] == ["One", "Two"]
    left, right = (group["bounding"] for group in groups)
    assert left[0] + left[2] < right[0]


def test_a_node_with_advanced_inputs_shown_says_so_and_has_room_for_them():
    graph = Graph("test", INFO, "1.2.3")
    values = {"model": graph.add("Load").out("MODEL")}
    shown, below, other = (
        graph.add("ConceptAttentionThing", values, advanced=advanced)
        for advanced in (True, False, False)
    )
    graph.column("One", 300, shown, below, other)
    saved = [node for node in graph.document()["nodes"] if node["type"] != "Load"]
    assert [node.get("showAdvanced") for node in saved] == [True, None, None]
    first, second, third = (node["pos"][1] for node in saved)
    assert second - first > third - second


def test_a_long_note_is_taller():
    heights = []
    for note in ("Read me.", "Read me. " * 100):
        graph = Graph("test", INFO, "1.2.3")
        graph.column("One", 300, graph.add("Load"), note=note)
        _, made = graph.document()["nodes"]
        heights.append(made["size"][1])
    assert heights[0] == 150 < heights[1]


def test_values_are_in_the_node_s_order_and_a_seed_stays_fixed():
    _, thing, note = document()["nodes"]
    assert thing["widgets_values"] == [7, "fixed", "y", "all"]
    assert [slot["name"] for slot in thing["inputs"]] == ["model", "seed", "mode", "text"]
    assert thing["properties"]["cnr_id"] == "concept-attention"
    assert thing["properties"]["ver"] == "1.2.3"
    assert note["type"] == "MarkdownNote"


def test_an_input_that_the_node_lacks_is_an_error():
    with pytest.raises(KeyError, match="Load has no input name"):
        Graph("test", INFO, "1").add("Load", {"name": "a"})


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["nodes", 0, "type"], "Nobody", "Nobody (node 1): no such node"),
        (["nodes", 0, "widgets_values"], ["c"], "file is 'c', which is not offered"),
        (["nodes", 1, "widgets_values", 0], 10, "seed is 10, outside of 0 to 9"),
        (["nodes", 1, "widgets_values", 0], "7", "seed is '7', not of type INT"),
        (["nodes", 1, "widgets_values"], [7, "fixed", "x"], "text has no value"),
        (["nodes", 1, "inputs", 0, "link"], None, "model is not connected"),
        (["nodes", 1, "inputs", 0, "name"], "net", "the node has [('model', 'MODEL')"),
        (["nodes", 0, "outputs", 0, "links"], None, "link 1: its ends do not list it"),
        (["links", 0, 5], "CLIP", "link 1: MODEL into MODEL"),
        (["nodes", 1, "properties", "cnr_id"], "comfy-core", "properties name no pack"),
        (["nodes", 1, "pos"], [20, 80], "ConceptAttentionThing (node 2) lies on Load (node 1)"),
    ],
)
def test_a_defect_is_named(path, value, message):
    broken = copy.deepcopy(document())
    place = broken
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    assert any(message in text for text in problems(broken, INFO)), problems(broken, INFO)
