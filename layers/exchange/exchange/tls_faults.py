"""Why a TLS handshake broke off, by OpenSSL's reason codes (sslerr.h, SSL_R_…), whose names the ssl module gives."""

from __future__ import annotations

import ssl

from exchange.problems import tls_failed, tls_too_weak
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


def explain_handshake(host: str, error: ssl.SSLError) -> Problem:
    """Return the problem of a handshake that broke off for another reason than the certificate."""
    reason = error.reason or "handshake failure"
    if reason in _TOO_OLD:
        what = "it speaks no version of TLS that is new enough"
        remedy = "enable TLS 1.2 on the server; until then set oldest_tls and security_level of the gateway"
        return tls_too_weak(host, what, remedy)
    if reason in _TOO_WEAK:
        what = "it offers no cipher, key or signature that is strong enough"
        remedy = (
            "let the server offer ECDHE with AES and keys of 2048 bits; until then set security_level of the gateway"
        )
        return tls_too_weak(host, what, remedy)
    return tls_failed(host, f"failed, {reason.replace('_', ' ').lower()}")
