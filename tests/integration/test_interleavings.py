"""Two checks and a transition of one user at the same time: every order of their steps, each with the right end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from presence.automatic_replies import NO_REPLIES, AutomaticReplies
from presence.calendar import BusyType, CalendarEntry, CalendarReading, Window
from presence.checking import CalendarCheck, CheckOptions
from presence.decisions import Readings, after_reading
from presence.errors import Problem
from presence.freshness import Rules
from presence.messages import CheckReason, CheckRequest, TransitionRequest, new_traceparent
from presence.presences import Presence
from presence.profiles import BUILT_IN, DEFAULT
from presence.queues import Queue, QueuedMessage
from presence.records import PresenceRecord, User
from presence.tables.items import from_attributes, to_attributes
from presence.tables.presences import PresenceTable, item_from_record, record_from_item
from presence.tables.users import UserTable
from presence.transition_queue import TransitionQueue
from presence.transitions import TransitionApplication
from tests.support.stepping import Actor, Step, every_order

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TEN = datetime(2026, 11, 23, 10, tzinfo=UTC)
ALICE = User("a" * 32, "alice@example.com")
TRACEPARENT = new_traceparent()
SHARDS = 16


def busy(start: float, end: float) -> CalendarEntry:
    return CalendarEntry(TEN + timedelta(minutes=start), TEN + timedelta(minutes=end), BusyType.BUSY)


def away(start: float, end: float) -> CalendarEntry:
    return CalendarEntry(TEN + timedelta(minutes=start), TEN + timedelta(minutes=end), BusyType.OUT_OF_OFFICE)


BEFORE = (busy(0, 30), busy(60, 90))
"""As last read, at five to ten: the transition at ten is due."""
FIRST_TRUTH = (busy(0, 45), busy(60, 90))
NEWEST_TRUTH = (away(0, 20), busy(60, 90))


class LostRaceError(Exception):
    """What the client raises when a condition does not hold."""


@dataclass
class SharedTable:
    """One user's stored item and all that was written; without `conditional`, conditions are not looked at."""

    item: dict[str, Any]
    conditional: bool = True
    written: list[PresenceRecord] = field(default_factory=list)

    @property
    def record(self) -> PresenceRecord:
        return record_from_item(from_attributes(self.item))

    def put(self, item: dict[str, Any], condition: str | None, values: Mapping[str, Any]) -> None:
        if self.conditional and condition is not None:
            assert condition == "revision = :read", "the only condition that a stored record is written under"
            if self.item["revision"] != values[":read"]:
                raise LostRaceError
        self.item = item
        self.written.append(self.record)


class SteppedClient:
    """DynamoDB as one actor's adapter calls it: each call is a step, and holds to the condition that it was given."""

    exceptions = SimpleNamespace(ConditionalCheckFailedException=LostRaceError)

    def __init__(self, shared: SharedTable, step: Step) -> None:
        self._shared = shared
        self._step = step

    def batch_get_item(self, *, RequestItems: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N803  as boto3 spells it
        self._step()
        return {"Responses": {table: [self._shared.item] for table in RequestItems}}

    def put_item(
        self,
        *,
        TableName: str,  # noqa: N803  as boto3 spells it
        Item: dict[str, Any],  # noqa: N803
        ConditionExpression: str | None = None,  # noqa: N803
        ExpressionAttributeValues: Mapping[str, Any] | None = None,  # noqa: N803
    ) -> None:
        del TableName
        self._step()
        self._shared.put(Item, ConditionExpression, ExpressionAttributeValues or {})


def stepped_table(shared: SharedTable, step: Step) -> PresenceTable:
    """Return the real adapter, whose calls are steps."""
    return PresenceTable(cast("DynamoDBClient", SteppedClient(shared, step)), "PresenceTable", SHARDS)


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

    def read_automatic_replies(self, addresses: Sequence[str]) -> Mapping[str, AutomaticReplies | Problem]:
        return dict.fromkeys(addresses, NO_REPLIES)


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
    record = after_reading(None, ALICE, Readings(reading), DEFAULT, read_at, Rules()).record
    assert record is not None
    return replace(record, revision=1)


def check_actor(shared: SharedTable, truths: list[tuple[CalendarEntry, ...]], clock: Clock) -> Actor:
    def check(step: Step) -> None:
        queue = SilentQueue()
        CalendarCheck(
            presences=stepped_table(shared, step),
            users=SilentUsers(),
            reader=SteppedReader(truths, clock, step),
            profiles=lambda: BUILT_IN,
            check_queue=queue,
            transition_queue=TransitionQueue(queue, SHARDS),
            clock=clock,
            jitter=lambda: 1.0,
            options=CheckOptions(),
        ).run(CheckRequest(CheckReason.SCHEDULE, TEN, (ALICE,), TRACEPARENT))

    return check


def transition_actor(shared: SharedTable, clock: Clock) -> Actor:
    def transition(step: Step) -> None:
        TransitionApplication(
            presences=stepped_table(shared, step),
            queue=SilentQueue(),
            shards=SHARDS,
            clock=clock,
            sleep=lambda _: None,
            rules=Rules(),
        ).run([TransitionRequest(TEN, 0, (ALICE.user_id,), TRACEPARENT)])

    return transition


def published(record: PresenceRecord) -> tuple[Presence, datetime | None]:
    return record.presence, record.until


@cache
def first_item() -> dict[str, Any]:
    return to_attributes(item_from_record(first_record(), SHARDS))


def end_state(entries: tuple[CalendarEntry, ...]) -> tuple[Presence, datetime | None]:
    """What a single check of this calendar, a second after ten, ends with."""
    shared = SharedTable(first_item())
    check_actor(shared, [entries], Clock())(lambda: None)
    return published(shared.record)


Play = Callable[[], tuple[Sequence[Actor], Callable[[list[int]], None]]]


def play(truths: Sequence[tuple[CalendarEntry, ...]], *, conditional: bool = True) -> Play:
    newest = end_state(truths[-1])

    def make() -> tuple[Sequence[Actor], Callable[[list[int]], None]]:
        shared = SharedTable(first_item(), conditional=conditional)
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
        shared = SharedTable(first_item())
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
