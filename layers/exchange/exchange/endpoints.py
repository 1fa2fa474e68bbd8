"""Endpoints, and the small facts that all readers share between checks: of mailboxes, services, hosts and accounts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from exchange.web.hosts import HostPort

Fact = Mapping[str, str]
"""Something small that is known for a time; what is not a text is written as one."""

Written = tuple[Fact, float]
"""A fact, and the seconds for which it is kept."""

Change = Callable[[Fact | None], Written | None]
"""From the present fact (None: there is none) to the new one; None: no change."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An EWS URL, and the name of the gateway whose account it is asked with.

    `alternatives` are other URLs of the same mailboxes, to be asked when that one can't be connected to.
    """

    gateway: str
    url: str
    alternatives: tuple[str, ...] = ()


def ews_url(host: HostPort) -> str:
    """Return the EWS URL of a host that an operator named."""
    return f"https://{host.in_url}/EWS/Exchange.asmx"


class EndpointCache(Protocol):
    """Small facts by key, each forgotten after its time; shared by all that read calendars.

    The keys are made by the functions below, so that a store need not know what its facts are about.
    """

    def get_many(self, keys: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
        """Return what is known and not expired, by key."""

    def put(self, key: str, value: Mapping[str, str], ttl_seconds: float) -> None:
        """Keep a fact for so many seconds."""

    def update(self, key: str, change: Change) -> Fact | None:
        """Change a fact in one step that nobody else can come between, and return what is known afterwards.

        `change` may be called several times. Keys that are updated are not `put` as well. Raises
        `CalendarPresenceError` if others are faster time after time.
        """

    def delete(self, keys: Sequence[str]) -> None:
        """Forget facts; unknown keys are no error."""


class MemoryEndpointCache:
    """An EndpointCache inside one process. `clock` gives the present instant in UTC."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._items: dict[str, tuple[datetime, dict[str, str]]] = {}
        self._lock = threading.Lock()

    def get_many(self, keys: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
        """Return what is known and not expired, by key."""
        now = self._clock()
        known = ((key, self._items[key]) for key in keys if key in self._items)
        return {key: dict(value) for key, (expires, value) in known if now < expires}

    def put(self, key: str, value: Mapping[str, str], ttl_seconds: float) -> None:
        """Keep a fact for so many seconds."""
        self._items[key] = (self._clock() + timedelta(seconds=ttl_seconds), dict(value))

    def update(self, key: str, change: Change) -> Fact | None:
        """Change a fact in one step, and return what is known afterwards."""
        with self._lock:
            present = self.get_many([key]).get(key)
            changed = change(present)
            if changed is None:
                return present
            self.put(key, *changed)
            return dict(changed[0])

    def delete(self, keys: Sequence[str]) -> None:
        """Forget facts; unknown keys are no error."""
        for key in keys:
            self._items.pop(key, None)


def mailbox_key(address: str) -> str:
    """Return the key of where a mailbox was found, or of why it was not (`exchange.remembered`)."""
    return f"mailbox#{address}"


def domain_key(gateway: str, domain: str) -> str:
    """Return the key of the autodiscover URL that answered for a domain, or of why none did."""
    return f"domain#{gateway}#{domain}"


def service_key(url: str) -> str:
    """Return the key of what is known of an autodiscover service."""
    return f"autodiscover#{url}"


def confirmed_key(url: str) -> str:
    """Return the key of an EWS URL that came into doubt, and that autodiscover has told again."""
    return f"confirmed#{url}"


def host_key(host: str) -> str:
    """Return the key of what is known of a host and port."""
    return f"host#{host}"


def account_key(gateway: str, secret_version: str) -> str:
    """Return the key of what is known of a gateway's account with one version of its secret."""
    return f"account#{gateway}#{secret_version}"


def problem_key(gateway: str) -> str:
    """Return the key of what is wrong with a gateway as a whole."""
    return f"problem#{gateway}"


def wait_key(gateway: str, host: str) -> str:
    """Return the key of how long a host (with its port) has asked a gateway's account to leave it alone."""
    return f"wait#{gateway}#{host}"


def lease_key(gateway: str, number: int) -> str:
    """Return the key of one of the facts that hold a gateway's leases."""
    return f"leases#{gateway}#{number}"


def breaker_key(gateway: str, host: str) -> str:
    """Return the key of the circuit breaker of a host and port, for those who ask it through a gateway."""
    return f"breaker#{gateway}#{host}"


def placement_key(address: str) -> str:
    """Return the key of a mailbox's home in the pool of its gateway."""
    return f"placement#{address}"


def turn_key(gateway: str) -> str:
    """Return the key of the turns in which the hosts of a gateway's pool are given mailboxes."""
    return f"turn#{gateway}"


def halving_key(gateway: str, host: str, topic: str) -> str:
    """Return the key of whether it was in vain to ask a host (with its port) in halves for what `topic` names."""
    return f"halving#{gateway}#{host}#{topic}"
