from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from presence.calendar import CalendarEntry, CalendarReading, Window
from presence.decisions import Rules, after_reading
from presence.errors import MalformedMessage, UsersFailed
from presence.mapping import DEFAULT_PROFILE
from presence.messages import TransitionRequest, decode_transition_request, new_traceparent
from presence.records import PresenceRecord, User
from presence.transitions import TransitionApplication, TransitionSummary
from tests.unit.presence.test_checking import ALICE, AVAILABLE, BOB, BUSY, ENDPOINT, TEN, Messages, Records, busy

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
    return replace(record, revision=1)


@pytest.fixture
def records() -> Records:
    records = Records()
    records.stored = {
        ALICE.user_id: record_of(ALICE, busy(60, 180)),
        BOB.user_id: record_of(BOB, busy(60, 90_000)),
    }
    return records


@pytest.fixture
def queue() -> Messages:
    return Messages()


def apply(records: Records, queue: Messages, time: Time, *users: User, due: datetime = DUE) -> TransitionSummary:
    application = TransitionApplication(records, queue, 16, time, time.sleep, Rules())
    return application.run(TransitionRequest(due, 1, tuple(user.user_id for user in users), new_traceparent()))


def test_it_waits_the_last_moment_and_applies_on_the_second(records: Records, queue: Messages) -> None:
    time = Time(DUE - timedelta(seconds=1.7))
    assert apply(records, queue, time, ALICE, BOB).applied == 2
    assert time.now == DUE
    assert records.stored[ALICE.user_id].presence == BUSY
    assert records.stored[ALICE.user_id].since == DUE
    assert records.stored[BOB.user_id].version == 2


def test_what_falls_due_next_is_queued_at_once(records: Records, queue: Messages) -> None:
    apply(records, queue, Time(DUE), ALICE, BOB)
    (message,) = queue.sent
    following = decode_transition_request(message.body)
    assert (following.due, following.user_ids) == (TEN + timedelta(seconds=180), (ALICE.user_id,))


def test_a_message_that_comes_too_early_goes_back_and_nothing_is_applied(records: Records, queue: Messages) -> None:
    summary = apply(records, queue, Time(TEN), ALICE)
    (message,) = queue.sent
    assert (summary.postponed, message.delay) == (1, 58)
    assert records.stored[ALICE.user_id].presence == AVAILABLE


def test_a_message_that_comes_twice_writes_once(records: Records, queue: Messages) -> None:
    apply(records, queue, Time(DUE), ALICE)
    summary = apply(records, queue, Time(DUE), ALICE)
    assert (summary.applied, summary.nothing_due, records.writes) == (0, 1, 1)


def test_a_message_hours_late_applies_what_holds_by_then(records: Records, queue: Messages) -> None:
    apply(records, queue, Time(DUE + timedelta(hours=3)), ALICE)
    assert records.stored[ALICE.user_id].presence == AVAILABLE
    assert records.writes == 1


def test_a_user_who_was_removed_is_no_error(records: Records, queue: Messages) -> None:
    del records.stored[ALICE.user_id]
    summary = apply(records, queue, Time(DUE), ALICE, BOB)
    assert (summary.applied, summary.nothing_due, dict(summary.errors)) == (1, 1, {})


def test_a_lost_race_is_decided_again(records: Records, queue: Messages) -> None:
    records.races_to_lose = 3
    assert apply(records, queue, Time(DUE), ALICE).applied == 1


def test_a_malformed_record_costs_only_its_own_user(records: Records, queue: Messages) -> None:
    records.malformed[ALICE.user_id] = MalformedMessage("PresenceTable[…].timeline: no list")
    del records.stored[ALICE.user_id]
    summary = apply(records, queue, Time(DUE), ALICE, BOB)
    assert records.stored[BOB.user_id].presence == BUSY
    with pytest.raises(UsersFailed, match="timeline: no list"):
        summary.raise_errors()
