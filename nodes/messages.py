"""Text shown on a node."""

from collections.abc import Iterable
from typing import Any

from server import PromptServer

from ._host import ui


def show_on_node(text: str, node_id: str | None) -> None:
    """Show text at the foot of a node; without an interface or a node there is nothing to do."""
    server = getattr(PromptServer, "instance", None)
    if server is not None and node_id is not None:
        server.send_progress_text(text, node_id, server.client_id)


def lines_on_node(lines: Iterable[str], hidden: Any) -> ui.PreviewText:
    """Show lines at the foot of a node, now and where its result is kept.

    lines: one or more. hidden: the node's, with its unique_id; None outside of a run.
    """
    # One of the editor's two ways to draw nodes joins the lines.
    *first, last = lines
    text = "\n".join([*(line if line[-1:] in ".:" else f"{line};" for line in first), last])
    if hidden is not None:
        show_on_node(text, hidden.unique_id)
    return ui.PreviewText(text)
