"""Gateways: which Exchange serves which addresses, with which account, and how it is reached.

`exchange.gateway_documents` reads them from the document that operators write.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from exchange.mailbox_access import FREE_BUSY_ONLY, MailboxAccess
from exchange.problems import no_gateway
from exchange.recipients import USUAL_RECIPIENTS, RecipientPolicy
from exchange.tls.options import NO_EXCEPTIONS, TlsOptions
from exchange.web.hosts import HostPort, ascii_host
from exchange.web.network_settings import NetworkSettings
from presence.addresses import domain_of
from presence.errors import ProblemError
from presence.profiles import Profiles

ALL_OTHER_DOMAINS = "*"
MOST_MAILBOXES = 100
"""EWS takes no more mailboxes in one GetUserAvailability (ErrorMailboxDataArrayTooBig)."""


class GatewayKind(StrEnum):
    """How the endpoint of a mailbox is found: by autodiscover, or named by the operator."""

    AUTODISCOVER = "autodiscover"
    EWS = "ews"


class Authentication(StrEnum):
    """How the account proves itself. NTLM and Kerberos carry the channel binding that Extended Protection asks for."""

    NTLM = "ntlm"
    BASIC = "basic"
    KERBEROS = "kerberos"


class RepliesFrom(StrEnum):
    """How it is found out who has automatic replies: asked as a sender, asked in the owner's name, or not at all."""

    MAIL_TIPS = "mail-tips"
    OOF_SETTINGS = "oof-settings"
    OFF = "off"


class Side(StrEnum):
    """From where a mailbox's server is reached: from outside of the organisation's network, or from inside."""

    EXTERNAL = "external"
    INTERNAL = "internal"


class DiscoveryStep(StrEnum):
    """The steps of autodiscover, in their order (domain.md, "The client")."""

    ROOT_DOMAIN = "root-domain"
    AUTODISCOVER = "autodiscover"
    HTTP_REDIRECT = "http-redirect"
    SRV = "srv"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a gateway's servers are asked.

    `concurrent_reads` bounds the reads that are under way at once, over all instances of the functions; a read has one
    request under way at a time. The default is the EWSMaxConcurrency of Exchange 2010, the lowest.
    `mailboxes_per_request` is at most `MOST_MAILBOXES`.
    """

    concurrent_reads: int = 10
    mailboxes_per_request: int = MOST_MAILBOXES


@dataclass(frozen=True, slots=True)
class Gateway:
    """One way to Exchange, for the addresses of its domains and for single `users`.

    `users` are addresses as `ascii_address` gives them. `credentials` is the name of a secret, `ca` a chain in PEM
    that is trusted instead of the system's, `trusted_hosts` may be given credentials though they are not under the
    user's domain, `autodiscover_urls` are asked for the addresses of a domain (in its ASCII form) instead of all
    steps, `prefer` says which of a mailbox's URLs is asked first. `hosts` are those of a gateway of kind `ews`, its
    pool, `automatic_replies` how it is asked for them, `tls` what is permitted of its servers beyond the usual,
    `mailboxes` how its account reaches calendars, `recipients` which kinds are taken.
    """

    name: str
    kind: GatewayKind
    domains: tuple[str, ...]
    credentials: str
    users: frozenset[str] = frozenset()
    authentication: Authentication = Authentication.NTLM
    ca: str | None = field(default=None, repr=False)
    trusted_hosts: frozenset[str] = frozenset()
    skip: frozenset[DiscoveryStep] = frozenset()
    autodiscover_urls: Mapping[str, str] = field(default_factory=dict)
    prefer: Side = Side.EXTERNAL
    hosts: tuple[HostPort, ...] = ()
    automatic_replies: RepliesFrom = RepliesFrom.MAIL_TIPS
    tls: TlsOptions = NO_EXCEPTIONS
    limits: Limits = Limits()
    mailboxes: MailboxAccess = FREE_BUSY_ONLY
    recipients: RecipientPolicy = USUAL_RECIPIENTS

    @property
    def has_pool(self) -> bool:
        """Whether it has several hosts, of which another can be asked where one fails."""
        return len(self.hosts) > 1

    def serves_domain(self, domain: str) -> bool:
        """Tell whether a domain, or `*`, is among its domains; international ones in either form (RFC 5890)."""
        wanted = _ascii_domain(domain)
        return any(_ascii_domain(each) == wanted for each in self.domains)


@dataclass(frozen=True, slots=True)
class GatewaysDocument:
    """The whole document."""

    gateways: tuple[Gateway, ...]
    network: NetworkSettings
    profiles: Profiles

    def gateway_for(self, address: str) -> Gateway:
        """Return the gateway that serves an SMTP address: one that names it, else its domain, else all others.

        Raises `ProblemError` (NoGateway, lasting) if there is none.
        """
        by_its_form = ascii_address(address)
        for gateway in self.gateways:
            if by_its_form in gateway.users:
                return gateway
        domain = domain_of(address)
        for wanted in (domain, ALL_OTHER_DOMAINS):
            for gateway in self.gateways:
                if gateway.serves_domain(wanted):
                    return gateway
        raise ProblemError(no_gateway(address, domain))


def ascii_address(address: str) -> str:
    """Return an SMTP address with its domain in ASCII (RFC 5890), where it has such a form."""
    local_part, _, domain = address.rpartition("@")
    return f"{local_part}@{_ascii_domain(domain)}"


def _ascii_domain(domain: str) -> str:
    try:
        return ascii_host(domain)
    except ValueError:  # of `*`, and of what only SMTP takes for a domain
        return domain
