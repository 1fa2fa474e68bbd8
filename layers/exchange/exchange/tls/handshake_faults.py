"""Why a TLS handshake broke off, by OpenSSL's reason codes (sslerr.h, SSL_R_…), whose names the ssl module gives."""

from __future__ import annotations

import ssl

from exchange.tls.certificates import Verdict
from exchange.tls.problems import tls_failed, tls_too_weak
from presence.errors import Problem

_TOO_OLD = frozenset(
    {
        "UNSUPPORTED_PROTOCOL",
        "TLSV1_ALERT_PROTOCOL_VERSION",
        "VERSION_TOO_LOW",
        "WRONG_SSL_VERSION",
        "NO_PROTOCOLS_AVAILABLE",
    }
)
_TOO_WEAK = frozenset(
    {
        "SSLV3_ALERT_HANDSHAKE_FAILURE",
        "SSL/TLS_ALERT_HANDSHAKE_FAILURE",
        "TLSV1_ALERT_INSUFFICIENT_SECURITY",
        "DH_KEY_TOO_SMALL",
        "EE_KEY_TOO_SMALL",
        "CA_KEY_TOO_SMALL",
        "CA_MD_TOO_WEAK",
        "LEGACY_SIGALG_DISALLOWED_OR_UNSUPPORTED",
        "WRONG_SIGNATURE_TYPE",
        "WRONG_CIPHER_RETURNED",
    }
)


def explain_handshake(host: str, error: OSError) -> tuple[Verdict, Problem]:
    """Return what became of a handshake that broke off before the certificate was judged."""
    if isinstance(error, TimeoutError):
        return Verdict.NETWORK_ERROR, tls_failed(host, f"{Verdict.NETWORK_ERROR}, the handshake took too long")
    if not isinstance(error, ssl.SSLError) or isinstance(error, ssl.SSLEOFError):
        lost = f"{Verdict.NETWORK_ERROR}, the connection was lost during the handshake"
        return Verdict.NETWORK_ERROR, tls_failed(host, lost)
    reason = error.reason or "handshake failure"
    if reason in _TOO_OLD:
        what = "it speaks no version of TLS that is new enough"
        remedy = "enable TLS 1.2 on the server; until then set oldest_tls and security_level of the gateway"
        return Verdict.FAILED, tls_too_weak(host, what, remedy)
    if reason in _TOO_WEAK:
        what = "it offers no cipher, key or signature that is strong enough"
        remedy = (
            "let the server offer ECDHE with AES and keys of 2048 bits; until then set security_level of the gateway"
        )
        return Verdict.FAILED, tls_too_weak(host, what, remedy)
    return Verdict.FAILED, tls_failed(host, f"{Verdict.FAILED}, {reason.replace('_', ' ').lower()}")
