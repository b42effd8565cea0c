"""A receive-only WebSocket (RFC 6455), enough for the host's progress messages."""

import base64
import os
import socket
import struct
from urllib.parse import urlsplit

from .errors import HostError

_CONTINUATION, _TEXT, _BINARY, _CLOSE, _PING, _PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA


class WebSocket:
    """Connect to `url` (http://host:port/path) and read its messages."""

    def __init__(self, url: str, timeout: float):
        parts = urlsplit(url)
        address = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._socket = socket.create_connection(address, timeout=timeout)
        self._file = self._socket.makefile("rb")
        key = base64.b64encode(os.urandom(16)).decode()
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        lines = [f"GET {target} HTTP/1.1", f"Host: {address[0]}:{address[1]}"]
        lines += ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"]
        lines += [f"Sec-WebSocket-Key: {key}", "", ""]
        self._socket.sendall("\r\n".join(lines).encode())
        status = self._file.readline().decode(errors="replace").strip()
        while self._file.readline() not in (b"\r\n", b""):
            pass
        if " 101 " not in f"{status} ":
            self.close()
            raise HostError(f"ComfyUI refused the progress connection: {status or 'no answer'}.")

    def close(self) -> None:
        """Close the connection."""
        self._file.close()
        self._socket.close()

    def receive(self) -> str | bytes | None:
        """The next message, text or binary; None when the server closed.

        Raises TimeoutError if none comes in time.
        """
        message, kind = bytearray(), _TEXT
        while True:
            final, code, payload = self._frame()
            if code in (None, _CLOSE):
                return None
            if code == _PING:
                self._send_pong(payload)
            elif code != _PONG:
                if code != _CONTINUATION:
                    message, kind = bytearray(), code
                message += payload
                if final and kind == _TEXT:
                    return message.decode()
                if final and kind == _BINARY:
                    return bytes(message)

    def _frame(self) -> tuple[bool, int | None, bytes]:
        head = self._file.read(2)
        if len(head) < 2:
            return True, None, b""
        length = head[1] & 0x7F
        if length == 126:
            (length,) = struct.unpack(">H", self._file.read(2))
        elif length == 127:
            (length,) = struct.unpack(">Q", self._file.read(8))
        return bool(head[0] & 0x80), head[0] & 0x0F, self._file.read(length)

    def _send_pong(self, payload: bytes) -> None:
        mask = os.urandom(4)  # a client must mask what it sends
        masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
        head = bytes([0x80 | _PONG, 0x80 | len(payload)])
        self._socket.sendall(head + mask + masked)
