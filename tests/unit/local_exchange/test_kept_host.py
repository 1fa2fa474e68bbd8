from __future__ import annotations

import contextlib
import socket

import pytest

from local.exchange.kept_host import KeptHost, http
from local.exchange.listener import LOOPBACK

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


def talk(host: KeptHost, *sent: bytes, answers: list[bytes | None]) -> bytes:
    """Send bytes to a host that gives these answers in turn, and return all that it says."""
    listener = host.listener(lambda _request: answers.pop(0), None)
    with contextlib.closing(listener):
        listener.start()
        with socket.create_connection((LOOPBACK, listener.port), timeout=5) as connection:
            for part in sent:
                connection.sendall(part)
            connection.shutdown(socket.SHUT_WR)
            said = b""
            while data := connection.recv(1000):
                said += data
            return said


def test_whole_requests_are_answered_and_every_byte_is_kept() -> None:
    host = KeptHost("x.test")
    post = b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"
    unfinished = b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nhel"
    said = talk(host, GET + post[:20], post[20:], unfinished, answers=[http(200, b"a"), http(404)])
    assert said.count(b"HTTP/1.1 200") == said.count(b"HTTP/1.1 404") == 1
    assert host.requests == [GET, post]
    assert host.received == GET + post + unfinished
    assert host.connections == 1
    assert host.ended.acquire(timeout=5)


def test_it_hangs_up_where_there_is_no_answer() -> None:
    host = KeptHost("x.test")
    assert talk(host, GET, answers=[None]) == b""
    assert host.requests == [GET]


@pytest.mark.parametrize(("header", "given"), [("Authorization: NTLM TlRM", True), ("Accept: */*", False)])
def test_it_knows_whether_it_was_given_credentials(header: str, given: bool) -> None:
    host = KeptHost("x.test")
    talk(host, f"GET / HTTP/1.1\r\n{header}\r\n\r\n".encode(), answers=[http(200)])
    assert host.was_given_credentials is given
