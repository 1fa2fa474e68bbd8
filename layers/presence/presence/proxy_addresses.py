"""The primary SMTP address of a user, from the addresses that a directory has of them.

Active Directory keeps all addresses of a mailbox in the attribute proxyAddresses, each with its kind before a colon.
The one whose kind is written in capitals, `SMTP:`, is the primary one, under which Exchange knows the mailbox; `smtp:`
are secondary ones (domain.md, "The client"; "proxyAddresses" in Microsoft's Active Directory schema).
"""

from __future__ import annotations

from collections.abc import Iterable

from presence.addresses import parse_smtp_address
from presence.errors import InvalidAddress

_PRIMARY = "SMTP"
_MOST_SHOWN = 3


def primary_smtp_address(proxy_addresses: Iterable[str]) -> str:
    """Return the primary SMTP address among proxy addresses; all other kinds (SIP, X500, EUM, …) are passed over.

    The same address twice counts once. Raises `InvalidAddress` if there is no primary address, or more than one, or if
    it is no SMTP address.
    """
    kinds = [(kind, address) for value in proxy_addresses for kind, _, address in [value.strip().partition(":")]]
    primary = list(dict.fromkeys(parse_smtp_address(address) for kind, address in kinds if kind == _PRIMARY))
    if len(primary) == 1:
        return primary[0]
    if primary:
        shown = ", ".join(primary[:_MOST_SHOWN])
        raise InvalidAddress(f"{len(primary)} addresses are primary (SMTP: in capitals), {shown}: only one can be")
    secondary = sum(kind.upper() == _PRIMARY for kind, _ in kinds)
    raise InvalidAddress(
        f"none of {len(kinds)} proxy addresses is primary: there is none with SMTP: in capitals, {secondary} with smtp:"
    )
