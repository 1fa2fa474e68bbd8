"""Leases: how many reads may be under way at a gateway at once, over all instances of the functions.

A read takes one lease of its gateway before its first request, and gives it back at its end. Each lease has an end of
its own, so that one whose function was killed comes free by itself. Whoever finds none waits in the queue, never here.

The leases of a gateway lie in several facts, a few in each: instances that take one at the same time seldom meet at
the same fact, and those that do lose no more than a few races, since a full one is not written to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from exchange.endpoints import EndpointCache, Fact, Written, lease_key
from exchange.gateways import Gateway
from exchange.throttling.problems import gateway_busy
from exchange.throttling.reads import number_of, spread_wait
from presence.errors import CalendarPresenceError, ProblemError
from presence.instants import format_instant, instant_noted

_LEASES_A_FACT = 5
_MOST_FACTS_TRIED = 8
_KEPT_LONGER = timedelta(minutes=1)
"""A fact outlives its last lease by so much: clocks of instances differ, and ends of facts are whole seconds."""
_SHORTEST_WAIT = 4.0
_LONGEST_WAIT = 12.0


def shares(most: int) -> tuple[int, ...]:
    """Return how many of a gateway's leases lie in each of its facts."""
    facts = -(-most // _LEASES_A_FACT)
    return tuple(most // facts + (index < most % facts) for index in range(facts))


def taken(fact: Fact | None, holder: str, now: datetime, end: datetime, most: int) -> Written | None:
    """Return the fact with a lease more, for `holder` and until `end`, and the seconds to keep it; None if it is full.

    `most` is how many leases it may hold. Those whose time is over are dropped.
    """
    held = _held(fact, now)
    if holder not in held and len(held) >= most:
        return None
    return _written({**held, holder: end}, now)


def given_back(fact: Fact | None, holder: str, now: datetime) -> Written | None:
    """Return the fact without the holder's lease, and the seconds to keep it; None if there is no such lease."""
    held = _held(fact, now)
    if held.pop(holder, None) is None:
        return None
    return _written(held, now)


def _held(fact: Fact | None, now: datetime) -> dict[str, datetime]:
    ends = {holder: instant_noted(fact, holder) for holder in fact or {}} if fact else {}
    return {holder: end for holder, end in ends.items() if end is not None and now < end}


def _written(held: Mapping[str, datetime], now: datetime) -> Written:
    last = max(held.values(), default=now)
    kept = last - now + _KEPT_LONGER
    return {holder: format_instant(end) for holder, end in held.items()}, kept.total_seconds()


class Lease:
    """One lease of a gateway, for the read named `holder`. `clock` gives the present instant in UTC."""

    def __init__(self, gateway: Gateway, cache: EndpointCache, clock: Callable[[], datetime], holder: str) -> None:
        self._gateway = gateway
        self._cache = cache
        self._clock = clock
        self._holder = holder
        self._key: str | None = None

    def take(self, seconds: float) -> None:
        """Take the lease for so many seconds, if it is not held already.

        Raises `ProblemError` (GatewayBusy) with a time to wait if all are taken; nobody waits here.
        """
        if self._key is not None:
            return
        most = self._gateway.limits.concurrent_reads
        each = shares(most)
        first = number_of(self._holder)
        for index in (number % len(each) for number in range(first, first + min(len(each), _MOST_FACTS_TRIED))):
            key = lease_key(self._gateway.name, index)
            if self._took(key, seconds, each[index]):
                self._key = key
                return
        wait = spread_wait(self._holder, _SHORTEST_WAIT, _LONGEST_WAIT)
        raise ProblemError(gateway_busy(self._gateway.name, most, wait))

    def give_back(self) -> None:
        """Give the lease back if it is held; one that can't be given back ends by itself."""
        key, self._key = self._key, None
        if key is None:
            return
        with suppress(Exception):  # what was read must not be lost for it
            self._cache.update(key, lambda fact: given_back(fact, self._holder, self._clock()))

    def _took(self, key: str, seconds: float, most: int) -> bool:
        def change(fact: Fact | None) -> Written | None:
            now = self._clock()
            return taken(fact, self._holder, now, now + timedelta(seconds=seconds), most)

        try:
            fact = self._cache.update(key, change)
        except CalendarPresenceError:  # others were faster time after time, so this fact is not for us
            return False
        return fact is not None and self._holder in fact
