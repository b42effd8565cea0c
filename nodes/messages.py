"""Text shown on a node."""

from collections.abc import Iterable

from server import PromptServer

from ._host import ui


def show_on_node(text: str, node_id: str | None) -> None:
    """Show text at the foot of a node for a while, as while it runs; without an interface or a node
    there is nothing to do.
    """
    server = getattr(PromptServer, "instance", None)
    if server is not None and node_id is not None:
        server.send_progress_text(text, node_id, server.client_id)


def lines_on_node(lines: Iterable[str]) -> ui.PreviewText:
    """A result in words: the pack's page (web/result) shows it at the node's foot, and of none
    nothing.
    """
    return ui.PreviewText("\n".join(lines))
