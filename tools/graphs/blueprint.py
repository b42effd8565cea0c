"""The subgraph blueprint: the whole chain beside a KSampler that is there, as one node."""

import uuid
from typing import Any

from .description import Json, slots
from .graph import PACK, Graph, Node

NAME = "Concept heatmaps"
_DESCRIPTION = (
    "Heatmaps of the words you name, for a picture that any sampler made: connect its model, "
    "CLIP, VAE and positive prompt and the finished picture; nothing of your workflow is "
    "rewired. Open it for the Heatmap Viewer."
)
_ALIASES = ["heatmap", "attention map", "DAAM", "saliency", "segmentation", "concept attention"]
_NAMESPACE = uuid.UUID("0d6f6f6c-5a0c-5f0e-8a67-6a2c3b1c9a55")
_INPUT, _OUTPUT = -10, -20  # the editor's names for a subgraph's two ends
_SIZE = [460, 760]
_PREVIEW = "$$canvas-image-preview"  # the editor's name for the pictures that a node shows


def build(object_info: Json, version: str) -> Json:
    """The content of the blueprint's file."""
    graph = Graph(NAME, object_info, version)
    words = graph.add("ConceptAttentionEncode")
    looked = graph.add("ConceptAttentionImage", {"concepts": words.out("concepts")})
    shown = graph.add("ConceptAttentionViewer", {"capture": looked.out("capture")}, height=860)
    sheet = graph.add("ConceptAttentionOverlay", {"heatmaps": shown.out("heatmaps")})
    preview = graph.add("PreviewImage", {"images": sheet.out("image")}, height=300)
    graph.column("Concepts", 400, words)
    graph.column("What the model sees", 320, looked)
    graph.column("Look", 480, shown)
    graph.column("Sheet", 320, sheet, preview)
    ends = {
        "model": [(looked, "model")],
        "clip": [(words, "clip")],
        "vae": [(looked, "vae")],
        "positive": [(looked, "conditioning")],
        "image": [(looked, "image"), (shown, "image"), (sheet, "image")],
    }
    results = {
        "overlay": (sheet, "image"),
        "heatmaps": (shown, "heatmaps"),
        "mask": (shown, "mask"),
        "capture": (looked, "capture"),
    }
    inside = _subgraph(graph.document(), ends, results)
    promoted = [
        [str(words.id), "concepts"],
        [str(shown.id), "concept"],
        [str(shown.id), "threshold"],
        [str(preview.id), _PREVIEW],
    ]
    return {
        "revision": 0,
        "last_node_id": 1,
        "last_link_id": 0,
        "nodes": [_instance(inside, promoted, version)],
        "links": [],
        "version": 0.4,
        "definitions": {"subgraphs": [inside]},
        "extra": {"BlueprintDescription": _DESCRIPTION, "BlueprintSearchAliases": _ALIASES},
    }


def _subgraph(
    document: Json,
    ends: dict[str, list[tuple[Node, str]]],
    results: dict[str, tuple[Node, str]],
) -> Json:
    nodes = {node["id"]: node for node in document["nodes"]}
    names = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")
    links = [dict(zip(names, link, strict=True)) for link in document["links"]]

    def link(origin: tuple[int, int], target: tuple[int, int], kind: str) -> int:
        links.append(dict(zip(names, (len(links) + 1, *origin, *target, kind), strict=True)))
        return len(links)

    entries, exits = [], []
    for place, (name, targets) in enumerate(ends.items()):
        found = []
        for node, wanted in targets:
            slot = [each.name for each in slots(node.info)].index(wanted)
            socket = nodes[node.id]["inputs"][slot]
            socket["link"] = link((_INPUT, place), (node.id, slot), socket["type"])
            found.append(socket)
        entries.append(_end(name, found[0]["type"], [socket["link"] for socket in found]))
    for place, (name, (node, wanted)) in enumerate(results.items()):
        slot = node.info["output_name"].index(wanted)
        socket = nodes[node.id]["outputs"][slot]
        made = link((node.id, slot), (_OUTPUT, place), socket["type"])
        socket["links"] = [*(socket["links"] or []), made]
        exits.append(_end(name, socket["type"], [made]))
    right = max(group["bounding"][0] + group["bounding"][2] for group in document["groups"])
    return {
        "id": str(uuid.uuid5(_NAMESPACE, NAME)),
        "version": 1,
        "state": {
            "lastGroupId": len(document["groups"]),
            "lastNodeId": document["last_node_id"],
            "lastLinkId": len(links),
            "lastRerouteId": 0,
        },
        "revision": 0,
        "config": {},
        "name": NAME,
        "category": "Concept Attention",
        "description": _DESCRIPTION,
        "inputNode": {"id": _INPUT, "bounding": [-220, 80, 120, 20 * len(entries) + 40]},
        "outputNode": {"id": _OUTPUT, "bounding": [right + 100, 80, 120, 20 * len(exits) + 40]},
        "inputs": entries,
        "outputs": exits,
        "widgets": [],
        "nodes": document["nodes"],
        "groups": document["groups"],
        "links": links,
        "extra": {"workflowRendererVersion": "LG"},
    }


def _end(name: str, kind: str, links: list[int]) -> Json:
    return {
        "id": str(uuid.uuid5(_NAMESPACE, f"{name} {links}")),
        "name": name,
        "type": kind,
        "linkIds": links,
    }


def _instance(inside: Json, promoted: list[list[str]], version: str) -> Json:
    def sockets(ends: list[Json], key: str, value: Any) -> list[Json]:
        return [{"name": end["name"], "type": end["type"], key: value} for end in ends]

    return {
        "id": 1,
        "type": inside["id"],
        "pos": [0, 0],
        "size": _SIZE,
        "flags": {},
        "order": 0,
        "mode": 0,
        "title": NAME,
        "inputs": sockets(inside["inputs"], "link", None),
        "outputs": sockets(inside["outputs"], "links", None),
        "properties": {"proxyWidgets": promoted, "cnr_id": PACK, "ver": version},
        "widgets_values": [],
    }
