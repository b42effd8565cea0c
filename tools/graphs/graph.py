"""Builds a workflow file in the form in which the editor (front end 1.47) saves it.

Node descriptions come from /object_info, so a node's sockets, widgets and defaults are the host's
own. Nodes are laid out in columns: each column is a titled group with its nodes below each other.
"""

import itertools
import uuid
from dataclasses import dataclass, field
from typing import Any

from . import measures
from .description import Input, Json, inputs, slots

FRONTEND = "1.47.12"
PACK, HOST = "concept-attention", "comfy-core"
HOST_VERSION = "0.30.0"

_COLUMN_GAP, _PADDING, _GROUP_TITLE = 60, 20, 50  # pixels at zoom 1
_SCREEN = 1700  # pixels
_GROUP_COLOR = "#3f789e"
_OPTIONAL = 7  # the socket shape of an optional input
_NAMESPACE = uuid.UUID("6c1b8f0e-3f0a-5a3c-9d0e-5f7c5b1f8a11")


@dataclass(frozen=True)
class Output:
    """One output socket of a node."""

    node: "Node"
    slot: int


@dataclass(eq=False)
class Node:
    """A node being placed; `info` is its description from /object_info."""

    id: int
    type: str
    info: Json
    inputs: Json
    title: str | None
    height: int | None
    models: list[Json]
    advanced: bool
    pos: list[int] = field(default_factory=lambda: [0, 0])
    size: list[int] = field(default_factory=lambda: [0, 0])

    @property
    def ours(self) -> bool:
        """Whether it is one of this pack's nodes."""
        return self.type.startswith("ConceptAttention")

    def out(self, name: str) -> Output:
        """The output with that name; ValueError if there is none."""
        return Output(self, self.info["output_name"].index(name))


class Graph:
    """A workflow in the making."""

    def __init__(self, name: str, object_info: Json, version: str):
        self._name, self._object_info, self._version = name, object_info, version
        self._nodes: list[Node] = []
        self._notes: list[Json] = []
        self._groups: list[Json] = []
        self._ids = itertools.count(1)
        self._x = 0

    def add(
        self,
        type_: str,
        values: Json | None = None,
        *,
        title: str | None = None,
        height: int | None = None,
        models: tuple[Json, ...] = (),
        advanced: bool = False,
    ) -> Node:
        """A new node. values: a value for a widget, an Output for a link; the rest are defaults.
        advanced: Nodes 2.0 shows its advanced inputs, as LiteGraph always does.

        Raises KeyError for a node that the host lacks or an input that the node lacks.
        """
        info = self._object_info[type_]
        values = values or {}
        if unknown := set(values) - {each.name for each in inputs(info)}:
            raise KeyError(f"{type_} has no input {', '.join(sorted(unknown))}")
        node = Node(next(self._ids), type_, info, values, title, height, list(models), advanced)
        self._nodes.append(node)
        return node

    def column(self, title: str, width: int, *nodes: Node, note: str = "") -> None:
        """Place nodes, and under them a note, below each other in a group right of the last one."""
        y, left = _GROUP_TITLE + measures.TITLE, self._x + _PADDING
        for node in nodes:
            height = node.height or measures.height(node.type, node.info)
            node.pos, node.size = [left, y], [width, height]
            y += height + measures.BETWEEN
            y += measures.taller(node.info, node.advanced) if node.ours else 0
        if note:
            size = [width, measures.note_height(note, width)]
            self._notes.append(self._note(note, [left, y], size))
            y += size[1] + measures.BETWEEN
        bottom = y - measures.BETWEEN + _PADDING
        bounding = [self._x, 0, width + 2 * _PADDING, bottom]
        self._groups.append(
            {
                "id": len(self._groups) + 1,
                "title": title,
                "bounding": bounding,
                "color": _GROUP_COLOR,
                "flags": {},
            }
        )
        self._x += bounding[2] + _COLUMN_GAP

    def document(self) -> Json:
        """The file's content."""
        links, targets = self._links()
        nodes = [_saved(node, links, targets, self._version) for node in self._nodes]
        nodes += self._notes
        for order, node in enumerate(nodes):
            node["order"] = order
        return {
            "id": str(uuid.uuid5(_NAMESPACE, self._name)),
            "revision": 0,
            "last_node_id": max(node["id"] for node in nodes),
            "last_link_id": len(links),
            "nodes": nodes,
            "links": links,
            "groups": self._groups,
            "config": {},
            "extra": {
                "ds": {"scale": self._scale(), "offset": [100, 120]},
                "frontendVersion": FRONTEND,
                "workflowRendererVersion": "LG",
            },
            "version": 0.4,
        }

    def _scale(self) -> float:
        """A zoom at which all columns are on a screen of usual width."""
        return round(min(0.7, _SCREEN / self._x), 2)

    def _links(self) -> tuple[list[list[Any]], dict[tuple[int, str], int]]:
        """All links as the file lists them, and the link of each linked input."""
        links, targets = [], {}
        for node in self._nodes:
            for slot, each in enumerate(slots(node.info)):
                source = node.inputs.get(each.name)
                if isinstance(source, Output):
                    kind = source.node.info["output"][source.slot]
                    links.append([len(links) + 1, source.node.id, source.slot, node.id, slot, kind])
                    targets[node.id, each.name] = len(links)
        return links, targets

    def _note(self, text: str, pos: list[int], size: list[int]) -> Json:
        return {
            "id": next(self._ids),
            "type": "MarkdownNote",
            "pos": pos,
            "size": size,
            "flags": {},
            "mode": 0,
            "inputs": [],
            "outputs": [],
            "title": "About this workflow",
            "properties": {},
            "widgets_values": [text],
            "color": "#432",
            "bgcolor": "#653",
        }


def _saved(
    node: Node, links: list[list[Any]], targets: dict[tuple[int, str], int], version: str
) -> Json:
    properties: Json = {
        "Node name for S&R": node.type,
        "cnr_id": PACK if node.ours else HOST,
        "ver": version if node.ours else HOST_VERSION,
    }
    if node.models:
        properties["models"] = node.models
    saved: Json = {
        "id": node.id,
        "type": node.type,
        "pos": node.pos,
        "size": node.size,
        "flags": {},
        "mode": 0,
        "inputs": [_socket(each, targets.get((node.id, each.name))) for each in slots(node.info)],
        "outputs": [
            {
                "name": name,
                "type": kind,
                "links": [link[0] for link in links if link[1:3] == [node.id, slot]] or None,
            }
            for slot, (name, kind) in enumerate(
                zip(node.info["output_name"], node.info["output"], strict=True)
            )
        ],
        "properties": properties,
        "widgets_values": _values(node),
    }
    saved |= {"showAdvanced": True} if node.advanced else {}
    return saved | ({"title": node.title} if node.title else {})


def _socket(each: Input, link: int | None) -> Json:
    socket: Json = {"name": each.name, "type": each.kind}
    if each.optional:
        socket["shape"] = _OPTIONAL
    if each.widget:
        socket["widget"] = {"name": each.name}
    return socket | {"link": link}


def _values(node: Node) -> list[Any]:
    """Widget values as the file lists them; a seed is followed by what to do after a run."""
    values = []
    for each in inputs(node.info):
        if not each.widget:
            continue
        value = node.inputs.get(each.name, each.default)
        values.append(each.default if isinstance(value, Output) else value)
        if each.seed:
            values.append("fixed")  # queueing again then decodes again without sampling again
    return values
