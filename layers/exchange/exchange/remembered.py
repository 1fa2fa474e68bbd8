"""What is kept of autodiscover between reads: where mailboxes are, which services answer, and what failed.

A mailbox, and a domain, has one fact: where it was found, or why it was not. Facts hold texts only (EndpointCache).
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping

from exchange.autodiscover.answers import ServiceUrls, Settings
from exchange.autodiscover.urls import check_ews_url
from exchange.endpoints import Fact
from exchange.gateways import Gateway
from exchange.web.hosts import ascii_host
from exchange.web.network_settings import NetworkSettings
from presence.errors import Problem, ProblemKind

_HOUR = 3600.0
_LONGEST_HOURS = 24
_FAILURE_SECONDS = 300.0
DAY_SECONDS = 86400.0
HANGING_SECONDS = 3600.0
"""For so long it is kept that a domain used up its turn, so that others are looked for before it."""
CONFIRMED_SECONDS = 240.0
"""For so long an endpoint that autodiscover has told again is not doubted: less than the usual time between checks."""

KEPT_FAILURES = frozenset(
    {
        "AutodiscoverFailed",
        "CertificateInvalid",
        "EndpointUnusable",
        "HostNotTrusted",
        "MailboxNotFound",
        "TlsTooWeak",
        "TooManyRedirects",
    }
)
"""Failures of others that are not asked for again at once. Those of the account are not among them: a new secret counts
at once, and how often a rejected one is tried is bounded elsewhere (decision 0055)."""


def search_fingerprint(gateway: Gateway, network: NetworkSettings, domain: str) -> str:
    """Return what tells whether mailboxes of a domain would be looked for at the same places as when one was found."""
    return _fingerprint(
        sorted(gateway.skip),
        gateway.autodiscover_urls.get(ascii_host(domain)),
        network.nameservers,
    )


def settings_fingerprint(gateway: Gateway, network: NetworkSettings) -> str:
    """Return what tells whether the document is the one under which something failed, as far as it matters there."""
    return _fingerprint(
        gateway.kind,
        sorted(gateway.domains),
        gateway.credentials,
        gateway.authentication,
        gateway.ca,
        sorted(gateway.trusted_hosts),
        sorted(gateway.skip),
        sorted(gateway.autodiscover_urls.items()),
        gateway.tls,
        network.nameservers,
        sorted((str(asked), str(used)) for asked, used in network.connect.items()),
        network.allow_loopback,
    )


def _fingerprint(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def mailbox_fact(gateway: str, mailbox: str, settings: Settings, fingerprint: str) -> Fact:
    """Return the fact of a mailbox that was found; of its URLs those that are asked if their hosts are trusted."""
    fact = {"gateway": gateway, "mailbox": mailbox, "schemas": ",".join(settings.schemas), "found_under": fingerprint}
    for side, urls in (("external", settings.external), ("internal", settings.internal)):
        if urls is not None and (ews := _kept(urls.ews)):
            fact |= {side: ews, f"{side}_oof": _kept(urls.oof)}
    return {name: text for name, text in fact.items() if text}


def service_fact(url: str, fingerprint: str) -> Fact:
    """Return the fact of a domain for which a service answered."""
    return {"url": url, "found_under": fingerprint}


def hanging_fact(hung_at: str) -> Fact:
    """Return the fact of a domain that used up its turn, and was not found: the instant since which it waits."""
    return {"hung_at": hung_at}


def _kept(url: str | None) -> str:
    try:
        check_ews_url(url or "")
    except ValueError:
        return ""
    return url or ""


def settings_of(fact: Fact) -> Settings:
    """Return the settings in the fact of a mailbox; without URLs if it is none of a mailbox that was found."""
    sides = [
        ServiceUrls(fact[side], fact.get(f"{side}_oof") or None) if fact.get(side) else None
        for side in ("external", "internal")
    ]
    return Settings(sides[0], sides[1], schemas=tuple(filter(None, fact.get("schemas", "").split(","))))


def failure_fact(gateway: str, problem: Problem, fingerprint: str) -> Fact:
    """Return the fact of a mailbox or a domain that was not found."""
    return {
        "gateway": gateway,
        "failed_under": fingerprint,
        "code": problem.code,
        "kind": problem.kind.value,
        "text": problem.text,
        "remedy": problem.remedy,
    }


def failure_of(fact: Mapping[str, str], gateway: str, fingerprint: str) -> Problem | None:
    """Return the failure in a fact; None if it is of another kind, or of another gateway or document."""
    if fact.get("gateway") != gateway or fact.get("failed_under") != fingerprint:
        return None
    try:
        kind = ProblemKind(fact.get("kind", ""))
    except ValueError:
        return None
    return Problem(fact.get("code", ""), kind, fact.get("text", ""), fact.get("remedy", ""))


def mailbox_seconds(address: str, ttl_hours: int) -> float:
    """Return for how long the fact of a mailbox is kept; a TTL of 0 hours means as long as any."""
    return spread(address, min(ttl_hours or _LONGEST_HOURS, _LONGEST_HOURS) * _HOUR)


def failure_seconds(key: str, problem: Problem) -> float:
    """Return for how long a failure is kept: as the server asked for, else about five minutes, as Outlook does."""
    return problem.retry_after or spread(key, _FAILURE_SECONDS)


def spread(key: str, seconds: float) -> float:
    """Vary a time by up to a quarter, by key, so that not all that was learnt at once is asked again at once."""
    return seconds * (0.75 + 0.5 * zlib.crc32(key.encode()) / 0xFFFFFFFF)
