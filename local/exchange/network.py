"""Which hosts the simulated organisation has, what they serve, and how DNS and redirects lead to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from local.exchange.authentication import BASIC, NTLM
from local.exchange.directory import ServiceUrls
from local.exchange.nameserver import ServiceRecord

if TYPE_CHECKING:
    from collections.abc import Mapping

HTTPS = 443
HTTP = 80


@dataclass(frozen=True, slots=True)
class Host:
    """An HTTPS host. `name` is a DNS name or an IP address, and what its certificate is for.

    `accounts` are the references of those who may sign in. `autodiscover`: the domains for whose mailboxes it
    answers autodiscover, with their services. `mailboxes`: the domains whose mailboxes it serves by EWS. A host with
    neither is somebody's website: it answers every request with a page, or where `asks_for_password` with 401.
    `refuses_mail_tips`: the code with which it answers GetMailTips, as of a server before 2010. `newest_version`: it
    knows no newer RequestServerVersion than this, as an old server does not. `speaks_soap`: its autodiscover answers
    in SOAP as well, as from 2010 on. `cookie`: what it leaves with each answer, as a balancer does that keeps a client
    on one server.
    """

    name: str
    port: int = HTTPS
    schemes: tuple[str, ...] = (NTLM, BASIC)
    accounts: tuple[str, ...] = ()
    autodiscover: Mapping[str, ServiceUrls] = field(default_factory=dict)
    mailboxes: frozenset[str] = frozenset()
    asks_for_password: bool = False
    refuses_mail_tips: str | None = None
    newest_version: str | None = None
    speaks_soap: bool = True
    cookie: str | None = None

    @property
    def is_website(self) -> bool:
        """Whether this host has nothing to do with Exchange."""
        return not self.autodiscover and not self.mailboxes


@dataclass(frozen=True, slots=True)
class Redirect:
    """A host that answers plain HTTP with a redirect, and on whose port 443 nobody listens."""

    name: str
    location: str


@dataclass(frozen=True, slots=True)
class Network:
    """Hosts, redirects, SRV records and the gateways document's gateways (without their CA) that fit them.

    `silent_hosts` (name, port) have an address and refuse connections.
    """

    hosts: tuple[Host, ...]
    redirects: tuple[Redirect, ...] = ()
    services: Mapping[str, tuple[ServiceRecord, ...]] = field(default_factory=dict)
    silent_hosts: tuple[tuple[str, int], ...] = ()
    gateways: tuple[Mapping[str, Any], ...] = ()


def ews_url(host: str, port: int = HTTPS) -> str:
    """Return the address of a host's Exchange Web Services."""
    return f"https://{host}{'' if port == HTTPS else f':{port}'}/EWS/Exchange.asmx"


def demo_network() -> Network:
    """Return a network in which each way of finding Exchange leads to one of five domains.

    * example.com: on the root domain itself, which the operator trusts by name;
    * example.org: on `autodiscover.`; its root domain is a website that asks everybody for a password;
    * branch.test: a redirect over plain HTTP to a hosting company, whose autodiscover speaks POX only; its root domain
      is a website;
    * research.test: an SRV record, on port 8443; a second one, with a worse priority, leads nowhere;
    * factory.test: no autodiscover at all, but a pool of three servers, one known by its IP address only.
    """
    reader, hosting, factory = ("exchange-reader",), ("hosting-reader",), ("factory-reader",)
    research = ServiceUrls(ews_url("owa.research.test", 8443))
    return Network(
        hosts=(
            Host(
                "example.com", accounts=reader, autodiscover={"example.com": ServiceUrls(ews_url("mail.example.com"))}
            ),
            Host("mail.example.com", accounts=reader, mailboxes=frozenset({"example.com"})),
            Host("example.org", asks_for_password=True),
            Host(
                "autodiscover.example.org",
                accounts=reader,
                autodiscover={"example.org": ServiceUrls(ews_url("mail.example.org"))},
            ),
            Host("mail.example.org", accounts=reader, schemes=(NTLM,), mailboxes=frozenset({"example.org"})),
            Host("branch.test"),
            *(
                Host(
                    name,
                    accounts=hosting,
                    autodiscover={"branch.test": ServiceUrls(ews_url("mail.hosting.test"), names_ews=False)},
                    speaks_soap=False,
                )
                for name in ("autodiscover.hosting.test", "discover.hosting.test")
            ),
            Host("mail.hosting.test", accounts=hosting, mailboxes=frozenset({"branch.test"})),
            Host(
                "owa.research.test",
                8443,
                accounts=reader,
                autodiscover={"research.test": research},
                mailboxes=frozenset({"research.test"}),
            ),
            *(
                Host(name, schemes=(BASIC,), accounts=factory, mailboxes=frozenset({"factory.test"}))
                for name in ("cas1.factory.test", "cas2.factory.test", "192.0.2.10")
            ),
        ),
        redirects=(
            Redirect("autodiscover.branch.test", "https://autodiscover.hosting.test/autodiscover/autodiscover.xml"),
        ),
        services={
            "_autodiscover._tcp.research.test": (
                ServiceRecord(20, 0, HTTPS, "backup.research.test"),
                ServiceRecord(10, 0, 8443, "owa.research.test"),
            ),
        },
        silent_hosts=(("backup.research.test", HTTPS),),
        gateways=(
            {
                "name": "headquarters",
                "kind": "autodiscover",
                "domains": ["example.com", "example.org"],
                "credentials": "exchange-reader",
                "auth": "ntlm",
                "trusted_hosts": ["example.com"],
            },
            {
                "name": "branch",
                "kind": "autodiscover",
                "domains": ["branch.test"],
                "credentials": "hosting-reader",
                "auth": "ntlm",
                "trusted_hosts": ["autodiscover.hosting.test", "discover.hosting.test", "mail.hosting.test"],
            },
            {
                "name": "research",
                "kind": "autodiscover",
                "domains": ["research.test"],
                "credentials": "exchange-reader",
                "auth": "ntlm",
            },
            {
                "name": "factory",
                "kind": "ews",
                "hosts": ["cas1.factory.test", "cas2.factory.test:443", "192.0.2.10:443"],
                "domains": ["factory.test"],
                "credentials": "factory-reader",
                "auth": "basic",
            },
        ),
    )
