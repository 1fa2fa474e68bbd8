"""Which host of a pool a mailbox belongs to, and which one is asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from exchange.endpoints import Fact
from exchange.pool.breaker import Breaker, BreakerState
from exchange.pool.homes import (
    Placement,
    after_failing_here,
    confirm,
    host_to_ask,
    place,
    place_by_draw,
    placement_fact,
    read_placement,
)
from tests.unit.exchange.hosts import NOW

A, B, C, D = (f"cas{number}.branch.test:443" for number in range(1, 5))
POOL = (A, B, C)
USERS = [f"user{number}@branch.test" for number in range(900)]
ALICE = USERS[0]
OPEN = Breaker(BreakerState.OPEN, NOW, NOW + timedelta(minutes=5), 1, "HostUnreachable")


def placed(hosts: Sequence[str] = POOL) -> dict[str, Placement]:
    return {user: place(turn, hosts, NOW) for turn, user in enumerate(USERS)}


def asked(placements: dict[str, Placement], now: datetime = NOW, **breakers: Breaker) -> dict[str, str | None]:
    """Return the host that is asked for each user; breakers by the letter of their host."""
    known = {host: breakers[letter] for letter, host in (("a", A), ("b", B), ("c", C)) if letter in breakers}
    return {user: host_to_ask(user, placement, known, now) for user, placement in placements.items()}


def moved(before: dict[str, str | None], after: dict[str, str | None]) -> set[str]:
    return {user for user in before if before[user] != after[user]}


def homes(placements: dict[str, Placement]) -> dict[str, str | None]:
    return {user: placement.home for user, placement in placements.items()}


def in_pool(placements: dict[str, Placement], hosts: Sequence[str]) -> dict[str, Placement]:
    """Return the placements in a changed pool; those without a home take their turns."""
    confirmed = {user: confirm(placement, user, hosts, NOW) for user, placement in placements.items()}
    turns = iter(range(len(USERS)))
    return {user: placement or place(next(turns), hosts, NOW) for user, placement in confirmed.items()}


def test_hosts_have_their_turns_in_order_and_all_equally_often() -> None:
    placements = placed()

    assert [placements[user].home for user in USERS[:4]] == [A, B, C, A]
    assert Counter(asked(placements).values()) == {A: 300, B: 300, C: 300}


def test_the_mailboxes_of_a_host_that_is_down_are_taken_over_by_all_others_and_nobody_else_moves() -> None:
    placements = placed()
    before, during = asked(placements), asked(placements, a=OPEN)

    assert moved(before, during) == {user for user in USERS if before[user] == A}
    taken_over = Counter(during[user] for user in moved(before, during))
    assert set(taken_over) == {B, C}
    assert min(taken_over.values()) > 125, taken_over


def test_of_a_pool_of_which_one_host_is_left_everybody_is_asked_for_there() -> None:
    assert set(asked(placed(), a=OPEN, b=OPEN).values()) == {C}


def test_when_no_host_is_well_each_mailbox_is_asked_for_at_its_home() -> None:
    placements = placed()

    assert asked(placements, a=OPEN, b=OPEN, c=OPEN) == homes(placements)


def test_a_host_that_recovers_is_given_back_its_own_mailboxes_little_by_little() -> None:
    placements = placed()
    recovering = Breaker(BreakerState.RECOVERING, NOW, NOW + timedelta(hours=1), 1, "HostUnreachable")
    before = asked(placements, a=OPEN)
    counts, earlier = [], before
    for minutes in range(0, 61, 15):
        now = asked(placements, NOW + timedelta(minutes=minutes), a=recovering)
        assert {user for user in earlier if earlier[user] == A} <= {user for user in now if now[user] == A}
        assert all(placements[user].home == A for user in moved(before, now))
        counts.append(Counter(now.values())[A])
        earlier = now
    assert (counts[0], counts[-1]) == (0, 300)
    assert all(abs(count - expected) < 30 for count, expected in zip(counts, (0, 75, 150, 225, 300), strict=True))


def test_hosts_left_out_are_not_asked_and_when_none_is_left_nobody_is() -> None:
    placement = place(0, POOL, NOW)
    seen: list[str] = []
    while (host := host_to_ask(ALICE, placement, {}, NOW, seen)) is not None:
        seen.append(host)

    assert seen[0] == A
    assert sorted(seen) == [A, B, C]


def test_a_healthy_host_goes_before_a_recovering_one_and_an_open_one_comes_last() -> None:
    recovering = Breaker(BreakerState.RECOVERING, NOW, NOW + timedelta(hours=1), 1, "Timeout")
    placement = place(0, POOL, NOW)
    breakers = {A: OPEN, B: recovering}

    assert host_to_ask(ALICE, placement, breakers, NOW) == C
    assert host_to_ask(ALICE, placement, breakers, NOW, {C}) == B
    assert host_to_ask(ALICE, placement, breakers, NOW, {B, C}) == A


def test_a_host_that_is_added_takes_its_fair_share_and_nobody_else_moves() -> None:
    before = placed()
    after = in_pool(before, (*POOL, D))

    movers = moved(homes(before), homes(after))
    assert {after[user].home for user in movers} == {D}
    assert abs(len(movers) - 225) < 40
    came_from = Counter(before[user].home for user in movers)
    assert all(abs(came_from[host] - 75) < 25 for host in POOL), came_from


def test_a_host_that_is_removed_moves_its_own_mailboxes_only_and_evenly() -> None:
    before = placed()
    after = in_pool(before, (B, C))

    assert moved(homes(before), homes(after)) == {user for user in USERS if before[user].home == A}
    assert Counter(homes(after).values()) == {B: 450, C: 450}


def test_a_host_that_takes_the_place_of_another_gets_a_fair_share() -> None:
    counts = Counter(homes(in_pool(placed(), (B, C, D))).values())

    assert all(abs(counts[host] - 300) < 50 for host in (B, C, D)), counts


def test_a_pool_whose_hosts_are_written_in_another_order_is_the_same() -> None:
    placement = place(0, POOL, NOW)

    assert confirm(placement, ALICE, (C, B, A), NOW) is placement


def test_a_placement_is_noted_anew_before_it_is_forgotten_and_not_at_each_check() -> None:
    placement = place(1, POOL, NOW)

    assert confirm(placement, ALICE, POOL, NOW + timedelta(days=14)) is placement
    later = NOW + timedelta(days=16)
    assert confirm(placement, ALICE, POOL, later) == replace(placement, noted_at=later)


def test_who_can_t_be_reached_by_one_host_is_asked_for_at_another_for_an_hour() -> None:
    placement = after_failing_here(place(0, POOL, NOW), A, NOW)

    assert placement is not None
    assert host_to_ask(ALICE, placement, {}, NOW) in {B, C}
    assert host_to_ask(ALICE, placement, {B: OPEN, C: OPEN}, NOW) == A
    assert host_to_ask(ALICE, placement, {}, NOW + timedelta(hours=1)) == A


def test_who_can_t_be_reached_by_any_host_stays_with_the_last_and_nothing_more_is_noted() -> None:
    placement = place(0, POOL, NOW)
    hosts = []
    while True:
        host = host_to_ask(ALICE, placement, {}, NOW)
        assert host is not None
        hosts.append(host)
        failed = after_failing_here(placement, host, NOW)
        if failed is None:
            break
        placement = failed
    assert sorted(hosts) == [A, B, C]
    assert after_failing_here(placement, hosts[0], NOW) is None


def test_what_is_remembered_reads_as_it_was_written() -> None:
    placement = after_failing_here(place_by_draw(ALICE, POOL, NOW), A, NOW)

    assert placement is not None
    assert read_placement(placement_fact(placement, "branch"), "branch") == placement


@pytest.mark.parametrize(
    "fact",
    [
        None,
        {},
        {"gateway": "branch", "home": A, "hosts": A},
        {"gateway": "branch", "home": "", "hosts": A, "noted_at": "2026-11-21T12:00:00Z"},
        {"gateway": "factory", "home": A, "hosts": A, "noted_at": "2026-11-21T12:00:00Z"},
    ],
)
def test_what_is_spoilt_or_another_gateway_s_is_not_believed(fact: Fact | None) -> None:
    assert read_placement(fact, "branch") is None
