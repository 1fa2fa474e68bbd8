"""Each way in which a certificate is good or not, of a real server, through the reader: what is said, what is sent."""

from __future__ import annotations

import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509

from exchange.tls.certificate_faults import explain_fault
from exchange.tls.certificates import Verdict, read_certificate
from exchange.tls.options import NO_EXCEPTIONS
from local.exchange.certificates import CertificateAuthority, HostCertificate, Shape, self_signed
from presence.calendar import CalendarReading
from tests.unit.exchange.certified_hosts import HOST, ROOT, STRANGER, read_from, refused
from tests.unit.exchange.hosts import Net

TODAY = datetime.now(UTC)
DAY = timedelta(days=1)

ISSUING = CertificateAuthority("Example Issuing", issuer=ROOT)
OLD_ISSUING = CertificateAuthority("Old Issuing", issuer=ROOT, shape=Shape(ends=TODAY - DAY, begins=TODAY - 9 * DAY))
PLAIN_ISSUING = CertificateAuthority("Plain Issuing", issuer=ROOT, shape=Shape(key_identifiers=False))
STRANGER_ISSUING = CertificateAuthority("Stranger Issuing", issuer=STRANGER)
OWN = self_signed(HOST)


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
    net: Net, certificate: HostCertificate, host: str, options: dict[str, Any]
) -> None:
    found = read_from(net, certificate, host, **options)

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
    net: Net,
    certificate: HostCertificate,
    host: str,
    options: dict[str, Any],
    verdict: Verdict,
    words: str,
    remedy: str,
) -> None:
    found = read_from(net, certificate, host, **options)

    problem = refused(found)
    assert f"the certificate of {host} is not accepted: {verdict}, " in problem.text
    assert words in problem.text
    assert remedy in problem.remedy
    assert f"it shows {found.seen[0].chain[0].describe()}" in problem.text
    assert [seen.verdict for seen in found.seen] == [verdict]


SHORT = CertificateAuthority("Short", shape=Shape(path_length=0))
BELOW_SHORT = CertificateAuthority("Below Short", issuer=SHORT)
NO_AUTHORITY = CertificateAuthority("No Authority", issuer=ROOT, shape=Shape(may_issue=False))
ONLY_ORG = x509.NameConstraints(permitted_subtrees=[x509.DNSName("example.org")], excluded_subtrees=None)
NOT_COM = x509.NameConstraints(permitted_subtrees=None, excluded_subtrees=[x509.DNSName("example.com")])
FOR_ORG = CertificateAuthority("For Org", issuer=ROOT, shape=Shape(critical=(ONLY_ORG,)))
NOT_FOR_COM = CertificateAuthority("Not For Com", issuer=ROOT, shape=Shape(critical=(NOT_COM,)))
UNKNOWN_EXTENSION = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.55555.1"), b"\x05\x00")


def spoilt(certificate: HostCertificate) -> HostCertificate:
    """Return a certificate whose signature is wrong."""
    der = bytearray(ssl.PEM_cert_to_DER_cert(certificate.certificate_pem.decode()))
    der[-1] ^= 1
    return replace(certificate, certificate_pem=ssl.DER_cert_to_PEM_cert(bytes(der)).encode())


@pytest.mark.parametrize(
    ("certificate", "ca", "words"),
    [
        (spoilt(ROOT.issue(HOST)), ROOT.pem, "its signature is wrong"),
        (BELOW_SHORT.issue(HOST, sends=(BELOW_SHORT,)), SHORT.pem, "may not issue for other authorities"),
        (ROOT.issue(HOST, shape=Shape(critical=(UNKNOWN_EXTENSION,))), ROOT.pem, "a critical extension"),
        (FOR_ORG.issue(HOST, sends=(FOR_ORG,)), ROOT.pem, "its names are not among those"),
        (NOT_FOR_COM.issue(HOST, sends=(NOT_FOR_COM,)), ROOT.pem, "its names are among those"),
        (NO_AUTHORITY.issue(HOST, sends=(NO_AUTHORITY,)), ROOT.pem, "what issued it is no certificate authority"),
    ],
    ids=["signature", "path length", "critical extension", "permitted names", "excluded names", "no authority"],
)
def test_what_is_rare_is_told_apart_too(net: Net, certificate: HostCertificate, ca: str, words: str) -> None:
    problem = refused(read_from(net, certificate, ca=ca))

    assert "bad certificates, " in problem.text
    assert words in problem.text
    assert problem.remedy


@pytest.mark.parametrize("strict", [True, False])
def test_a_private_root_without_key_identifiers_is_refused_unless_that_is_permitted(net: Net, *, strict: bool) -> None:
    """Python refuses it from 3.13 on; here the older ones do as well."""
    plain = CertificateAuthority("Plain Root", shape=Shape(key_identifiers=False))

    found = read_from(net, plain.issue(HOST), ca=plain.pem, x509_strict=strict)

    if strict:
        problem = refused(found)
        assert "it, or a certificate above it, does not follow RFC 5280 to the letter" in problem.text
        assert "x509_strict = false" in problem.remedy
    else:
        assert isinstance(found.result, CalendarReading)


def test_a_code_that_nobody_foresaw_is_told_in_openssl_s_words() -> None:
    fault = explain_fault(22, "certificate chain too long", HOST, (), NO_EXCEPTIONS, TODAY)

    assert fault.verdict is Verdict.BAD_CERTIFICATES
    assert fault.what == "it could not be verified (certificate chain too long)"


def test_what_a_server_writes_into_its_certificate_can_t_spoil_a_line(net: Net) -> None:
    name = "evil\x1b[31m\u2028" + "x" * 40
    certificate = STRANGER.issue(*(f"host{index}.test" for index in range(200)), shape=Shape(common_name=name))

    problem = refused(read_from(net, certificate))

    assert problem.text.isprintable()
    assert len(problem.text) < 700
    assert "and 196 more" in problem.text


def test_a_certificate_that_can_t_be_read_is_none() -> None:
    assert read_certificate(b"0\x03\x02\x01\x00") is None
