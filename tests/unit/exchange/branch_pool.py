"""A pool of three hosts that behave as a test says, read by one function instance after the other."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from exchange.account.credentials import Credentials
from exchange.endpoints import Change, Fact, MemoryEndpointCache, breaker_key
from exchange.pool.breaker import BreakerState, read_breaker
from exchange.reader import ExchangeReader, ReadTimes
from local.exchange.kept_host import KeptHost, Respond, http
from presence.calendar import CalendarReading, Window
from presence.errors import CalendarPresenceError, Problem
from tests.unit.exchange.hosts import NOW, PASSWORD, USERNAME, Net, Secrets, availability, mailbox_answer

WINDOW = Window(NOW, NOW + timedelta(hours=24))
NAMES = ("cas1.branch.test", "cas2.branch.test", "cas3.branch.test")
POOL = {"name": "branch", "kind": "ews", "domains": ["branch.test"], "hosts": [*NAMES]}
USERS = [f"user{number}@branch.test" for number in range(60)]
GOOD = mailbox_answer()
POOL_FACTS = frozenset({"turn", "placement", "breaker"})

Read = dict[str, CalendarReading | Problem]


def addresses_in(request: bytes) -> list[str]:
    return [address.decode() for address in re.findall(rb"<t:Address>([^<]*)</t:Address>", request)]


def exchange(request: bytes) -> bytes:
    """Answer as a right server does: everybody is free."""
    return http(200, availability(*[GOOD] * len(addresses_in(request))))


def hang_up(_request: bytes) -> None:
    """Close the connection instead of answering."""


class CountingCache(MemoryEndpointCache):
    """What all readers share; keeps in mind which facts about pools were changed."""

    def __init__(self, now: Sequence[datetime]) -> None:
        super().__init__(lambda: now[0])
        self.written: list[str] = []

    def put(self, key: str, value: Mapping[str, str], ttl_seconds: float) -> None:
        """Keep a fact, which `update` does through this."""
        if key.partition("#")[0] in POOL_FACTS:
            self.written.append(key)
        super().put(key, value, ttl_seconds)


class BusyCache(CountingCache):
    """A table in which somebody else is always faster where it is about pools."""

    def update(self, key: str, change: Change) -> Fact | None:
        """Give up, as EndpointTable does after so many attempts."""
        if key.partition("#")[0] not in POOL_FACTS:
            return super().update(key, change)
        change(None)
        raise CalendarPresenceError(f"others changed {key!r}")


class BrokenCache(CountingCache):
    """A table that is throttled where it is to be written; what can be read without that is read."""

    broken = False

    def update(self, key: str, change: Change) -> Fact | None:
        """Fail as boto3 does once it has tried often enough; leases and leave are there already."""
        if self.broken and not key.startswith("leases#"):
            raise OSError("throttled")
        return super().update(key, change)


@dataclass
class Branch:
    """Three hosts whose behaviour a test changes, and the readers of several function instances."""

    net: Net
    now: list[datetime] = field(default_factory=lambda: [NOW])
    behaviour: dict[str, Respond] = field(default_factory=dict)
    hosts: dict[str, KeptHost] = field(default_factory=dict)
    warnings: list[tuple[str, dict[str, object]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.cache = CountingCache(self.now)
        for name in NAMES:
            self.behaviour[name] = exchange
            self.hosts[name] = self.net.host(name, partial(self._respond_as, name))

    def _respond_as(self, name: str, request: bytes) -> bytes | None:
        return self.behaviour[name](request)

    def reader(self, longest_read: float = 45.0, **gateway: object) -> ExchangeReader:
        """Return the reader of a new function instance."""
        return ExchangeReader(
            gateways=self.net.document({**POOL, **gateway}),
            secrets=Secrets({"reader": Credentials(USERNAME, PASSWORD)}),
            cache=self.cache,
            clock=lambda: self.now[0],
            times=ReadTimes(1.0, 0.5, longest_read),
            warn=self._warned,
        )

    def _warned(self, message: str, **details: object) -> None:
        self.warnings.append((message, details))

    def read(
        self, users: Sequence[str] = USERS, *, minutes: int = 1, longest_read: float = 45.0, **gateway: object
    ) -> Read:
        """Read as a new function instance does, so many minutes after the last one."""
        self.now[0] += timedelta(minutes=minutes)
        return dict(self.reader(longest_read, **gateway).read_calendars(users, WINDOW))

    def requests(self, name: str) -> int:
        return len(self.hosts[name].requests)

    def state(self, name: str) -> BreakerState:
        key = breaker_key("branch", f"{name}:443")
        return read_breaker(self.cache.get_many([key]).get(key)).state


def served_by(results: Read) -> dict[str, str]:
    """Return who was read from which host."""
    return {
        address: result.endpoint.split("/")[2]
        for address, result in results.items()
        if isinstance(result, CalendarReading)
    }


def codes(results: Read) -> set[str]:
    return {result.code for result in results.values() if isinstance(result, Problem)}
