from __future__ import annotations

import contextlib
import socket

import pytest

from local.exchange.delivering import body_headers, deliver
from local.exchange.http_messages import AS_USUAL, Delivery, Ending
from local.exchange.listener import LOOPBACK, Listener

HEAD = b"HTTP/1.1 200 OK\r\n\r\n"


def received(delivery: Delivery) -> tuple[bytes, str, list[bool]]:
    """Return what a client gets of an answer, how it ends for it, and whether the connection was to be kept."""
    kept: list[bool] = []

    def serve(connection: socket.socket) -> None:
        connection.recv(1)
        kept.append(deliver(connection, HEAD, b"0123456789", delivery))

    # Without TLS, under which a reset looks like any other end to a client in Python.
    listener = Listener(serve)
    with contextlib.closing(listener):
        listener.start()
        with socket.create_connection((LOOPBACK, listener.port), timeout=0.3) as connection:
            connection.sendall(b"x")
            said = b""
            try:
                while data := connection.recv(100):
                    said += data
            except OSError as error:
                return said, type(error).__name__, kept
            return said, "closed", kept


@pytest.mark.parametrize(
    ("ending", "end"),
    [(Ending.CLOSED, "closed"), (Ending.RESET, "ConnectionResetError"), (Ending.SILENT, "TimeoutError")],
)
@pytest.mark.parametrize("count", [0, 4])
def test_an_answer_breaks_off_as_it_is_told_to(ending: Ending, end: str, count: int) -> None:
    said, ended, kept = received(Delivery(truncate=count, ending=ending))
    assert (said, ended) == (HEAD + b"0123456789"[:count], end)
    assert not any(kept)


def test_an_answer_as_usual_is_whole_and_keeps_the_connection() -> None:
    assert received(AS_USUAL) == (HEAD + b"0123456789", "closed", [True])
    assert received(Delivery(drip=0.001)) == (HEAD + b"0123456789", "closed", [True])


def test_chunks_end_with_an_empty_one_unless_they_break_off() -> None:
    assert received(Delivery(chunked=True))[0] == HEAD + b"A\r\n0123456789\r\n0\r\n\r\n"
    assert received(Delivery(chunked=True, truncate=3))[0] == HEAD + b"3\r\n012\r\n"


def test_the_length_is_told_as_it_is_unless_another_is_to_be() -> None:
    assert body_headers(AS_USUAL, 7) == ("Content-Length: 7",)
    assert body_headers(Delivery(told_length="many"), 7) == ("Content-Length: many",)
    assert body_headers(Delivery(chunked=True), 7) == ("Transfer-Encoding: chunked",)
