"""Certificates: in plain words why one is not accepted, and what to do about it."""

from __future__ import annotations

import ssl

# Verification codes of OpenSSL (x509_vfy.h) that administrators meet: what is wrong, and what to do.
_WORDS = {
    2: ("the chain lacks the issuer's certificate", "let the server send its intermediate certificates"),
    9: ("it is not valid yet", "check the server's certificate and the clocks of both machines"),
    10: ("it has expired", "renew the certificate of the server"),
    18: ("it is self-signed", "give the certificate as the gateway's ca, or use one that a CA has signed"),
    19: ("its root is not trusted", "give the CA's certificate as the gateway's ca"),
    20: (
        "its issuer is not known: an intermediate is missing or the CA is not trusted",
        "let the server send its intermediate certificates, or give the CA's chain as the gateway's ca",
    ),
    21: (
        "its chain is incomplete: an intermediate is missing or the CA is not trusted",
        "let the server send its intermediate certificates, or give the CA's chain as the gateway's ca",
    ),
    23: ("it has been revoked", "give the server a new certificate"),
    26: ("it is not meant for servers", "give the server a certificate with the purpose serverAuth"),
    62: ("it is for another name", "use a name that stands in the certificate, or add the name to it"),
    64: ("it is for another IP address", "use a name, or add the IP address to the certificate"),
}
_STRICT = ("it does not follow RFC 5280", "have the certificate, or its CA's, issued anew")
_OTHER = ("it could not be verified", "look at the certificate that the server sends")


def explain_verification(error: ssl.SSLCertVerificationError, host: str) -> tuple[str, str]:
    """Return what is wrong with the certificate of a host, and what to do."""
    message = error.verify_message or "unknown"
    if error.verify_code in _WORDS:
        what, remedy = _WORDS[error.verify_code]
    elif "key" in message.lower() or "extension" in message.lower() or "constraint" in message.lower():
        what, remedy = _STRICT
    else:
        what, remedy = _OTHER
    detail = "" if error.verify_code in {62, 64} else f" ({message})"
    return f"{what}{detail or f' than {host}'}", remedy
