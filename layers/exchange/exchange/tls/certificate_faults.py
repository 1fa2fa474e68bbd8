"""What is wrong with a certificate that was refused, and what to do about it.

Told by OpenSSL's verification codes (x509_vfy.h, X509_V_ERR_…), never by its texts; what the server showed makes the
words exact.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from exchange.tls.certificates import Certificate, Verdict
from exchange.tls.options import TlsOptions

_UNABLE_TO_GET_ISSUER = 2
_NOT_YET_VALID = 9
_EXPIRED = 10
_SELF_SIGNED = 18
_SELF_SIGNED_IN_CHAIN = 19
_UNABLE_TO_GET_ISSUER_LOCALLY = 20
_UNABLE_TO_VERIFY_FIRST = 21
_HOSTNAME_MISMATCH = 62
_IP_ADDRESS_MISMATCH = 64
_WEAK = frozenset({66, 67, 68})  # EE_KEY_TOO_SMALL, CA_KEY_TOO_SMALL, CA_MD_TOO_WEAK
_STRICT = range(80, 95)  # what X509_V_FLAG_X509_STRICT asks for beyond the rest
_MISSING_KEY_IDENTIFIER = 85

# Codes that need no further look: what is wrong, and what to do.
_PLAIN = {
    7: ("its signature is wrong", "have the certificate issued anew, and check that nothing intercepts TLS on the way"),
    25: (
        "an authority above it may not issue for other authorities",
        "have the certificate issued by an authority whose path length allows it",
    ),
    26: ("it is not meant for servers", "give the server a certificate with the extended key usage serverAuth"),
    34: ("it has a critical extension that is not known", "have the certificate issued without that extension"),
    47: ("its names are not among those that an authority above it may issue for", "have it issued by another one"),
    48: ("its names are among those that an authority above it may not issue for", "have it issued by another one"),
    79: ("what issued it is no certificate authority", "have the certificate issued by a certificate authority"),
}


@dataclass(frozen=True, slots=True)
class CertificateFault:
    """Why a certificate is not accepted, in the troubleshooter's words and in ours, and what to do."""

    verdict: Verdict
    what: str
    remedy: str


def explain_fault(
    code: int, message: str, host: str, chain: Sequence[Certificate], options: TlsOptions, now: datetime
) -> CertificateFault:
    """Return what an OpenSSL verification code means for a host.

    `message` is OpenSSL's own for the code, shown where we have no better; `chain` is what the server sent, its own
    certificate first, and may be empty if that is not known; `options` are those that it was verified with.
    """
    if code in {_HOSTNAME_MISMATCH, _IP_ADDRESS_MISMATCH}:
        return _other_name(code, host, chain, options)
    if code in {
        _UNABLE_TO_GET_ISSUER,
        _UNABLE_TO_GET_ISSUER_LOCALLY,
        _UNABLE_TO_VERIFY_FIRST,
        _SELF_SIGNED_IN_CHAIN,
    }:
        return _missing_from_chain(code, chain)
    what, remedy = _bad(code, message, chain, now)
    return CertificateFault(Verdict.BAD_CERTIFICATES, what, remedy)


def _bad(code: int, message: str, chain: Sequence[Certificate], now: datetime) -> tuple[str, str]:
    if code == _EXPIRED:
        which, above = _which(chain, lambda certificate: certificate.not_after < now)
        return f"{which} has expired", "renew that certificate authority's certificate" if above else (
            "renew the certificate of the server"
        )
    if code == _NOT_YET_VALID:
        which, _ = _which(chain, lambda certificate: certificate.not_before > now)
        return f"{which} is not valid yet", "check the certificate's dates and the clocks of both machines"
    if code == _SELF_SIGNED:
        return "it is self-signed", "give the certificate as the gateway's ca, or use one that a CA has signed"
    if code in _WEAK:
        return (
            f"a key or a signature in its chain is too weak ({message})",
            "have it issued anew with 2048 bits or more and SHA-256; until then set security_level of the gateway",
        )
    if code in _STRICT:
        return _not_strict(code, message, chain)
    known = _PLAIN.get(code)
    return known or (f"it could not be verified ({message})", "look at the certificate that the server sends")


def _not_strict(code: int, message: str, chain: Sequence[Certificate]) -> tuple[str, str]:
    remedy = "have it issued anew; until then set x509_strict = false for the gateway, which gives up nothing else"
    if code == _MISSING_KEY_IDENTIFIER:
        which, _ = _which(chain, lambda certificate: not certificate.names_key_of_issuer)
        return f"{which} has no authority key identifier, which strict verification asks for", remedy
    return f"it, or a certificate above it, does not follow RFC 5280 to the letter ({message})", remedy


def _missing_from_chain(code: int, chain: Sequence[Certificate]) -> CertificateFault:
    """Say whose certificate is missing: that of the first issuer that the server did not send."""
    if code == _SELF_SIGNED_IN_CHAIN:
        root = f"its root, {chain[-1].subject}," if chain else "its root"
        return CertificateFault(
            Verdict.MISSING_FROM_CHAIN, f"{root} is not trusted", "give the CA's certificate as the gateway's ca"
        )
    missing = _first_issuer_not_sent(chain)
    what = "its issuer is not known: neither does the server send the issuer's certificate, nor is it trusted"
    if missing:
        what = f"the certificate of {missing} is missing: neither does the server send it, nor is it trusted"
    remedy = "let the server send its intermediate certificates, or add that certificate to the gateway's ca"
    return CertificateFault(Verdict.MISSING_FROM_CHAIN, what, remedy)


def _first_issuer_not_sent(chain: Sequence[Certificate]) -> str:
    sent = {certificate.subject: certificate for certificate in chain}
    walked = set()
    issuer = chain[0].issuer if chain else ""
    while issuer in sent and issuer not in walked:
        walked.add(issuer)
        issuer = sent[issuer].issuer
    return issuer


def _other_name(code: int, host: str, chain: Sequence[Certificate], options: TlsOptions) -> CertificateFault:
    if not chain:
        kind = "name" if code == _HOSTNAME_MISMATCH else "IP address"
        return CertificateFault(Verdict.SAN_MISMATCH, f"it is for another {kind} than {host}", _USE_ITS_NAME)
    own = chain[0]
    if code == _IP_ADDRESS_MISMATCH:
        what = f"it is for another IP address than {host}"
        if host in {*own.dns_names, *own.common_names}:
            what = f"it has {host} as a name, and not as an IP address"
        remedy = "name the server as the certificate does, or add the IP address to its subject alternative names"
        return CertificateFault(Verdict.SAN_MISMATCH, what, remedy)
    if own.dns_names:
        return CertificateFault(Verdict.SAN_MISMATCH, f"it is for another name than {host}", _USE_ITS_NAME)
    if options.hostname_checks_common_name or not any(_covers(name, host) for name in own.common_names):
        what = f"it is for another name than {host}, and has no subject alternative name"
        return CertificateFault(Verdict.SUBJECT_CN_MISMATCH, what, _USE_ITS_NAME)
    return CertificateFault(
        Verdict.SAN_MISMATCH,
        f"{host} stands in the subject's common name only, which does not count",
        "have it issued with subject alternative names; until then set hostname_checks_common_name for the gateway",
    )


_USE_ITS_NAME = "use a name that stands in the certificate, or have it issued with this one"


def _covers(pattern: str, host: str) -> bool:
    """Tell whether a name, or a wildcard for one label, is that of a host. For advice; OpenSSL is what decides."""
    if pattern.startswith("*."):
        return host.partition(".")[2].lower() == pattern[2:].lower()
    return pattern.lower() == host.lower()


def _which(chain: Sequence[Certificate], at_fault: Callable[[Certificate], bool]) -> tuple[str, bool]:
    """Return words for the first certificate at fault, and whether it is one above the server's own."""
    for depth, certificate in enumerate(chain):
        if at_fault(certificate):
            return (f"the certificate of {certificate.subject} above it", True) if depth else ("it", False)
    # Not among those that were sent: one that the operator, or the system, trusts.
    return ("a trusted certificate above it", True) if chain else ("it", False)
