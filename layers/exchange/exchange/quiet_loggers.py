"""Silences the libraries that talk to Exchange: they print Authorization headers, tokens, cookies and whole answers."""

from __future__ import annotations

from typing import Final

from presence.quiet_loggers import silence

OF_EXCHANGE: Final = (
    "charset_normalizer",
    "dns",
    "exchangelib",
    "oauthlib",
    "requests",
    "requests_gssapi",
    "requests_ntlm",
    "requests_oauthlib",
    "spnego",
    "tzlocal",
    "urllib3",
)


def silence_loggers() -> None:
    """Silence them, whatever level the root logger has."""
    silence(OF_EXCHANGE)
