"""Concept Attention: where, inside a diffusion transformer, each concept lives."""

from .nodes import NODES
from .nodes._host import ComfyExtension
from .nodes.routes import register

WEB_DIRECTORY = "./web"


class ConceptAttentionExtension(ComfyExtension):
    """Registers the nodes with the host."""

    async def on_load(self) -> None:
        """Called by the host once, before it opens its port."""
        register()

    async def get_node_list(self) -> list:
        """The pack's node classes."""
        return list(NODES)


async def comfy_entrypoint() -> ConceptAttentionExtension:
    """Called by the host once, at start."""
    return ConceptAttentionExtension()
