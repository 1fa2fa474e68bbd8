"""What readers know of a pool is the same for all of them, in EndpointTable as in memory."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from exchange.endpoints import EndpointCache, placement_key
from exchange.gateway_documents import parse_gateways
from exchange.gateways import Gateway
from exchange.pool.breaker import BreakerState
from exchange.pool.shared_pool import SharedPool, read_breakers
from presence.tables.endpoints import EndpointTable
from tests.support.aws import Account, calls
from tests.support.clocks import Clock

NAMES = ["cas1.example.com", "cas2.example.com", "192.0.2.10:8443"]
FIRST, SECOND, THIRD = "cas1.example.com:443", "cas2.example.com:443", "192.0.2.10:8443"
USERS = [f"user{number}@example.com" for number in range(120)]


@pytest.fixture
def gateway() -> Gateway:
    document = {
        "schema_version": 1,
        "gateways": [
            {"name": "example", "kind": "ews", "domains": ["example.com"], "credentials": "reader", "hosts": NAMES}
        ],
    }
    return parse_gateways(document).gateways[0]


def opened(gateway: Gateway, cache: EndpointCache, clock: Clock, host: str) -> None:
    for _ in range(2):
        SharedPool(gateway, cache, clock, []).note_failure(host, "HostUnreachable")


def test_turns_go_on_where_another_reader_left_off(gateway: Gateway, cache: EndpointCache, clock: Clock) -> None:
    homes = [SharedPool(gateway, cache, clock, [user]).host_for(user, ()) for user in USERS[:4]]

    assert homes == [FIRST, SECOND, THIRD, FIRST]


def test_everybody_s_home_is_known_to_the_next_reader(gateway: Gateway, cache: EndpointCache, clock: Clock) -> None:
    first = SharedPool(gateway, cache, clock, USERS)
    second = SharedPool(gateway, cache, clock, USERS)

    homes = {user: first.host_for(user, ()) for user in USERS}
    assert {user: second.host_for(user, ()) for user in USERS} == homes
    assert Counter(homes.values()) == {FIRST: 40, SECOND: 40, THIRD: 40}


def test_an_open_breaker_is_open_to_all(gateway: Gateway, cache: EndpointCache, clock: Clock) -> None:
    opened(gateway, cache, clock, FIRST)
    pool = SharedPool(gateway, cache, clock, USERS)

    assert {pool.host_for(user, ()) for user in USERS} == {SECOND, THIRD}
    assert pool.healthy_hosts() == {SECOND, THIRD}
    assert read_breakers(gateway, cache)[FIRST].state is BreakerState.OPEN


def test_one_reader_of_all_tries_an_open_host_again(gateway: Gateway, cache: EndpointCache, clock: Clock) -> None:
    opened(gateway, cache, clock, FIRST)
    assert SharedPool(gateway, cache, clock, USERS).claim_probes() == {}
    clock.now += timedelta(seconds=30)
    readers = [SharedPool(gateway, cache, clock, USERS) for _ in range(3)]

    claims = [reader.claim_probes() for reader in readers]

    assert [list(claim) for claim in claims] == [[FIRST], [], []]
    readers[0].note_answer(FIRST)
    assert SharedPool(gateway, cache, clock, USERS).healthy_hosts() == {FIRST, SECOND, THIRD}


def test_a_mailbox_that_a_host_can_t_reach_is_known_to_the_next_reader(
    gateway: Gateway, cache: EndpointCache, clock: Clock
) -> None:
    pool = SharedPool(gateway, cache, clock, USERS[:2])
    pool.note_failed_here(USERS[0], FIRST)

    later = SharedPool(gateway, cache, clock, USERS[:2])
    assert later.host_for(USERS[0], ()) == pool.host_for(USERS[0], ()) != FIRST
    assert later.host_for(USERS[1], ()) == SECOND
    clock.now += timedelta(hours=1)
    assert SharedPool(gateway, cache, clock, USERS[:1]).host_for(USERS[0], ()) == FIRST


def test_gateways_keep_their_breakers_apart(gateway: Gateway, cache: EndpointCache, clock: Clock) -> None:
    opened(gateway, cache, clock, FIRST)
    other = replace(gateway, name="other")

    assert FIRST in SharedPool(other, cache, clock, []).healthy_hosts()


def test_a_pool_that_is_well_is_read_in_one_step_and_nothing_is_written(
    gateway: Gateway, aws: Account, clock: Clock
) -> None:
    table = EndpointTable(aws.dynamodb, aws.make_table("EndpointTable"), clock)
    SharedPool(gateway, table, clock, USERS[:90])
    with calls(aws.dynamodb, "dynamodb.BatchGetItem") as reads, calls(aws.dynamodb, "dynamodb.GetItem") as others:
        pool = SharedPool(gateway, table, clock, USERS[:90])
        for host in (FIRST, SECOND, THIRD):
            pool.note_answer(host)

    assert (len(reads), len(others)) == (1, 0), "whoever writes a fact reads it before"
    assert table.get_many([placement_key(USERS[0])])
