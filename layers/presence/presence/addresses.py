"""SMTP addresses as people and directories write them (RFC 5321, section 4.1.2; RFC 6531 for other scripts)."""

from __future__ import annotations

import re
import unicodedata

from presence.errors import InvalidAddress

_LONGEST_ADDRESS = 254
_LONGEST_LOCAL_PART = 64
_LONGEST_DOMAIN = 253
_LOCAL_PART = re.compile(r"[^\s@<>()\[\]\\,;:\"\x00-\x1f\x7f]+")
_LABEL = re.compile(r"[^\W_](?:[\w-]{0,61}[^\W_])?")

_A_LABEL = "xn--"

_INVISIBLE = frozenset({"Cc", "Cf", "Cs"})
"""Unicode's categories of controls, of marks of direction and width, and of halves of surrogate pairs."""


def parse_smtp_address(text: str) -> str:
    """Return the address in its one spelling: lower-case, NFC, no space around.

    Raises `InvalidAddress`, whose text names the address and what is wrong with it.
    """
    address = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text.strip()).lower())
    local_part, at, domain = address.rpartition("@")
    if not at or not local_part or not domain:
        shown = text if len(text) <= _LONGEST_ADDRESS else f"{text[:40]}…"
        raise InvalidAddress(f"{shown!r} is no SMTP address: it needs a name, one @ and a domain")
    if len(address) > _LONGEST_ADDRESS or len(local_part) > _LONGEST_LOCAL_PART or len(domain) > _LONGEST_DOMAIN:
        raise InvalidAddress(f"{text[:40]!r}… is no SMTP address: it is too long")
    if not _LOCAL_PART.fullmatch(local_part) or ".." in f".{local_part}.":
        raise InvalidAddress(f"{text!r} is no SMTP address: {local_part!r} can't stand before the @")
    if any(unicodedata.category(character) in _INVISIBLE for character in address):
        raise InvalidAddress(f"{text!r} is no SMTP address: it holds a character that can't be seen")
    labels = domain.split(".")
    if len(labels) == 1:
        raise InvalidAddress(f"{text!r} is no SMTP address: {domain!r} is no full domain")
    for label in labels:
        if not _LABEL.fullmatch(label):
            raise InvalidAddress(f"{text!r} is no SMTP address: {label!r} is no part of a domain")
    if labels[-1].isdigit():
        raise InvalidAddress(f"{text!r} is no SMTP address: {domain!r} is an IP address, not a domain")
    return address


def domain_of(address: str) -> str:
    """Return the domain of an address that `parse_smtp_address` has accepted."""
    return address.rpartition("@")[2]


def in_own_script(address: str) -> str:
    """Return an address, or a domain, with all of its domain in its own script: `bücher.test` for `xn--bcher-kva.test`.

    Directories write either (RFC 5890, U-label and A-label), and both are one domain.
    """
    if _A_LABEL not in address:
        return address
    local_part, at, domain = address.rpartition("@")
    return f"{local_part}{at}{'.'.join(map(_u_label, domain.split('.')))}"


def _u_label(label: str) -> str:
    if not label.startswith(_A_LABEL):
        return label
    try:
        return label.removeprefix(_A_LABEL).encode("ascii").decode("punycode")
    except (ValueError, OverflowError):
        return label
