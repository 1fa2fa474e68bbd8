from __future__ import annotations

import contextlib
import socket
import ssl
import time
from typing import TYPE_CHECKING

import pytest

from local.exchange.certificates import CertificateAuthority
from local.exchange.listener import LOOPBACK, ConnectionFault, Listener

if TYPE_CHECKING:
    from collections.abc import Iterator

AUTHORITY = CertificateAuthority("Test CA")
NAME = "mail.example.com"


@pytest.fixture
def listener() -> Iterator[Listener]:
    def serve(connection: socket.socket) -> None:
        connection.sendall(b"served")

    made = Listener(serve, AUTHORITY.issue(NAME).server_context())
    with contextlib.closing(made):
        made.start()
        yield made


def said(listener: Listener) -> bytes:
    """Return what is said over TLS to whoever connects."""
    context = ssl.create_default_context(cadata=AUTHORITY.pem)
    with (
        socket.create_connection((LOOPBACK, listener.port), timeout=0.5) as plain,
        context.wrap_socket(plain, server_hostname=NAME) as secure,
    ):
        return secure.recv(100)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (ConnectionFault.RESET, ConnectionResetError),
        (ConnectionFault.RESET_IN_HANDSHAKE, ConnectionResetError),
        (ConnectionFault.CLOSED, (ssl.SSLEOFError, ConnectionResetError)),
        (ConnectionFault.SILENT, TimeoutError),
        (ConnectionFault.NO_TLS, ssl.SSLError),
    ],
)
def test_new_connections_fail_until_the_fault_is_taken_back(
    listener: Listener, fault: ConnectionFault, error: type[OSError] | tuple[type[OSError], ...]
) -> None:
    assert said(listener) == b"served"
    listener.fault = fault
    for _ in range(2):
        with pytest.raises(error):
            said(listener)
    listener.fault = None
    assert said(listener) == b"served"


def test_it_may_hesitate_before_it_shakes_hands(listener: Listener) -> None:
    listener.hesitation = 0.2
    begun = time.monotonic()
    assert said(listener) == b"served"
    assert time.monotonic() - begun >= 0.2
    listener.hesitation = 0.8
    with pytest.raises(TimeoutError):
        said(listener)


def test_another_certificate_is_shown_from_the_next_connection_on(listener: Listener) -> None:
    listener.tls = CertificateAuthority("Another CA").issue(NAME).server_context()
    with pytest.raises(ssl.SSLCertVerificationError):
        said(listener)


def test_a_silent_connection_does_not_hold_up_the_end(listener: Listener) -> None:
    listener.fault = ConnectionFault.SILENT
    with socket.create_connection((LOOPBACK, listener.port), timeout=5) as waiting:
        begun = time.monotonic()
        listener.stop()
        assert time.monotonic() - begun < 3
        with contextlib.suppress(ConnectionResetError):  # of one that was not even taken yet
            assert waiting.recv(1) == b""
