"""An answer goes over the wire: as usual in one piece, or as badly as its delivery says."""

from __future__ import annotations

import socket
import struct
import time
from typing import TYPE_CHECKING

from local.exchange.http_messages import Ending

if TYPE_CHECKING:
    from local.exchange.http_messages import Delivery

_CHUNK = 64 * 1024


def body_headers(delivery: Delivery, length: int) -> tuple[str, ...]:
    """Return the header lines that tell how long a body of so many bytes is."""
    if delivery.chunked:
        return ("Transfer-Encoding: chunked",)
    return (f"Content-Length: {length if delivery.told_length is None else delivery.told_length}",)


def deliver(connection: socket.socket, head: bytes, body: bytes, delivery: Delivery) -> bool:
    """Send an answer and return whether the connection may be used any longer. Raises OSError where the client left."""
    if delivery.raw is not None:
        connection.sendall(delivery.raw)
        return False
    sent = body if delivery.truncate is None else body[: delivery.truncate]
    whole = len(sent) == len(body)
    encoded = _in_chunks(sent, ends=whole) if delivery.chunked else sent
    if delivery.drip:
        connection.sendall(head)
        for position in range(len(encoded)):
            time.sleep(delivery.drip)
            connection.sendall(encoded[position : position + 1])
    else:
        # Head and body in one piece, or the client waits for the second packet.
        connection.sendall(head + encoded)
    if whole and delivery.told_length is None:
        return True
    if delivery.ending is Ending.RESET:
        reset(connection)
    elif delivery.ending is Ending.SILENT:
        wait_until_left(connection)
    return False


def reset(connection: socket.socket) -> None:
    """Let the end of a connection be a reset (RST) instead of an orderly one; it is for whoever serves it to close."""
    socket.socket.setsockopt(connection, socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def wait_until_left(connection: socket.socket) -> None:
    """Say nothing until the client has given up, or the listener stops."""
    while connection.recv(_CHUNK):
        pass


def _in_chunks(body: bytes, *, ends: bool) -> bytes:
    chunks = [body[start : start + _CHUNK] for start in range(0, len(body), _CHUNK)]
    encoded = b"".join(b"%X\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return encoded + b"0\r\n\r\n" if ends else encoded
