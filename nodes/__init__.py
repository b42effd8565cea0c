"""What a user drags into a workflow: the list below is the table of contents."""

NODES: list = []
