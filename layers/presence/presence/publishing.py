"""Publishing: from the table's stream to the topic, an event for each new version of a record, and the reminders."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from presence import fields
from presence.errors import MalformedMessage
from presence.events import (
    Disclosure,
    encode_event,
    meeting_starting_soon,
    message_attributes,
    presence_changed,
    reminder_attributes,
)
from presence.queues import Queue, QueuedMessage
from presence.records import PresenceRecord
from presence.tables.items import from_attributes
from presence.tables.presences import record_from_item, reminded_of

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient


@dataclass(frozen=True, slots=True)
class Publication:
    """What became of a stream record: so many events published, or set aside with the reason; neither if it is no news.

    Of several events that could not be published the last is named.
    """

    published: int = 0
    set_aside: str | None = None


@dataclass(frozen=True, slots=True)
class News:
    """What a stream record brings: a new version of a record, starts of meetings to remind of, or both."""

    record: PresenceRecord
    version_moved: bool
    meetings_at: tuple[datetime, ...]


class PresencePublisher:
    """The use case of `publish_presence`. `source` is the CloudEvents source; `failures` takes what can't be sent."""

    def __init__(self, client: SNSClient, topic_arn: str, source: str, disclosure: Disclosure, failures: Queue) -> None:
        self._client = client
        self._topic_arn = topic_arn
        self._source = source
        self._disclosure = disclosure
        self._failures = failures

    def handle(self, stream_record: object) -> Publication:
        """Publish what a record of the stream says, if it is news.

        What can't be read or published goes to the dead-letter queue, with its event where there is one, and does
        not hold up the stream. Raises only if that queue can't be reached either.
        """
        try:
            news = news_of(stream_record)
        except MalformedMessage as error:
            self._failures.send([QueuedMessage(encode_event({"reason": str(error), "keys": keys_of(stream_record)}))])
            return Publication(set_aside=str(error))
        published, set_aside = 0, None
        for event, attributes in self._events(news):
            try:
                self._send(event, attributes)
            except (ClientError, BotoCoreError) as error:
                set_aside = f"{event['id']} not published: {type(error).__name__}"
                self._failures.send([QueuedMessage(encode_event({"reason": set_aside, "event": event}))])
            else:
                published += 1
        return Publication(published, set_aside)

    def publish(self, record: PresenceRecord) -> None:
        """Publish the event of the record's version. Raises botocore's errors."""
        self._send(presence_changed(record, self._source, self._disclosure), message_attributes(record))

    def _events(self, news: News | None) -> Iterator[tuple[dict[str, object], dict[str, str]]]:
        if news is None:
            return
        record = news.record
        if news.version_moved:
            yield presence_changed(record, self._source, self._disclosure), message_attributes(record)
        for start in news.meetings_at:
            yield meeting_starting_soon(record, start, self._source), reminder_attributes(record)

    def _send(self, event: dict[str, object], attributes: Mapping[str, str]) -> None:
        self._client.publish(
            TopicArn=self._topic_arn,
            Message=encode_event(event),
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
            },
        )


def changed_record(stream_record: object) -> PresenceRecord | None:
    """Return the record of a stream record whose version moved; None if it did not, or the user was removed.

    Raises `MalformedMessage` naming the part that is not as DynamoDB's stream or our table has it.
    """
    news = news_of(stream_record)
    return news.record if news is not None and news.version_moved else None


def news_of(stream_record: object) -> News | None:
    """Return what a stream record brings; None if there is nothing to publish. Raises `MalformedMessage` likewise."""
    source = fields.as_object(stream_record, "stream record")
    change = fields.as_object(source.get("dynamodb"), "stream record.dynamodb")
    if source.get("eventName") == "REMOVE":
        return None
    new = record_from_item(_image(change, "NewImage"))
    old = _image(change, "OldImage") if "OldImage" in change else {}
    try:
        told = reminded_of(old)
    except (ValueError, TypeError, RecursionError) as error:
        raise MalformedMessage("stream record.dynamodb.OldImage: remindedOf") from error
    meetings = tuple(start for start in new.reminders.reminded_of if start not in told)
    news = News(new, old.get("version") != new.version, meetings)
    return news if news.version_moved or meetings else None


def keys_of(stream_record: object) -> object:
    """Return the keys of a stream record, as far as it has any: they name the user and nothing else."""
    try:
        return fields.as_object(fields.as_object(stream_record, "").get("dynamodb"), "").get("Keys")
    except MalformedMessage:
        return None


def _image(change: Mapping[str, object], name: str) -> Mapping[str, object]:
    attributes = fields.as_object(change.get(name), f"stream record.dynamodb.{name}")
    try:
        return from_attributes(attributes)
    except (TypeError, AttributeError, ValueError, ArithmeticError) as error:
        raise MalformedMessage(f"stream record.dynamodb.{name}: not DynamoDB's typed form") from error
