"""A workflow file of the editor becomes the prompt that the host runs."""

import pytest

from hosting import workflow
from hosting.errors import HostError

INFO = {
    "Load": {
        "display_name": "Load It",
        "input": {"required": {"name": [["a", "b"], {"image_upload": True}]}, "optional": {}},
        "input_order": {"required": ["name"], "optional": []},
    },
    "Sample": {
        "display_name": "Sample It",
        "input": {
            "required": {
                "model": ["MODEL"],
                "seed": ["INT", {"control_after_generate": True}],
                "steps": ["INT", {}],
                "text": ["STRING", {"forceInput": True}],
                "sampler": [["euler", "heun"]],
            },
            "optional": {"layers": ["STRING", {}], "mode": ["COMBO", {"options": ["x"]}]},
        },
        "input_order": {
            "required": ["model", "seed", "steps", "text", "sampler"],
            "optional": ["layers", "mode"],
        },
    },
}


def node(number, kind, values=(), links=(), **more):
    inputs = [{"name": name, "link": link} for name, link in links]
    values = list(values)
    return {"id": number, "type": kind, "widgets_values": values, "inputs": inputs, **more}


def sample(values, links=(("model", 1), ("text", None)), **more):
    return node(5, "Sample", values, links, **more)


def convert(*nodes, links=((1, 3, 0, 5, 0, "MODEL"),)):
    return workflow.to_prompt({"nodes": list(nodes), "links": [list(link) for link in links]}, INFO)


def test_widgets_get_their_names_and_the_editor_s_own_widgets_are_passed_over():
    prompt = convert(
        node(3, "Load", ["b", "image"]),
        sample([7, "randomize", 20, "heun", "-4:", "x"]),
        node(9, "MarkdownNote", ["read me"]),
    )
    assert prompt["3"]["inputs"] == {"name": "b"}
    assert prompt["5"]["inputs"] == {
        "model": ["3", 0],
        "seed": 7,
        "steps": 20,
        "sampler": "heun",
        "layers": "-4:",
        "mode": "x",
    }
    assert prompt["5"]["_meta"] == {"title": "Sample It"}
    assert sorted(prompt) == ["3", "5"]


def test_a_linked_widget_keeps_its_place_among_the_values_and_takes_the_link():
    prompt = convert(
        node(3, "Load", ["a"]),
        sample([7, "fixed", 20, "euler"], [("model", 1), ("steps", 2)]),
        links=((1, 3, 0, 5, 0, "MODEL"), (2, 3, 4, 5, 2, "INT")),
    )
    assert prompt["5"]["inputs"]["steps"] == ["3", 4]
    assert prompt["5"]["inputs"]["sampler"] == "euler"


def test_a_file_from_before_an_optional_input_leaves_it_to_the_host_s_default():
    inputs = convert(node(3, "Load", ["a"]), sample([7, "fixed", 20, "euler"]))["5"]["inputs"]
    assert "layers" not in inputs


def test_reroutes_are_looked_through():
    prompt = convert(
        node(3, "Load", ["a"]),
        node(8, "Reroute", (), [("", 1)]),
        sample([7, "fixed", 20, "euler"], [("model", 2)]),
        links=((1, 3, 1, 8, 0, "*"), (2, 8, 0, 5, 0, "*")),
    )
    assert prompt["5"]["inputs"]["model"] == ["3", 1]
    assert "8" not in prompt


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (sample([7, "fixed", 20, "euler"], mode=4), r"Sample \(node 5\) is bypassed"),
        (sample([7, "fixed", 20, "euler"], mode=2), r"Sample \(node 5\) is muted"),
        (node(5, "Nobody"), r"Nobody \(node 5\): this ComfyUI has no such node"),
        (sample([7, "fixed", 20, "euler", "", "x", 3]), "has 7 widget values, the node takes 6"),
        (sample([7, "fixed", 20, "euler"], [("model", 77)]), "uses link 77"),
    ],
)
def test_what_cannot_be_converted_is_an_error_that_names_it(broken, message):
    with pytest.raises(HostError, match=message):
        convert(node(3, "Load", ["a"]), broken)
