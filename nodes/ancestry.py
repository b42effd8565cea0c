"""What an input depends on in the workflow that is running: proof of where a result is from."""

from collections import deque
from collections.abc import Collection, Iterator
from typing import Any

import nodes as host_nodes
from comfy_execution.graph_utils import is_link

from ..core.errors import ConceptAttentionError
from .types import HandleType

Link = tuple[str, int]  # a node's id and the place of its output

# What may come between a sampler and its picture without another model having had a part in it.
_HARMLESS = {"IMAGE", "LATENT", "MASK", "VAE", "UPSCALE_MODEL", "INT", "FLOAT", "STRING", "BOOLEAN"}


class Ancestry:
    """The workflow upstream of one input. graph: the host's DynamicPrompt."""

    def __init__(self, graph: Any, node: str, name: str) -> None:
        self._graph = graph
        self._node = node
        self._name = name

    def includes(self, link: Link) -> bool:
        """Whether the input depends on that output."""
        return any(link == each for _, each in self._walk(()))

    def sampler(self, samplers: Collection[str]) -> str:
        """The one of these nodes whose result the input is, decoded or processed at the most.

        Raises ConceptAttentionError if there is none or several, or if a node between takes
        something with which it may have sampled too.
        """
        found: set[str] = set()
        doubtful: list[str] = []
        for consumer, (node, slot) in self._walk(samplers):
            if node in samplers:
                found.add(node)
            if consumer != self._node and self._kind(node, slot) not in _HARMLESS:
                doubtful.append(self._called(consumer))
        if doubtful:
            raise ConceptAttentionError(
                f"{self._name}: nothing proves which run made it: {doubtful[0]} may have sampled, "
                "and did not with the MODEL of this Attach Capture since the workflow was queued "
                "(or its result came from the cache). Connect the LATENT that comes out of the "
                "sampler in its place, or change the seed to sample anew."
            )
        if len(found) != 1:
            raise ConceptAttentionError(
                f"{self._name}: it comes from {len(found)} nodes that sampled with the MODEL of "
                "this Attach Capture. Connect the result of one sampler."
            )
        return found.pop()

    def _walk(self, ends: Collection[str]) -> Iterator[tuple[str, Link]]:
        """All links upstream with the node that each goes into; not what is behind the ends."""
        waiting, seen = deque([self._node]), {self._node}
        while waiting:
            consumer = waiting.popleft()
            for name, value in self._graph.get_node(consumer)["inputs"].items():
                if not is_link(value) or (consumer == self._node and name != self._name):
                    continue
                node, slot = value
                # Collect Capture on the way takes a handle, which no result depends on.
                if consumer != self._node and self._kind(node, slot) == HandleType.io_type:
                    continue
                yield consumer, (node, slot)
                if node not in seen and node not in ends and self._graph.has_node(node):
                    waiting.append(node)
                seen.add(node)

    def _kind(self, node: str, slot: int) -> str:
        """The type of an output; "" if the host does not know it."""
        host_class = host_nodes.NODE_CLASS_MAPPINGS.get(self._type(node))
        types = getattr(host_class, "RETURN_TYPES", ())
        return types[slot] if slot < len(types) and isinstance(types[slot], str) else ""

    def _type(self, node: str) -> str:
        return self._graph.get_node(node)["class_type"] if self._graph.has_node(node) else ""

    def _called(self, node: str) -> str:
        return f"{self._type(node)} (node {node})"
