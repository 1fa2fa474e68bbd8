"""A circuit breaker per host of a pool: a fact that all readers share, and how it changes. Pure.

::

    closed ── fails ──► suspected ── fails again ──► open ── its time is over, one reader asks ──► half-open
       ▲                    │                          ▲                                            │     │
       └───── answers ──────┘                          └─────────────────── fails ──────────────────┘     │
       └── after an hour ── recovering ◄──────────────────────────────────────────────── answers ─────────┘

Closed is what nothing is known of, so a healthy host costs no write. A recovering host is given back a growing share of
its mailboxes; failing, it is open again at once. The pattern is M. Nygard's ("Release It!"), with the slow start of
load balancers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from exchange.endpoints import Fact, Written
from presence.instants import format_instant, instant_noted

_RETURNS_WITHIN = timedelta(hours=1)
"""The time in which a host that recovered is given back all of its mailboxes."""

_FIRST_REST = timedelta(seconds=30)
_LONGEST_REST = timedelta(minutes=5)
_PROBE_TAKES = timedelta(minutes=1)
_SUSPECTED_FOR = timedelta(minutes=10)
_KEPT_WITHOUT_NEWS = timedelta(hours=1)
_MOST_DOUBLINGS = 8
_NEVER = datetime.min.replace(tzinfo=UTC)


class BreakerState(StrEnum):
    """What is known of a host's health."""

    CLOSED = "closed"
    SUSPECTED = "suspected"
    OPEN = "open"
    HALF_OPEN = "half-open"
    RECOVERING = "recovering"


@dataclass(frozen=True, slots=True)
class Breaker:
    """The state of one host: since when, and until when it is not asked (of an open and a half-open one).

    `failures` counts how often it was opened since it last was closed, `code` is the problem that opened it.
    """

    state: BreakerState = BreakerState.CLOSED
    since: datetime = _NEVER
    until: datetime = _NEVER
    failures: int = 0
    code: str = ""

    @property
    def is_open(self) -> bool:
        """Whether the host is not asked; but for one probe at a time, when it is half-open."""
        return self.state in {BreakerState.OPEN, BreakerState.HALF_OPEN}

    def share(self, now: datetime) -> float:
        """Return the part of its mailboxes, from 0 to 1, for which the host is asked at an instant."""
        if self.is_open:
            return 0.0
        if self.state is BreakerState.RECOVERING:
            return min(1.0, max(0.0, (now - self.since) / _RETURNS_WITHIN))
        return 1.0

    def wants_probe(self, now: datetime) -> bool:
        """Tell whether it is time to try the host; of a half-open one, because whoever tried it has given no news."""
        return self.is_open and now >= self.until


CLOSED = Breaker()


def read_breaker(fact: Fact | None) -> Breaker:
    """Read what is remembered of a host; a fact that is spoilt is like none."""
    if fact is None:
        return CLOSED
    since, until = instant_noted(fact, "since"), instant_noted(fact, "until")
    failures = fact.get("failures", "")
    if fact.get("state") not in set(BreakerState) or since is None or until is None or not failures.isdecimal():
        return CLOSED
    return Breaker(BreakerState(fact["state"]), since, until, int(failures), fact.get("code", ""))


def claim_probe(fact: Fact | None, now: datetime) -> Written | None:
    """Return the fact that says that somebody tries the host now; None if it is not time, or somebody else does."""
    breaker = read_breaker(fact)
    if not breaker.wants_probe(now):
        return None
    return _written(replace(breaker, state=BreakerState.HALF_OPEN, until=now + _PROBE_TAKES), now)


def after_answer(fact: Fact | None, now: datetime) -> Written | None:
    """Return what is known of a host that has answered; None if that is nothing new."""
    breaker = read_breaker(fact)
    if breaker.state in {BreakerState.CLOSED, BreakerState.RECOVERING}:
        return None
    if breaker.state is BreakerState.SUSPECTED:
        return {}, 0.0
    return _written(replace(breaker, state=BreakerState.RECOVERING, since=now, until=now + _RETURNS_WITHIN), now)


def after_failure(fact: Fact | None, now: datetime, code: str, *, at_once: bool = False) -> Written | None:
    """Return what is known of a host that has failed where another did not; None if that is nothing new.

    Two failures in a row open it, one is enough for a host that has only just recovered, or if `at_once` says so.
    Failures of requests that were under way when it was opened change nothing.
    """
    breaker = read_breaker(fact)
    if breaker.state is BreakerState.OPEN:
        return None
    if breaker.state is BreakerState.CLOSED and not at_once:
        return _written(Breaker(BreakerState.SUSPECTED, now, now + _SUSPECTED_FOR, 0, code), now)
    doublings = min(breaker.failures, _MOST_DOUBLINGS)
    rest = min(_FIRST_REST * 2**doublings, _LONGEST_REST)
    since = breaker.since if breaker.state is BreakerState.HALF_OPEN else now
    return _written(Breaker(BreakerState.OPEN, since, now + rest, breaker.failures + 1, code), now)


def _written(breaker: Breaker, now: datetime) -> Written:
    fact = {
        "state": str(breaker.state),
        "since": format_instant(breaker.since),
        "until": format_instant(breaker.until),
        "failures": str(breaker.failures),
        "code": breaker.code,
    }
    kept = max(breaker.until - now, timedelta())
    if breaker.is_open:
        kept += _KEPT_WITHOUT_NEWS
    return fact, kept.total_seconds()
