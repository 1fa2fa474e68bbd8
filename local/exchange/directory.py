"""What autodiscover of one host knows of mailboxes, in whichever of its two protocols it is asked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.exchange.organisation import Mailbox, Organisation


@dataclass(frozen=True, slots=True)
class ServiceUrls:
    """Where the mailboxes of a domain are served. `names_ews` False: EwsUrl is left out, as older servers do."""

    external: str
    internal: str | None = None
    names_ews: bool = True


@dataclass(frozen=True, slots=True)
class NewAddress:
    """The mailbox has another address now, which is to be looked for."""

    address: str


@dataclass(frozen=True, slots=True)
class OtherService:
    """Another autodiscover service, at this URL in POX, knows where the mailbox is."""

    url: str


@dataclass(frozen=True, slots=True)
class Found:
    """A mailbox, and what leads to it."""

    mailbox: Mailbox
    leads_to: ServiceUrls | NewAddress | OtherService


@dataclass(frozen=True, slots=True)
class Unknown:
    """There is no such mailbox; `domain` tells whether mailboxes of its domain are known here at all."""

    domain: bool


class Directory:
    """The mailboxes of some domains, each with its services."""

    def __init__(self, organisation: Organisation, services: Mapping[str, ServiceUrls]) -> None:
        self._organisation = organisation
        self._services = services

    def find(self, address: str, own_host: str) -> Found | Unknown:
        """Return where a mailbox is. Of one that moved to another domain only the new address is known."""
        mailbox = self._organisation.mailbox(address)
        if mailbox is None or _domain(address) not in self._services:
            return Unknown(domain=_domain(address) in self._services)
        services = self._services.get(_domain(mailbox.address))
        if services is None:
            return Found(mailbox, NewAddress(mailbox.address))
        if mailbox.redirect_address is not None:
            return Found(mailbox, NewAddress(mailbox.redirect_address))
        if mailbox.redirect_url is not None and urlsplit(mailbox.redirect_url).hostname != own_host:
            return Found(mailbox, OtherService(mailbox.redirect_url))
        return Found(mailbox, services if mailbox.server is None else _at(mailbox.server, services))


def _at(server: str, services: ServiceUrls) -> ServiceUrls:
    """Return the services of a domain at another host than the usual one."""
    parts = urlsplit(services.external)
    return replace(services, external=parts._replace(netloc=server).geturl(), internal=None)


def _domain(address: str) -> str:
    return address.rpartition("@")[2].lower()
