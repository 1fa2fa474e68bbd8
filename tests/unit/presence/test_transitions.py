from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from presence.calendar import CalendarEntry, CalendarReading, Window
from presence.decisions import Rules, after_reading
from presence.errors import UsersFailed
from presence.mapping import DEFAULT_PROFILE
from presence.messages import TransitionRequest, decode_transition_request, new_traceparent
from presence.records import PresenceRecord, User
from presence.tables.presences import item_from_record
from presence.transitions import TransitionApplication, TransitionSummary
from tests.support.memory import MemoryQueue
from tests.unit.presence.test_checking import ALICE, AVAILABLE, BOB, BUSY, ENDPOINT, TEN, Records, busy

DUE = TEN + timedelta(seconds=60)


class Time:
    """A clock that only sleeping moves."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def record_of(user: User, *entries: CalendarEntry) -> PresenceRecord:
    window = Window(TEN - timedelta(hours=1), TEN + timedelta(hours=24))
    reading = CalendarReading(user.address, window, entries, TEN, ENDPOINT, "FreeBusy")
    record = after_reading(None, user, reading, DEFAULT_PROFILE, TEN, Rules()).record
    assert record is not None
    return record


@pytest.fixture
def records() -> Records:
    records = Records()
    for record in (record_of(ALICE, busy(60, 180)), record_of(BOB, busy(60, 90_000))):
        assert records.write(record) is not None
    records.writes = 0
    return records


@pytest.fixture
def queue() -> MemoryQueue:
    return MemoryQueue()


def apply(records: Records, queue: MemoryQueue, time: Time, *users: User, due: datetime = DUE) -> TransitionSummary:
    application = TransitionApplication(records, queue, 16, time, time.sleep, Rules())
    return application.run(TransitionRequest(due, 1, tuple(user.user_id for user in users), new_traceparent()))


def test_it_waits_the_last_moment_and_applies_on_the_second(records: Records, queue: MemoryQueue) -> None:
    time = Time(DUE - timedelta(seconds=1.7))
    assert apply(records, queue, time, ALICE, BOB).applied == 2
    assert time.now == DUE
    assert records.of(ALICE).presence == BUSY
    assert records.of(ALICE).since == DUE
    assert records.of(BOB).version == 2


def test_what_falls_due_next_is_queued_at_once(records: Records, queue: MemoryQueue) -> None:
    apply(records, queue, Time(DUE), ALICE, BOB)
    (message,) = queue.messages
    following = decode_transition_request(message.body)
    assert (following.due, following.user_ids) == (TEN + timedelta(seconds=180), (ALICE.user_id,))


def test_a_message_that_comes_too_early_goes_back_and_nothing_is_applied(records: Records, queue: MemoryQueue) -> None:
    summary = apply(records, queue, Time(TEN), ALICE)
    (message,) = queue.messages
    assert (summary.postponed, message.delay) == (1, 58)
    assert records.of(ALICE).presence == AVAILABLE


def test_a_message_that_comes_twice_writes_once(records: Records, queue: MemoryQueue) -> None:
    apply(records, queue, Time(DUE), ALICE)
    summary = apply(records, queue, Time(DUE), ALICE)
    assert (summary.applied, summary.nothing_due, records.writes) == (0, 1, 1)


def test_a_message_hours_late_applies_what_holds_by_then(records: Records, queue: MemoryQueue) -> None:
    apply(records, queue, Time(DUE + timedelta(hours=3)), ALICE)
    assert records.of(ALICE).presence == AVAILABLE
    assert records.writes == 1


def test_a_user_who_was_removed_is_no_error(records: Records, queue: MemoryQueue) -> None:
    del records.items[ALICE.user_id]
    summary = apply(records, queue, Time(DUE), ALICE, BOB)
    assert (summary.applied, summary.nothing_due, dict(summary.errors)) == (1, 1, {})


def test_a_lost_race_is_decided_again(records: Records, queue: MemoryQueue) -> None:
    records.races_to_lose = 3
    assert apply(records, queue, Time(DUE), ALICE).applied == 1


def test_a_malformed_record_costs_only_its_own_user(records: Records, queue: MemoryQueue) -> None:
    records.put_item({**records.items[ALICE.user_id], "timeline": "["})
    summary = apply(records, queue, Time(DUE), ALICE, BOB)
    assert records.of(BOB).presence == BUSY
    with pytest.raises(UsersFailed, match=ALICE.user_id):
        summary.raise_errors()


class SpoiltByAnother(Records):
    """Somebody else writes the item between reading and writing, and leaves it malformed."""

    def write(self, record: PresenceRecord) -> PresenceRecord | None:
        if record.revision:
            self.put_item({**self.items[record.user_id], "revision": record.revision + 1, "timeline": "["})
        return super().write(record)


def test_a_record_that_was_spoilt_under_our_hands_comes_back_and_is_not_taken_for_done(queue: MemoryQueue) -> None:
    table = SpoiltByAnother()
    assert table.write(record_of(ALICE, busy(60, 180))) is not None
    summary = apply(table, queue, Time(DUE), ALICE)
    assert (summary.applied, summary.nothing_due) == (0, 0)
    with pytest.raises(UsersFailed, match=ALICE.user_id):
        summary.raise_errors()


class CrowdedRecords(Records):
    """Each write waits until eight are under way."""

    def __init__(self) -> None:
        super().__init__()
        self._together = threading.Barrier(8)

    def write(self, record: PresenceRecord) -> PresenceRecord | None:
        self._together.wait(timeout=10)
        return super().write(record)


def test_users_who_change_in_the_same_second_do_not_wait_for_each_other(queue: MemoryQueue) -> None:
    crowd = [User(f"{number:032x}", f"user{number}@example.com") for number in range(8)]
    records = CrowdedRecords()
    for user in crowd:
        records.put_item(item_from_record(replace(record_of(user, busy(60, 180)), revision=1), 16))
    assert apply(records, queue, Time(DUE), *crowd).applied == 8
