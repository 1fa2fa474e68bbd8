"""A gateway's pool during one read: what all readers know of its hosts and mailboxes, and what is new.

A read of mailboxes whose hosts are well notes nothing here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from exchange.endpoints import Change, EndpointCache, Fact, Written, breaker_key, ews_url, placement_key, turn_key
from exchange.gateways import Gateway
from exchange.pool.breaker import CLOSED, Breaker, after_answer, after_failure, claim_probe, read_breaker
from exchange.pool.homes import (
    PLACED_FOR,
    Placement,
    after_failing_here,
    confirm,
    drawn_share,
    host_to_ask,
    place,
    place_by_draw,
    placement_fact,
    read_placement,
)
from presence.current_document import Report
from presence.instants import format_instant

_TURNS_KEPT = timedelta(days=400)


class SharedPool:
    """The hosts of a gateway, and where each of `addresses` is asked. Hosts are named as in the document, with port.

    `clock` gives the present instant in UTC. `warn` is told of a host that is left out from now on, and of one that
    answers again; over all readers once. For one read, and one thread.
    """

    def __init__(
        self,
        gateway: Gateway,
        cache: EndpointCache,
        clock: Callable[[], datetime],
        addresses: Sequence[str],
        warn: Report | None = None,
    ) -> None:
        self._gateway = gateway.name
        self._urls = {str(host): ews_url(host) for host in gateway.hosts}
        self._cache = cache
        self._clock = clock
        self._warn = warn
        keys = [*(breaker_key(gateway.name, host) for host in self._urls), *map(placement_key, addresses)]
        known = cache.get_many(keys)
        self._breakers = {host: read_breaker(known.get(breaker_key(gateway.name, host))) for host in self._urls}
        self._placements = self._settle(addresses, known)

    def url(self, host: str) -> str:
        """Return the EWS URL of a host."""
        return self._urls[host]

    def host_for(self, address: str, left_out: Collection[str]) -> str | None:
        """Return the host that is asked for a mailbox, none of those left out; None if none is left."""
        return host_to_ask(address, self._placements[address], self._breakers, self._clock(), left_out)

    def healthy_hosts(self) -> set[str]:
        """Return the hosts whose breaker is not open."""
        return {host for host, breaker in self._breakers.items() if not breaker.is_open}

    def claim_probes(self) -> Mapping[str, str]:
        """Return the mailbox with which each host is to be tried whose time has come, unless another reader does so.

        It is a mailbox whose home the host is, and of those the first that it will be given back.
        """
        now = self._clock()
        homes: defaultdict[str, list[str]] = defaultdict(list)
        for address, placement in self._placements.items():
            if self._breakers[placement.home].wants_probe(now):
                homes[placement.home].append(address)
        return {
            host: min(addresses, key=partial(drawn_share, host=host))
            for host, addresses in homes.items()
            if self._change_breaker(host, lambda fact: claim_probe(fact, now))
        }

    def note_answer(self, host: str) -> None:
        """Remember that a host has answered, if that is news."""
        if self._breakers[host] != CLOSED:
            self._change_breaker(host, lambda fact: after_answer(fact, self._clock()))

    def note_failure(self, host: str, code: str, *, at_once: bool = False) -> None:
        """Remember that a host failed where another did not; `at_once`: its breaker opens at this first failure."""
        self._change_breaker(host, lambda fact: after_failure(fact, self._clock(), code, at_once=at_once))

    def note_failed_here(self, address: str, host: str) -> None:
        """Remember that a host, though well, could not reach this mailbox."""
        before = self._placements[address]
        placement = after_failing_here(before, host, self._clock())
        if placement is not None:
            self._placements[address] = self._keep(address, before, placement)

    def _settle(self, addresses: Sequence[str], known: Mapping[str, Fact]) -> dict[str, Placement]:
        """Return where each mailbox belongs in the pool as it is now; those that have no home get one in turn."""
        now, hosts = self._clock(), tuple(self._urls)
        settled: dict[str, Placement] = {}
        homeless: dict[str, Placement | None] = {}
        for address in dict.fromkeys(addresses):
            before = read_placement(known.get(placement_key(address)), self._gateway)
            placement = before and confirm(before, address, hosts, now)
            if placement is None:
                homeless[address] = before
            else:
                settled[address] = placement if placement == before else self._keep(address, before, placement)
        if homeless:
            turn = self._take_turns(len(homeless))
            for number, (address, before) in enumerate(homeless.items()):
                new = place_by_draw(address, hosts, now) if turn is None else place(turn + number, hosts, now)
                settled[address] = self._keep(address, before, new)
        return settled

    def _take_turns(self, count: int) -> int | None:
        """Return the first of so many turns, which nobody else gets; None if they can't be had."""
        first = 0

        def take(fact: Fact | None) -> Written:
            nonlocal first
            text = (fact or {}).get("next", "")
            first = int(text) if text.isdecimal() else 0
            return {"next": str(first + count)}, _TURNS_KEPT.total_seconds()

        try:
            self._cache.update(turn_key(self._gateway), take)
        except Exception:  # noqa: BLE001  nobody's calendar may be lost for a turn
            return None
        return first

    def _keep(self, address: str, before: Placement | None, placement: Placement) -> Placement:
        """Remember where a mailbox belongs, and return it; or what another reader decided since `before` was read."""

        def change(fact: Fact | None) -> Written | None:
            present = read_placement(fact, self._gateway)
            if present is not None and present != before and set(present.hosts) == set(placement.hosts):
                return None
            return placement_fact(placement, self._gateway), PLACED_FOR.total_seconds()

        try:
            fact = self._cache.update(placement_key(address), change)
        except Exception:  # noqa: BLE001  nobody's calendar may be lost for a note
            return placement
        return read_placement(fact, self._gateway) or placement

    def _change_breaker(self, host: str, change: Change) -> bool:
        """Change what is known of a host; return whether there was anything to change, and it could be.

        Where others are faster time after time, they have noted the same.
        """
        before = CLOSED
        changed = False

        def noting(fact: Fact | None) -> Written | None:
            nonlocal before, changed
            before = read_breaker(fact)
            written = change(fact)
            changed = written is not None
            return written

        try:
            after = self._cache.update(breaker_key(self._gateway, host), noting)
        except Exception:  # noqa: BLE001  what was read must not be lost for a note
            return False
        self._breakers[host] = read_breaker(after)
        if changed:
            self._tell(host, before, self._breakers[host])
        return changed

    def _tell(self, host: str, before: Breaker, after: Breaker) -> None:
        if self._warn is None or before.is_open == after.is_open:
            return
        if after.is_open:
            remedy = "see to the host, or take it out of the gateways document; nobody misses a check meanwhile"
            self._warn(
                "a host of a pool is left out", gateway=self._gateway, host=host, problem=after.code, remedy=remedy
            )
        else:
            left_out_since = format_instant(before.since)
            self._warn(
                "a host of a pool answers again", gateway=self._gateway, host=host, left_out_since=left_out_since
            )


def read_breakers(gateway: Gateway, cache: EndpointCache) -> Mapping[str, Breaker]:
    """Return what is known of the hosts of a gateway's pool."""
    known = cache.get_many([breaker_key(gateway.name, str(host)) for host in gateway.hosts])
    return {str(host): read_breaker(known.get(breaker_key(gateway.name, str(host)))) for host in gateway.hosts}
