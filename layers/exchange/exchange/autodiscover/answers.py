"""What an autodiscover service answers about one mailbox, in whichever of its two protocols it was asked."""

from __future__ import annotations

from dataclasses import dataclass

from exchange.web.hosts import ascii_host
from presence.addresses import domain_of, parse_smtp_address
from presence.errors import InvalidAddress

DEFAULT_TTL_HOURS = 1
"""How long settings hold that say nothing of it (MS-OXDSCLI, TTL); SOAP never says."""


@dataclass(frozen=True, slots=True)
class ServiceUrls:
    """Where the services of a mailbox are, seen from one side: its EWS URL, and the OOF URL if that is told."""

    ews: str
    oof: str | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the mailbox is, from outside and from inside of its organisation's network, one of them at least.

    A `ttl_hours` of 0 means that it holds until it fails. `schemas` are the versions of EWS that are spoken there, if
    that is told (EwsSupportedSchemas).
    """

    external: ServiceUrls | None
    internal: ServiceUrls | None
    ttl_hours: int = DEFAULT_TTL_HOURS
    schemas: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RedirectAddress:
    """The mailbox is to be looked for under another SMTP address."""

    address: str


@dataclass(frozen=True, slots=True)
class RedirectUrl:
    """Another autodiscover service is to be asked."""

    url: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """The service answers with an error code: a number (POX), one of Microsoft's names (SOAP), or NothingOfUse.

    `of_address`: it does not know the address. `passing`: another time it may fare better.
    """

    code: str
    of_address: bool = False
    passing: bool = False


AutodiscoverAnswer = Settings | RedirectAddress | RedirectUrl | Refusal


def redirect_address(text: str) -> RedirectAddress:
    """Return the redirection to an address. Raises `InvalidAddress` if it is none, or DNS can't have its domain."""
    address = parse_smtp_address(text)
    try:
        ascii_host(domain_of(address))
    except ValueError as error:
        raise InvalidAddress(f"{address!r} is no SMTP address: DNS can't have its domain") from error
    return RedirectAddress(address)


def in_a_sentence(answer: AutodiscoverAnswer) -> str:
    """Say what an answer means, for the trace."""
    match answer:
        case Settings():
            return "tells where the mailbox is"
        case RedirectAddress():
            return f"says that the mailbox is {answer.address} now"
        case RedirectUrl():
            return "refers to another autodiscover service"
        case Refusal():
            meaning = ": it knows no such address" if answer.of_address else ""
            return f"answers with autodiscover error {answer.code}{meaning}"
