"""Hosts on loopback that answer as they are told, correctly or not, and keep every byte that they are sent."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from local.exchange.listener import Listener

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Iterator

Respond = Callable[[bytes], bytes | None]
"""Takes a whole request and returns the whole answer, or None to hang up."""
_SOME = 65536


def http(status: int, body: bytes = b"", **headers: str) -> bytes:
    """Return an HTTP answer; header names are written with underscores."""
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@dataclass
class KeptHost:
    """A host, what it received (decrypted), and how often it was connected to; `ended` counts those that are over."""

    name: str
    received: bytearray = field(default_factory=bytearray)
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    ended: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    @property
    def was_given_credentials(self) -> bool:
        """Whether anything came that only an account's owner sends."""
        return b"authorization" in self.received.lower()

    def listener(self, respond: Respond, tls: ssl.SSLContext | None) -> Listener:
        """Return a listener, still to be started, that gives every whole request to `respond`; plain without `tls`."""

        def serve(connection: socket.socket) -> None:
            self.connections += 1
            try:
                for request in _requests(connection, self.received):
                    self.requests.append(request)
                    answer = respond(request)
                    if answer is None:
                        return
                    connection.sendall(answer)
            finally:
                self.ended.release()

        return Listener(serve, tls)


def _requests(connection: socket.socket, received: bytearray) -> Iterator[bytes]:
    """Yield whole requests; `received` gets every byte, also of a request that is never finished."""
    pending = b""
    while True:
        while b"\r\n\r\n" not in pending:
            data = connection.recv(_SOME)
            if not data:
                return
            received += data
            pending += data
        head, _, rest = pending.partition(b"\r\n\r\n")
        length = next(
            (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
        )
        while len(rest) < length:
            data = connection.recv(_SOME)
            if not data:
                return
            received += data
            rest += data
        yield head + b"\r\n\r\n" + rest[:length]
        pending = rest[length:]
