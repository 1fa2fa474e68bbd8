"""TLS: which authorities are believed, how strictly, and what a gateway permits beyond that."""

from __future__ import annotations

import ssl
import warnings

from exchange.tls.options import NO_EXCEPTIONS, TlsOptions, TlsVersion
from exchange.web.sockets import BoundedTlsSocket

_VERSIONS = {
    TlsVersion.TLS_1_2: ssl.TLSVersion.TLSv1_2,
    TlsVersion.TLS_1_1: ssl.TLSVersion.TLSv1_1,
    TlsVersion.TLS_1_0: ssl.TLSVersion.TLSv1,
}


def client_context(ca: str | None, options: TlsOptions = NO_EXCEPTIONS) -> ssl.SSLContext:
    """Return a context that verifies chain and host name, against `ca` (PEM) or else the system's authorities.

    Verification is as strict as Python 3.13's default on every version, so that a certificate which will fail in
    production fails at the operator's desk too.
    """
    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cadata=ca)
    context.hostname_checks_common_name = options.hostname_checks_common_name
    context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    if not options.x509_strict:
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    _permit(context, options)
    context.sslsocket_class = BoundedTlsSocket
    return context


def looking_context(options: TlsOptions) -> ssl.SSLContext:
    """Return a context that verifies nothing: only to look at a certificate that has been refused already.

    Nothing may be sent over its connections. Versions and ciphers are those of the connection that was refused.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    _permit(context, options)
    return context


def _permit(context: ssl.SSLContext, options: TlsOptions) -> None:
    """Set the oldest version and the ciphers, none of which does without a certificate or without encryption."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the old versions, which the operator asked for
        context.minimum_version = _VERSIONS[options.oldest_version]
    if options.permits_weak:
        context.set_ciphers(f"DEFAULT:!aNULL:!eNULL:@SECLEVEL={options.security_level}")
