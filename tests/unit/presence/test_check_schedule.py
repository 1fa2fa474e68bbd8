"""The schedule of checks, told as stories in time: ticks that come on time, late, twice and not at all."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from presence.check_schedule import CheckSchedule, due_buckets, group_checks, minutes_to_serve
from presence.errors import CalendarPresenceError
from presence.instants import format_instant
from presence.messages import CheckReason, CheckRequest, decode_check_request
from presence.records import User
from presence.tables.users import BUCKETS, ScheduledUser, bucket_of
from tests.support.memory import MemoryConfigTable, MemoryQueue, MemoryUserTable

TEN = datetime(2026, 11, 23, 10, tzinfo=UTC)
TRACE = f"00-{'1' * 32}-{'2' * 16}-01"
ENDPOINT = "https://mail.example.com/EWS/Exchange.asmx"


def minute(number: float) -> datetime:
    return TEN + timedelta(minutes=number)


def user(number: int, domain: str = "example.com", endpoint: str | None = None) -> ScheduledUser:
    return ScheduledUser(User(f"{number:032x}", f"user{number}@{domain}"), endpoint, enabled=True, paused_until=None)


# ---- whose turn it is ----


@pytest.mark.parametrize("interval", [1, 2, 3, 5, 7, 11, 15, 59, 60, 97, 239, 240])
@pytest.mark.parametrize("start", [0, 1, 123_457])
def test_each_bucket_has_exactly_one_turn_in_each_interval_wherever_it_begins(interval: int, start: int) -> None:
    turns = Counter(bucket for number in range(interval) for bucket in due_buckets([minute(start + number)], interval))
    assert turns == Counter(range(BUCKETS))


@pytest.mark.parametrize("interval", [1, 5, 7, 60])
def test_exchange_is_asked_evenly(interval: int) -> None:
    sizes = {len(due_buckets([minute(number)], interval)) for number in range(interval)}
    assert max(sizes) - min(sizes) <= 1


def test_the_minutes_of_a_whole_interval_are_all_buckets_once() -> None:
    assert due_buckets([minute(number) for number in range(12)], 5) == list(range(BUCKETS))


def test_a_tick_serves_its_own_minute() -> None:
    assert minutes_to_serve(TEN + timedelta(seconds=59), None, 5) == [TEN]
    assert minutes_to_serve(TEN, minute(-1), 5) == [TEN]


def test_a_tick_serves_the_minutes_that_were_missed_before_it() -> None:
    assert minutes_to_serve(TEN, minute(-3), 5) == [minute(-2), minute(-1), TEN]


def test_after_a_long_stop_a_tick_serves_one_interval_and_no_more() -> None:
    assert minutes_to_serve(TEN, minute(-10_000), 5) == [minute(number) for number in (-4, -3, -2, -1, 0)]


def test_a_tick_that_comes_twice_or_late_serves_its_own_minute_again() -> None:
    assert minutes_to_serve(TEN, TEN, 5) == [TEN]
    assert minutes_to_serve(minute(-2), TEN, 5) == [minute(-2)]


class Checks:
    """A schedule of checks over users in memory."""

    def __init__(self, users: int, interval: int = 5, group_size: int = 100) -> None:
        self.users = MemoryUserTable()
        for number in range(users):
            self.users.put(user(number))
        self.state = MemoryConfigTable()
        self.queue = MemoryQueue()
        self.schedule = CheckSchedule(self.users, self.state, self.queue, interval, group_size)

    def tick(self, at: datetime, now: datetime | None = None) -> Counter[int]:
        """Let a tick come; return how often each user was queued, by number."""
        counted = self.schedule.tick(at, now or at, TRACE)
        requests = self.take()
        queued = Counter(int(user.user_id, 16) for request in requests for user in request.users)
        assert counted.users == queued.total()
        assert counted.requests == len(requests)
        return queued

    def take(self) -> list[CheckRequest]:
        return [decode_check_request(message.body) for message in self.queue.take()]


@settings(max_examples=15, deadline=None)
@given(
    interval=st.integers(2, 12),
    missed=st.lists(st.booleans(), min_size=25, max_size=25).map(lambda flags: [False, *flags]),
)
def test_nobody_waits_longer_than_the_interval_and_the_ticks_that_were_missed(
    interval: int, missed: list[bool]
) -> None:
    """And nobody is queued more often than once an interval."""
    checks = Checks(users=60, interval=interval)
    last_tick = 0
    last_turn: dict[int, int] = {}
    for number, is_missed in enumerate(missed):
        if is_missed:
            continue
        for who, times in checks.tick(minute(number)).items():
            assert times == 1
            last_turn[who] = number
        gap = number - last_tick
        last_tick = number
        if number >= interval - 1:
            assert set(last_turn) == set(range(60))
            assert all(number - turn <= interval - 1 + gap for turn in last_turn.values())


def test_each_user_is_queued_once_an_interval() -> None:
    checks = Checks(users=300, interval=7)
    for start in (0, 7, 14):
        assert sum((checks.tick(minute(start + number)) for number in range(7)), Counter()) == Counter(range(300))


def test_the_minute_counts_and_not_the_clock_so_a_late_tick_serves_its_own_users() -> None:
    on_time, late = Checks(users=300), Checks(users=300)
    assert late.tick(TEN, now=minute(3)) == on_time.tick(TEN)


def test_users_of_missed_minutes_are_caught_up_by_the_next_tick() -> None:
    checks = Checks(users=300)
    checks.tick(TEN)
    expected = sum((Checks(users=300).tick(minute(number)) for number in (1, 2, 3)), Counter[int]())
    assert checks.tick(minute(3)) == expected


def test_a_tick_that_could_not_queue_is_caught_up_by_the_next() -> None:
    checks = Checks(users=300)
    checks.tick(TEN)
    checks.queue.refuses = True
    with pytest.raises(CalendarPresenceError):
        checks.tick(minute(1))
    checks.queue.refuses = False
    expected = Checks(users=300).tick(minute(1)) + Checks(users=300).tick(minute(2))
    assert checks.tick(minute(2)) == expected


def test_a_late_tick_does_not_turn_the_mark_back() -> None:
    checks = Checks(users=300)
    checks.tick(minute(3))
    checks.tick(minute(1))
    assert checks.tick(minute(4)) == Checks(users=300).tick(minute(4))


def test_a_mark_that_can_not_be_read_does_not_stop_the_schedule() -> None:
    checks = Checks(users=300)
    checks.state.put_state("checks", {"servedUntil": "yesterday"})
    assert checks.tick(TEN) == Checks(users=300).tick(TEN)
    assert checks.state.state("checks") == {"servedUntil": format_instant(TEN)}


def test_who_is_disabled_or_paused_is_not_queued() -> None:
    checks = Checks(users=0, interval=1)
    checks.users.put(replace(user(1), enabled=False))
    checks.users.put(replace(user(2), paused_until=minute(0.5)))
    checks.users.put(replace(user(3), paused_until=minute(-1)))
    checks.users.put(user(4))
    assert checks.tick(TEN) == Counter([3, 4])
    assert checks.tick(minute(1)) == Counter([2, 3, 4])


# ---- one request for many ----


def test_a_hundred_users_of_one_endpoint_are_one_request() -> None:
    users = [user(number, f"domain{number % 3}.test", ENDPOINT) for number in range(100)]
    (request,) = group_checks(users, 100, TEN, TRACE)
    assert request == CheckRequest(
        reason=CheckReason.SCHEDULE,
        requested_at=TEN,
        users=tuple(scheduled.user for scheduled in users),
        traceparent=TRACE,
        attempt=0,
        endpoint=ENDPOINT,
        domain=None,
    )


@pytest.mark.parametrize(("group_size", "sizes"), [(1, [1] * 7), (3, [3, 3, 1]), (7, [7]), (100, [7])])
def test_no_group_is_larger_than_it_may_be(group_size: int, sizes: list[int]) -> None:
    requests = group_checks([user(number, endpoint=ENDPOINT) for number in range(7)], group_size, TEN, TRACE)
    assert [len(request.users) for request in requests] == sizes


def test_users_are_grouped_by_endpoint_and_where_it_is_unknown_by_domain() -> None:
    users = [
        user(1, "example.com", ENDPOINT),
        user(2, "example.com"),
        user(3, "example.org"),
        user(4, "example.org", ENDPOINT),
        user(5, "example.com"),
        user(6, "example.com", "https://branch.test/EWS"),
    ]
    groups = {
        (request.endpoint, request.domain): [int(each.user_id, 16) for each in request.users]
        for request in group_checks(users, 100, TEN, TRACE)
    }
    assert groups == {
        (ENDPOINT, None): [1, 4],
        (None, "example.com"): [2, 5],
        (None, "example.org"): [3],
        ("https://branch.test/EWS", None): [6],
    }


@given(st.lists(st.tuples(st.sampled_from(["a.test", "b.test"]), st.sampled_from([None, ENDPOINT]))), st.integers(1, 9))
def test_each_user_is_in_exactly_one_request(shapes: list[tuple[str, str | None]], group_size: int) -> None:
    users = [user(number, domain, endpoint) for number, (domain, endpoint) in enumerate(shapes)]
    grouped = [each for request in group_checks(users, group_size, TEN, TRACE) for each in request.users]
    assert sorted(grouped, key=str) == sorted((scheduled.user for scheduled in users), key=str)


def test_every_user_has_a_bucket() -> None:
    assert {bucket_of(f"{number:032x}") for number in range(3000)} == set(range(BUCKETS))
