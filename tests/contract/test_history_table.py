"""HistoryTable: the real adapter on the template's table and its double in memory keep the same promises."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from presence.errors import CalendarPresenceError
from presence.freshness import Freshness
from presence.history import HistoryEntry, entry_of
from presence.presences import AVAILABLE, Activity, Availability, Presence
from presence.records import PresenceRecord
from presence.tables.history import HistoryTable, entry_from_item, item_from_entry
from presence.tables.items import to_attributes
from tests.support.aws import Account, calls
from tests.support.memory_history import MemoryHistoryTable
from tests.support.records import instants, presences, records, user_ids
from tests.support.schemas import complaints, schema, undescribed

TEN = datetime(2026, 11, 23, 10, tzinfo=UTC)
MONTH = timedelta(days=30)
BUSY = Presence(Availability.BUSY, Activity.IN_A_MEETING)
ALICE, BOB = "a" * 32, "b" * 32
SCHEMA = "schemas/history-entry.json"

entries = st.builds(
    HistoryEntry,
    user_id=user_ids,
    version=st.integers(1, 10**9),
    at=instants,
    presence=presences,
    previous=presences,
    since=instants,
    until=st.none() | instants,
    source=st.sampled_from(["calendar", "by-hand", "phone"]),
    rule=st.sampled_from(["busy", "no-claim"]),
    freshness=st.sampled_from(Freshness),
    note=st.none() | st.just("automatic-replies"),
)


class Harness(Protocol):
    """A table, and a way to put items past it."""

    table: HistoryTable

    def put_item(self, item: Mapping[str, object]) -> None: ...

    def count(self) -> int: ...


class Real:
    def __init__(self, aws: Account) -> None:
        self.aws = aws
        self.name = aws.make_table("HistoryTable")
        self.table: HistoryTable = HistoryTable(aws.dynamodb, self.name)

    def put_item(self, item: Mapping[str, object]) -> None:
        self.aws.dynamodb.put_item(TableName=self.name, Item=to_attributes(item))

    def count(self) -> int:
        return self.aws.dynamodb.scan(TableName=self.name, Select="COUNT")["Count"]


class Memory:
    def __init__(self) -> None:
        memory = MemoryHistoryTable()
        self.table: HistoryTable = memory
        self.put_item = memory.put_item
        self.items = memory.items

    def count(self) -> int:
        return len(self.items)


@pytest.fixture(params=["real", "memory"])
def harness(request: pytest.FixtureRequest) -> Harness:
    return Real(request.getfixturevalue("aws")) if request.param == "real" else Memory()


@pytest.fixture
def table(harness: Harness) -> HistoryTable:
    return harness.table


def entry(version: int = 1, user_id: str = ALICE, at: datetime = TEN) -> HistoryEntry:
    return HistoryEntry(user_id, version, at, BUSY, AVAILABLE, at, at + timedelta(hours=1), "calendar", "busy-meeting")


def test_what_was_put_can_be_read_in_the_order_of_its_versions(table: HistoryTable) -> None:
    written = [entry(version, at=TEN + timedelta(minutes=version)) for version in (10, 2, 1, 9)]
    for one in [*written, entry(3, BOB)]:
        table.put(one, MONTH)
    found = table.of_user(ALICE, TEN)
    assert found.entries == tuple(sorted(written, key=lambda one: one.version))
    assert found.malformed == ()


def test_of_somebody_without_history_nothing_is_found(table: HistoryTable) -> None:
    assert table.of_user(ALICE, TEN).entries == ()
    assert table.forget(ALICE) == 0


def test_an_entry_put_twice_is_one_item(harness: Harness) -> None:
    harness.table.put(entry(), MONTH)
    harness.table.put(entry(), MONTH)
    assert harness.count() == 1
    assert harness.table.of_user(ALICE, TEN).entries == (entry(),)


def test_an_end_that_is_not_known_stays_so(table: HistoryTable) -> None:
    table.put(replace(entry(), until=None), MONTH)
    assert table.of_user(ALICE, TEN).entries == (replace(entry(), until=None),)


def test_what_has_expired_is_not_there_though_nobody_deleted_it(harness: Harness) -> None:
    harness.table.put(entry(1, at=TEN), MONTH)
    harness.table.put(entry(2, at=TEN + timedelta(seconds=1)), MONTH)
    assert [one.version for one in harness.table.of_user(ALICE, TEN + MONTH - timedelta(seconds=1)).entries] == [1, 2]
    assert [one.version for one in harness.table.of_user(ALICE, TEN + MONTH).entries] == [2]
    assert harness.table.of_user(ALICE, TEN + MONTH + timedelta(days=1)).entries == ()
    assert harness.count() == 2


def test_an_entry_expires_by_when_it_was_decided_whenever_it_is_put() -> None:
    """So that the same record, handed over again days later, is the same item."""
    assert item_from_entry(entry(at=TEN), MONTH)["expiresAt"] == (TEN + MONTH).timestamp()


def test_a_user_is_forgotten_whole_expired_and_malformed_items_too_and_nobody_else(harness: Harness) -> None:
    for version in range(1, 61):  # more than one call removes
        harness.table.put(entry(version), MONTH)
    harness.table.put(entry(61, at=TEN - timedelta(days=900)), MONTH)
    harness.put_item({"userId": ALICE, "version": 62})
    harness.table.put(entry(1, BOB), MONTH)
    assert harness.table.forget(ALICE) == 62
    assert harness.count() == 1
    assert harness.table.of_user(BOB, TEN).entries == (entry(1, BOB),)


MALFORMED: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "no instant": (lambda item: item.pop("at"), "at"),
    "no presence": (lambda item: item.pop("availability"), "availability"),
    "an availability that nobody knows": (lambda item: item.update(availability="Invisible"), "Invisible"),
    "until without a zone": (lambda item: item.update(until="2026-11-23T11:00:00"), "until"),
    "a freshness that nobody knows": (lambda item: item.update(freshness="mouldy"), "mouldy"),
    "an empty rule": (lambda item: item.update(rule=""), "rule"),
    "no end": (lambda item: item.pop("expiresAt"), "expiresAt"),
    "an end that is a text": (lambda item: item.update(expiresAt="never"), "expiresAt"),
}


@pytest.mark.parametrize(("spoil", "named"), MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_item_costs_only_itself_and_is_named(
    harness: Harness, spoil: Callable[[dict[str, Any]], object], named: str
) -> None:
    harness.table.put(entry(1), MONTH)
    item = item_from_entry(entry(2), MONTH)
    spoil(item)
    harness.put_item(item)
    found = harness.table.of_user(ALICE, TEN)
    assert found.entries == (entry(1),)
    (error,) = found.malformed
    assert f"HistoryTable[{ALICE}, 2]" in str(error)
    assert named in str(error)


def test_what_the_table_leaves_undone_is_asked_for_again(aws: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    table = HistoryTable(aws.dynamodb, aws.make_table("HistoryTable"))
    for version in range(1, 6):
        table.put(entry(version), MONTH)
    whole = aws.dynamodb.batch_write_item

    def half_done(RequestItems: Any) -> Any:  # noqa: N803  AWS's spelling
        ((name, wanted),) = RequestItems.items()
        whole(RequestItems={name: wanted[:2]})
        return {"UnprocessedItems": {name: wanted[2:]} if wanted[2:] else {}}

    monkeypatch.setattr(aws.dynamodb, "batch_write_item", half_done)
    assert table.forget(ALICE) == 5
    assert table.of_user(ALICE, TEN).entries == ()


def test_a_table_that_never_gets_it_done_is_an_error(aws: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    table = HistoryTable(aws.dynamodb, aws.make_table("HistoryTable"))
    table.put(entry(), MONTH)
    monkeypatch.setattr(
        aws.dynamodb, "batch_write_item", lambda **call: {"UnprocessedItems": copy.deepcopy(call["RequestItems"])}
    )
    with pytest.raises(CalendarPresenceError, match="1 items were not removed"):
        table.forget(ALICE)


def test_who_forgets_reads_keys_only(aws: Account) -> None:
    """The function's role allows no more."""
    table = HistoryTable(aws.dynamodb, aws.make_table("HistoryTable"))
    with calls(aws.dynamodb, "dynamodb.Query") as made:
        table.forget(ALICE)
    assert [call["ProjectionExpression"] for call in made] == ["userId, version"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(any_entry=entries)
def test_every_entry_survives_the_real_table(aws: Account, any_entry: HistoryEntry) -> None:
    if "HistoryTable" not in aws.tables:
        aws.make_table("HistoryTable")
    table = HistoryTable(aws.dynamodb, "HistoryTable")
    table.forget(any_entry.user_id)
    table.put(any_entry, MONTH)
    assert table.of_user(any_entry.user_id, any_entry.at).entries == (any_entry,)


@given(records())
def test_a_records_version_is_stored_as_the_schema_says(record: PresenceRecord) -> None:
    item = {key: value for key, value in item_from_entry(entry_of(record), MONTH).items() if value is not None}
    assert complaints(SCHEMA, item) == []
    assert undescribed(schema(SCHEMA), item) == []
    assert entry_from_item(item) == entry_of(record)


@given(records())
def test_no_address_and_no_coming_meeting_is_in_the_history(record: PresenceRecord) -> None:
    item = item_from_entry(entry_of(replace(record, address="somebody@example.com")), MONTH)
    assert not {"address", "timeline"} & item.keys()
    assert "somebody@example.com" not in item.values()
