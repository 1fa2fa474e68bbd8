from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from exchange.account.authentication import Login
from exchange.account.credentials import Credentials
from exchange.endpoints import MemoryEndpointCache
from exchange.tls.connections import TlsClient
from exchange.web.bounded_http import Answer, WebClient
from exchange.web.network import Network
from exchange.web.sockets import Timeouts
from local.exchange.certificates import CertificateAuthority
from local.exchange.kept_host import http
from local.exchange.listener import Listener
from presence.errors import Problem, ProblemError
from tests.unit.exchange.hosts import NOW, PASSWORD, USERNAME, Net, challenge

URL = "https://mail.example.com/"
LIMIT = 100_000


@contextlib.contextmanager
def client(net: Net, *, ca: str | None = "", read: float = 0.4) -> Iterator[WebClient]:
    network = Network(net.document().network)
    tls = TlsClient(net.authority.pem if ca == "" else ca)
    with WebClient(network, tls, Timeouts(connect=0.5, read=read)) as web:
        yield web


def get(net: Net, url: str = URL, *, read: float = 0.4) -> Answer:
    with client(net, read=read) as web:
        return web.send("GET", url, limit=LIMIT)


def problem(net: Net, url: str = URL, *, ca: str | None = "", read: float = 0.4) -> Problem:
    with client(net, ca=ca, read=read) as web, pytest.raises(ProblemError) as caught:
        web.send("GET", url, limit=LIMIT)
    return caught.value.problem


def serve(net: Net, talk: Callable[[socket.socket], None], *, name: str = "mail.example.com") -> None:
    """Start a TLS host whose connections `talk` handles from the first byte on."""
    net.listen(name, 443, Listener(talk, net.authority.issue(name).server_context()))


def drip(data: bytes, *, endless: bytes = b"") -> Callable[[socket.socket], None]:
    """Return a server that sends a byte at a time, each well within the read time-out."""

    def talk(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(data)
        while True:
            connection.sendall(endless)
            time.sleep(0.02)

    return talk


def test_an_answer_of_any_status_is_returned_whole(net: Net) -> None:
    net.host("mail.example.com", lambda _request: http(418, b"short and stout", X_Kind="teapot"))

    answer = get(net)

    assert (answer.status, answer.body, answer.headers["x-kind"]) == (418, b"short and stout", "teapot")


def test_a_redirect_is_not_followed(net: Net) -> None:
    net.host("mail.example.com", lambda _request: http(302, Location="https://other.example.com/"))
    other = net.host("other.example.com", lambda _request: http(200))

    assert get(net).status == 302
    assert other.connections == 0


@pytest.mark.parametrize("endless", [b"x", b"1\r\nx\r\n"])
def test_a_body_that_never_ends_is_given_up_when_the_time_for_the_whole_answer_is_over(
    net: Net, endless: bytes
) -> None:
    framing = b"Transfer-Encoding: chunked" if endless.endswith(b"\n") else b"Content-Length: 99999"
    serve(net, drip(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n\r\n", endless=endless))

    began = time.monotonic()
    found = problem(net, read=0.1)

    assert found.code == "Timeout"
    assert "for the whole answer" in found.text
    assert time.monotonic() - began < 3.0


def test_headers_that_never_end_are_given_up_likewise(net: Net) -> None:
    serve(net, drip(b"HTTP/1.1 200 OK\r\nX: ", endless=b"x"))

    assert problem(net, read=0.1).code == "Timeout"


def test_a_server_that_says_nothing_is_given_up_after_the_read_time_out(net: Net) -> None:
    def talk(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.recv(65536)  # until the client has had enough

    serve(net, talk)

    found = problem(net, read=0.2)

    assert found.code == "Timeout"
    assert "longer than 0.2 s to answer" in found.text


@pytest.mark.parametrize(
    "answer",
    [
        http(200, b"x" * (LIMIT + 1)),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"4000\r\n" + b"x" * 0x4000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"X%d: %s\r\n" % (index, b"y" * 60000) for index in range(90)),
    ],
    ids=["a body", "chunks", "headers"],
)
def test_more_than_is_allowed_is_not_read(net: Net, answer: bytes) -> None:
    def talk(connection: socket.socket) -> None:
        connection.recv(65536)
        head, _, rest = answer.partition(b"\r\n\r\n")
        connection.sendall(head + b"\r\n\r\n" if rest else answer)
        while True:
            connection.sendall(rest or answer)

    serve(net, talk)

    assert problem(net, read=5.0).code == "AnswerTooLarge"


def test_a_compressed_answer_is_refused_before_it_can_grow(net: Net) -> None:
    net.host("mail.example.com", lambda _request: http(200, b"\x1f\x8b", Content_Encoding="gzip"))

    found = problem(net)

    assert found.code == "MalformedAnswer"
    assert "compressed" in found.text


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"", "HostUnreachable"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", "HostUnreachable"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", "HostUnreachable"),
        (b"HTTP/1.1 two hundred\r\n\r\n", "MalformedAnswer"),
    ],
)
def test_an_answer_that_breaks_off_is_no_answer(net: Net, sent: bytes, code: str) -> None:
    def talk(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(sent)

    serve(net, talk)

    assert problem(net).code == code


def test_a_port_where_nobody_listens_is_named(net: Net) -> None:
    net.silent("mail.example.com")

    found = problem(net)

    assert found.code == "HostUnreachable"
    assert "Connection refused" in found.text


def test_neither_proxies_nor_netrc_nor_bundles_of_the_environment_are_used(
    net: Net, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    proxy = net.host("proxy.example.com", lambda _request: http(200), plain=True, port=80)
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine mail.example.com login reader password hunter2\n")
    netrc.chmod(0o600)
    for name in ("https_proxy", "HTTPS_PROXY", "http_proxy", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://{net.connect['proxy.example.com:80']}")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "absent.pem"))
    host = net.host("mail.example.com", lambda _request: http(200))

    assert get(net).status == 200
    assert proxy.connections == 0
    assert not host.was_given_credentials


def test_a_gateway_s_own_authorities_are_the_only_ones(net: Net) -> None:
    """Else every public authority could speak for a private server."""
    net.host("mail.example.com", lambda _request: http(200))
    other = CertificateAuthority("Another CA").pem

    found = problem(net, ca=other)

    assert found.code == "CertificateInvalid"
    assert problem(net, ca=None).code == "CertificateInvalid"


def test_sending_adds_no_other_authorities(net: Net) -> None:
    """Libraries on the way would load a bundle of public ones into the context."""
    net.host("mail.example.com", lambda _request: http(200))
    tls = TlsClient(net.authority.pem)

    with WebClient(Network(net.document().network), tls, Timeouts(0.5, 0.4)) as web:
        web.send("GET", URL, limit=LIMIT)

    assert tls.context.cert_store_stats()["x509"] == 1


class OldAuthority(CertificateAuthority):
    """Issued everything ninety-one days and more ago."""

    def __init__(self, now: datetime) -> None:
        super().__init__("Old CA", now)


@pytest.mark.parametrize(
    ("names", "authority", "words"),
    [
        (("other.example.com",), None, "it is for another name than mail.example.com"),
        (("*.mail.example.com",), None, "it is for another name"),
        (("*.com",), None, "it is for another name"),
        (("*.example.com",), CertificateAuthority("Unknown CA"), "CN=Unknown CA is missing"),
        (("mail.example.com",), OldAuthority(datetime.now(UTC) - timedelta(days=100)), "it has expired"),
        (("mail.example.com",), OldAuthority(datetime.now(UTC) + timedelta(days=100)), "it is not valid yet"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_wrong_with_a_certificate_is_said_in_words(
    net: Net, names: tuple[str, ...], authority: CertificateAuthority | None, words: str
) -> None:
    certificate = (authority or net.authority).issue(*names)
    net.listen("mail.example.com", 443, Listener(lambda _connection: None, certificate.server_context()))
    trusted = authority.pem if authority and "Old" in str(type(authority)) else net.authority.pem

    found = problem(net, ca=trusted)

    assert found.code == "CertificateInvalid"
    assert words in found.text
    assert found.remedy


def test_a_wildcard_stands_for_one_label(net: Net) -> None:
    net.host("mail.example.com", lambda _request: http(200), cert="*.example.com")

    assert get(net).status == 200


def test_a_server_that_is_an_ip_address_needs_it_in_its_certificate(net: Net) -> None:
    net.host("192.0.2.10", lambda _request: http(200))
    net.host("192.0.2.11", lambda _request: http(200), cert="192.0.2.10")

    assert get(net, "https://192.0.2.10/").status == 200
    assert "it is for another IP address" in problem(net, "https://192.0.2.11/").text


def test_a_port_that_speaks_no_tls_is_named_as_such(net: Net) -> None:
    net.host("mail.example.com", lambda _request: http(200), plain=True)

    assert problem(net).code in {"TlsFailed", "HostUnreachable"}


def test_an_old_protocol_is_refused(net: Net) -> None:
    context = net.authority.issue("mail.example.com").server_context()
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.warns(DeprecationWarning, match="deprecated"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    net.listen("mail.example.com", 443, Listener(lambda _connection: None, context))

    assert problem(net).code == "TlsTooWeak"


def login(net: Net, auth: str) -> Login:
    gateway = net.document({"auth": auth}).gateways[0]
    return Login(gateway, Credentials(USERNAME, PASSWORD), MemoryEndpointCache(lambda: NOW), lambda: NOW, "a" * 32, 60)


def signed_in(net: Net, auth: str, url: str = URL) -> Answer:
    with client(net) as web:
        return login(net, auth).send(web, "POST", url, limit=LIMIT, headers={}, body=b"<a/>")


def test_the_account_never_goes_over_plain_http(net: Net) -> None:
    plain = net.host("mail.example.com", lambda _request: challenge("NTLM"), port=80, plain=True)

    for auth in ("basic", "ntlm"):
        with pytest.raises(ValueError, match="credentials go over https only"):
            signed_in(net, auth, "http://mail.example.com/")
    assert plain.connections == 0


@pytest.mark.parametrize(
    "second",
    [
        challenge("NTLM"),
        challenge("NTLM !!!"),
        challenge("NTLM TlRMTVNTUAACAAAA"),
        challenge("NTLM " + "QUJD" * 100),
        http(401),
        http(200),
    ],
)
def test_ntlm_that_breaks_off_is_a_problem_that_says_so(net: Net, second: bytes) -> None:
    answers = iter([challenge("NTLM"), second, http(401), http(401)])
    net.host("mail.example.com", lambda _request: next(answers))

    with pytest.raises(ProblemError) as caught:
        signed_in(net, "ntlm")

    assert caught.value.problem.code == "AuthenticationFailed"


def test_a_401_as_large_as_the_ocean_is_not_drunk(net: Net) -> None:
    """requests_ntlm reads the bodies of the answers on its way; the bound lies below it."""
    net.host("mail.example.com", lambda _request: http(401, b"x" * (LIMIT * 2), WWW_Authenticate="NTLM"))

    with pytest.raises(ProblemError) as caught:
        signed_in(net, "ntlm")

    assert caught.value.problem.code == "AnswerTooLarge"


def test_letters_beyond_latin_are_sent_as_utf_8(net: Net) -> None:
    host = net.host("mail.example.com", lambda _request: http(200))
    gateway = net.document().gateways[0]
    account = Login(gateway, Credentials("読者", "合言葉"), MemoryEndpointCache(lambda: NOW), lambda: NOW, "a" * 32, 60)

    with client(net) as web:
        assert account.send(web, "POST", URL, limit=LIMIT, headers={}, body=b"").status == 200
    assert host.was_given_credentials


def test_whoever_makes_a_reader_silences_the_libraries_below(net: Net) -> None:
    loggers = [logging.getLogger(name) for name in ("exchangelib", "spnego", "requests_ntlm")]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
        logger.propagate = True

    net.reader()

    assert not any(logger.isEnabledFor(logging.CRITICAL) or logger.propagate for logger in loggers)


def test_a_host_is_connected_to_in_the_spelling_in_which_it_was_checked(net: Net) -> None:
    host = net.host("mail.example.com", lambda _request: http(204))

    assert get(net, "https://MAIL.example.com./").status == 204
    assert b"\r\nHost: mail.example.com\r\n" in host.received
