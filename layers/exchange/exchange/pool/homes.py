"""Which host of a pool a mailbox belongs to, and which one is asked for it now. Pure.

Each mailbox has a home, given out in turn at its first check, and keeps it. Where it is asked follows from the home,
from what failed for it, and from the hosts' breakers, so that a host that fails, and comes back, is written down once
and not once for each of its mailboxes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from exchange.endpoints import Fact
from exchange.pool.breaker import CLOSED, Breaker
from presence.instants import format_instant, instant_noted

PLACED_FOR = timedelta(days=30)
_RENEWED_AFTER = timedelta(days=15)
_AVOIDED_FOR = timedelta(hours=1)
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a mailbox belongs: its `home`, one of the `hosts` that the pool had when that was decided or confirmed.

    `failed` are hosts that answered, but could not reach this mailbox; they are avoided until `avoided_until`.
    """

    home: str
    hosts: tuple[str, ...]
    noted_at: datetime
    failed: tuple[str, ...] = ()
    avoided_until: datetime = _NEVER

    def avoids(self, host: str, now: datetime) -> bool:
        """Tell whether another host is to be preferred for this mailbox."""
        return host in self.failed and now < self.avoided_until


def read_placement(fact: Fact | None, gateway: str) -> Placement | None:
    """Read what is remembered of a mailbox; None if that is nothing, is spoilt, or is about another gateway's pool."""
    noted_at = instant_noted(fact or {}, "noted_at")
    if not fact or fact.get("gateway") != gateway or noted_at is None or not fact.get("home"):
        return None
    return Placement(
        fact["home"],
        tuple(fact.get("hosts", "").split()),
        noted_at,
        tuple(fact.get("failed", "").split()),
        instant_noted(fact, "avoided_until") or _NEVER,
    )


def placement_fact(placement: Placement, gateway: str) -> Fact:
    """Return what is remembered of a mailbox."""
    fact = {
        "gateway": gateway,
        "home": placement.home,
        "hosts": " ".join(placement.hosts),
        "noted_at": format_instant(placement.noted_at),
    }
    if placement.failed:
        fact["failed"] = " ".join(placement.failed)
        fact["avoided_until"] = format_instant(placement.avoided_until)
    return fact


def place(turn: int, hosts: Sequence[str], now: datetime) -> Placement:
    """Return the placement of the mailbox that comes so many turns after the first: hosts have their turns in order."""
    return Placement(hosts[turn % len(hosts)], tuple(hosts), now)


def place_by_draw(address: str, hosts: Sequence[str], now: datetime) -> Placement:
    """Return a placement that needs no turn: by rendezvous hashing (Thaler and Ravishankar, 1998)."""
    return Placement(_drawn(address, hosts), tuple(hosts), now)


def confirm(placement: Placement, address: str, hosts: Sequence[str], now: datetime) -> Placement | None:
    """Return the placement in the pool as it is now: the same one if nothing changed; None if the home is gone.

    A host that was added takes the mailboxes that rendezvous hashing gives it, its fair share; nobody else moves. What
    is about to be forgotten is noted anew.
    """
    if placement.home not in hosts:
        return None
    if set(hosts) != set(placement.hosts):
        drawn = _drawn(address, hosts)
        home = placement.home if drawn in placement.hosts else drawn
        return replace(placement, home=home, hosts=tuple(hosts), noted_at=now)
    if now - placement.noted_at >= _RENEWED_AFTER:
        return replace(placement, noted_at=now)
    return placement


def after_failing_here(placement: Placement, host: str, now: datetime) -> Placement | None:
    """Return the placement of a mailbox that a host could not reach; None if nothing is to be changed.

    When the last host that is left fails too, it is the mailbox and not the hosts, and it stays where it is.
    """
    failed = placement.failed if now < placement.avoided_until else ()
    if host in failed or len(failed) + 1 >= len(placement.hosts):
        return None
    return replace(placement, failed=(*failed, host), avoided_until=now + _AVOIDED_FOR, noted_at=now)


def host_to_ask(
    address: str, placement: Placement, breakers: Mapping[str, Breaker], now: datetime, left_out: Collection[str] = ()
) -> str | None:
    """Return the host that is asked for a mailbox at an instant, none of those left out; None if none is left.

    It is the home if that is well. Else the one that comes next in the mailbox's own order, which is another for each
    mailbox, so that all healthy hosts take over. A host whose breaker is open comes last, when nothing else is left.
    """
    candidates = [host for host in placement.hosts if host not in left_out]

    def reluctance(host: str) -> int:
        breaker = breakers.get(host, CLOSED)
        if breaker.is_open:
            return 3
        if placement.avoids(host, now):
            return 2
        share = breaker.share(now)
        return 0 if share >= 1 or drawn_share(address, host) < share else 1

    if placement.home in candidates and reluctance(placement.home) == 0:
        return placement.home
    return min(
        candidates,
        key=lambda host: (reluctance(host), host != placement.home, -_weight(address, host)),
        default=None,
    )


def drawn_share(address: str, host: str) -> float:
    """Return a mailbox's place, from 0 to 1, in the order in which a recovering host is given its mailboxes back."""
    return _weight(f"return {address}", host) / 2**64


def _drawn(address: str, hosts: Sequence[str]) -> str:
    return max(hosts, key=lambda host: _weight(address, host))


def _weight(address: str, host: str) -> int:
    """Return a number of 64 bits that says nothing about the one of another host (which a CRC would)."""
    return int.from_bytes(hashlib.blake2b(f"{address} {host}".encode(), digest_size=8).digest())
