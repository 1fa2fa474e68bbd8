"""A pool and single mailboxes: one that servers can't answer for costs neither the others nor the hosts."""

from __future__ import annotations

import time

from exchange.pool.breaker import BreakerState
from local.exchange.kept_host import http
from presence.errors import Problem
from tests.unit.exchange.branch_pool import (
    GOOD,
    NAMES,
    USERS,
    Branch,
    addresses_in,
    codes,
    exchange,
    served_by,
)
from tests.unit.exchange.folder_answers import calendar_folder
from tests.unit.exchange.hosts import availability, failed_mailbox, fault


def test_a_mailbox_whose_folder_makes_every_server_stumble_costs_nobody_else(branch: Branch) -> None:
    def stumbling(request: bytes) -> bytes:
        if b"<m:FindItem" not in request:
            return exchange(request)
        return http(500, fault("ErrorTimeoutExpired")) if USERS[0].encode() in request else http(200, calendar_folder())

    branch.behaviour.update(dict.fromkeys(NAMES, stumbling))
    for _ in range(3):
        results = branch.read(USERS[:9], calendars="calendar-folder", access="delegate")
        assert len(served_by(results)) == 8
        assert codes(results) == {"ErrorTimeoutExpired"}

    assert [branch.state(name) for name in NAMES] == [BreakerState.CLOSED] * 3


def test_a_mailbox_over_which_every_server_hangs_is_asked_for_last_and_costs_nobody_else(branch: Branch) -> None:
    def hanging(request: bytes) -> bytes:
        if b"<m:FindItem" not in request:
            return exchange(request)
        if USERS[0].encode() in request:
            time.sleep(0.7)
        return http(200, calendar_folder())

    branch.behaviour.update(dict.fromkeys(NAMES, hanging))
    results = branch.read(USERS[:9], longest_read=6.0, calendars="calendar-folder", access="delegate")

    assert len(served_by(results)) == 8
    assert codes(results) == {"Timeout"}
    assert [branch.state(name) for name in NAMES] == [BreakerState.CLOSED] * 3


def test_a_host_that_stumbles_over_every_folder_has_failed_once_in_a_read(branch: Branch) -> None:
    def folders(request: bytes) -> bytes:
        return http(200, calendar_folder()) if b"<m:FindItem" in request else exchange(request)

    branch.behaviour.update(dict.fromkeys(NAMES, folders))
    branch.behaviour[NAMES[0]] = lambda request: http(500) if b"<m:FindItem" in request else exchange(request)

    assert not codes(branch.read(USERS[:9], calendars="calendar-folder", access="delegate"))

    assert branch.requests(NAMES[0]) > 3, "each of its mailboxes is asked for there"
    assert branch.warnings == []


def test_one_mailbox_that_no_server_can_answer_for_opens_no_breaker(branch: Branch) -> None:
    poison = USERS[3]

    def stumbling(request: bytes) -> bytes:
        return http(500, fault("ErrorInternalServerError")) if poison in addresses_in(request) else exchange(request)

    for name in NAMES:
        branch.behaviour[name] = stumbling
    for _ in range(5):
        branch.read()
    results = branch.read()

    assert isinstance(results[poison], Problem)
    assert served_by(results).keys() == set(USERS) - {poison}
    assert [branch.state(name) for name in NAMES] == [BreakerState.CLOSED] * 3


def test_who_can_t_be_reached_by_one_host_moves_alone_to_the_next(branch: Branch) -> None:
    before = served_by(branch.read())
    alone = next(user for user in USERS if before[user] == NAMES[0])
    unavailable = failed_mailbox("ErrorMailboxStoreUnavailable")

    def without_alone(request: bytes) -> bytes:
        return http(200, availability(*(unavailable if user == alone else GOOD for user in addresses_in(request))))

    branch.behaviour[NAMES[0]] = without_alone
    assert codes(branch.read()) == {"ErrorMailboxStoreUnavailable"}

    now = served_by(branch.read())

    assert {user for user in USERS if now[user] != before[user]} == {alone}
    assert branch.state(NAMES[0]) is BreakerState.CLOSED


def test_what_is_wrong_with_the_mailbox_itself_moves_nobody(branch: Branch) -> None:
    branch.read()
    branch.cache.written.clear()
    for name in NAMES:
        branch.behaviour[name] = lambda request: http(
            200, availability(*[failed_mailbox("ErrorNoFreeBusyAccess")] * len(addresses_in(request)))
        )
    branch.read()

    assert branch.cache.written == []
