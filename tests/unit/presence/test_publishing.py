from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError

from presence.claims import Source
from presence.errors import CalendarPresenceError
from presence.events import (
    Disclosure,
    encode_event,
    meeting_starting_soon,
    message_attributes,
    presence_changed,
    reminder_attributes,
)
from presence.instants import format_instant
from presence.presences import AVAILABLE, UNKNOWN, Activity, Availability, Presence
from presence.publishing import PresencePublisher, Publication, keys_of
from presence.records import PresenceRecord, Reason, Reminders
from presence.tables.items import to_attributes
from presence.tables.presences import item_from_record
from presence.timeline import Segment
from tests.support.memory import MemoryQueue

TEN = datetime(2026, 11, 23, 10, tzinfo=UTC)
TOPIC = "arn:aws:sns:eu-central-1:123456789012:presence"
SOURCE = "urn:calendar-presence:test"
BUSY = Presence(Availability.BUSY, Activity.BUSY)
SHOWN = Disclosure(until=True, next=True)

RECORD = PresenceRecord(
    user_id="6f1c" * 8,
    address="alice@example.com",
    revision=57,
    version=42,
    presence=BUSY,
    since=TEN,
    until=TEN + timedelta(hours=1),
    reason=Reason(Source.CALENDAR, "busy"),
    previous=AVAILABLE,
    timeline=(
        Segment(TEN, TEN + timedelta(hours=1), BUSY, Source.CALENDAR, "busy"),
        Segment(TEN + timedelta(hours=1), None, AVAILABLE, Source.NONE, "no-claim"),
    ),
    next_at=TEN + timedelta(hours=1),
    read_at=TEN,
    changed_at=TEN,
)
BEFORE = replace(RECORD, revision=56, version=41, presence=AVAILABLE, previous=UNKNOWN)


class Topic:
    """A client of SNS that keeps what is published, or refuses it."""

    def __init__(self, refusal: Exception | None = None) -> None:
        self.refusal = refusal
        self.published: list[Mapping[str, Any]] = []

    def publish(self, **message: Any) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.published.append(message)


class Stage:
    """A publisher with its topic and its dead-letter queue."""

    def __init__(self, refusal: Exception | None = None) -> None:
        self.topic = Topic(refusal)
        self.failures = MemoryQueue()
        self.publisher = PresencePublisher(cast("Any", self.topic), TOPIC, SOURCE, SHOWN, self.failures)

    def dead_letter(self) -> dict[str, Any]:
        (message,) = self.failures.take()
        letter: dict[str, Any] = json.loads(message.body)
        return letter


def image(record: PresenceRecord) -> dict[str, Any]:
    return to_attributes(item_from_record(record, 16))


def change(new: PresenceRecord | None, old: PresenceRecord | None, name: str = "MODIFY") -> dict[str, Any]:
    """A record of the stream, as Lambda hands it over."""
    images = {"NewImage": new and image(new), "OldImage": old and image(old)}
    return {
        "eventID": "1",
        "eventName": name,
        "eventSource": "aws:dynamodb",
        "dynamodb": {
            "Keys": {"userId": {"S": RECORD.user_id}},
            "SequenceNumber": "100",
            "StreamViewType": "NEW_AND_OLD_IMAGES",
            **{key: value for key, value in images.items() if value is not None},
        },
    }


def refused() -> ClientError:
    return ClientError({"Error": {"Code": "Throttling", "Message": "secret detail"}}, "Publish")


def test_a_version_that_moved_is_published_with_its_attributes() -> None:
    stage = Stage()
    assert stage.publisher.handle(change(RECORD, BEFORE)) == Publication(published=1)
    (message,) = stage.topic.published
    assert message["TopicArn"] == TOPIC
    assert json.loads(message["Message"]) == presence_changed(RECORD, SOURCE, SHOWN)
    assert message["MessageAttributes"] == {
        name: {"DataType": "String", "StringValue": value} for name, value in message_attributes(RECORD).items()
    }
    assert stage.failures.messages == []


def test_a_new_record_is_published() -> None:
    stage = Stage()
    first = replace(RECORD, revision=1, version=1)
    assert stage.publisher.handle(change(first, None, "INSERT")) == Publication(published=1)
    assert json.loads(stage.topic.published[0]["Message"])["id"] == f"{RECORD.user_id}:1"


@pytest.mark.parametrize(
    "stream_record",
    [change(RECORD, replace(RECORD, revision=56, read_at=None)), change(None, RECORD, "REMOVE")],
    ids=["the version did not move", "the user was removed"],
)
def test_what_is_no_news_is_not_published(stream_record: dict[str, Any]) -> None:
    stage = Stage()
    assert stage.publisher.handle(stream_record) == Publication()
    assert stage.topic.published == []
    assert stage.failures.messages == []


TOLD = Reminders(timedelta(minutes=15), (TEN + timedelta(minutes=15),))


def test_a_meeting_to_remind_of_is_published_though_the_version_did_not_move() -> None:
    stage = Stage()
    before = replace(RECORD, revision=56, reminders=replace(TOLD, reminded_of=()))
    reminding = replace(RECORD, reminders=TOLD)
    assert stage.publisher.handle(change(reminding, before)) == Publication(published=1)
    (message,) = stage.topic.published
    assert json.loads(message["Message"]) == meeting_starting_soon(reminding, TEN + timedelta(minutes=15), SOURCE)
    assert message["MessageAttributes"] == {
        name: {"DataType": "String", "StringValue": value} for name, value in reminder_attributes(reminding).items()
    }


def test_a_version_and_a_meeting_at_once_are_two_events() -> None:
    stage = Stage()
    assert stage.publisher.handle(change(replace(RECORD, reminders=TOLD), BEFORE)) == Publication(published=2)
    assert [json.loads(message["Message"])["type"].split(".")[1] for message in stage.topic.published] == [
        "presence",
        "meeting",
    ]


def test_nobody_is_reminded_twice_of_one_meeting() -> None:
    stage = Stage()
    same = replace(RECORD, reminders=TOLD)
    assert stage.publisher.handle(change(replace(same, revision=58), same)) == Publication()
    assert stage.topic.published == []


def test_each_meeting_that_is_told_newly_is_one_event_also_before_one_that_was_told() -> None:
    stage = Stage()
    first, second, third = (TEN + timedelta(minutes=minutes) for minutes in (5, 10, 15))
    before = replace(RECORD, reminders=replace(TOLD, reminded_of=(TEN, third)))
    after = replace(RECORD, reminders=replace(TOLD, reminded_of=(first, second, third)))
    assert stage.publisher.handle(change(after, before)) == Publication(published=2)
    told = [json.loads(message["Message"])["data"]["meeting"]["startsAt"] for message in stage.topic.published]
    assert told == [format_instant(first), format_instant(second)]


def test_a_reminder_that_the_topic_refuses_is_set_aside_with_its_event() -> None:
    stage = Stage(refused())
    reminding = replace(RECORD, reminders=TOLD)
    publication = stage.publisher.handle(change(reminding, replace(RECORD, revision=56)))
    assert publication.published == 0
    letter = stage.dead_letter()
    assert letter == {
        "reason": publication.set_aside,
        "event": meeting_starting_soon(reminding, TEN + timedelta(minutes=15), SOURCE),
    }


def test_a_record_that_comes_again_gives_the_same_event() -> None:
    stage = Stage()
    for _ in range(2):
        stage.publisher.handle(change(RECORD, BEFORE))
    one, other = stage.topic.published
    assert one == other


MALFORMED: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "no change": (lambda record: record.pop("dynamodb"), "stream record.dynamodb"),
    "no new image": (lambda record: record["dynamodb"].pop("NewImage"), "NewImage"),
    "a new image that is a text": (lambda record: record["dynamodb"].update(NewImage="x"), "NewImage"),
    "an attribute without a type": (lambda record: record["dynamodb"]["NewImage"].update(version="42"), "NewImage"),
    "an attribute of no type": (lambda record: record["dynamodb"]["NewImage"].update(version={"X": "1"}), "NewImage"),
    "a number that is none": (lambda record: record["dynamodb"]["NewImage"].update(version={"N": "many"}), "version"),
    "a number that never ends": (
        lambda record: record["dynamodb"]["NewImage"].update(version={"N": "9" * 50}),
        "NewImage",
    ),
    "an infinite number": (lambda record: record["dynamodb"]["NewImage"].update(version={"N": "Infinity"}), "NewImage"),
    "an old image that is none": (lambda record: record["dynamodb"].update(OldImage=[]), "OldImage"),
    "an activity that nobody knows": (
        lambda record: record["dynamodb"]["NewImage"].update(activity={"S": "Skiing"}),
        "Skiing",
    ),
    "an activity without end": (
        lambda record: record["dynamodb"]["NewImage"].update(activity={"S": "x" * 300_000}),
        "xxx",
    ),
    "a time without end": (
        lambda record: record["dynamodb"]["NewImage"].update(changedAt={"S": "x" * 300_000}),
        "changedAt",
    ),
}


@pytest.mark.parametrize(("spoil", "named"), MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_record_is_set_aside_with_the_reason_and_its_keys(
    spoil: Callable[[dict[str, Any]], object], named: str
) -> None:
    stage = Stage()
    stream_record = change(RECORD, BEFORE)
    keys = stream_record["dynamodb"]["Keys"]
    spoil(stream_record)
    publication = stage.publisher.handle(stream_record)
    assert publication.set_aside is not None
    assert named in publication.set_aside
    assert len(publication.set_aside) < 300  # a queue takes no message longer than 256 KiB
    letter = stage.dead_letter()
    assert letter == {"reason": publication.set_aside, "keys": keys if "dynamodb" in stream_record else None}
    assert stage.topic.published == []


@pytest.mark.parametrize("stream_record", [None, 5, "x", [], {}])
def test_what_is_no_record_at_all_is_set_aside_too(stream_record: object) -> None:
    stage = Stage()
    assert stage.publisher.handle(stream_record).set_aside
    assert stage.dead_letter()["keys"] is None
    assert keys_of(stream_record) is None


@pytest.mark.parametrize("refusal", [refused(), EndpointConnectionError(endpoint_url="https://sns.test")])
def test_what_the_topic_refuses_is_set_aside_with_its_event(refusal: ClientError | BotoCoreError) -> None:
    stage = Stage(refusal)
    publication = stage.publisher.handle(change(RECORD, BEFORE))
    assert publication == Publication(set_aside=f"{RECORD.user_id}:42 not published: {type(refusal).__name__}")
    letter = stage.dead_letter()
    assert letter == {"reason": publication.set_aside, "event": presence_changed(RECORD, SOURCE, SHOWN)}
    assert "secret detail" not in encode_event(letter)


def test_what_can_be_neither_published_nor_set_aside_is_raised_so_that_it_comes_back() -> None:
    stage = Stage(refused())
    stage.failures.refuses = True
    with pytest.raises(CalendarPresenceError):
        stage.publisher.handle(change(RECORD, BEFORE))
    with pytest.raises(CalendarPresenceError):
        stage.publisher.handle({})
    stage.topic.refusal = None
    assert stage.publisher.handle(change(RECORD, BEFORE)) == Publication(published=1)
