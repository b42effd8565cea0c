"""What is wrong with a workflow file, measured against the host's node descriptions."""

from collections.abc import Iterator
from typing import Any

from hosting import workflow
from hosting.errors import HostError

from .description import Input, Json, inputs, slots

_NOTES = ("Note", "MarkdownNote")


def problems(document: Json, object_info: Json) -> list[str]:
    """Every defect that a person who opens or runs the file would meet; empty if there is none.

    Nodes that the host lacks, sockets and links that do not fit, inputs left open, widget values
    out of range or not offered, nodes without the name of their pack, nodes on top of each other.
    """
    found = [f"{_name(node)}: no such node" for node in _real(document, object_info, False)]
    if found:
        return found
    for node in _real(document, object_info, True):
        info = object_info[node["type"]]
        checks = (_sockets, _open_inputs, _widget_values, _properties)
        found += [f"{_name(node)}: {text}" for check in checks for text in check(node, info)]
    return [*found, *_links(document, object_info), *_overlaps(document["nodes"])]


def _real(document: Json, object_info: Json, known: bool) -> list[Json]:
    nodes = [node for node in document["nodes"] if node["type"] not in _NOTES]
    return [node for node in nodes if (node["type"] in object_info) == known]


def _sockets(node: Json, info: Json) -> Iterator[str]:
    """Sockets in the file, in the order and of the types that the editor makes."""
    expected = [(each.name, each.kind) for each in slots(info)]
    present = [(slot["name"], slot["type"]) for slot in node["inputs"]]
    if present != expected:
        yield f"inputs are {present}, the node has {expected}"
    expected = list(zip(info["output_name"], info["output"], strict=True))
    present = [(slot["name"], slot["type"]) for slot in node["outputs"]]
    if present != expected:
        yield f"outputs are {present}, the node has {expected}"


def _open_inputs(node: Json, info: Json) -> Iterator[str]:
    linked = {slot["name"] for slot in node["inputs"] if slot["link"] is not None}
    for each in inputs(info):
        if not (each.widget or each.optional or each.name in linked):
            yield f"{each.name} is not connected"


def _widget_values(node: Json, info: Json) -> Iterator[str]:
    try:
        values = workflow.widget_values(node, info)
    except HostError as error:
        yield str(error)
        return
    listed = {file["name"] for file in node["properties"].get("models", ())}
    for each in inputs(info):
        if each.widget and each.name not in values:
            yield f"{each.name} has no value"
        elif each.widget and values[each.name] not in listed:
            yield from _value(each, values[each.name])


def _value(each: Input, value: Any) -> Iterator[str]:
    kinds = {"INT": int, "FLOAT": (int, float), "STRING": str, "BOOLEAN": bool}
    if each.kind in kinds and not isinstance(value, kinds[each.kind]):
        yield f"{each.name} is {value!r}, not of type {each.kind}"
    elif each.kind in ("INT", "FLOAT"):
        low, high = each.options.get("min", value), each.options.get("max", value)
        if not low <= value <= high:
            yield f"{each.name} is {value}, outside of {low} to {high}"
    elif each.choices is not None and value not in each.choices:
        yield f"{each.name} is {value!r}, which is not offered"


def _properties(node: Json, info: Json) -> Iterator[str]:
    ours = node["type"].startswith("ConceptAttention")
    pack = "concept-attention" if ours else "comfy-core"
    if node["properties"].get("cnr_id") != pack or not node["properties"].get("ver"):
        yield f"properties name no pack: {node['properties']}"


def _links(document: Json, object_info: Json) -> Iterator[str]:
    nodes = {node["id"]: node for node in _real(document, object_info, True)}
    for number, source, slot, target, place, kind in document["links"]:
        begin, end = nodes[source]["outputs"][slot], nodes[target]["inputs"][place]
        if number not in (begin["links"] or ()) or number != end["link"]:
            yield f"link {number}: its ends do not list it"
        accepted = end["type"].split(",")
        if kind != begin["type"] or not {kind, "*"} & set(accepted):
            yield f"link {number}: {begin['type']} into {end['type']}"


def _overlaps(nodes: list[Json]) -> Iterator[str]:
    boxes = [(_name(node), _box(node)) for node in nodes]
    for index, (name, box) in enumerate(boxes):
        for other, second in boxes[:index]:
            if all(box[i] < second[i + 2] and second[i] < box[i + 2] for i in (0, 1)):
                yield f"{name} lies on {other}"


def _box(node: Json) -> tuple[float, float, float, float]:
    """Left, top, right, bottom; the title bar is 30 pixels above the position."""
    (x, y), (width, height) = node["pos"], node["size"]
    return x, y - 30, x + width, y + height


def _name(node: Json) -> str:
    return f"{node['type']} (node {node['id']})"
