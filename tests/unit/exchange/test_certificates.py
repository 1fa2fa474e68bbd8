"""Each way in which a certificate is good or not, of a real server, through the reader: what is said, what is sent."""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from exchange.certificates import SeenCertificate, Verdict
from local.exchange.certificates import CertificateAuthority, HostCertificate, Shape, self_signed
from presence.calendar import CalendarReading, Window
from presence.errors import Problem, ProblemKind
from tests.unit.exchange.hosts import NOW, KeptHost, Net, availability, http, mailbox_answer, when_signed_in

ALICE = "alice@example.com"
HOST = "mail.example.com"
WINDOW = Window(NOW, NOW + timedelta(hours=4))
TODAY = datetime.now(UTC)
DAY = timedelta(days=1)

ROOT = CertificateAuthority("Example Root")
ISSUING = CertificateAuthority("Example Issuing", issuer=ROOT)
OLD_ISSUING = CertificateAuthority("Old Issuing", issuer=ROOT, shape=Shape(ends=TODAY - DAY, begins=TODAY - 9 * DAY))
PLAIN_ISSUING = CertificateAuthority("Plain Issuing", issuer=ROOT, shape=Shape(key_identifiers=False))
STRANGER = CertificateAuthority("Stranger Root")
STRANGER_ISSUING = CertificateAuthority("Stranger Issuing", issuer=STRANGER)
OWN = self_signed(HOST)


@dataclass
class Found:
    """What became of a mailbox: its reading or problem, the server, and the certificates that were watched."""

    result: CalendarReading | Problem
    server: KeptHost
    seen: list[SeenCertificate]


Read = Callable[..., Found]


@pytest.fixture
def read(net: Net) -> Read:
    """Read a calendar from a host that shows a certificate, through a gateway with a CA and options."""

    def read(
        shown: HostCertificate | ssl.SSLContext, host: str = HOST, *, ca: str | None = ROOT.pem, **options: Any
    ) -> Found:
        context = shown if isinstance(shown, ssl.SSLContext) else shown.server_context(ciphers="DEFAULT@SECLEVEL=0")
        answer = when_signed_in(http(200, availability(mailbox_answer())))
        server = net.host(host, answer, tls=context)
        seen: list[SeenCertificate] = []
        gateway = {"kind": "ews", "hosts": [host], **({} if ca is None else {"ca": ca}), **options}
        reader = net.reader(gateway, watch=seen.append)
        return Found(reader.read_calendars([ALICE], WINDOW)[ALICE], server, seen)

    return read


def refused(found: Found, code: str = "CertificateInvalid") -> Problem:
    """Return the problem of a server that was not accepted, and that was sent nothing at all over TLS."""
    assert isinstance(found.result, Problem)
    assert (found.result.code, found.result.kind) == (code, ProblemKind.LASTING)
    assert found.server.received == b""
    assert found.server.requests == []
    return found.result


@pytest.mark.parametrize(
    ("certificate", "host", "options"),
    [
        (ROOT.issue(HOST), HOST, {}),
        (ROOT.issue("owa.example.com", HOST, "192.0.2.10"), HOST, {}),
        (ROOT.issue(HOST, shape=Shape(common_name="Exchange")), HOST, {}),
        (ROOT.issue(HOST, "192.0.2.10"), "192.0.2.10", {}),
        (ROOT.issue("2001:db8::10"), "2001:db8::10", {}),
        (ROOT.issue("*.example.com"), HOST, {}),
        (ROOT.issue("*.example.com", shape=Shape(common_name="mail.example.org")), HOST, {}),
        (ROOT.issue(HOST, shape=Shape(alternative_names=False)), HOST, {"hostname_checks_common_name": True}),
        (
            ROOT.issue("*.example.com", shape=Shape(alternative_names=False)),
            HOST,
            {"hostname_checks_common_name": True},
        ),
        (ISSUING.issue(HOST, sends=(ISSUING,)), HOST, {}),
        (ISSUING.issue(HOST, sends=(ISSUING, ROOT)), HOST, {}),
        (ISSUING.issue(HOST), HOST, {"ca": ROOT.pem + ISSUING.pem}),
        (ISSUING.issue(HOST), HOST, {"ca": ISSUING.pem}),
        (OWN, HOST, {"ca": OWN.certificate_pem.decode()}),
        (ROOT.issue(HOST, shape=Shape(key_identifiers=False)), HOST, {"x509_strict": False}),
        (PLAIN_ISSUING.issue(HOST, sends=(PLAIN_ISSUING,)), HOST, {"x509_strict": False}),
        (ROOT.issue(HOST, shape=Shape(rsa_bits=1024)), HOST, {"security_level": 1}),
    ],
    ids=[
        "one name",
        "one of several names",
        "the common name is another",
        "an IP address",
        "an IPv6 address",
        "a wildcard",
        "a wildcard, the common name is another",
        "a common name alone, allowed",
        "a wildcard as a common name alone, allowed",
        "an intermediate that the server sends",
        "a server that sends its root too",
        "an intermediate that the operator gave",
        "an intermediate that the operator gave without its root",
        "self-signed, given by the operator",
        "without key identifiers, allowed",
        "below an authority without key identifiers, allowed",
        "a weak key, allowed",
    ],
)
def test_a_good_certificate_is_accepted(
    read: Read, certificate: HostCertificate, host: str, options: dict[str, Any]
) -> None:
    found = read(certificate, host, **options)

    assert isinstance(found.result, CalendarReading)
    (seen,) = found.seen
    assert seen.verdict is Verdict.VERIFIED
    assert seen.host.host == host
    assert seen.chain[0].not_after > TODAY


@pytest.mark.parametrize(
    ("certificate", "host", "options", "verdict", "words", "remedy"),
    [
        (
            ROOT.issue("owa.example.com", "192.0.2.10"),
            HOST,
            {},
            Verdict.SAN_MISMATCH,
            f"it is for another name than {HOST}",
            "have it issued with this one",
        ),
        (
            ROOT.issue("owa.example.com", shape=Shape(common_name=HOST)),
            HOST,
            {"hostname_checks_common_name": True},
            Verdict.SAN_MISMATCH,
            f"it is for another name than {HOST}",
            "have it issued with this one",
        ),
        (
            ROOT.issue("*.example.com"),
            "cas1.mail.example.com",
            {},
            Verdict.SAN_MISMATCH,
            "it is for another name than cas1.mail.example.com",
            "have it issued with this one",
        ),
        (
            ROOT.issue("*.example.com"),
            "example.com",
            {},
            Verdict.SAN_MISMATCH,
            "it is for another name than example.com",
            "have it issued with this one",
        ),
        (
            ROOT.issue("ma*.example.com"),
            HOST,
            {},
            Verdict.SAN_MISMATCH,
            f"it is for another name than {HOST}",
            "have it issued with this one",
        ),
        (
            ROOT.issue("*.example.com", shape=Shape(alternative_names=False)),
            "cas1.mail.example.com",
            {"hostname_checks_common_name": True},
            Verdict.SUBJECT_CN_MISMATCH,
            "it is for another name than cas1.mail.example.com",
            "have it issued with this one",
        ),
        (
            ROOT.issue("owa.example.com", shape=Shape(alternative_names=False)),
            HOST,
            {},
            Verdict.SUBJECT_CN_MISMATCH,
            f"it is for another name than {HOST}, and has no subject alternative name",
            "have it issued with this one",
        ),
        (
            ROOT.issue(HOST, shape=Shape(alternative_names=False)),
            HOST,
            {},
            Verdict.SAN_MISMATCH,
            f"{HOST} stands in the subject's common name only",
            "hostname_checks_common_name",
        ),
        (
            ROOT.issue("192.0.2.10", HOST),
            "192.0.2.11",
            {},
            Verdict.SAN_MISMATCH,
            "it is for another IP address than 192.0.2.11",
            "add the IP address",
        ),
        (
            ROOT.issue(HOST, shape=Shape(common_name="192.0.2.10")),
            "192.0.2.10",
            {"hostname_checks_common_name": True},
            Verdict.SAN_MISMATCH,
            "it has 192.0.2.10 as a name, and not as an IP address",
            "add the IP address",
        ),
        (
            ISSUING.issue(HOST),
            HOST,
            {},
            Verdict.MISSING_FROM_CHAIN,
            "the certificate of CN=Example Issuing is missing",
            "let the server send its intermediate certificates",
        ),
        (
            STRANGER_ISSUING.issue(HOST, sends=(STRANGER_ISSUING,)),
            HOST,
            {},
            Verdict.MISSING_FROM_CHAIN,
            "the certificate of CN=Stranger Root is missing",
            "the gateway's ca",
        ),
        (
            STRANGER_ISSUING.issue(HOST, sends=(STRANGER_ISSUING, STRANGER)),
            HOST,
            {},
            Verdict.MISSING_FROM_CHAIN,
            "its root, CN=Stranger Root, is not trusted",
            "give the CA's certificate as the gateway's ca",
        ),
        (
            OWN,
            HOST,
            {},
            Verdict.BAD_CERTIFICATES,
            "it is self-signed",
            "give the certificate as the gateway's ca",
        ),
        (
            ROOT.issue(HOST, shape=Shape(begins=TODAY - 9 * DAY, ends=TODAY - DAY)),
            HOST,
            {},
            Verdict.BAD_CERTIFICATES,
            "it has expired",
            "renew the certificate of the server",
        ),
        (
            OLD_ISSUING.issue(HOST, sends=(OLD_ISSUING,)),
            HOST,
            {},
            Verdict.BAD_CERTIFICATES,
            "the certificate of CN=Old Issuing above it has expired",
            "renew that certificate authority's certificate",
        ),
        (
            OLD_ISSUING.issue(HOST),
            HOST,
            {"ca": OLD_ISSUING.pem},
            Verdict.BAD_CERTIFICATES,
            "a trusted certificate above it has expired",
            "renew that certificate authority's certificate",
        ),
        (
            ROOT.issue(HOST, shape=Shape(begins=TODAY + DAY)),
            HOST,
            {},
            Verdict.BAD_CERTIFICATES,
            "it is not valid yet",
            "the clocks of both machines",
        ),
        (
            ROOT.issue(HOST, shape=Shape(key_identifiers=False)),
            HOST,
            {},
            Verdict.BAD_CERTIFICATES,
            "it has no authority key identifier",
            "x509_strict = false",
        ),
        (
            PLAIN_ISSUING.issue(HOST, sends=(PLAIN_ISSUING,)),
            HOST,
            {},
            Verdict.BAD_CERTIFICATES,
            "the certificate of CN=Plain Issuing above it",
            "x509_strict = false",
        ),
        (
            ROOT.issue(HOST, shape=Shape(for_servers=False)),
            HOST,
            {},
            Verdict.BAD_CERTIFICATES,
            "it is not meant for servers",
            "serverAuth",
        ),
        (
            ROOT.issue(HOST, shape=Shape(rsa_bits=1024)),
            HOST,
            {},
            Verdict.BAD_CERTIFICATES,
            "a key or a signature in its chain is too weak",
            "security_level",
        ),
    ],
    ids=[
        "another name",
        "another name, the common name fits",
        "a wildcard, two labels below",
        "a wildcard, the domain itself",
        "a wildcard for a part of a label",
        "a wildcard as common name, two labels below",
        "another common name",
        "a common name alone",
        "another IP address",
        "an IP address as a name",
        "an intermediate is missing",
        "an unknown root that is not sent",
        "an unknown root that is sent",
        "self-signed",
        "expired",
        "an intermediate has expired",
        "a certificate of the operator's has expired",
        "not valid yet",
        "no key identifiers",
        "no key identifiers in an intermediate",
        "for clients",
        "a weak key",
    ],
)
def test_a_bad_certificate_is_refused_in_words(
    read: Read,
    certificate: HostCertificate,
    host: str,
    options: dict[str, Any],
    verdict: Verdict,
    words: str,
    remedy: str,
) -> None:
    found = read(certificate, host, **options)

    problem = refused(found)
    assert f"the certificate of {host} is not accepted: {verdict}, " in problem.text
    assert words in problem.text
    assert remedy in problem.remedy
    assert f"it shows {found.seen[0].chain[0].describe()}" in problem.text
    assert [seen.verdict for seen in found.seen] == [verdict]


def old(certificate: HostCertificate, newest: ssl.TLSVersion) -> ssl.SSLContext:
    """Return the context of a server that speaks nothing newer."""
    context = certificate.server_context(ciphers="DEFAULT@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = newest
    return context


@pytest.mark.parametrize("newest", ["TLSv1", "TLSv1_1"])
def test_old_tls_is_refused_in_words_and_spoken_where_the_gateway_asks_for_it(read: Read, newest: str) -> None:
    version = ssl.TLSVersion[newest]
    permitted = {"oldest_tls": {"TLSv1": "1.0", "TLSv1_1": "1.1"}[newest], "security_level": 0}

    found = read(old(ROOT.issue(HOST), version))
    problem = refused(found, "TlsTooWeak")
    accepted = read(old(ROOT.issue(HOST), version), **permitted)
    other = read(old(ROOT.issue("owa.example.com"), version), **permitted)

    assert "it speaks no version of TLS that is new enough" in problem.text
    assert "oldest_tls" in problem.remedy
    assert [seen.verdict for seen in found.seen] == [Verdict.FAILED]
    assert isinstance(accepted.result, CalendarReading)
    assert "SAN mismatch" in refused(other).text


def test_tls_1_0_is_not_spoken_by_a_gateway_that_permits_1_1(read: Read) -> None:
    found = read(old(ROOT.issue(HOST), ssl.TLSVersion.TLSv1), oldest_tls="1.1", security_level=0)

    refused(found, "TlsTooWeak")


def test_a_server_without_a_strong_cipher_is_named_as_such(read: Read) -> None:
    weak = ROOT.issue(HOST, shape=Shape(rsa_bits=2048)).server_context(ciphers="AES128-SHA@SECLEVEL=0")
    weak.maximum_version = ssl.TLSVersion.TLSv1_2

    problem = refused(read(weak), "TlsTooWeak")

    assert "no cipher, key or signature that is strong enough" in problem.text
    assert isinstance(read(weak, security_level=1).result, CalendarReading)
