"""Two checks and a transition of one user at the same time: every order of their steps, each with the right end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from presence.calendar import BusyType, CalendarEntry, CalendarReading, Window
from presence.checking import CalendarCheck, CheckOptions
from presence.coming import TransitionQueue
from presence.decisions import Rules, after_reading
from presence.errors import Problem
from presence.mapping import DEFAULT_PROFILE
from presence.messages import CheckReason, CheckRequest, TransitionRequest, new_traceparent
from presence.presences import Presence
from presence.queues import Queue, QueuedMessage
from presence.records import PresenceRecord, User
from presence.tables.presences import PresenceTable, StoredRecords
from presence.tables.users import UserTable
from presence.transitions import TransitionApplication
from tests.support.stepping import Actor, Step, every_order

TEN = datetime(2026, 11, 23, 10, tzinfo=UTC)
ALICE = User("a" * 32, "alice@example.com")
TRACEPARENT = new_traceparent()


def busy(start: float, end: float) -> CalendarEntry:
    return CalendarEntry(TEN + timedelta(minutes=start), TEN + timedelta(minutes=end), BusyType.BUSY)


def away(start: float, end: float) -> CalendarEntry:
    return CalendarEntry(TEN + timedelta(minutes=start), TEN + timedelta(minutes=end), BusyType.OUT_OF_OFFICE)


BEFORE = (busy(0, 30), busy(60, 90))
"""As last read, at five to ten: the transition at ten is due."""
FIRST_TRUTH = (busy(0, 45), busy(60, 90))
NEWEST_TRUTH = (away(0, 20), busy(60, 90))


@dataclass
class SharedTable:
    """One user's stored record and all that was written."""

    record: PresenceRecord
    conditional: bool = True
    written: list[PresenceRecord] = field(default_factory=list)

    def write(self, record: PresenceRecord) -> PresenceRecord | None:
        if self.conditional and record.revision != self.record.revision:
            return None
        self.record = replace(record, revision=record.revision + 1)
        self.written.append(self.record)
        return self.record


class SteppedTable(PresenceTable):
    """An actor's view of the shared table: each call is a step."""

    def __init__(self, shared: SharedTable, step: Step) -> None:
        self._shared = shared
        self._step = step

    def get_many(self, user_ids: Sequence[str]) -> StoredRecords:
        self._step()
        return StoredRecords(dict.fromkeys(user_ids, self._shared.record), {})

    def write(self, record: PresenceRecord) -> PresenceRecord | None:
        self._step()
        return self._shared.write(record)


class SilentQueue(Queue):
    """Takes messages and forgets them: what is sent makes no difference to the record."""

    def __init__(self) -> None:
        pass

    def send(self, messages: Sequence[QueuedMessage]) -> None:
        pass


class SilentUsers(UserTable):
    """Takes notes of endpoints and forgets them."""

    def __init__(self) -> None:
        pass

    def remember_endpoint(self, user_id: str, endpoint: str) -> None:
        pass


class Clock:
    """Each look at the clock is a microsecond later, so that readings are ordered as they were asked for."""

    def __init__(self) -> None:
        self._now = TEN + timedelta(seconds=1)

    def __call__(self) -> datetime:
        self._now += timedelta(microseconds=1)
        return self._now


class SteppedReader:
    """Exchange: the calendar is as the next of the truths whenever it is asked."""

    def __init__(self, truths: list[tuple[CalendarEntry, ...]], clock: Clock, step: Step) -> None:
        self._truths = truths
        self._clock = clock
        self._step = step

    def read_calendars(self, addresses: Sequence[str], window: Window) -> Mapping[str, CalendarReading | Problem]:
        self._step()
        entries = self._truths.pop(0)
        return {
            address: CalendarReading(address, window, entries, self._clock(), "https://mail.example.com", "FreeBusy")
            for address in addresses
        }


def first_record() -> PresenceRecord:
    read_at = TEN - timedelta(minutes=5)
    reading = CalendarReading(
        ALICE.address,
        Window(read_at - timedelta(hours=1), read_at + timedelta(hours=24)),
        BEFORE,
        read_at,
        "https://mail.example.com",
        "FreeBusy",
    )
    record = after_reading(None, ALICE, reading, DEFAULT_PROFILE, read_at, Rules()).record
    assert record is not None
    return replace(record, revision=1)


def check_actor(shared: SharedTable, truths: list[tuple[CalendarEntry, ...]], clock: Clock) -> Actor:
    def check(step: Step) -> None:
        queue = SilentQueue()
        CalendarCheck(
            presences=SteppedTable(shared, step),
            users=SilentUsers(),
            reader=SteppedReader(truths, clock, step),
            check_queue=queue,
            transition_queue=TransitionQueue(queue, 16),
            clock=clock,
            jitter=lambda: 1.0,
            options=CheckOptions(),
        ).run(CheckRequest(CheckReason.SCHEDULE, TEN, (ALICE,), TRACEPARENT))

    return check


def transition_actor(shared: SharedTable, clock: Clock) -> Actor:
    def transition(step: Step) -> None:
        TransitionApplication(
            presences=SteppedTable(shared, step),
            queue=SilentQueue(),
            shards=16,
            clock=clock,
            sleep=lambda _: None,
            rules=Rules(),
        ).run(TransitionRequest(TEN, 0, (ALICE.user_id,), TRACEPARENT))

    return transition


def published(record: PresenceRecord) -> tuple[Presence, datetime | None]:
    return record.presence, record.until


def end_state(entries: tuple[CalendarEntry, ...]) -> tuple[Presence, datetime | None]:
    """What a single check of this calendar, a second after ten, ends with."""
    shared = SharedTable(first_record())
    check_actor(shared, [entries], Clock())(lambda: None)
    return published(shared.record)


Play = Callable[[], tuple[Sequence[Actor], Callable[[list[int]], None]]]


def play(truths: Sequence[tuple[CalendarEntry, ...]], *, conditional: bool = True) -> Play:
    newest = end_state(truths[-1])

    def make() -> tuple[Sequence[Actor], Callable[[list[int]], None]]:
        shared = SharedTable(first_record(), conditional=conditional)
        start = shared.record
        clock = Clock()
        left = list(truths)
        actors = [check_actor(shared, left, clock), check_actor(shared, left, clock), transition_actor(shared, clock)]

        def judge(order: list[int]) -> None:
            history = [start, *shared.written]
            assert published(shared.record) == newest, order
            for before, after in pairwise(history):
                assert after.revision == before.revision + 1, order
                changed = published(after) != published(before)
                assert after.version == before.version + changed, order

        return actors, judge

    return make


def test_in_every_order_the_newest_truth_stands_and_nothing_is_published_twice() -> None:
    orders = list(every_order(play([FIRST_TRUTH, NEWEST_TRUTH])))
    assert len(orders) > 500
    assert len({tuple(order) for order in orders}) == len(orders)


def test_in_every_order_two_checks_of_the_same_truth_publish_it_once() -> None:
    assert len(list(every_order(play([NEWEST_TRUTH, NEWEST_TRUTH])))) > 500


def test_in_every_order_nothing_new_leaves_the_transition_alone() -> None:
    assert len(list(every_order(play([BEFORE, BEFORE])))) > 100


def test_a_change_taken_back_while_two_checks_cross_is_put_right_by_the_next_check() -> None:
    """The price of writing nothing where nothing is new: docs/decisions/0006."""

    def make() -> tuple[Sequence[Actor], Callable[[list[int]], None]]:
        shared = SharedTable(first_record())
        clock = Clock()
        truths: list[tuple[CalendarEntry, ...]] = [FIRST_TRUTH, BEFORE]
        actors = [check_actor(shared, truths, clock), check_actor(shared, truths, clock)]

        def judge(order: list[int]) -> None:
            check_actor(shared, [BEFORE], clock)(lambda: None)
            assert published(shared.record) == end_state(BEFORE), order

        return actors, judge

    assert len(list(every_order(make))) > 10


def test_without_the_condition_on_the_revision_some_order_goes_wrong() -> None:
    with pytest.raises(AssertionError):
        list(every_order(play([FIRST_TRUTH, NEWEST_TRUTH], conditional=False)))
