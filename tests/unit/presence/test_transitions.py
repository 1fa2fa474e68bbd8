from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from presence.aws import client_config
from presence.calendar import BusyType, CalendarEntry, CalendarReading, Window
from presence.decisions import Readings, after_reading
from presence.errors import CalendarPresenceError, UsersFailed
from presence.freshness import Rules
from presence.messages import TransitionRequest, decode_transition_request, new_traceparent
from presence.presences import AVAILABLE, Activity, Availability, Presence
from presence.profiles import DEFAULT
from presence.records import PresenceRecord, User
from presence.tables.presences import StoredRecords
from presence.transitions import WRITERS, TransitionApplication, TransitionSummary
from tests.support.memory import MemoryPresenceTable, MemoryQueue

TEN = datetime(2026, 11, 23, 10, 0, 7, tzinfo=UTC)
DUE = TEN + timedelta(seconds=60)
BUSY = Presence(Availability.BUSY, Activity.BUSY)


def user(number: int) -> User:
    return User(f"{number:032x}", f"user{number}@example.com")


def busy(start: float, end: float) -> CalendarEntry:
    return CalendarEntry(TEN + timedelta(seconds=start), TEN + timedelta(seconds=end), BusyType.BUSY)


ALICE, BOB = user(1), user(2)


class Records(MemoryPresenceTable):
    """PresenceTable in memory that can be made to lose races, and to fail for a user."""

    def __init__(self) -> None:
        super().__init__()
        self.races_to_lose = 0
        self.unreadable: User | None = None
        self.unwritable: User | None = None

    def get_many(self, user_ids: Sequence[str]) -> StoredRecords:
        if self.unreadable is not None and self.unreadable.user_id in user_ids:
            raise CalendarPresenceError("the table is throttled")
        return super().get_many(user_ids)

    def write(self, record: PresenceRecord) -> PresenceRecord | None:
        if self.unwritable is not None and self.unwritable.user_id == record.user_id:
            raise ZeroDivisionError
        if self.races_to_lose:
            self.races_to_lose -= 1
            return None
        return super().write(record)

    def put(self, user: User, *entries: CalendarEntry) -> None:
        """Put the record of a user whose calendar was read at ten."""
        window = Window(TEN - timedelta(hours=1), TEN + timedelta(hours=24))
        reading = CalendarReading(user.address, window, entries, TEN, "https://mail.example.com/EWS", "FreeBusy")
        record = after_reading(None, user, Readings(reading), DEFAULT, TEN, Rules()).record
        assert record is not None
        assert super().write(record) is not None
        self.writes = 0

    def of(self, user: User) -> PresenceRecord:
        return self.get_many([user.user_id]).found[user.user_id]


class Time:
    """A clock that only sleeping moves."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def records() -> Records:
    records = Records()
    records.put(ALICE, busy(60, 180))
    records.put(BOB, busy(60, 90_000))
    return records


@pytest.fixture
def queue() -> MemoryQueue:
    return MemoryQueue()


def request_for(*users: User, due: datetime = DUE) -> TransitionRequest:
    return TransitionRequest(due, 1, tuple(user.user_id for user in users), new_traceparent())


def apply_all(
    records: Records, queue: MemoryQueue, time: Time, *requests: TransitionRequest
) -> list[TransitionSummary]:
    summaries = TransitionApplication(records, queue, 16, time, time.sleep, Rules()).run(requests)
    return [summaries[request] for request in requests]


def apply(records: Records, queue: MemoryQueue, time: Time, *users: User) -> TransitionSummary:
    (summary,) = apply_all(records, queue, time, request_for(*users))
    return summary


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
        self.put_item({**self.items[record.user_id], "revision": record.revision + 1, "timeline": "["})
        return super().write(record)


def test_a_record_that_was_spoilt_under_our_hands_comes_back_and_is_not_taken_for_done(queue: MemoryQueue) -> None:
    records = SpoiltByAnother()
    records.put(ALICE, busy(60, 180))
    summary = apply(records, queue, Time(DUE), ALICE)
    assert (summary.applied, summary.nothing_due) == (0, 0)
    with pytest.raises(UsersFailed, match=ALICE.user_id):
        summary.raise_errors()


def test_an_error_that_nobody_thought_of_costs_only_its_own_user(records: Records, queue: MemoryQueue) -> None:
    records.unwritable = ALICE
    summary = apply(records, queue, Time(DUE), ALICE, BOB)
    assert (summary.applied, summary.nothing_due, list(summary.errors)) == (1, 0, [ALICE.user_id])
    assert records.of(BOB).presence == BUSY


def test_records_that_cannot_be_read_cost_only_their_own_message(records: Records, queue: MemoryQueue) -> None:
    records.unreadable = ALICE
    for_alice, for_bob = apply_all(records, queue, Time(DUE), request_for(ALICE), request_for(BOB))
    with pytest.raises(UsersFailed, match="throttled"):
        for_alice.raise_errors()
    assert (for_bob.applied, dict(for_bob.errors)) == (1, {})


def test_a_message_comes_back_if_what_falls_due_next_cannot_be_queued(records: Records, queue: MemoryQueue) -> None:
    queue.refuses = True
    summary = apply(records, queue, Time(DUE), ALICE, BOB)
    assert (summary.applied, summary.nothing_due) == (2, 0)
    with pytest.raises(UsersFailed, match="refused"):
        summary.raise_errors()


def test_a_message_that_comes_too_early_and_cannot_be_put_back_comes_back(records: Records, queue: MemoryQueue) -> None:
    queue.refuses = True
    early = request_for(ALICE, due=DUE + timedelta(seconds=10))
    due, postponed = apply_all(records, queue, Time(DUE), request_for(BOB), early)
    assert (due.applied, postponed.postponed) == (1, 0)
    with pytest.raises(UsersFailed, match="refused"):
        postponed.raise_errors()


def test_messages_of_different_seconds_are_applied_each_at_its_second_the_earliest_first(queue: MemoryQueue) -> None:
    records, time = Records(), Time(DUE - timedelta(seconds=1.5))
    seconds = {user(number): number for number in (3, 1, 2)}
    for each, second in seconds.items():
        records.put(each, busy(60 + second, 90_000))
    requests = [request_for(each, due=DUE + timedelta(seconds=second)) for each, second in seconds.items()]
    assert [summary.applied for summary in apply_all(records, queue, time, *requests)] == [1, 1, 1]
    assert {each: records.of(each).changed_at - DUE for each in seconds} == {
        each: timedelta(seconds=second) for each, second in seconds.items()
    }


class CrowdedRecords(Records):
    """Each write waits until as many are under way as are promised to be."""

    def __init__(self) -> None:
        super().__init__()
        self._together = threading.Barrier(WRITERS)

    def write(self, record: PresenceRecord) -> PresenceRecord | None:
        self._together.wait(timeout=10)
        return super().write(record)


def test_users_who_change_in_the_same_second_do_not_wait_for_each_other_nor_do_messages(queue: MemoryQueue) -> None:
    records, time = CrowdedRecords(), Time(DUE - timedelta(seconds=1.7))
    crowd = [user(number) for number in range(WRITERS)]
    for each in crowd:
        records.put(each, busy(60, 180))
    pairs = [request_for(*crowd[start : start + 2]) for start in range(0, WRITERS, 2)]
    assert [summary.applied for summary in apply_all(records, queue, time, *pairs)] == [2] * len(pairs)
    assert time.now == DUE
    assert {message.delay for message in queue.messages} == {118}


def test_there_are_no_more_writers_than_connections() -> None:
    assert client_config().max_pool_connections >= WRITERS  # type: ignore[attr-defined]
