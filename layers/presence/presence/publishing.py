"""Publishing: from the table's stream to the topic, an event for each new version of a record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from presence import fields
from presence.errors import MalformedMessage
from presence.events import Disclosure, encode_event, message_attributes, presence_changed
from presence.queues import Queue, QueuedMessage
from presence.records import PresenceRecord
from presence.tables.items import from_attributes
from presence.tables.presences import record_from_item

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient


@dataclass(frozen=True, slots=True)
class Publication:
    """What became of a stream record: published, or set aside with the reason; neither if there was nothing to say."""

    published: bool = False
    set_aside: str | None = None


class PresencePublisher:
    """The use case of `publish_presence`. `source` is the CloudEvents source; `failures` takes what can't be sent."""

    def __init__(self, client: SNSClient, topic_arn: str, source: str, disclosure: Disclosure, failures: Queue) -> None:
        self._client = client
        self._topic_arn = topic_arn
        self._source = source
        self._disclosure = disclosure
        self._failures = failures

    def handle(self, stream_record: object) -> Publication:
        """Publish what a record of the stream says, if its version moved.

        What can't be read or published goes to the dead-letter queue, with its event where there is one, and does
        not hold up the stream. Raises only if that queue can't be reached either.
        """
        try:
            record = changed_record(stream_record)
        except MalformedMessage as error:
            self._failures.send([QueuedMessage(encode_event({"reason": str(error), "keys": keys_of(stream_record)}))])
            return Publication(set_aside=str(error))
        if record is None:
            return Publication()
        try:
            self.publish(record)
        except (ClientError, BotoCoreError) as error:
            reason = f"{record.user_id}:{record.version} not published: {type(error).__name__}"
            event = presence_changed(record, self._source, self._disclosure)
            self._failures.send([QueuedMessage(encode_event({"reason": reason, "event": event}))])
            return Publication(set_aside=reason)
        return Publication(published=True)

    def publish(self, record: PresenceRecord) -> None:
        """Publish the event of the record's version. Raises botocore's errors."""
        self._client.publish(
            TopicArn=self._topic_arn,
            Message=encode_event(presence_changed(record, self._source, self._disclosure)),
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value} for name, value in message_attributes(record).items()
            },
        )


def changed_record(stream_record: object) -> PresenceRecord | None:
    """Return the record of a stream record whose version moved; None if it did not, or the user was removed.

    Raises `MalformedMessage` naming the part that is not as DynamoDB's stream or our table has it.
    """
    source = fields.as_object(stream_record, "stream record")
    change = fields.as_object(source.get("dynamodb"), "stream record.dynamodb")
    if source.get("eventName") == "REMOVE":
        return None
    new = record_from_item(_image(change, "NewImage"))
    if "OldImage" in change:
        old_version = _image(change, "OldImage").get("version")
        if old_version == new.version:
            return None
    return new


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
