"""Faults of TLS: certificates that must not be accepted, old versions, and somebody who intercepts."""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.x509.oid import ObjectIdentifier

from local.exchange.certificates import CertificateAuthority, HostCertificate, Shape, self_signed
from local.faults.places import MAIL
from local.faults.stage import Effect, Stage

_ANY_LEVEL = "DEFAULT:@SECLEVEL=0"
_UNKNOWN_EXTENSION = x509.UnrecognizedExtension(ObjectIdentifier("1.3.6.1.4.1.55555.1"), b"\x05\x00")
_VERSIONS = {"1.0": ssl.TLSVersion.TLSv1, "1.1": ssl.TLSVersion.TLSv1_1}


def certificate(stage: Stage, fault: str, host: str = MAIL) -> Effect:
    """Let a host show a certificate that has a fault."""
    return _show(stage, host, _MAKERS[fault](stage.exchange.authority, host).server_context(ciphers=_ANY_LEVEL))


def old_tls(stage: Stage, version: str, host: str = MAIL) -> Effect:
    """Let a host speak no newer version of TLS than this one."""
    context = stage.exchange.authority.issue(host).server_context(ciphers=_ANY_LEVEL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of old versions, which are what this is about
        context.minimum_version = _VERSIONS[version]
        context.maximum_version = _VERSIONS[version]
    return _show(stage, host, context)


def weak_ciphers(stage: Stage, host: str = MAIL) -> Effect:
    """Let a host offer ciphers only that nobody should speak any more."""
    context = stage.exchange.authority.issue(host, shape=Shape(rsa_bits=2048)).server_context(
        ciphers="AES128-SHA:@SECLEVEL=0"
    )
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    return _show(stage, host, context)


def intercepted(stage: Stage, host: str = MAIL) -> Effect:
    """Let somebody stand between, with a certificate that is good: what NTLM binds itself to is not the server's."""
    return _show(stage, host, stage.exchange.authority.issue(host).server_context())


def _show(stage: Stage, host: str, context: ssl.SSLContext) -> Effect:
    listener = stage.exchange.listener(host)
    stage.undo.callback(setattr, listener, "tls", listener.tls)
    listener.tls = context
    return lambda: listener.unusual


def _now() -> datetime:
    return datetime.now(UTC)  # OpenSSL judges by the real clock


def _below(authority: CertificateAuthority, host: str, above: Shape) -> HostCertificate:
    """Return a certificate of an intermediate authority of that shape, which is sent along."""
    between = CertificateAuthority("Simulated Intermediate CA", issuer=authority, shape=above)
    return between.issue(host, sends=(between,))


def _without_intermediate(authority: CertificateAuthority, host: str) -> HostCertificate:
    return CertificateAuthority("Simulated Intermediate CA", issuer=authority).issue(host)


def _too_deep(authority: CertificateAuthority, host: str) -> HostCertificate:
    above = CertificateAuthority("Simulated Short CA", issuer=authority, shape=Shape(path_length=0))
    between = CertificateAuthority("Simulated Intermediate CA", issuer=above)
    return between.issue(host, sends=(between, above))


def _past() -> Shape:
    return Shape(begins=_now() - timedelta(days=400), ends=_now() - timedelta(days=2))


def _future() -> Shape:
    return Shape(begins=_now() + timedelta(days=2))


_MAKERS: Mapping[str, Callable[[CertificateAuthority, str], HostCertificate]] = {
    "expired": lambda authority, host: authority.issue(host, shape=_past()),
    "not-yet-valid": lambda authority, host: authority.issue(host, shape=_future()),
    "other-name": lambda authority, _: authority.issue("owa.example.com"),
    "other-address": lambda authority, _: authority.issue("192.0.2.99"),
    "wildcard-of-one-label-too-few": lambda authority, host: authority.issue(f"*.{host.split('.', 2)[2]}"),
    "wildcard": lambda authority, host: authority.issue(f"*.{host.partition('.')[2]}"),
    "common-name-only": lambda authority, host: authority.issue(host, shape=Shape(alternative_names=False)),
    "common-name-beside-others": lambda authority, host: authority.issue(
        "owa.example.com", shape=Shape(common_name=host)
    ),
    "self-signed": lambda _, host: self_signed(host),
    "unknown-root": lambda _, host: CertificateAuthority("Unknown Root CA").issue(host),
    "missing-intermediate": _without_intermediate,
    "expired-intermediate": lambda authority, host: _below(authority, host, _past()),
    "issuer-that-may-not-issue": lambda authority, host: _below(authority, host, Shape(may_issue=False)),
    "path-too-long": _too_deep,
    "no-key-identifiers": lambda authority, host: authority.issue(host, shape=Shape(key_identifiers=False)),
    "for-clients": lambda authority, host: authority.issue(host, shape=Shape(for_servers=False)),
    "unknown-critical-extension": lambda authority, host: authority.issue(
        host, shape=Shape(critical=(_UNKNOWN_EXTENSION,))
    ),
    "weak-key": lambda authority, host: authority.issue(host, shape=Shape(rsa_bits=1024)),
}

FAULTS = frozenset(_MAKERS)
"""What may be wrong with a certificate."""

INJECTIONS: Mapping[str, Callable[..., Effect]] = {
    "certificate": certificate,
    "old-tls": old_tls,
    "weak-ciphers": weak_ciphers,
    "intercepted": intercepted,
}
