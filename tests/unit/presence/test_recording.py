from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from presence.errors import CalendarPresenceError
from presence.history import entry_of
from presence.presences import Activity, Availability, Presence
from presence.recording import HistoryRecorder, Recording
from presence.records import PresenceRecord
from presence.tables.items import to_attributes
from presence.tables.presences import item_from_record
from tests.support.memory import MemoryQueue
from tests.support.memory_history import MemoryHistoryTable
from tests.support.records import available_record

TEN = datetime(2026, 11, 23, 10, tzinfo=UTC)
BUSY = Presence(Availability.BUSY, Activity.IN_A_MEETING)
ALICE, BOB = "a" * 32, "b" * 32


class Harness:
    def __init__(self) -> None:
        self.table = MemoryHistoryTable()
        self.queue = MemoryQueue()
        self.recorder = HistoryRecorder(self.table, timedelta(days=30), self.queue)

    def versions(self, user_id: str = ALICE) -> list[int]:
        return [one.version for one in self.table.of_user(user_id, TEN).entries]


@pytest.fixture
def harness() -> Harness:
    return Harness()


def record(version: int = 1, user_id: str = ALICE) -> PresenceRecord:
    return replace(available_record(user_id, TEN), revision=version, version=version, presence=BUSY)


def written(new: PresenceRecord, old: PresenceRecord | None = None) -> dict[str, Any]:
    change: dict[str, Any] = {
        "Keys": {"userId": {"S": new.user_id}},
        "NewImage": to_attributes(item_from_record(new, 16)),
        "SequenceNumber": "1",
    }
    if old is not None:
        change["OldImage"] = to_attributes(item_from_record(old, 16))
    return {"eventName": "INSERT" if old is None else "MODIFY", "dynamodb": change}


def removed(user_id: object = ALICE) -> dict[str, Any]:
    return {"eventName": "REMOVE", "dynamodb": {"Keys": {"userId": {"S": user_id}}, "SequenceNumber": "2"}}


def test_a_first_record_is_recorded(harness: Harness) -> None:
    assert harness.recorder.handle(written(record())) == Recording(recorded=True)
    assert harness.table.of_user(ALICE, TEN).entries == (entry_of(record()),)


def test_each_new_version_is_recorded(harness: Harness) -> None:
    harness.recorder.handle(written(record(1)))
    assert harness.recorder.handle(written(record(2), record(1))).recorded
    assert harness.versions() == [1, 2]


def test_a_write_that_published_nothing_is_no_history(harness: Harness) -> None:
    refreshed = replace(record(1), revision=2, read_at=TEN + timedelta(hours=1))
    assert harness.recorder.handle(written(refreshed, record(1))) == Recording()
    assert harness.versions() == []


def test_a_record_that_is_handed_over_twice_is_recorded_once(harness: Harness) -> None:
    for _ in range(2):
        assert harness.recorder.handle(written(record())).recorded
    assert harness.versions() == [1]


def test_a_user_whose_record_was_removed_is_forgotten_and_nobody_else(harness: Harness) -> None:
    for one in (record(1), record(2), record(1, BOB)):
        harness.recorder.handle(written(one))
    assert harness.recorder.handle(removed()) == Recording(forgotten=2)
    assert harness.versions() == []
    assert harness.versions(BOB) == [1]
    assert harness.recorder.handle(removed()) == Recording()


@pytest.mark.parametrize(
    ("stream_record", "reason"),
    [
        (None, "stream record: an object"),
        ({"eventName": "MODIFY"}, "stream record.dynamodb: an object"),
        ({"eventName": "REMOVE", "dynamodb": {}}, "Keys: an object"),
        ({"eventName": "REMOVE", "dynamodb": {"Keys": {"userId": "alice"}}}, "Keys: no user id"),
        (removed("alice@example.com"), "Keys: no user id"),
    ],
)
def test_what_can_t_be_read_is_set_aside_with_its_reason(harness: Harness, stream_record: object, reason: str) -> None:
    done = harness.recorder.handle(stream_record)
    assert reason in str(done.set_aside)
    (letter,) = harness.queue.take()
    assert reason in json.loads(letter.body)["reason"]


def test_of_a_malformed_record_only_the_keys_are_set_aside(harness: Harness) -> None:
    spoilt = written(record())
    spoilt["dynamodb"]["NewImage"]["since"] = {"S": "yesterday"}
    assert "since" in str(harness.recorder.handle(spoilt).set_aside)
    (letter,) = harness.queue.take()
    assert json.loads(letter.body)["keys"] == {"userId": {"S": ALICE}}
    assert "@" not in letter.body
    assert harness.versions() == []


def test_what_can_t_even_be_set_aside_is_an_error(harness: Harness) -> None:
    harness.queue.refuses = True
    with pytest.raises(CalendarPresenceError):
        harness.recorder.handle(None)
