"""TLS: which authorities are believed, and how strictly."""

from __future__ import annotations

import ssl

from exchange.sockets import BoundedTlsSocket


def client_context(ca: str | None) -> ssl.SSLContext:
    """Return a context that verifies chain and host name, against `ca` (PEM) or else the system's authorities.

    Verification is as strict as Python 3.13's default on every version, so that a certificate which will fail in
    production fails at the operator's desk too.
    """
    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cadata=ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    context.sslsocket_class = BoundedTlsSocket
    return context
