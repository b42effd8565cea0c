"""The host's HTTP interface: queue a workflow, follow it, fetch what it made."""

import json
import struct
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

from .errors import HostError
from .websocket import WebSocket

Event = Callable[[str, dict[str, Any]], None]
Preview = Callable[[bytes], None]
_PREVIEW, _JPEG = 1, 1  # kind of a binary message, and of the picture in it
_ENDS = ("execution_success", "execution_error", "execution_interrupted")


class Client:
    """Talks to the server at `url`."""

    def __init__(self, url: str, timeout: float = 600.0):
        self.url, self.timeout = url, timeout

    def fetch(self, path: str) -> bytes:
        """The body of a GET request."""
        with urllib.request.urlopen(self.url + path, timeout=30) as answer:
            return answer.read()

    def get(self, path: str) -> Any:
        """The JSON answer to a GET request."""
        return json.loads(self.fetch(path))

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """The JSON answer to a POST request; None if the answer is empty."""
        request = urllib.request.Request(
            self.url + path,
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def object_info(self) -> dict[str, Any]:
        """Every node's description."""
        return self.get("/object_info")

    def pack_nodes(self) -> dict[str, Any]:
        """The descriptions of this pack's nodes, by node id."""
        info = self.object_info()
        return {name: info[name] for name in sorted(info) if name.startswith("ConceptAttention")}

    def view(self, record: dict[str, str]) -> bytes:
        """The bytes of a file that a node reported (filename, subfolder, type)."""
        return self.fetch("/view?" + urlencode(record))

    def queue(
        self, prompt: dict[str, Any], workflow: dict[str, Any] | None = None, client_id: str = ""
    ) -> str:
        """Queue a prompt in API format; its id. Raises HostError with the host's objections."""
        body: dict[str, Any] = {"prompt": prompt, "client_id": client_id or uuid.uuid4().hex}
        if workflow is not None:  # the host then writes it into the pictures that it saves
            body["extra_data"] = {"extra_pnginfo": {"workflow": workflow}}
        try:
            return self.post("/prompt", body)["prompt_id"]
        except urllib.error.HTTPError as error:
            raise HostError(_objections(error.read())) from error

    def wait(self, prompt_id: str) -> dict[str, Any]:
        """The history entry of a prompt, once it ended; raises HostError if it failed."""
        deadline = time.monotonic() + self.timeout
        while time.monotonic() < deadline:
            entry = self.get(f"/history/{quote(prompt_id)}").get(prompt_id)
            if entry is not None:
                _require_success(entry)
                return entry
            time.sleep(0.1)
        raise HostError(f"The workflow did not end within {self.timeout:.0f} s.")

    def run(
        self,
        prompt: dict[str, Any],
        workflow: dict[str, Any] | None,
        on_event: Event,
        on_preview: Preview = lambda picture: None,
    ) -> dict[str, Any]:
        """Queue, call `on_event(kind, data)` for every message about it, and wait for its end.

        on_preview: is called with every preview, a JPEG file. The host sends those of whatever
        workflow runs, so no other one may be running.
        Raises HostError if the prompt is refused, fails, takes too long, or the server goes away.
        """
        client_id = uuid.uuid4().hex
        listener = WebSocket(f"{self.url}/ws?clientId={client_id}", timeout=self.timeout)
        try:
            prompt_id = self.queue(prompt, workflow, client_id)
            self._follow(listener, prompt_id, on_event, on_preview)
            return self.wait(prompt_id)
        except TimeoutError as error:
            raise HostError(f"ComfyUI said nothing for {self.timeout:.0f} s.") from error
        except (ConnectionError, urllib.error.URLError) as error:
            raise HostError(f"ComfyUI ended while it worked ({error}).") from error
        finally:
            listener.close()

    @staticmethod
    def _follow(listener: WebSocket, prompt_id: str, on_event: Event, on_preview: Preview) -> None:
        while (received := listener.receive()) is not None:
            if isinstance(received, bytes):
                if received[:8] == struct.pack(">II", _PREVIEW, _JPEG):
                    on_preview(received[8:])
                continue
            message = json.loads(received)
            data = message.get("data", {})
            if data.get("prompt_id") != prompt_id:
                continue
            on_event(message["type"], data)
            if message["type"] in _ENDS:
                return


def _require_success(entry: dict[str, Any]) -> None:
    status = entry.get("status", {})
    if status.get("status_str") == "success":
        return
    for kind, data in status.get("messages", ()):
        if kind == "execution_error":
            raise HostError(
                f"{data.get('node_type')} (node {data.get('node_id')}) failed: "
                f"{str(data.get('exception_message')).strip()}"
            )
    raise HostError("The workflow was interrupted.")


def _objections(body: bytes) -> str:
    """The host's validation answer as text, one line per objection."""
    try:
        answer = json.loads(body)
    except ValueError:
        return f"ComfyUI refused the workflow: {body.decode(errors='replace')[:500]}"
    lines = [str(answer.get("error", {}).get("message", "ComfyUI refused the workflow"))]
    for node_id, found in (answer.get("node_errors") or {}).items():
        for error in found.get("errors", ()):
            place = f"{found.get('class_type')} (node {node_id})"
            lines.append(f"{place}: {error.get('message')}: {error.get('details')}")
    return "\n".join(lines)
