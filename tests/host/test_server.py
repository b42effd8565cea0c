"""The pack in the real server: what ComfyUI and the editor see of it."""

import io
import json

import pytest
from PIL import Image

from hosting import pack, workflow
from hosting.errors import HostError

EXAMPLES = sorted((pack.ROOT / "example_workflows").glob("*.json"))
EXAMPLES += sorted((pack.ROOT / "tests" / "workflows").glob("*.json"))  # those of releases

# The editor's own start, without any pack: files that a fresh user has not made, and a message.
# The last is asked for the model files of whatever workflow the editor opens again by itself,
# and the server forbids its page to ask.
_OF_THE_EDITOR = (
    "user.css",
    "/userdata",
    "graph accessed before initialization",
    "https://huggingface.co",
)


def test_every_node_of_the_list_is_registered_with_a_category_of_ours(client):
    from concept_attention.nodes import NODES

    ids = {node.GET_SCHEMA().node_id for node in NODES}
    info = client.pack_nodes()
    assert set(info) == ids
    assert {entry["category"].split("/")[0] for entry in info.values()} == {"Concept Attention"}


def test_a_prompt_without_our_nodes_runs_and_its_picture_can_be_fetched(client):
    prompt = {
        "1": {
            "class_type": "EmptyImage",
            "inputs": {"width": 24, "height": 16, "batch_size": 1, "color": 0xFF0000},
        },
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "red"}},
    }
    events = []
    entry = client.run(prompt, None, lambda kind, data: events.append((kind, data.get("node"))))
    (record,) = entry["outputs"]["2"]["images"]
    assert client.view(record).startswith(b"\x89PNG")
    assert ("executing", "2") in events
    assert events[-1][0] == "execution_success"


def test_a_prompt_that_does_not_fit_is_an_error_that_names_the_node_and_the_input(client):
    prompt = {"7": {"class_type": "SaveImage", "inputs": {"filename_prefix": "x"}}}
    with pytest.raises(HostError, match=r"SaveImage \(node 7\).*images"):
        client.queue(prompt)


def test_the_blueprint_is_offered_as_a_part_of_this_pack(client):
    (module,) = {info["python_module"] for info in client.pack_nodes().values()}
    (key,) = (
        key
        for key, entry in client.get("/global_subgraphs").items()
        if (entry["name"], entry["info"]["node_pack"]) == ("Concept heatmaps", module)
    )
    served = json.loads(client.get(f"/global_subgraphs/{key}")["data"])
    saved = (pack.ROOT / "subgraphs" / "Concept heatmaps.json").read_text(encoding="utf-8")
    assert served == json.loads(saved)


def test_nothing_is_written_into_the_host_s_folder(server, client):
    client.run(
        {
            "1": {
                "class_type": "EmptyImage",
                "inputs": {"width": 8, "height": 8, "batch_size": 1, "color": 0},
            },
            "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
        },
        None,
        lambda kind, data: None,
    )
    newer = server.log.parent / "paths.yaml"
    since = newer.stat().st_mtime if newer.exists() else server.log.stat().st_ctime
    written = [path for path in server.host.folder.rglob("*") if path.stat().st_mtime > since]
    assert written == []


def test_the_editor_opens_with_our_nodes_and_without_errors(page, client):
    page.wait_for_function(
        "ids => ids.every(id => id in window.LiteGraph.registered_node_types)",
        arg=sorted(client.pack_nodes()),
    )
    assert [
        text for text in page.problems if not any(word in text for word in _OF_THE_EDITOR)
    ] == []


def test_examples_open_in_the_editor_and_convert_to_the_prompt_that_the_editor_makes(page, client):
    for path in EXAMPLES:
        document = json.loads(path.read_text(encoding="utf-8"))
        page.evaluate("document => window.app.loadGraphData(document)", document)
        made = page.evaluate("() => window.app.graphToPrompt().then(made => made.output)")
        ours = workflow.to_prompt(document, client.object_info())
        assert _plain(made) == _plain(ours), path.name


def _plain(prompt):
    return {key: (node["class_type"], node["inputs"]) for key, node in prompt.items()}


def test_a_run_with_live_maps_sends_them_as_previews_and_makes_the_same_picture(client):
    """To a server that sends no previews by itself."""
    path = pack.ROOT / "example_workflows" / "Pocket - concept heatmaps.json"
    prompt = workflow.to_prompt(json.loads(path.read_text("utf-8")), client.object_info())
    (sampler,) = (
        node for node in prompt.values() if node["class_type"] == "ConceptAttentionSampler"
    )
    sampler["inputs"]["steps"] = 3
    seen, pictures = {}, {}
    for mode in ("off", "segments"):
        sampler["inputs"]["live_maps"] = mode
        seen[mode] = []
        entry = client.run(prompt, None, lambda kind, data: None, seen[mode].append)
        records = [each for out in entry["outputs"].values() for each in out.get("images", ())]
        files = [io.BytesIO(client.view(record)) for record in records]
        pictures[mode] = [Image.open(file).tobytes() for file in files]
    assert len(pictures["off"]) == 7
    assert pictures["segments"] == pictures["off"]
    assert seen["off"] == []
    assert 2 <= len(seen["segments"]) <= 3
    for file in seen["segments"]:
        preview = Image.open(io.BytesIO(file))
        assert preview.format == "JPEG"
        assert preview.width == 512 < preview.height
