"""What the pack's page asks of the server besides files."""

import json

from aiohttp import web
from server import PromptServer

from ..core.proposals import propose

PROPOSALS = "/concept_attention/proposals"
MOST_BYTES = 65_536  # of a request; a long prompt has a few thousand


def register() -> None:
    """Add the routes to the server that is starting; without one there is nothing to do."""
    server = getattr(PromptServer, "instance", None)
    if server is not None:
        server.routes.post(PROPOSALS)(proposals)


async def proposals(request: web.Request) -> web.Response:
    """The nouns of a prompt: {"prompt": text} to {"proposals": [{"text": ..., "style": ...}]}.

    Anything else is answered by status 400 and a sentence.
    """
    if request.content_length is None or request.content_length > MOST_BYTES:
        return _refused(f"The request must say its length, at most {MOST_BYTES:,} bytes.")
    try:
        given = json.loads(await request.read())
    except ValueError:  # bytes that are no text, or a text that is no JSON
        return _refused("The request is not JSON.")
    prompt = given.get("prompt") if isinstance(given, dict) else None
    if not isinstance(prompt, str):
        return _refused('The request must be {"prompt": "a text"}.')
    found = [{"text": each.text, "style": each.style} for each in propose(prompt)]
    return web.json_response({"proposals": found})


def _refused(sentence: str) -> web.Response:
    return web.Response(status=400, text=sentence)
