from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from presence.batches import Batch, decode_queue_event, handle_each, stream_batch
from presence.errors import ConcurrentWrites, MalformedMessage


class Log:
    """Keeps what was logged, and which traces were followed meanwhile."""

    def __init__(self) -> None:
        self.failures: list[tuple[str, dict[str, object]]] = []
        self.followed: list[str | None] = []
        self.following_now: str | None = None

    def failure(self, message: str, **details: object) -> None:
        self.failures.append((message, details))
        self.followed.append(self.following_now)

    @contextmanager
    def following(self, traceparent: str | None) -> Iterator[None]:
        self.following_now = traceparent
        yield
        self.following_now = None


def decode(body: str) -> int:
    if not body.isdigit():
        raise MalformedMessage(f"body: {body!r} is no number")
    return int(body)


def queue_event(*bodies: object) -> dict[str, Any]:
    return {"Records": [{"messageId": f"m{index}", "body": body} for index, body in enumerate(bodies)]}


def test_messages_are_decoded_under_their_identifiers() -> None:
    batch = decode_queue_event(queue_event("1", "2"), decode)
    assert batch == Batch([("m0", 1), ("m1", 2)], [])


@pytest.mark.parametrize("wrong", ["x", "", None, 5, {}], ids=["wrong", "empty", "absent", "a number", "an object"])
def test_a_message_that_can_not_be_decoded_costs_only_itself(wrong: object) -> None:
    batch = decode_queue_event(queue_event("1", wrong, "3"), decode)
    assert batch.items == [("m0", 1), ("m2", 3)]
    assert [identifier for identifier, _ in batch.malformed] == ["m1"]


EVENTS: dict[str, tuple[Any, str]] = {
    "nothing": (None, "event"),
    "a text": ("event", "event"),
    "no records": ({}, "event.Records"),
    "records that are none": ({"Records": []}, "event.Records"),
    "records as an object": ({"Records": {}}, "event.Records"),
    "a record that is none": ({"Records": [{"messageId": "m0", "body": "1"}, 5]}, "event.Records[1]"),
    "a record without an identifier": ({"Records": [{"body": "1"}]}, "event.Records[0].messageId"),
}


@pytest.mark.parametrize(("event", "path"), EVENTS.values(), ids=EVENTS)
def test_what_is_no_event_of_a_queue_is_refused_by_its_path(event: object, path: str) -> None:
    with pytest.raises(MalformedMessage) as refused:
        decode_queue_event(event, decode)
    assert str(refused.value).startswith(f"{path}: ")


def test_records_of_a_stream_stand_under_their_sequence_numbers() -> None:
    records = [{"dynamodb": {"SequenceNumber": "100"}}, {"dynamodb": {"SequenceNumber": "101"}, "eventName": 5}]
    assert stream_batch({"Records": records}) == Batch([("100", records[0]), ("101", records[1])], [])


@pytest.mark.parametrize(
    ("record", "path"),
    [
        (5, "event.Records[0]"),
        ({}, "event.Records[0].dynamodb"),
        ({"dynamodb": "x"}, "event.Records[0].dynamodb"),
        ({"dynamodb": {}}, "event.Records[0].dynamodb.SequenceNumber"),
    ],
)
def test_what_is_no_record_of_a_stream_is_refused_by_its_path(record: object, path: str) -> None:
    with pytest.raises(MalformedMessage) as refused:
        stream_batch({"Records": [record]})
    assert str(refused.value).startswith(f"{path}: ")


def test_what_went_well_does_not_come_back() -> None:
    log, handled = Log(), list[int]()
    answer = handle_each(decode_queue_event(queue_event("1", "2"), decode), handled.append, log)
    assert answer == {"batchItemFailures": []}
    assert handled == [1, 2]
    assert log.failures == []


def test_what_failed_comes_back_alone_and_all_others_are_handled() -> None:
    log, handled = Log(), list[int]()

    def handle(number: int) -> None:
        if number == 2:
            raise ConcurrentWrites("user 2: changed under our hands")
        handled.append(number)

    answer = handle_each(decode_queue_event(queue_event("1", "x", "2", "3"), decode), handle, log)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}, {"itemIdentifier": "m2"}]}
    assert handled == [1, 3]
    assert log.failures == [
        ("malformed message", {"record": "m1", "reason": "body: 'x' is no number"}),
        ("record not handled", {"record": "m2", "reason": "user 2: changed under our hands"}),
    ]


@dataclass(frozen=True)
class Traced:
    """A message that knows its trace."""

    number: int
    traceparent: str


def test_what_is_logged_of_each_record_is_found_by_its_own_trace() -> None:
    """Of malformed ones by the traceparent that stands in them, of others by the one that they were decoded with."""
    first, second, fresh = (f"00-{digit * 32}-{'b' * 16}-01" for digit in "123")

    def read(body: str) -> Traced:
        if not body.startswith("1"):
            raise MalformedMessage("no")
        return Traced(1, fresh)

    def fail(_: Traced) -> None:
        raise ConcurrentWrites("changed")

    log = Log()
    event = queue_event(f'{{"traceparent": "{first}"', "1", f'{{"x":1,"traceparent":"{second}"}}', "no trace")
    handle_each(decode_queue_event(event, read), fail, log)
    assert log.followed == [first, second, None, fresh]


def test_records_of_a_stream_are_found_by_the_trace_that_wrote_them() -> None:
    traceparent = f"00-{'1' * 32}-{'b' * 16}-01"
    written = {"dynamodb": {"SequenceNumber": "1", "NewImage": {"traceparent": {"S": traceparent}}}}
    followed: list[str | None] = []
    log = Log()
    batch = stream_batch({"Records": [written, {"dynamodb": {"SequenceNumber": "2"}}]})
    handle_each(batch, lambda _: followed.append(log.following_now), log)
    assert followed == [traceparent, None]


def test_of_an_error_that_is_not_ours_only_its_kind_is_logged() -> None:
    """Its text may carry anything, a password or a subject too."""
    log = Log()

    def handle(_: int) -> None:
        raise RuntimeError("password=hunter2")

    assert handle_each(Batch([("m0", 1)], []), handle, log) == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert log.failures == [("record not handled", {"record": "m0", "reason": "RuntimeError"})]


def test_a_function_that_is_being_stopped_is_not_held_up() -> None:
    def handle(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        handle_each(Batch([("m0", 1)], []), handle, Log())
