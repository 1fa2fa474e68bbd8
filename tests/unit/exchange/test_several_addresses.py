"""A host name with several addresses: the next one is tried when one refuses, hangs, or falls silent."""

from __future__ import annotations

import math
import socket
import ssl
import time
from collections.abc import Callable, Iterator

import pytest

from exchange.tls.connections import TlsClient
from exchange.web.hosts import HostPort
from exchange.web.network import Network
from exchange.web.network_settings import NetworkSettings
from exchange.web.sockets import Allowance, Timeouts, open_plain
from local.exchange.certificates import CertificateAuthority
from local.exchange.listener import ClosedPort, Listener
from presence.errors import ProblemError

HOST = HostPort("mail.example.com", 443)
AUTHORITY = CertificateAuthority("Test CA")
CONNECT_TIMEOUT = 0.8


class Addresses(Network):
    """A network in which the host has these ports of loopback as its addresses."""

    def __init__(self, *ports: int) -> None:
        super().__init__(NetworkSettings(allow_loopback=True))
        self._ports = ports

    def addresses(self, wanted: HostPort, at_most: float = math.inf) -> tuple[HostPort, ...]:  # noqa: ARG002
        """Return the addresses, whatever is asked for."""
        assert wanted == HOST
        return tuple(HostPort("127.0.0.1", port) for port in self._ports)


@pytest.fixture
def good() -> Iterator[int]:
    yield from listening(lambda connection: connection.recv(1), AUTHORITY.issue(HOST.host).server_context())


@pytest.fixture
def stranger() -> Iterator[int]:
    yield from listening(lambda connection: connection.recv(1), AUTHORITY.issue("other.test").server_context())


@pytest.fixture
def silent() -> Iterator[int]:
    """Yield the port of a server that takes connections and never says a word."""

    def wait(connection: socket.socket) -> None:
        while connection.recv(65536):
            pass

    yield from listening(wait)


@pytest.fixture
def hanging_up() -> Iterator[int]:
    yield from listening(lambda connection: connection.recv(1))


@pytest.fixture
def refusing() -> Iterator[int]:
    closed = ClosedPort()
    yield closed.port
    closed.close()


@pytest.fixture
def hanging() -> Iterator[int]:
    """Yield a port where connecting takes for ever: Linux answers no SYN when the queue of connections is full."""
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for each in (first, second):
            each.settimeout(0)
            each.connect_ex(full.getsockname())
        yield full.getsockname()[1]


def listening(serve: Callable[[socket.socket], object], tls: ssl.SSLContext | None = None) -> Iterator[int]:
    listener = Listener(lambda connection: (serve(connection), None)[1], tls)
    listener.start()
    yield listener.port
    listener.close()


def allowance(connect: float = CONNECT_TIMEOUT) -> Allowance:
    allowed = Allowance(Timeouts(connect, 5.0))
    allowed.begin(HOST.host, 10_000)
    return allowed


def connected_to(*ports: int, connect: float = CONNECT_TIMEOUT) -> int:
    """Return the port to which a verified connection was made in the time of one connection."""
    began = time.monotonic()
    with TlsClient(AUTHORITY.pem).open(Addresses(*ports), HOST, allowance(connect)) as connection:
        assert time.monotonic() - began < connect
        port: int = connection.getpeername()[1]
        return port


@pytest.mark.parametrize("first", ["refusing", "hanging", "silent", "hanging_up"])
def test_the_next_address_is_tried_in_the_time_of_one_connection(
    request: pytest.FixtureRequest, first: str, good: int
) -> None:
    bad: int = request.getfixturevalue(first)

    assert connected_to(bad, good) == good
    assert connected_to(bad, bad, good) == good


def test_one_address_has_all_the_time_of_a_connection(hanging: int) -> None:
    began = time.monotonic()
    with pytest.raises(ProblemError, match=r"no connection to .* in time"):
        open_plain(Addresses(hanging), HOST, allowance(0.3))
    assert 0.3 <= time.monotonic() - began < 0.6


def test_a_certificate_that_is_not_accepted_is_told_and_not_got_round(stranger: int, good: int) -> None:
    with pytest.raises(ProblemError) as caught:
        connected_to(stranger, good)
    assert caught.value.problem.code == "CertificateInvalid"


def test_when_no_address_answers_the_last_one_s_reason_is_told(silent: int, refusing: int) -> None:
    with pytest.raises(ProblemError) as caught:
        connected_to(silent, refusing)
    assert caught.value.problem.code == "HostUnreachable"
    with pytest.raises(ProblemError) as caught:
        connected_to(refusing, silent, connect=0.2)
    assert caught.value.problem.code == "TlsFailed"
