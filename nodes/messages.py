"""Text shown on a node while its workflow runs."""

from server import PromptServer


def show_on_node(text: str, node_id: str | None) -> None:
    """Show text at the foot of a node; without an interface or a node there is nothing to do."""
    server = getattr(PromptServer, "instance", None)
    if server is not None and node_id is not None:
        server.send_progress_text(text, node_id, server.client_id)
