"""What `presence run` hears of the topic: changes and reminders, and nothing that makes it stop."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from cli.run_words import event_line
from local.running.published_events import PublishedEvents
from local.stack.deployment import Deployment
from presence.calendar import BusyType, CalendarEntry, CalendarReading, Window
from presence.commands import RemindOfMeetings
from presence.decisions import Readings, after_command, after_reading
from presence.events import (
    REMINDER_TYPE,
    Disclosure,
    encode_event,
    meeting_starting_soon,
    message_attributes,
    presence_changed,
    reminder_attributes,
)
from presence.freshness import Rules
from presence.profiles import DEFAULT
from presence.records import PresenceRecord, User
from tests.support.aws import Account, account

SOURCE = "urn:calendar-presence:test"
ALICE = User("a" * 32, "alice@example.com")
NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)
QUARTER_PAST = NINE + timedelta(minutes=15)


@dataclass(frozen=True)
class Topic:
    """The topic of a stack, as far as a run looks at it."""

    account: Account
    stack_name: str
    outputs: dict[str, str]

    def client(self, service: str) -> Any:
        return {"sqs": self.account.sqs, "sns": self.account.sns}[service]

    def publish(self, body: str, attributes: dict[str, str] | None = None) -> None:
        values = {name: {"DataType": "String", "StringValue": text} for name, text in (attributes or {}).items()}
        topic = self.outputs["PresenceTopicArn"]
        self.account.sns.publish(TopicArn=topic, Message=body, MessageAttributes=cast("Any", values))

    def change(self, record: PresenceRecord) -> None:
        self.publish(encode_event(presence_changed(record, SOURCE, Disclosure())), message_attributes(record))

    def remind(self, record: PresenceRecord) -> None:
        self.publish(encode_event(meeting_starting_soon(record, QUARTER_PAST, SOURCE)), reminder_attributes(record))


@pytest.fixture
def topic() -> Iterator[Topic]:
    with account() as made:
        arn = made.sns.create_topic(Name="presence")["TopicArn"]
        yield Topic(made, "under-test", {"PresenceTopicArn": arn})


@pytest.fixture
def events(topic: Topic) -> PublishedEvents:
    return PublishedEvents(cast("Deployment", topic))


@pytest.fixture
def record() -> PresenceRecord:
    """Somebody who wants to be reminded, with a meeting in a quarter of an hour."""
    meeting = CalendarEntry(QUARTER_PAST, QUARTER_PAST + timedelta(hours=1), BusyType.BUSY)
    window = Window(NINE - timedelta(hours=1), NINE + timedelta(hours=24))
    reading = CalendarReading(ALICE.address, window, (meeting,), NINE, "https://mail.example.com/EWS", "FreeBusy")
    read = after_reading(None, ALICE, Readings(reading), DEFAULT, NINE, Rules()).record
    assert read is not None
    wanted = RemindOfMeetings(timedelta(minutes=15))
    reminding = after_command(read, ALICE, wanted, DEFAULT, NINE, Rules()).record
    assert reminding is not None
    assert reminding.reminders.reminded_of == (QUARTER_PAST,)
    return reminding


def lines(events: PublishedEvents) -> list[str]:
    return [event_line(event) for event in events.take(seconds=0)]


def test_a_reminder_is_told_beside_changes(topic: Topic, events: PublishedEvents, record: PresenceRecord) -> None:
    topic.change(record)
    topic.remind(record)
    assert lines(events) == [
        "2026-11-23T09:00:00Z  alice@example.com  Available until 2026-11-23T09:15:00Z  (none, no-claim; version 1)",
        "2026-11-23T09:00:00Z  alice@example.com  a meeting begins at 2026-11-23T09:15:00Z  (reminder, 15 min before)",
    ]
    assert lines(events) == []


def test_what_comes_again_is_told_once(topic: Topic, events: PublishedEvents, record: PresenceRecord) -> None:
    for _ in range(2):
        topic.change(record)
        topic.remind(record)
    assert len(lines(events)) == 2


def with_other(record: PresenceRecord, name: str, value: object) -> str:
    """Return a change in which something else stands in one place."""
    event: dict[str, Any] = presence_changed(record, SOURCE, Disclosure())
    *path, last = name.split(".")
    place = event
    for step in path:
        place = place[step]
    place[last] = value
    return json.dumps(event)


@pytest.mark.parametrize("value", [None, "", [], {}, 1.5], ids=repr)
@pytest.mark.parametrize(
    "name", ["type", "data", "data.user", "data.user.id", "data.version", "data.presence", "data.reason"]
)
def test_what_has_the_type_of_a_change_and_is_none_stops_nothing(
    topic: Topic, events: PublishedEvents, record: PresenceRecord, name: str, value: object
) -> None:
    topic.publish(with_other(record, name, value))
    topic.remind(record)
    (line,) = lines(events)
    assert "reminder" in line


@pytest.mark.parametrize("body", ["{}", '{"user":{"id":"a"}}', '{"user":{"id":"a","email":"b"},"meeting":{}}'])
def test_what_has_the_type_of_a_reminder_and_is_none_stops_nothing(
    topic: Topic, events: PublishedEvents, record: PresenceRecord, body: str
) -> None:
    topic.publish(f'{{"type":"{REMINDER_TYPE}","id":"1","time":"now","data":{body}}}')
    topic.change(record)
    assert len(lines(events)) == 1


@pytest.mark.parametrize(
    "body",
    ["no event", "[]", "{}", '{"type":"somebody.else.s"}', '{"data":{"user":{}}}', "[" * 100_000],
    ids=lambda body: body[:30],
)
def test_what_is_no_event_of_ours_stops_nothing_and_does_not_come_again(
    topic: Topic, events: PublishedEvents, record: PresenceRecord, body: str
) -> None:
    topic.publish(body)
    topic.change(record)
    assert len(lines(events)) == 1
    assert lines(events) == []
