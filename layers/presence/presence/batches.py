"""What Lambda hands over from a queue or a stream, and the answer that sends single records back.

Source: "Handling errors for an SQS event source" and "Configuring partial batch response with DynamoDB", both in
Lambda's developer guide. A record that can't be decoded is reported like one that can't be handled: it comes back a
few times, ends in the dead-letter queue, and costs the others nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypedDict, TypeVar, runtime_checkable

from presence import fields
from presence.errors import CalendarPresenceError, MalformedMessage
from presence.messages import traceparent_in
from presence.stream_records import traceparent_of

Item = TypeVar("Item")


class Failure(TypedDict):
    """One record that has to come back."""

    itemIdentifier: str


class BatchAnswer(TypedDict):
    """A function's answer: the records that have to come back; all others are done."""

    batchItemFailures: list[Failure]


class ErrorLog(Protocol):
    """Where the errors of single records go; `presence.observing.Observer` is one."""

    def failure(self, message: str, **details: object) -> None:
        """Log what could not be done, and why."""
        ...

    def following(self, traceparent: str | None) -> AbstractContextManager[None]:
        """Let what is logged meanwhile be found by the trace of a traceparent."""
        ...


@runtime_checkable
class Traced(Protocol):
    """A message that says which trace it belongs to."""

    @property
    def traceparent(self) -> str:
        """The traceparent (W3C Trace Context, section 3.2)."""


@dataclass(frozen=True, slots=True)
class Batch(Generic[Item]):
    """The records of an event under their identifiers: those that could be decoded, and the errors of the others.

    `traceparents` are those of the records that have one, by identifier, as far as it can be read.
    """

    items: Sequence[tuple[str, Item]]
    malformed: Sequence[tuple[str, MalformedMessage]]
    traceparents: Mapping[str, str] = field(default_factory=dict)


def decode_queue_event(event: object, decode: Callable[[str], Item]) -> Batch[Item]:
    """Decode the messages of an SQS event. Raises `MalformedMessage` if it is no such event."""
    items: list[tuple[str, Item]] = []
    malformed: list[tuple[str, MalformedMessage]] = []
    traceparents: dict[str, str] = {}
    records = fields.array(fields.as_object(event, "event"), "Records", "event", longest=10_000)
    for index, record in enumerate(records):
        path = f"event.Records[{index}]"
        source = fields.as_object(record, path)
        identifier = fields.text(source, "messageId", path)
        traceparent = traceparent_in(source.get("body"))
        try:
            item = decode(fields.text(source, "body", path))
            items.append((identifier, item))
            traceparent = item.traceparent if isinstance(item, Traced) else traceparent
        except MalformedMessage as error:
            malformed.append((identifier, error))
        if traceparent is not None:
            traceparents[identifier] = traceparent
    return Batch(items, malformed, traceparents)


def stream_batch(event: object) -> Batch[object]:
    """Return the records of a stream's event under their sequence numbers. Raises `MalformedMessage` likewise."""
    items: list[tuple[str, object]] = []
    traceparents: dict[str, str] = {}
    records = fields.array(fields.as_object(event, "event"), "Records", "event", longest=10_000)
    for index, record in enumerate(records):
        path = f"event.Records[{index}].dynamodb"
        change = fields.as_object(fields.as_object(record, f"event.Records[{index}]").get("dynamodb"), path)
        identifier = fields.text(change, "SequenceNumber", path)
        items.append((identifier, record))
        if traceparent := traceparent_of(record):
            traceparents[identifier] = traceparent
    return Batch(items, [], traceparents)


def handle_each(batch: Batch[Item], handle: Callable[[Item], None], log: ErrorLog) -> BatchAnswer:
    """Handle each item alone; one that raises is logged and comes back, and costs the others nothing.

    What is logged of an item, also while it is handled, is found by its own trace.
    """
    failures: list[Failure] = []
    for identifier, malformed in batch.malformed:
        with log.following(batch.traceparents.get(identifier)):
            log.failure("malformed message", record=identifier, reason=str(malformed))
        failures.append({"itemIdentifier": identifier})
    for identifier, item in batch.items:
        with log.following(batch.traceparents.get(identifier)):
            try:
                handle(item)
            except Exception as error:  # noqa: BLE001  whatever it is, it must cost only its own record
                # The text of an error that is not ours may carry anything, so only its kind is logged.
                reason = str(error) if isinstance(error, CalendarPresenceError) else type(error).__name__
                log.failure("record not handled", record=identifier, reason=reason)
                failures.append({"itemIdentifier": identifier})
    return {"batchItemFailures": failures}
