"""What a gateway permits of TLS beyond the usual, for servers that are as they are.

Nothing here leaves a chain or a name unverified: there is no such option.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from presence.documents import Section

_USUAL_LEVEL = 2


class TlsVersion(StrEnum):
    """A version of TLS, the oldest that a gateway speaks. Newer ones are always spoken where the server can."""

    TLS_1_2 = "1.2"
    TLS_1_1 = "1.1"
    TLS_1_0 = "1.0"


@dataclass(frozen=True, slots=True)
class TlsOptions:
    """The options of one gateway; the defaults permit nothing.

    `hostname_checks_common_name`: the subject's common name counts where a certificate has no alternative name (RFC
    9525 no longer lets it). `x509_strict`: certificates must follow RFC 5280 to the letter, key identifiers included
    (X509_V_FLAG_X509_STRICT, which Python sets from 3.13 on). `security_level`: OpenSSL's, for keys and signatures
    (SSL_CTX_set_security_level): 2 asks for RSA keys of 2048 bits, 1 for 1024, 0 for nothing.
    """

    hostname_checks_common_name: bool = False
    x509_strict: bool = True
    oldest_version: TlsVersion = TlsVersion.TLS_1_2
    security_level: int = _USUAL_LEVEL

    @property
    def permits_weak(self) -> bool:
        """Whether versions, keys or ciphers are permitted that are weaker than usual."""
        return self.oldest_version is not TlsVersion.TLS_1_2 or self.security_level < _USUAL_LEVEL

    def in_words(self) -> tuple[str, ...]:
        """Return what is permitted beyond the usual; nothing by default."""
        permitted = {
            "certificates by their common name": self.hostname_checks_common_name,
            "certificates that are not strictly of RFC 5280": not self.x509_strict,
            f"keys and ciphers of security level {self.security_level}": self.security_level < _USUAL_LEVEL,
            f"TLS {self.oldest_version}": self.oldest_version is not TlsVersion.TLS_1_2,
        }
        return tuple(words for words, said in permitted.items() if said)


NO_EXCEPTIONS = TlsOptions()


def take_tls_options(section: Section) -> TlsOptions:
    """Take the keys of TLS out of a gateway's section. Raises `ConfigurationError`."""
    options = TlsOptions(
        hostname_checks_common_name=section.flag("hostname_checks_common_name", default=False),
        x509_strict=section.flag("x509_strict", default=True),
        oldest_version=section.choice("oldest_tls", TlsVersion, TlsVersion.TLS_1_2),
        security_level=section.number("security_level", _USUAL_LEVEL),
    )
    if options.security_level not in range(_USUAL_LEVEL + 1):
        raise section.refuse("security_level", f"{options.security_level} is not known; use 2, 1 or 0")
    if options.oldest_version is not TlsVersion.TLS_1_2 and options.security_level != 0:
        # OpenSSL 3 would not speak it. What else that permits is the operator's to say, not ours to imply.
        raise section.refuse("oldest_tls", f'"{options.oldest_version}" is spoken with security_level = 0 only')
    return options
