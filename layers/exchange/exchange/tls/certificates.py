"""The certificates that servers show: whose they are, who issued them, and for how long they hold.

What stands in them was written by the server, so it is cut short and made printable before anybody sees it.
"""

from __future__ import annotations

import ssl
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from cryptography import x509
from cryptography.x509.oid import NameOID

from exchange.web.hosts import HostPort
from presence.instants import format_instant

FEW_DAYS = 21
"""With so many days left, or fewer, somebody is warned: time for an internal authority to issue a new one."""

_Extension = TypeVar("_Extension", bound=x509.ExtensionType)
_LONGEST_NAME = 100
_MOST_NAMES_SHOWN = 4
_MOST_CERTIFICATES = 10
_DER = 2  # of _ssl.Certificate.public_bytes


class Verdict(StrEnum):
    """What became of a server's certificate, in the words of the presence server's troubleshooter."""

    VERIFIED = "verified"
    MISSING_FROM_CHAIN = "missing from chain"
    SUBJECT_CN_MISMATCH = "subject CN mismatch"
    SAN_MISMATCH = "SAN mismatch"
    BAD_CERTIFICATES = "bad certificates"
    NETWORK_ERROR = "network error"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Certificate:
    """What an administrator needs of an X.509 certificate (RFC 5280). Names are printable and not too long.

    `dns_names` and `addresses` are the subject alternative names, `not_before` and `not_after` instants in UTC,
    `names_key_of_issuer` says that it has an authority key identifier.
    """

    subject: str
    common_names: tuple[str, ...]
    dns_names: tuple[str, ...]
    addresses: tuple[str, ...]
    issuer: str
    not_before: datetime
    not_after: datetime
    names_key_of_issuer: bool

    def days_left(self, now: datetime) -> int:
        """Return the whole days until it ends; negative when it has ended."""
        return (self.not_after - now).days

    def describe(self) -> str:
        """Return subject, names, issuer and dates in one line."""
        names = (*self.dns_names, *self.addresses)
        shown = ", ".join(names[:_MOST_NAMES_SHOWN]) or "no alternative name"
        more = f" and {len(names) - _MOST_NAMES_SHOWN} more" if len(names) > _MOST_NAMES_SHOWN else ""
        dates = f"{format_instant(self.not_before)} to {format_instant(self.not_after)}"
        return f"{self.subject or 'no subject'} ({shown}{more}), issued by {self.issuer}, valid {dates}"


@dataclass(frozen=True, slots=True)
class SeenCertificate:
    """What a server showed: its own certificate first, then those above it; empty if that could not be read.

    Of a verified one these are the certificates that it was verified by, up to the authority that is believed; `fault`
    says what is wrong with one that is refused.
    """

    host: HostPort
    verdict: Verdict
    chain: tuple[Certificate, ...] = ()
    fault: str = ""

    @property
    def ends_first(self) -> Certificate | None:
        """The certificate of the chain that ends before the others, its server's own if several end together."""
        return min(self.chain, key=lambda certificate: certificate.not_after, default=None)


CertificateWatch = Callable[[SeenCertificate], None]
"""Is told of each certificate that a server shows, whether it is accepted or not."""


def verified_chain(connection: ssl.SSLSocket) -> tuple[Certificate, ...]:
    """Return the certificates by which a server was verified, as far as they can be read."""
    return _read_all(_ders(connection, "get_verified_chain"))


def presented_chain(connection: ssl.SSLSocket) -> tuple[Certificate, ...]:
    """Return the certificates that a server sent, as far as they can be read, believed or not."""
    return _read_all(_ders(connection, "get_unverified_chain"))


def read_certificate(der: bytes) -> Certificate | None:
    """Return what stands in a certificate; None if it can't be read: OpenSSL takes some that others don't."""
    try:
        parsed = x509.load_der_x509_certificate(der)
        alternative = _extension(parsed, x509.SubjectAlternativeName)
        return Certificate(
            subject=_printable(parsed.subject.rfc4514_string()),
            common_names=tuple(
                _printable(str(name.value)) for name in parsed.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
            ),
            dns_names=tuple(map(_printable, alternative.get_values_for_type(x509.DNSName))) if alternative else (),
            addresses=tuple(map(str, alternative.get_values_for_type(x509.IPAddress))) if alternative else (),
            issuer=_printable(parsed.issuer.rfc4514_string()),
            not_before=parsed.not_valid_before_utc,
            not_after=parsed.not_valid_after_utc,
            names_key_of_issuer=_extension(parsed, x509.AuthorityKeyIdentifier) is not None,
        )
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return None


def _ders(connection: ssl.SSLSocket, method: str) -> Sequence[bytes]:
    """Return a chain of certificates; the ssl module shows it from Python 3.13 on, and has it inside before."""
    if sys.version_info >= (3, 13):
        chain: Sequence[bytes] = getattr(connection, method)()
        return chain[:_MOST_CERTIFICATES]
    certificates: Sequence[Any] = getattr(getattr(connection, "_sslobj", None), method, tuple)() or ()
    own = connection.getpeercert(binary_form=True)
    return [each.public_bytes(_DER) for each in certificates[:_MOST_CERTIFICATES]] or ([own] if own else [])


def _read_all(ders: Sequence[bytes]) -> tuple[Certificate, ...]:
    return tuple(filter(None, map(read_certificate, ders)))


def _extension(parsed: x509.Certificate, kind: type[_Extension]) -> _Extension | None:
    try:
        return parsed.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _printable(text: str) -> str:
    cut = text if len(text) <= _LONGEST_NAME else f"{text[: _LONGEST_NAME - 1]}…"
    return "".join(letter if letter.isprintable() else "?" for letter in cut)
