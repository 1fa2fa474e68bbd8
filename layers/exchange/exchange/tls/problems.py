"""The problems of TLS: one function a code, with what to do."""

from __future__ import annotations

from presence.errors import Problem, ProblemKind


def certificate_invalid(host: str, what: str, remedy: str) -> Problem:
    """Say that the certificate can't be trusted; nothing was sent."""
    return Problem(
        "CertificateInvalid", ProblemKind.LASTING, f"the certificate of {host} is not accepted: {what}", remedy
    )


def tls_failed(host: str, reason: str) -> Problem:
    """Say that the TLS handshake broke off."""
    return Problem(
        "TlsFailed",
        ProblemKind.PASSING,
        f"no TLS connection to {host}: {reason}",
        "check that the port speaks TLS 1.2 or newer and that nothing on the way intercepts it",
    )


def tls_too_weak(host: str, what: str, remedy: str) -> Problem:
    """Say that the server speaks only what is no longer safe; nothing was sent."""
    return Problem("TlsTooWeak", ProblemKind.LASTING, f"no TLS connection to {host}: failed, {what}", remedy)
