"""Following a prompt through a stand-in for the host's HTTP and WebSocket interface."""

import contextlib
import json
import socket
import threading

import pytest

from hosting.client import Client
from hosting.errors import HostError


def frame(payload: bytes, code: int = 1, final: bool = True) -> bytes:
    """A server's WebSocket frame."""
    head = bytes([(0x80 if final else 0) | code])
    if len(payload) < 126:
        return head + bytes([len(payload)]) + payload
    return head + bytes([126]) + len(payload).to_bytes(2, "big") + payload


def message(kind: str, **data) -> bytes:
    return json.dumps({"type": kind, "data": data}).encode()


class StandIn:
    """Answers /prompt, /history and /ws as told; serves until the block ends."""

    def __init__(self, frames: list[bytes], history: dict, objection: dict | None = None):
        self.frames, self.history, self.objection = frames, history, objection
        self.received, self.queued = [], threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.client = Client(f"http://127.0.0.1:{self._socket.getsockname()[1]}", timeout=5.0)

    def __enter__(self):
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)

    def _serve(self):
        workers = []
        with contextlib.suppress(OSError):  # the listening socket is closed at the end
            while True:
                connection, _ = self._socket.accept()
                workers.append(threading.Thread(target=self._answer, args=(connection,)))
                workers[-1].start()
        for worker in workers:
            worker.join(5)

    def _answer(self, connection):
        with connection, connection.makefile("rb") as file:
            request = file.readline().decode()
            length = 0
            while (line := file.readline()) not in (b"\r\n", b""):
                if line.lower().startswith(b"content-length"):
                    length = int(line.split(b":")[1])
            if "/ws" in request:
                connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
                self.queued.wait(5)
                for part in self.frames:
                    connection.sendall(part)
                self.received.append(file.read())
            elif "/prompt" in request:
                self.received.append(json.loads(file.read(length)))
                refused = self.objection is not None
                _send(connection, 400 if refused else 200, self.objection or {"prompt_id": "p"})
                self.queued.set()
            else:
                _send(connection, 200, self.history)


def _send(connection, status, body):
    text = json.dumps(body).encode()
    head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(text)}\r\nConnection: close\r\n\r\n"
    connection.sendall(head.encode() + text)


def run(stand_in):
    events = []
    entry = stand_in.client.run({"1": {}}, {"nodes": []}, lambda *event: events.append(event))
    return entry, events


DONE = {"p": {"status": {"status_str": "success"}, "outputs": {}}}
END = frame(message("execution_success", prompt_id="p"))


def test_previews_arrive_whole_and_other_binary_messages_do_not():
    head = b"\0\0\0\1"
    frames = [
        frame(head + head + b"one", code=2),
        frame(b"\0\0\0\3" + head + b"a text on a node", code=2),
        frame(head + b"\0\0\0\2" + b"a PNG", code=2),
        frame(head, code=2, final=False),
        frame(head + b"two", code=0),
        END,
    ]
    pictures = []
    with StandIn(frames, DONE) as stand_in:
        stand_in.client.run({"1": {}}, None, lambda *event: None, pictures.append)
    assert pictures == [b"one", b"two"]


def test_events_of_our_prompt_arrive_and_others_do_not():
    long = "x" * 300
    frames = [
        frame(message("status", status={})),
        frame(message("progress", prompt_id="other", value=1)),
        frame(b"\x00\x01", code=2),  # a preview picture
        frame(b"hello", code=9),  # a ping
        frame(message("progress", prompt_id="p", node=long)[:40], final=False),
        frame(message("progress", prompt_id="p", node=long)[40:], code=0),
        END,
    ]
    with StandIn(frames, DONE) as stand_in:
        entry, events = run(stand_in)
    assert entry == DONE["p"]
    assert events == [
        ("progress", {"prompt_id": "p", "node": long}),
        ("execution_success", {"prompt_id": "p"}),
    ]
    body, pong = stand_in.received
    assert body["prompt"] == {"1": {}}
    assert body["extra_data"] == {"extra_pnginfo": {"workflow": {"nodes": []}}}
    mask, masked = pong[2:6], pong[6:]
    assert pong[:2] == bytes([0x8A, 0x80 | 5])
    assert bytes(byte ^ mask[i % 4] for i, byte in enumerate(masked)) == b"hello"


def test_a_node_that_fails_is_an_error_that_names_it():
    error = {
        "node_type": "ConceptAttentionEncode",
        "node_id": "4",
        "exception_message": "concepts: there is an empty entry\n",
    }
    failed = {"p": {"status": {"status_str": "error", "messages": [["execution_error", error]]}}}
    end = frame(message("execution_error", prompt_id="p"))
    with (
        StandIn([end], failed) as stand_in,
        pytest.raises(HostError, match=r"^ConceptAttentionEncode \(node 4\) failed: concepts: .*"),
    ):
        run(stand_in)


def test_an_interrupted_prompt_is_an_error():
    stopped = {"p": {"status": {"status_str": "error", "messages": []}}}
    end = frame(message("execution_interrupted", prompt_id="p"))
    with StandIn([end], stopped) as stand_in, pytest.raises(HostError, match="was interrupted"):
        run(stand_in)


def test_a_refused_prompt_is_an_error_with_every_objection():
    wrong = {"message": "Value not in list", "details": "sampler: 'x'"}
    objection = {
        "error": {"message": "Prompt outputs failed validation"},
        "node_errors": {"7": {"class_type": "KSampler", "errors": [wrong, wrong]}},
    }
    with StandIn([], {}, objection) as stand_in, pytest.raises(HostError) as caught:
        run(stand_in)
    line = "KSampler (node 7): Value not in list: sampler: 'x'"
    assert str(caught.value).splitlines() == ["Prompt outputs failed validation", line, line]
