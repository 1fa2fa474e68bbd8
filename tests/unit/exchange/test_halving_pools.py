"""One mailbox over which all hosts of a pool fail, and hosts that fail by themselves beside it."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest

from exchange.halving import SHARE_OF_A_HALF
from exchange.pool.breaker import BreakerState
from exchange.web.bounded_http import WebClient
from local.exchange.kept_host import http
from tests.unit.exchange.branch_pool import NAMES, USERS, Branch, addresses_in, codes, exchange, hang_up, served_by
from tests.unit.exchange.failing_servers import FAILURES, SERVER_ERROR, failing_over, unread
from tests.unit.exchange.hosts import Net


@pytest.mark.parametrize("code", FAILURES)
def test_in_a_pool_everybody_but_one_is_read_and_no_host_is_blamed(branch: Branch, code: str) -> None:
    branch.read()
    branch.behaviour.update(dict.fromkeys(NAMES, failing_over({USERS[3]}, FAILURES[code])))
    for _ in range(4):
        results = branch.read()
        assert (unread(results), codes(results)) == ([USERS[3]], {code})

    assert [branch.state(name) for name in NAMES] == [BreakerState.CLOSED] * 3
    assert branch.warnings == []


def test_another_host_is_asked_first_and_the_second_one_that_fails_is_asked_in_halves(branch: Branch) -> None:
    branch.read()
    branch.behaviour.update(dict.fromkeys(NAMES, failing_over({USERS[3]})))
    before = [branch.requests(name) for name in NAMES]

    branch.read()

    asked = {
        name: [len(addresses_in(request)) for request in branch.hosts[name].requests[seen:]]
        for name, seen in zip(NAMES, before, strict=True)
    }
    assert asked[NAMES[0]] == [20], "nobody is asked for there once more"
    halving, other = sorted((asked[name] for name in NAMES[1:]), key=len, reverse=True)
    assert len(other) <= 2
    assert 8 <= len(halving) <= 13
    assert sorted(halving)[:2] == [1, 1]


def test_a_mailbox_over_which_both_hosts_of_a_pool_hang_leaves_time_to_find_it(
    branch: Branch, monkeypatch: pytest.MonkeyPatch
) -> None:
    branch.behaviour.update(dict.fromkeys(NAMES, failing_over({USERS[2]}, lambda _request: time.sleep(0.7))))
    shares: list[float] = []
    take_share = WebClient.take_share

    def noting(client: WebClient, share: float) -> None:
        shares.append(share)
        take_share(client, share)

    monkeypatch.setattr(WebClient, "take_share", noting)

    results = branch.read(USERS[:20], longest_read=3.2, hosts=[*NAMES[:2]])

    assert (unread(results), codes(results)) == ([USERS[2]], {"Timeout"})
    assert shares == [0.5, 0.5, SHARE_OF_A_HALF, 1.0], "the last host leaves some of the time, too"
    assert [branch.state(name) for name in NAMES] == [BreakerState.CLOSED] * 3


def test_beside_a_sick_host_the_one_mailbox_is_found_at_the_third(branch: Branch) -> None:
    branch.read()
    branch.behaviour.update(dict.fromkeys(NAMES, failing_over({USERS[3]})))
    branch.behaviour[NAMES[1]] = lambda _request: SERVER_ERROR
    for _ in range(3):
        assert unread(branch.read()) == [USERS[3]]


def test_a_host_that_fails_at_every_half_is_not_taken_for_one_mailbox_s(branch: Branch) -> None:
    before = served_by(branch.read())
    branch.behaviour.update(dict.fromkeys(NAMES[:2], lambda _request: http(500)))

    results = branch.read()

    assert not codes(results)
    assert set(served_by(results).values()) == {NAMES[2]}
    assert before != served_by(results)
    assert [branch.state(name) for name in NAMES] == [*[BreakerState.SUSPECTED] * 2, BreakerState.CLOSED]


@pytest.mark.parametrize(("count", "expected"), [(2, [4, 2, 2, 4]), (3, [7, 3, 3, 7]), (4, [8, 6, 4, 8])])
def test_where_all_hosts_are_down_two_are_asked_in_halves_by_a_read_and_each_once_in_a_quarter_of_an_hour(
    net: Net, branch: Branch, count: int, expected: Sequence[int]
) -> None:
    fourth = net.host("cas4.branch.test", lambda _request: http(500))
    branch.behaviour.update(dict.fromkeys(NAMES, lambda _request: http(500)))
    hosts = [*NAMES, "cas4.branch.test"][:count]
    asked = []
    for minutes in (1, 5, 5, 20):
        seen = sum(map(branch.requests, NAMES)) + len(fourth.requests)
        assert codes(branch.read(minutes=minutes, hosts=hosts)) == {"ServerFailed"}
        asked.append(sum(map(branch.requests, NAMES)) + len(fourth.requests) - seen)

    assert asked == expected


def test_a_pool_is_halved_where_no_other_host_is_left(branch: Branch) -> None:
    branch.behaviour.update({NAMES[0]: hang_up, NAMES[1]: hang_up})
    for _ in range(2):
        assert not codes(branch.read())
    assert [branch.state(name) for name in NAMES[:2]] == [BreakerState.OPEN] * 2
    branch.behaviour[NAMES[2]] = failing_over({USERS[3]})

    results = branch.read(minutes=0)

    assert unread(results) == [USERS[3]]
    assert served_by(results).keys() == set(USERS) - {USERS[3]}


def test_where_a_host_is_lost_between_two_halves_the_rest_is_read_from_the_next(branch: Branch) -> None:
    branch.read()
    seen = branch.requests(NAMES[1])

    def lost_at_the_third(request: bytes) -> bytes | None:
        number = branch.requests(NAMES[1]) - seen
        return {1: SERVER_ERROR, 2: exchange(request)}.get(number)

    branch.behaviour[NAMES[0]] = lambda _request: SERVER_ERROR
    branch.behaviour[NAMES[1]] = lost_at_the_third

    results = branch.read()

    assert not codes(results)
    assert set(served_by(results).values()) == {NAMES[1], NAMES[2]}
