"""A workflow file as the editor saves it -> the prompt that the host's /prompt accepts.

The editor keeps widget values as a bare list in the order of the node's widgets; the prompt wants
them by name, with links as [node id, output slot]. Node descriptions come from /object_info.
"""

from typing import Any

from .errors import HostError

_NOTES = ("Note", "MarkdownNote")
_WIDGETS = ("INT", "FLOAT", "STRING", "BOOLEAN", "COMBO")
_AFTER_GENERATE = ("fixed", "increment", "decrement", "randomize")
_BYPASSED = 4

Json = dict[str, Any]


def to_prompt(workflow: Json, object_info: Json) -> Json:
    """The prompt in API format.

    Raises HostError for what the pack's own workflows do not use (subgraphs, bypassed nodes), for
    unknown nodes, and for widget values that do not fit the node.
    """
    nodes = {node["id"]: node for node in workflow["nodes"] if node["type"] not in _NOTES}
    sources = {link[0]: (link[1], link[2]) for link in workflow["links"]}
    prompt = {}
    for node in nodes.values():
        if node["type"] == "Reroute":
            continue
        info = _description(node, object_info)
        inputs = widget_values(node, info)
        for slot in node.get("inputs", ()):
            if slot.get("link") is not None:
                inputs[slot["name"]] = list(_source(slot["link"], nodes, sources))
        prompt[str(node["id"])] = {
            "class_type": node["type"],
            "inputs": inputs,
            "_meta": {"title": node.get("title") or info.get("display_name") or node["type"]},
        }
    return prompt


def widget_values(node: Json, info: Json) -> Json:
    """The node's widget values by input name, in the order in which the editor lists widgets."""
    values = node.get("widgets_values") or []
    if isinstance(values, dict):
        return dict(values)
    named, place = {}, 0
    for name, options in _widgets(info):
        if place >= len(values):
            break  # saved before this input existed: the host takes its default
        named[name] = values[place]
        place += 1
        seedlike = options.get("control_after_generate") or name in ("seed", "noise_seed")
        if seedlike and place < len(values) and values[place] in _AFTER_GENERATE:
            place += 1
        if options.get("image_upload") and place < len(values) and values[place] == "image":
            place += 1  # the upload button is a widget too
    if place != len(values):
        raise HostError(
            f"{_name(node)}: the file has {len(values)} widget values, the node takes {place}."
        )
    return named


def _widgets(info: Json) -> list[tuple[str, Json]]:
    """The inputs that the editor draws as widgets, in its order."""
    order = info.get("input_order") or {k: list(v) for k, v in info["input"].items()}
    found = []
    for group in ("required", "optional"):
        for name in order.get(group, ()):
            kind, options = (*info["input"][group][name], {})[:2]
            drawn = isinstance(kind, list) or kind in _WIDGETS
            if drawn and not (options or {}).get("forceInput"):
                found.append((name, options or {}))
    return found


def _description(node: Json, object_info: Json) -> Json:
    if node.get("mode", 0) != 0:
        state = "bypassed" if node["mode"] == _BYPASSED else "muted"
        raise HostError(f"{_name(node)} is {state}: enable or remove it in the workflow file.")
    if node["type"] not in object_info:
        raise HostError(f"{_name(node)}: this ComfyUI has no such node.")
    return object_info[node["type"]]


def _source(link: int, nodes: Json, sources: Json) -> tuple[str, int]:
    """The node and output slot that a link comes from, looking through reroutes."""
    if link not in sources:
        raise HostError(f"The workflow file uses link {link}, which it does not list.")
    node_id, slot = sources[link]
    node = nodes.get(node_id, {})
    if node.get("type") == "Reroute":
        return _source(node["inputs"][0]["link"], nodes, sources)
    return str(node_id), slot


def _name(node: Json) -> str:
    return f"{node['type']} (node {node['id']})"
