"""PresenceTable: the real adapter on the template's table and its double in memory keep the same promises."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import pytest
from hypothesis import HealthCheck, given, settings

from presence.claims import Source
from presence.errors import Problem, ProblemKind
from presence.knowledge import Knowledge
from presence.known_calendar import KnownCalendar
from presence.presences import AVAILABLE, UNKNOWN, Activity, Availability, Presence
from presence.records import PresenceRecord, Reason, RecordedProblem
from presence.tables.items import to_attributes
from presence.tables.presences import PresenceTable, item_from_record, shard_of
from presence.timeline import Segment
from tests.support.aws import Account
from tests.support.memory import MemoryPresenceTable
from tests.support.records import records

TEN = datetime(2026, 11, 23, 10, tzinfo=UTC)
SHARDS = 4
BUSY = Presence(Availability.BUSY, Activity.BUSY)


class Harness(Protocol):
    """A table, and a way to put items past it."""

    table: PresenceTable

    def put_item(self, item: Mapping[str, object]) -> None: ...


class Real:
    def __init__(self, aws: Account) -> None:
        self.aws = aws
        self.name = aws.make_table("PresenceTable")
        self.table: PresenceTable = PresenceTable(aws.dynamodb, self.name, SHARDS)

    def put_item(self, item: Mapping[str, object]) -> None:
        self.aws.dynamodb.put_item(TableName=self.name, Item=to_attributes(item))


class Memory:
    def __init__(self) -> None:
        memory = MemoryPresenceTable(SHARDS)
        self.table: PresenceTable = memory
        self.put_item = memory.put_item


@pytest.fixture(params=["real", "memory"])
def harness(request: pytest.FixtureRequest) -> Harness:
    return Real(request.getfixturevalue("aws")) if request.param == "real" else Memory()


@pytest.fixture
def table(harness: Harness) -> PresenceTable:
    return harness.table


def user_id(number: int) -> str:
    return f"{number:08x}" + "0" * 24


def record(number: int = 1, next_at: datetime | None = None) -> PresenceRecord:
    """A record that has not been written yet."""
    return PresenceRecord(
        user_id=user_id(number),
        address=f"user{number}@example.com",
        revision=0,
        version=1,
        presence=AVAILABLE,
        since=TEN,
        until=next_at,
        reason=Reason(Source.NONE, "no-claim"),
        previous=UNKNOWN,
        timeline=(
            Segment(TEN, next_at, AVAILABLE, Source.NONE, "no-claim"),
            *([Segment(next_at, None, BUSY, Source.CALENDAR, "busy", ("no-claim", "other"))] if next_at else []),
        ),
        next_at=next_at,
        read_at=TEN,
        changed_at=TEN,
        traceparent=f"00-{'1' * 32}-{'2' * 16}-01",
        knowledge=Knowledge(KnownCalendar((), TEN + timedelta(hours=24), "https://mail.example.com/", "FreeBusy")),
    )


def write(table: PresenceTable, record: PresenceRecord) -> PresenceRecord:
    written = table.write(record)
    assert written is not None
    return written


def due(table: PresenceTable, minute: datetime, shard: int, before: datetime) -> list[tuple[str, datetime]]:
    return [(coming.user_id, coming.due) for coming in table.coming(minute, shard, before)]


def test_what_is_written_can_be_read_again(table: PresenceTable) -> None:
    problem = RecordedProblem(Problem("Timeout", ProblemKind.PASSING, "mail.example.com is silent", "wait"), TEN)
    first = write(table, replace(record(1, TEN + timedelta(minutes=30)), failing_since=TEN, problem=problem))
    second = write(table, record(2))
    stored = table.get_many([first.user_id, second.user_id, user_id(3)])
    assert stored.found == {first.user_id: first, second.user_id: second}
    assert stored.malformed == {}


def test_a_problem_may_have_no_text_and_no_remedy(table: PresenceTable) -> None:
    """Some servers send a code and nothing else; that must not make the record unreadable."""
    problem = RecordedProblem(Problem("ErrorInternalServerError", ProblemKind.PASSING, "", ""), TEN)
    written = write(table, replace(record(), failing_since=TEN, problem=problem))
    assert table.get_many([written.user_id]).found == {written.user_id: written}


def test_nobody_asked_for_is_nobody_found(table: PresenceTable) -> None:
    assert table.get_many([]).found == {}


def test_a_user_asked_for_twice_is_found_once(table: PresenceTable) -> None:
    """DynamoDB refuses a BatchGetItem in which a key stands twice."""
    written = write(table, record())
    assert table.get_many([written.user_id, written.user_id]).found == {written.user_id: written}


def test_more_users_than_one_call_takes_are_all_found(table: PresenceTable) -> None:
    written = {one.user_id: one for one in (write(table, record(number)) for number in range(205))}
    assert table.get_many(list(written)).found == written


def test_the_first_write_makes_revision_one_and_each_further_one_adds_one(table: PresenceTable) -> None:
    first = write(table, record())
    second = write(table, first)
    third = write(table, replace(second, version=2))
    assert [first.revision, second.revision, third.revision] == [1, 2, 3]
    assert table.get_many([third.user_id]).found == {third.user_id: third}


def test_of_two_first_writes_the_second_loses_and_changes_nothing(table: PresenceTable) -> None:
    first = write(table, record())
    assert table.write(replace(record(), presence=BUSY)) is None
    assert table.get_many([first.user_id]).found == {first.user_id: first}


def test_a_write_on_an_old_revision_loses_and_changes_nothing(table: PresenceTable) -> None:
    old = write(table, record())
    newest = write(table, old)
    assert table.write(replace(old, presence=BUSY)) is None
    assert table.get_many([old.user_id]).found == {old.user_id: newest}


def test_a_write_on_a_record_that_was_removed_loses(table: PresenceTable) -> None:
    assert table.write(replace(record(), revision=7)) is None
    assert table.get_many([user_id(1)]).found == {}


CLAIM = ["phone", "Busy", "InACall", 55, "2026-11-23T10:00:00Z", None, "time", "exchange", None]
MALFORMED: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "no address": (lambda item: item.pop("address"), "address"),
    "no availability": (lambda item: item.pop("availability"), "availability"),
    "an activity that nobody knows": (lambda item: item.update(activity="Skiing"), "Skiing"),
    "a source that is no text": (lambda item: item.update(source=7), "source"),
    "a freshness that nobody knows": (lambda item: item.update(freshness="ripe"), "ripe"),
    "a change that nobody knows": (lambda item: item.update(change="mood"), "mood"),
    "a reminder that is no number": (lambda item: item.update(remindMinutes="5"), "remindMinutes"),
    "a reminder days before": (lambda item: item.update(remindMinutes=5000), "remindMinutes"),
    "a horizon that is no time": (lambda item: item.update(horizon="far"), "horizon"),
    "a calendar without its horizon": (lambda item: item.pop("horizon"), "horizon"),
    "entries that are not JSON": (lambda item: item.update(entries="[["), "JSON"),
    "an entry of a status that nobody knows": (
        lambda item: item.update(entries='[["2026-11-23T10:00:00Z","2026-11-23T11:00:00Z","Asleep","","busy"]]'),
        "Asleep",
    ),
    "an entry that is a text": (lambda item: item.update(entries='["x"]'), "list"),
    "an entry with a number": (
        lambda item: item.update(entries='[[5,"2026-11-23T11:00:00Z","Busy","","busy"]]'),
        "texts",
    ),
    "working hours that are none": (lambda item: item.update(workingHours="9 to 5"), "working hours"),
    "replies that are neither on nor off": (lambda item: item.update(replies='["yes",null,null,"all"]'), "replies"),
    "replies to an audience that nobody knows": (
        lambda item: item.update(replies='[true,null,null,"friends"]'),
        "friends",
    ),
    "a standing claim that is a text": (lambda item: item.update(standing='["x"]'), "standing claim"),
    "a standing claim as strong as a text": (
        lambda item: item.update(standing=json.dumps([[*CLAIM[:3], "very", *CLAIM[4:]]])),
        "strength",
    ),
    "a standing claim that ends somehow": (
        lambda item: item.update(standing=json.dumps([[*CLAIM[:6], "somehow", *CLAIM[7:]]])),
        "somehow",
    ),
    "a command heard about nothing": (lambda item: item.update(heard='[["phone"]]'), "unpack"),
    "a command heard at no time": (lambda item: item.update(heard='[["phone","later"]]'), "later"),
    "a pause until no time": (lambda item: item.update(pausedUntil="later"), "later"),
    "a revision that is a text": (lambda item: item.update(revision="1"), "revision"),
    "a revision below one": (lambda item: item.update(revision=0), "revision"),
    "a version with more digits than sense": (lambda item: item.update(version=-(10**37)), "version"),
    "since without a zone": (lambda item: item.update(since="2026-11-23T10:00:00"), "since"),
    "until that is no time": (lambda item: item.update(until="later"), "until"),
    "a timeline that is not JSON": (lambda item: item.update(timeline="[["), "JSON"),
    "a timeline of numbers": (lambda item: item.update(timeline="[5]"), "PresenceTable"),
    "a timeline nested without end": (lambda item: item.update(timeline="[" * 100_000), "RecursionError"),
    "a segment without its rule": (
        lambda item: item.update(timeline='[["2026-11-23T10:00:00Z",null,"Busy","Busy","calendar"]]'),
        "PresenceTable",
    ),
    "a segment whose beaten claims are a text": (
        lambda item: item.update(timeline='[["2026-11-23T10:00:00Z",null,"Busy","Busy","calendar","busy","x"]]'),
        "beaten",
    ),
    "a problem that is a text": (lambda item: item.update(problem="Timeout"), "problem"),
    "a problem of a kind that nobody knows": (
        lambda item: item.update(
            problem={"code": "Timeout", "kind": "odd", "text": "x", "remedy": "y", "since": "2026-11-23T10:00:00Z"}
        ),
        "odd",
    ),
}


@pytest.mark.parametrize(("spoil", "named"), MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_item_costs_only_its_own_user_and_is_named(
    harness: Harness, spoil: Callable[[dict[str, Any]], object], named: str
) -> None:
    good = write(harness.table, record(1))
    item = item_from_record(replace(record(2), revision=1), SHARDS)
    spoil(item)
    harness.put_item(item)
    stored = harness.table.get_many([user_id(1), user_id(2)])
    assert stored.found == {good.user_id: good}
    assert list(stored.malformed) == [user_id(2)]
    assert user_id(2) in str(stored.malformed[user_id(2)])
    assert named in str(stored.malformed[user_id(2)])


def test_coming_gives_the_transitions_of_one_minute_and_shard_before_an_instant(table: PresenceTable) -> None:
    wanted = write(table, record(4, TEN + timedelta(seconds=30)))
    write(table, record(8, TEN + timedelta(seconds=40)))  # not before the instant
    write(table, record(12, TEN + timedelta(seconds=90)))  # of another minute
    write(table, record(5, TEN + timedelta(seconds=30)))  # of another shard
    write(table, record(16, None))  # has no transition: it is not on the index
    assert shard_of(wanted.user_id, SHARDS) == 0
    before = TEN + timedelta(seconds=40)
    assert due(table, TEN, 0, before) == [(wanted.user_id, TEN + timedelta(seconds=30))]


def test_coming_gives_the_earliest_first_fractions_of_a_second_too(table: PresenceTable) -> None:
    seconds = [59.0, 0.5, 0.0, 30.25, 30.0, 31.0]
    for number, second in enumerate(seconds):
        write(table, record(number * SHARDS, TEN + timedelta(seconds=second)))
    found = due(table, TEN, 0, TEN + timedelta(minutes=1))
    assert [instant for _, instant in found] == [TEN + timedelta(seconds=second) for second in sorted(seconds)]


def test_coming_leaves_out_what_is_due_a_fraction_after_the_instant(table: PresenceTable) -> None:
    write(table, record(0, TEN + timedelta(seconds=30.5)))
    assert due(table, TEN, 0, TEN + timedelta(seconds=30)) == []
    assert len(due(table, TEN, 0, TEN + timedelta(seconds=31))) == 1


def test_a_transition_that_was_applied_is_no_longer_coming(table: PresenceTable) -> None:
    written = write(table, record(4, TEN + timedelta(seconds=30)))
    write(table, replace(written, next_at=None))
    assert due(table, TEN, 0, TEN + timedelta(minutes=1)) == []


def test_a_record_without_a_transition_has_neither_key_of_the_index() -> None:
    assert {item_from_record(record(1, None), SHARDS)[key] for key in ("nextMinute", "nextAt")} == {None}


def test_a_transition_that_moved_is_coming_at_its_new_time_only(table: PresenceTable) -> None:
    written = write(table, record(4, TEN + timedelta(seconds=30)))
    write(table, replace(written, next_at=TEN + timedelta(seconds=95)))
    assert due(table, TEN, 0, TEN + timedelta(minutes=5)) == []
    moved = due(table, TEN + timedelta(minutes=1), 0, TEN + timedelta(minutes=5))
    assert moved == [(written.user_id, TEN + timedelta(seconds=95))]


@pytest.mark.parametrize(
    "spoilt", [{"userId": "bob"}, {"nextAt": "2026-11-23T10:00:3"}, {"nextAt": "2026-11-23T10:00"}]
)
def test_a_malformed_entry_of_the_index_does_not_hide_the_others(harness: Harness, spoilt: dict[str, str]) -> None:
    wanted = write(harness.table, record(4, TEN + timedelta(seconds=30)))
    item = item_from_record(replace(record(8, TEN + timedelta(seconds=30)), revision=1), SHARDS)
    harness.put_item({**item, **spoilt})
    assert due(harness.table, TEN, 0, TEN + timedelta(minutes=1)) == [(wanted.user_id, TEN + timedelta(seconds=30))]


@given(records())
def test_every_record_survives_the_table_in_memory(any_record: PresenceRecord) -> None:
    table = MemoryPresenceTable(SHARDS)
    table.put_item(item_from_record(any_record, SHARDS))
    assert table.get_many([any_record.user_id]).found == {any_record.user_id: any_record}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(any_record=records())
def test_every_record_survives_the_real_table(aws: Account, any_record: PresenceRecord) -> None:
    if "PresenceTable" not in aws.tables:
        aws.make_table("PresenceTable")
    aws.dynamodb.put_item(TableName="PresenceTable", Item=to_attributes(item_from_record(any_record, SHARDS)))
    table = PresenceTable(aws.dynamodb, "PresenceTable", SHARDS)
    assert table.get_many([any_record.user_id]).found == {any_record.user_id: any_record}


def test_users_spread_over_all_shards() -> None:
    assert {shard_of(user_id(number), 16) for number in range(64)} == set(range(16))
