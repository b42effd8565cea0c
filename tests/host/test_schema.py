"""The nodes' public face: names, inputs, outputs, help pages; workflow files are shared by it."""

import inspect
import json
import re

import pytest

from concept_attention.nodes import NODES
from graphs.description import inputs
from hosting import pack, snapshot

PICTURE = re.compile(r"!\[[^\]]+\]\(([^)]+)\)")

NAMES = {
    "ConceptAttentionEncode": "Concept Encoder",
    "ConceptAttentionSampler": "Attention Capture Sampler",
    "ConceptAttentionSamplerCustom": "Attention Capture Sampler (Custom)",
    "ConceptAttentionAttach": "Attach Capture",
    "ConceptAttentionCollect": "Collect Capture",
    "ConceptAttentionImage": "Attention Capture from Image",
    "ConceptAttentionDecode": "Heatmap Decode",
    "ConceptAttentionOverlay": "Heatmap Overlay",
    "ConceptAttentionViewer": "Heatmap Viewer",
    "ConceptAttentionMasks": "Heatmap to Masks",
    "ConceptAttentionReport": "Concept Report",
    "ConceptAttentionCompare": "Compare Heatmaps",
    "ConceptAttentionTimeline": "Heatmap Timeline",
    "ConceptAttentionSave": "Save Capture",
    "ConceptAttentionLoad": "Load Capture",
    "ConceptAttentionPocket": "Load Pocket Model",
}
SOCKETS = {
    "CONCEPT_ATTENTION_CONCEPTS",
    "CONCEPT_ATTENTION_CAPTURE",
    "CONCEPT_ATTENTION_HANDLE",
    "CONCEPT_ATTENTION_HEATMAPS",
}
OURS_BEHIND = [
    "concepts",
    "capture_layers",
    "capture_steps",
    "memory_mb",
    "live_maps",
    "live_concept",
    "baselines",
    "conditioning",
]
REPLACED = {
    "ConceptAttentionSampler": "KSampler",
    "ConceptAttentionSamplerCustom": "SamplerCustomAdvanced",
}
# Nothing that changes what an input accepts or starts with.
COSMETIC = ("tooltip", "multiselect", "advanced", "display_name")

every_node = pytest.mark.parametrize("node", NODES, ids=lambda node: node.GET_SCHEMA().node_id)


def page_of(node_id):
    return pack.ROOT / "web" / "docs" / f"{node_id}.md"


@pytest.fixture(scope="session")
def object_info(client):
    return client.object_info()


def test_the_nodes_are_those_that_were_promised():
    found = {node.GET_SCHEMA().node_id: node.GET_SCHEMA().display_name for node in NODES}
    assert found == NAMES


@every_node
def test_inputs_are_the_parameters_of_execute(node):
    parameters = inspect.signature(node.execute).parameters
    assert {each.id for each in node.GET_SCHEMA().inputs} == set(parameters)
    for each in node.GET_SCHEMA().inputs:
        if each.optional:  # an API user may leave it out
            default = getattr(each, "default", None)
            assert parameters[each.id].default == default, each.id


@every_node
def test_everything_explains_itself(node):
    schema = node.GET_SCHEMA()
    for each in (*schema.inputs, *schema.outputs):
        assert each.tooltip and each.tooltip.endswith("."), each
    assert schema.category == "Concept Attention"
    assert schema.description.endswith(".")
    assert {"heatmap", "interpretability", "concept attention"} <= set(schema.search_aliases)


@every_node
def test_socket_types_are_the_host_s_or_one_of_ours(node):
    schema = node.GET_SCHEMA()
    types = {each.get_io_type() for each in (*schema.inputs, *schema.outputs)}
    assert {kind for kind in types if "CONCEPT" in kind} <= SOCKETS


@pytest.mark.parametrize(("ours", "theirs"), REPLACED.items())
def test_a_sampler_has_all_inputs_of_the_one_it_replaces(ours, theirs, object_info):
    """In the same order, with the same types, defaults and ranges; ours are optional, behind."""
    mine, host = inputs(object_info[ours]), inputs(object_info[theirs])
    assert [facts(each) for each in mine[: len(host)]] == [facts(each) for each in host]
    assert [each.name for each in mine[len(host) :]] == OURS_BEHIND
    assert all(each.optional for each in mine[len(host) :])


@pytest.mark.parametrize(("ours", "theirs"), REPLACED.items())
def test_a_sampler_has_all_outputs_of_the_one_it_replaces(ours, theirs, object_info):
    mine, host = object_info[ours], object_info[theirs]
    assert mine["output"] == [*host["output"], "CONCEPT_ATTENTION_CAPTURE"]
    assert mine["output_name"] == [*host["output_name"], "capture"]


def facts(each):
    kept = {key: value for key, value in each.options.items() if key not in COSMETIC}
    return each.name, each.kind, each.optional, each.default, kept


def test_the_host_reports_what_the_committed_snapshot_says(client):
    """A difference is a change of the public face: renew the file with `make snapshot`."""
    saved = json.loads(snapshot.FILE.read_text(encoding="utf-8"))
    reported = json.loads(json.dumps(snapshot.read(client)))
    assert reported == saved


@every_node
def test_the_help_page_lists_every_input_and_output(node, object_info):
    schema = node.GET_SCHEMA()
    page = page_of(schema.node_id).read_text(encoding="utf-8")
    assert page.startswith(f"# {schema.display_name}\n")
    info = object_info[schema.node_id]
    listed = table(page, "Inputs")
    expected = {each.name: [each.kind, "No" if each.optional else "Yes"] for each in inputs(info)}
    assert {name: row[1:3] for name, row in listed.items()} == expected
    assert list(listed) == list(expected)
    for each in inputs(info):
        assert all(text in listed[each.name][3] for text in limits(each)), each.name
    outputs = zip(info["output_name"], info["output"], strict=True)
    assert {name: row[1] for name, row in table(page, "Outputs").items()} == dict(outputs)


def test_every_help_page_is_of_a_node_and_the_host_serves_it(client):
    files = sorted((pack.ROOT / "web" / "docs").iterdir())
    pages = [path for path in files if path.suffix == ".md"]
    assert {page.stem for page in pages} == set(NAMES)
    named = {page.stem: PICTURE.findall(page.read_text(encoding="utf-8")) for page in pages}
    assert all(named.values()), named  # every page shows its node
    pictures = {path.name for path in files} - {page.name for page in pages}
    assert {name for names in named.values() for name in names} == pictures
    (module,) = {info["python_module"] for info in client.pack_nodes().values()}
    folder = module.removeprefix("custom_nodes.")
    served = client.fetch(f"/extensions/{folder}/docs/ConceptAttentionSampler.md")
    assert served == page_of("ConceptAttentionSampler").read_bytes()


def table(page, title):
    """A section's table: the cells behind the first one by the name in the first one."""
    section = re.search(rf"\n## {title}\n(.*?)(?=\n## |\Z)", page, re.DOTALL)
    rows = re.findall(r"^\| `(.+?)` \| (.+) \|$", section[1] if section else "", re.MULTILINE)
    return {name: [cell.strip() for cell in rest.split(" | ")] for name, rest in rows}


def limits(each):
    """What the range column must name: the ends of a number; a few choices, but no long list."""
    if each.kind in ("INT", "FLOAT"):
        return [f"{each.options['min']:,}", f"{each.options['max']:,}"]
    few = each.choices if each.choices and len(each.choices) < 8 else []
    # Files that lie in the host's folders by chance are no choices of the node.
    return [str(choice) for choice in few if "." not in str(choice)]
