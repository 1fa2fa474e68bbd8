"""TLS itself: what is spoken, what is permitted, how a handshake breaks off, and what a second look sends: nothing."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from exchange.tls.certificates import SeenCertificate, Verdict
from exchange.tls.connections import TlsClient
from exchange.tls.contexts import client_context
from exchange.tls.options import TlsOptions, TlsVersion
from exchange.web.bounded_http import WebClient
from exchange.web.network import Network
from exchange.web.sockets import Timeouts
from local.exchange.certificates import HostCertificate, Shape
from local.exchange.kept_host import http
from local.exchange.listener import Listener
from presence.calendar import CalendarReading
from presence.errors import Problem, ProblemError, ProblemKind
from tests.unit.exchange.certified_hosts import ALICE, HOST, ROOT, STRANGER, WINDOW, read_from, refused
from tests.unit.exchange.hosts import Net


def old(certificate: HostCertificate, newest: ssl.TLSVersion) -> ssl.SSLContext:
    """Return the context of a server that speaks nothing newer."""
    context = certificate.server_context(ciphers="DEFAULT@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = newest
    return context


@pytest.mark.parametrize("newest", ["TLSv1", "TLSv1_1"])
def test_old_tls_is_refused_in_words_and_spoken_where_the_gateway_asks_for_it(net: Net, newest: str) -> None:
    version = ssl.TLSVersion[newest]
    permitted: dict[str, Any] = {"oldest_tls": {"TLSv1": "1.0", "TLSv1_1": "1.1"}[newest], "security_level": 0}

    found = read_from(net, old(ROOT.issue(HOST), version))
    problem = refused(found, "TlsTooWeak")
    accepted = read_from(net, old(ROOT.issue(HOST), version), **permitted)
    other = read_from(net, old(ROOT.issue("owa.example.com"), version), **permitted)

    assert "it speaks no version of TLS that is new enough" in problem.text
    assert "oldest_tls" in problem.remedy
    assert [seen.verdict for seen in found.seen] == [Verdict.FAILED]
    assert isinstance(accepted.result, CalendarReading)
    assert "SAN mismatch" in refused(other).text


def test_of_a_pool_the_next_host_is_read_where_the_first_speaks_old_tls_only(net: Net) -> None:
    net.host("old.example.com", lambda _request: None, tls=old(ROOT.issue("old.example.com"), ssl.TLSVersion.TLSv1))

    found = read_from(net, ROOT.issue(HOST), hosts=["old.example.com", HOST])

    assert isinstance(found.result, CalendarReading)
    assert [seen.verdict for seen in found.seen] == [Verdict.FAILED, Verdict.VERIFIED]


def test_an_autodiscover_service_that_speaks_old_tls_only_is_the_cause_that_is_named(net: Net) -> None:
    service = "autodiscover.example.com"
    net.silent("example.com")
    net.silent(service, 80)
    net.host(service, lambda _request: None, tls=old(net.authority.issue(service), ssl.TLSVersion.TLSv1))

    problem = net.reader().resolve(ALICE).problem

    assert problem is not None
    assert problem.code == "TlsTooWeak"
    assert service in problem.text


def test_tls_1_0_is_not_spoken_by_a_gateway_that_permits_1_1(net: Net) -> None:
    found = read_from(net, old(ROOT.issue(HOST), ssl.TLSVersion.TLSv1), oldest_tls="1.1", security_level=0)

    refused(found, "TlsTooWeak")


def test_a_server_without_a_strong_cipher_is_named_as_such(net: Net) -> None:
    weak = ROOT.issue(HOST, shape=Shape(rsa_bits=2048)).server_context(ciphers="AES128-SHA@SECLEVEL=0")
    weak.maximum_version = ssl.TLSVersion.TLSv1_2

    problem = refused(read_from(net, weak), "TlsTooWeak")

    assert "no cipher, key or signature that is strong enough" in problem.text
    assert isinstance(read_from(net, weak, security_level=1).result, CalendarReading)


def close(_connection: socket.socket) -> None:
    """Hang up at once, which resets the connection."""


def listen_and_close(connection: socket.socket) -> None:
    """Take the client's first words and hang up."""
    connection.recv(65536)


def wait(connection: socket.socket) -> None:
    """Take the client's first words and say nothing."""
    while connection.recv(65536):
        pass


def speak_http(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(http(400))


@pytest.mark.parametrize(
    ("serve", "verdict", "words"),
    [
        (close, Verdict.NETWORK_ERROR, "the connection was lost during the handshake"),
        (listen_and_close, Verdict.NETWORK_ERROR, "the connection was lost during the handshake"),
        (wait, Verdict.NETWORK_ERROR, "the handshake took too long"),
        (speak_http, Verdict.FAILED, "wrong version number"),
    ],
)
def test_a_handshake_that_breaks_off_is_a_network_error_or_failed(
    net: Net, serve: Callable[[socket.socket], None], verdict: Verdict, words: str
) -> None:
    net.listen(HOST, 443, Listener(serve))
    seen: list[SeenCertificate] = []
    reader = net.reader({"kind": "ews", "hosts": [HOST], "ca": ROOT.pem}, watch=seen.append)

    result = reader.read_calendars([ALICE], WINDOW)[ALICE]

    assert isinstance(result, Problem)
    assert (result.code, result.kind) == ("TlsFailed", ProblemKind.PASSING)
    assert f"no TLS connection to {HOST}: {verdict}, {words}" in result.text
    assert [each.verdict for each in seen] == [verdict]


def exceptions() -> list[TlsOptions]:
    """Return every combination of what a gateway may permit."""
    levels = [(version, level) for version in TlsVersion for level in (2, 1, 0)]
    return [
        TlsOptions(by_common_name, strict, version, level)
        for by_common_name in (False, True)
        for strict in (False, True)
        for version, level in levels
        if level == 0 or version is TlsVersion.TLS_1_2
    ]


@pytest.mark.parametrize("options", exceptions(), ids=repr)
def test_whatever_is_permitted_chain_and_name_are_verified(net: Net, options: TlsOptions) -> None:
    """And no cipher does without a certificate or without encryption."""
    context = client_context(ROOT.pem, options)
    others = {"other.test": ROOT.issue("owa.example.com"), "stranger.test": STRANGER.issue("stranger.test")}

    assert (context.check_hostname, context.verify_mode) == (True, ssl.CERT_REQUIRED)
    assert not [name for name in (each["name"] for each in context.get_ciphers()) if re.match("ADH|AECDH|NULL", name)]
    for name, certificate in others.items():
        server = net.host(name, lambda _request: http(200), tls=certificate.server_context())
        with (
            WebClient(Network(net.document().network), TlsClient(ROOT.pem, options), Timeouts(1.0, 1.0)) as web,
            pytest.raises(ProblemError) as caught,
        ):
            web.send("GET", f"https://{name}/", limit=1000)
        assert caught.value.problem.code == "CertificateInvalid"
        assert server.ended.acquire(timeout=5)
        assert server.connections == 1
        assert server.received == b""


def test_a_second_look_that_fails_leaves_the_fault_as_it_was(net: Net) -> None:
    context = STRANGER.issue(HOST).server_context()
    connections: list[socket.socket] = []

    def serve(connection: socket.socket) -> None:
        connections.append(connection)
        if len(connections) == 1:
            with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as secure:
                secure.recv(1)

    net.listen(HOST, 443, Listener(serve))
    reader = net.reader({"kind": "ews", "hosts": [HOST], "ca": ROOT.pem})

    result = reader.read_calendars([ALICE], WINDOW)[ALICE]

    assert isinstance(result, Problem)
    assert "missing from chain, its issuer is not known" in result.text
    assert "it shows" not in result.text
