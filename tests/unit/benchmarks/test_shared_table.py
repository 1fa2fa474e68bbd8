"""The stand-in under the handler's measurement has to be as strict as the table that it stands for."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from benchmarks.crowds import crowd
from benchmarks.shared_table import TABLE, WRITE_SECONDS, SharedTable, TableClient, lay_out
from presence.records import PresenceRecord
from presence.tables.items import to_attributes
from presence.tables.presences import PresenceTable, item_from_record

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

DUE = datetime(2026, 11, 23, 10, tzinfo=UTC)
SHARDS = 16


@pytest.fixture
def records() -> list[PresenceRecord]:
    return crowd(20, DUE, DUE - timedelta(minutes=5))


@pytest.fixture
def table(records: list[PresenceRecord], tmp_path: Path) -> Iterator[SharedTable]:
    layout = lay_out(tmp_path / "table", [to_attributes(item_from_record(each, SHARDS)) for each in records])
    table = SharedTable(layout, [get_context("spawn").Lock() for _ in range(4)])
    yield table
    table.close()


def adapter(table: SharedTable) -> PresenceTable:
    return PresenceTable(cast("DynamoDBClient", TableClient(table, connections=8)), TABLE, SHARDS)


def test_it_gives_back_what_was_put_there(records: list[PresenceRecord], table: SharedTable) -> None:
    found = adapter(table).get_many([*(each.user_id for each in records), "0" * 32]).found
    assert found == {each.user_id: each for each in records}


def test_of_many_writers_of_one_revision_exactly_one_wins(records: list[PresenceRecord], table: SharedTable) -> None:
    presences = adapter(table)
    with ThreadPoolExecutor(8) as pool:
        written = list(pool.map(presences.write, [records[0]] * 8))
    assert len([each for each in written if each is not None]) == 1
    stored = table.get(records[0].user_id)
    assert stored is not None
    assert (stored.writes, stored.item["revision"]) == (1, {"N": "2"})


def test_a_write_is_noted_as_asked_for_before_it_takes_effect(
    records: list[PresenceRecord], table: SharedTable
) -> None:
    before = time.time()
    first = adapter(table).write(records[0])
    assert first is not None
    noted = table.get(records[0].user_id)
    assert adapter(table).write(first) is not None
    stored = table.get(records[0].user_id)
    assert noted is not None
    assert stored is not None
    assert stored.writes == 2
    assert (stored.asked_at, stored.written_at) == (noted.asked_at, noted.written_at)
    assert before <= noted.asked_at <= noted.written_at - WRITE_SECONDS


def test_every_user_of_a_crowd_changes_at_the_instant_and_nobody_is_in_it_twice(records: list[PresenceRecord]) -> None:
    assert {each.next_at for each in records} == {DUE}
    assert len({each.user_id for each in records}) == len(records)
