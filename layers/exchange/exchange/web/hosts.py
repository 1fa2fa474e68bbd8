"""Host names and ports as operators, DNS and URLs write them."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import SplitResult, urlsplit

import idna

HTTPS_PORT = 443
_HIGHEST_PORT = 65535
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_LONGEST_NAME = 253
_LONGEST_URL = 2083
"""The longest that Windows takes (wininet.h, INTERNET_MAX_URL_LENGTH); a table and a log line take it too."""
_REMEMBERED = 1024
"""Names and URLs whose form is remembered: all mailboxes of a read have the same few."""


@dataclass(frozen=True, slots=True)
class HostPort:
    """A host (a name in its ASCII form, lower-case, or an IP address without brackets) and a TCP or UDP port."""

    host: str
    port: int

    def __str__(self) -> str:
        """Return `host:port`, an IPv6 address in brackets (RFC 3986, section 3.2.2)."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def in_url(self) -> str:
        """The authority part of an https URL: the port only where it is not 443."""
        bracketed = f"[{self.host}]" if ":" in self.host else self.host
        return bracketed if self.port == HTTPS_PORT else f"{bracketed}:{self.port}"


@lru_cache(_REMEMBERED)
def ascii_host(text: str) -> str:
    """Return a host name in the form that DNS and certificates know (RFC 5891), or an IP address in its one spelling.

    Raises ValueError, naming the text, if it is neither.
    """
    name = text.strip().strip("[]").rstrip(".").lower()
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        pass
    try:
        name = name if name.isascii() else idna.encode(name, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise ValueError(f"{text!r} is no host name") from error
    labels = name.split(".")
    if len(name) > _LONGEST_NAME or not all(_LABEL.fullmatch(label) for label in labels) or labels[-1].isdigit():
        raise ValueError(f"{text!r} is no host name")
    return name


def parse_host_port(text: str, default_port: int | None = None) -> HostPort:
    """Read `host`, `host:port`, `address:port` or `[address]:port`.

    Raises ValueError, naming the text, if the host is none, or a port is missing that has no default.
    """
    host, port = text.strip(), ""
    if not _is_address(host):
        before, colon, after = host.rpartition(":")
        if colon and not host.endswith("]"):
            host, port = before, after
    if not port and default_port is None:
        raise ValueError(f"{text!r} has no port")
    number = int(port) if port.isascii() and port.isdigit() else (default_port if not port else None)
    if number is None or not 0 < number <= _HIGHEST_PORT:
        raise ValueError(f"{text!r} has no valid port")
    return HostPort(ascii_host(host), number)


def parse_address_port(text: str, default_port: int | None = None) -> HostPort:
    """Read an IP address with its port; raises ValueError for a name."""
    parsed = parse_host_port(text, default_port)
    if not _is_address(parsed.host):
        raise ValueError(f"{text!r} must be an IP address and a port")
    return parsed


@lru_cache(_REMEMBERED)
def split_https_url(url: str) -> tuple[HostPort, str]:
    """Return host and path of an https URL that carries no user name.

    Raises ValueError that says in a few words what is wrong, without repeating the URL (it may hold a password).
    """
    try:
        parts: SplitResult = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError("is no URL") from error
    if parts.scheme.lower() != "https":
        raise ValueError("is not https")
    if parts.username is not None or parts.password is not None:
        raise ValueError("carries a user name")
    if not host or not url.isprintable() or " " in url:
        raise ValueError("is no URL")
    if len(url) > _LONGEST_URL:
        raise ValueError(f"is longer than {_LONGEST_URL} characters")
    return HostPort(ascii_host(host), port or HTTPS_PORT), parts.path


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return False
    return True
