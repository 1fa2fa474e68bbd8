"""ExchangeReader and a pool of three hosts that answer, fail, and come back."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import count, pairwise

import pytest

from exchange.endpoints import placement_key
from exchange.pool.breaker import BreakerState
from local.exchange.kept_host import Respond, http
from presence.errors import Problem
from tests.unit.exchange.branch_pool import (
    NAMES,
    POOL,
    USERS,
    WINDOW,
    Branch,
    BrokenCache,
    BusyCache,
    addresses_in,
    codes,
    exchange,
    hang_up,
    served_by,
)
from tests.unit.exchange.hosts import Net, challenge, fault, website


def test_new_users_are_dealt_out_in_turn_over_all_readers_and_stay_where_they_are(branch: Branch) -> None:
    first, second = served_by(branch.read(USERS[:8])), served_by(branch.read(USERS[8:12]))

    assert [first[user] for user in USERS[:8]] == [NAMES[turn % 3] for turn in range(8)]
    assert [second[user] for user in USERS[8:12]] == [NAMES[turn % 3] for turn in range(8, 12)]
    assert served_by(branch.read(USERS[:12])) == {**first, **second}


def test_a_thousand_users_of_three_hosts_are_twelve_requests_and_when_all_is_well_nothing_is_written(
    branch: Branch,
) -> None:
    users = [f"user{number}@branch.test" for number in range(1000)]
    assert Counter(served_by(branch.read(users)).values()) == dict(zip(NAMES, (334, 333, 333), strict=True))
    branch.cache.written.clear()
    before = sum(map(branch.requests, NAMES))

    assert not codes(branch.read(users))

    assert sum(map(branch.requests, NAMES)) - before == 12
    assert branch.cache.written == []


def test_new_users_cost_one_turn_a_read_and_one_note_each(branch: Branch) -> None:
    branch.read(USERS)

    assert Counter(key.partition("#")[0] for key in branch.cache.written) == {"turn": 1, "placement": 60}


def test_a_gateway_of_one_host_needs_no_notes(branch: Branch) -> None:
    branch.read(hosts=[NAMES[0]])

    assert branch.cache.written == []


FAILURES: Mapping[str, Respond] = {
    "HostUnreachable": hang_up,
    "ServerFailed": lambda _request: http(502),
    "ServerBusy": lambda _request: http(503),
    "EndpointNotFound": lambda _request: http(404),
    "AccessDenied": lambda _request: http(403),
    "LoginPage": lambda _request: http(440),
    "MalformedAnswer": website,
    "AuthenticationNotOffered": lambda _request: challenge("NTLM"),
    "CredentialsRejected": lambda _request: challenge(),
    "ErrorADUnavailable": lambda _request: http(500, fault("ErrorADUnavailable")),
    "ErrorInternalServerError": lambda _request: http(500, fault("ErrorInternalServerError")),
    "Timeout": lambda _request: time.sleep(0.7),
}


@pytest.mark.parametrize("code", FAILURES)
def test_when_a_host_fails_everybody_is_read_from_the_others_in_the_same_read(branch: Branch, code: str) -> None:
    before = served_by(branch.read())
    branch.behaviour[NAMES[0]] = FAILURES[code]

    during = branch.read()

    assert not codes(during)
    after = served_by(during)
    assert {user for user in USERS if before[user] != after[user]} == {u for u in USERS if before[u] == NAMES[0]}
    assert min(Counter(after.values())[name] for name in NAMES[1:]) > 25
    opened_by_one = BreakerState.OPEN if code == "CredentialsRejected" else BreakerState.SUSPECTED
    assert branch.state(NAMES[0]) is opened_by_one


@pytest.mark.parametrize("name", ["certificate", "refused", "unknown"])
def test_a_host_that_can_t_be_connected_to_is_no_different(net: Net, name: str) -> None:
    if name == "certificate":
        net.host(NAMES[0], exchange, cert="other.branch.test")
    elif name == "refused":
        net.silent(NAMES[0])
    second, third = (net.host(each, exchange) for each in NAMES[1:])

    results = net.reader(POOL).read_calendars(USERS, WINDOW)

    assert not codes(dict(results))
    assert (len(second.requests), len(third.requests)) == (1, 1), "those of the first go along with their own"


def test_a_dead_host_is_asked_once_a_read_however_many_wait_for_it(branch: Branch) -> None:
    branch.behaviour[NAMES[0]] = hang_up

    assert not codes(branch.read(limits={"mailboxes_per_request": 4}))
    assert branch.requests(NAMES[0]) == 1


def test_a_dead_host_is_asked_twice_and_then_with_one_mailbox_at_a_time_ever_more_rarely(branch: Branch) -> None:
    branch.read()
    branch.behaviour[NAMES[0]] = hang_up
    asked: list[int] = []
    for _ in range(24):
        seen = branch.requests(NAMES[0])
        assert not codes(branch.read())
        asked += [len(addresses_in(request)) for request in branch.hosts[NAMES[0]].requests[seen:]]

    assert asked[:2] == [20, 20]
    assert set(asked[2:]) == {1}
    assert 4 <= len(asked[2:]) <= 7, "one in five minutes in the end"
    assert branch.state(NAMES[0]) is BreakerState.OPEN


def test_one_dead_host_costs_its_mailboxes_no_note_of_their_own(branch: Branch) -> None:
    branch.read()
    branch.cache.written.clear()
    branch.behaviour[NAMES[0]] = hang_up
    for _ in range(5):
        branch.read()

    assert {key.partition("#")[0] for key in branch.cache.written} == {"breaker"}
    assert len(branch.cache.written) < 10


def test_a_host_that_comes_back_is_given_its_own_users_little_by_little_and_nobody_else_moves(branch: Branch) -> None:
    before = served_by(branch.read())
    branch.behaviour[NAMES[0]] = hang_up
    for _ in range(3):
        branch.read()
    branch.behaviour[NAMES[0]] = exchange
    counts = []
    for _ in range(15):
        now = served_by(branch.read(minutes=5))
        assert {user for user in USERS if now[user] != before[user]} <= {u for u in USERS if before[u] == NAMES[0]}
        counts.append(Counter(now.values())[NAMES[0]])

    assert counts[0] == 1, "the one with which it was tried"
    assert 5 < counts[6] < 16
    assert counts[-1] == 20
    assert max(later - earlier for earlier, later in pairwise(counts)) <= 6
    assert branch.state(NAMES[0]) is BreakerState.CLOSED


def test_of_all_readers_one_tells_that_a_host_is_left_out_and_one_that_it_answers_again(branch: Branch) -> None:
    branch.read()
    branch.behaviour[NAMES[0]] = hang_up
    for _ in range(8):
        branch.read()
    ((message, details),) = branch.warnings
    assert (message, details["host"], details["problem"]) == (
        "a host of a pool is left out",
        f"{NAMES[0]}:443",
        "HostUnreachable",
    )
    branch.behaviour[NAMES[0]] = exchange
    for _ in range(8):
        branch.read()

    assert [message for message, _ in branch.warnings[1:]] == ["a host of a pool answers again"]
    assert branch.warnings[1][1]["left_out_since"] == "2026-11-21T12:03:00Z"


@pytest.mark.parametrize(
    ("busy", "code", "retry_after"),
    [
        (http(503, Retry_After="30"), "ServerBusy", 30.0),
        (http(429, Retry_After="30"), "ServerBusy", 30.0),
        (http(429), "ServerBusy", 0.0),
        (http(500, fault("ErrorServerBusy"), Retry_After="7"), "ErrorServerBusy", 7.0),
        (http(500, fault("ErrorExceededConnectionCount")), "ErrorExceededConnectionCount", None),
    ],
)
def test_a_host_that_asks_to_wait_has_not_failed(
    branch: Branch, busy: bytes, code: str, retry_after: float | None
) -> None:
    before = served_by(branch.read())
    branch.behaviour[NAMES[0]] = lambda _request: busy

    results = branch.read()

    waiting = {user: result for user, result in results.items() if isinstance(result, Problem)}
    assert set(waiting) == {user for user in USERS if before[user] == NAMES[0]}
    assert {(problem.code, problem.retry_after) for problem in waiting.values()} == {(code, retry_after)}
    assert branch.state(NAMES[0]) is BreakerState.CLOSED


def test_a_host_that_asks_to_wait_when_it_is_tried_again_holds_nobody_up(branch: Branch) -> None:
    branch.read()
    branch.behaviour[NAMES[0]] = hang_up
    for _ in range(2):
        branch.read()
    assert branch.state(NAMES[0]) is BreakerState.OPEN
    branch.behaviour[NAMES[0]] = lambda _request: http(503, Retry_After="3600")
    seen = branch.requests(NAMES[0])

    for _ in range(6):
        assert not codes(branch.read(minutes=5))

    assert branch.requests(NAMES[0]) - seen == 1, "it is left alone for the hour"
    assert branch.state(NAMES[0]) is BreakerState.HALF_OPEN


def test_a_host_that_asks_for_an_hour_is_left_alone_and_its_users_miss_no_check(branch: Branch) -> None:
    before = served_by(branch.read())
    branch.behaviour[NAMES[0]] = lambda _request: http(503, Retry_After="3600")
    seen = branch.requests(NAMES[0])

    for _ in range(11):
        during = branch.read(minutes=5)
        assert not codes(during)
        assert {user for user in USERS if served_by(during)[user] != before[user]} == {
            user for user in USERS if before[user] == NAMES[0]
        }

    assert branch.requests(NAMES[0]) - seen == 1
    assert branch.state(NAMES[0]) is BreakerState.CLOSED
    branch.behaviour[NAMES[0]] = exchange
    assert served_by(branch.read(minutes=10)) == before


def test_where_all_hosts_ask_for_an_hour_everybody_waits(branch: Branch) -> None:
    branch.read()
    branch.behaviour.update(dict.fromkeys(NAMES, lambda _request: http(503, Retry_After="3600")))
    seen = sum(map(branch.requests, NAMES))

    for _ in range(3):
        assert codes(branch.read(minutes=5)) == {"ServerBusy"}

    assert sum(map(branch.requests, NAMES)) - seen == 3


def test_when_all_hosts_fail_it_is_held_against_none_and_each_is_tried_once(branch: Branch) -> None:
    for name in NAMES:
        branch.behaviour[name] = hang_up
    for _ in range(4):
        assert codes(branch.read()) == {"HostUnreachable"}

    assert [branch.state(name) for name in NAMES] == [BreakerState.CLOSED] * 3
    assert [branch.requests(name) for name in NAMES] == [4, 4, 4]
    for name in NAMES:
        branch.behaviour[name] = exchange
    assert Counter(served_by(branch.read()).values()) == dict.fromkeys(NAMES, 20)


def test_of_several_reasons_the_one_that_may_pass_is_told(branch: Branch) -> None:
    branch.behaviour.update(
        {NAMES[0]: lambda _request: http(403), NAMES[1]: hang_up, NAMES[2]: lambda _request: http(404)}
    )

    assert codes(branch.read()) == {"HostUnreachable"}


def test_credentials_that_two_hosts_reject_are_given_to_no_third(branch: Branch) -> None:
    for name in NAMES:
        branch.behaviour[name] = lambda _request: challenge()

    assert codes(branch.read()) == {"CredentialsRejected"}
    assert sum(map(branch.requests, NAMES)) == 2
    assert [branch.state(name) for name in NAMES] == [BreakerState.CLOSED] * 3


def test_a_sick_host_that_rejects_good_credentials_locks_nobody_out(branch: Branch) -> None:
    branch.read()
    branch.behaviour[NAMES[0]] = lambda _request: challenge()
    for _ in range(12):
        assert not codes(branch.read())

    assert branch.requests(NAMES[0]) - 1 == 1, "what rejected the account is not given it again so soon"


def test_a_host_that_hangs_leaves_time_for_the_next_one(branch: Branch) -> None:
    branch.behaviour[NAMES[0]] = lambda _request: time.sleep(3)

    began = time.monotonic()
    results = branch.read(longest_read=0.6)

    assert not codes(results)
    assert time.monotonic() - began < 0.6


def test_the_last_host_may_use_all_the_time_that_is_left(branch: Branch) -> None:
    def slow(request: bytes) -> bytes:
        time.sleep(0.35)
        return exchange(request)

    branch.read(USERS[:2])
    branch.behaviour.update({NAMES[0]: hang_up, NAMES[1]: hang_up, NAMES[2]: slow})

    assert not codes(branch.read(USERS[:2], longest_read=0.6))


def test_a_pool_that_grows_and_shrinks_moves_only_whom_it_must(branch: Branch) -> None:
    two = served_by(branch.read(hosts=[*NAMES[:2]]))
    three = served_by(branch.read())
    movers = {user for user in USERS if three[user] != two[user]}

    assert {three[user] for user in movers} == {NAMES[2]}
    assert 10 < len(movers) < 30
    back = served_by(branch.read(hosts=[*NAMES[:2]]))
    assert {user for user in USERS if back[user] != three[user]} == movers


def test_automatic_replies_are_asked_for_where_the_calendar_is(branch: Branch) -> None:
    before = served_by(branch.read())
    for host in branch.hosts.values():
        host.requests.clear()
    branch.behaviour.update(dict.fromkeys(NAMES, lambda _request: http(500, fault("ErrorInvalidOperation"))))

    replies = branch.reader().read_automatic_replies(USERS)

    assert {result.code for result in replies.values() if isinstance(result, Problem)} == {"AutomaticRepliesRefused"}
    for name in NAMES:
        (request,) = branch.hosts[name].requests
        asked = set(re.findall(rb"<t:EmailAddress>([^<]*)<", request))
        assert asked == {user.encode() for user in USERS if before[user] == name}


def test_whoever_is_always_too_late_to_note_anything_reads_nevertheless(branch: Branch) -> None:
    branch.cache = BusyCache(branch.now)
    branch.behaviour[NAMES[0]] = hang_up

    assert not codes(branch.read())


def test_who_can_note_nothing_for_a_fault_of_the_table_reads_nevertheless(branch: Branch) -> None:
    branch.cache = cache = BrokenCache(branch.now)
    branch.read(USERS[:30])
    cache.broken = True
    branch.behaviour[NAMES[0]] = hang_up

    assert not codes(branch.read())


def test_an_account_whose_acceptance_can_t_be_noted_has_read_nevertheless(branch: Branch) -> None:
    branch.cache = cache = BrokenCache(branch.now)

    def accept(request: bytes) -> bytes:
        cache.broken = True
        return exchange(request)

    branch.behaviour.update(dict.fromkeys(NAMES, accept))

    assert not codes(branch.read(USERS[:1]))


def test_two_readers_that_place_the_same_user_agree(branch: Branch) -> None:
    """The first one's note is not seen by the second, as with a read that is not consistent."""
    home = served_by(branch.read(USERS[:1]))[USERS[0]]
    unseen = count()
    seen_by_all = branch.cache.get_many

    def late(keys: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
        known = seen_by_all(keys)
        return {} if placement_key(USERS[0]) in keys and len(keys) > 1 and not next(unseen) else known

    branch.cache.get_many = late  # type: ignore[method-assign]

    assert served_by(branch.read(USERS[:1]))[USERS[0]] == home
