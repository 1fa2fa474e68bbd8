"""Queues, stream and topic in virtual time: delays, what comes back, dead letters, what comes twice or out of order."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.virtual.services import Chance, Nature, VirtualQueue, VirtualSecrets, VirtualSns, VirtualSqs, VirtualStream
from local.virtual.virtual_time import VirtualTime

START = datetime(2026, 10, 29, tzinfo=UTC)
STEADY = Nature(queue=(0.1, 0.1), stream=(0.2, 0.2), topic=(0.3, 0.3), duplicates=0.0)


class Function:
    """Notes the events that it gets, with the seconds since the start, and answers as it is told."""

    def __init__(self, time: VirtualTime, failing: int = 0) -> None:
        self._time = time
        self._failing = failing
        self.events: list[tuple[float, list[str]]] = []

    def __call__(self, event: Mapping[str, Any]) -> Any:
        key = "messageId" if "messageId" in event["Records"][0] else None
        identifiers = [each["messageId"] if key else each["dynamodb"]["SequenceNumber"] for each in event["Records"]]
        names = [each["body"] if key else each["dynamodb"]["NewImage"]["name"]["S"] for each in event["Records"]]
        self.events.append((round((self._time.now() - START).total_seconds(), 3), names))
        if self._failing:
            self._failing -= 1
            return {"batchItemFailures": [{"itemIdentifier": identifiers[0]}]}
        return {"batchItemFailures": []}


def queue(time: VirtualTime, nature: Nature = STEADY) -> VirtualQueue:
    return VirtualQueue(time, Chance(nature, 1), visibility=30.0)


def run(time: VirtualTime, seconds: float) -> None:
    time.run_until(START + timedelta(seconds=seconds))


def test_messages_wait_for_their_delay_and_come_together() -> None:
    time = VirtualTime(START)
    checks, function = queue(time), Function(time)
    checks.handle = function
    client = VirtualSqs({"checks": checks})
    entries = [{"Id": str(index), "MessageBody": f"m{index}", "DelaySeconds": 5 * (index == 2)} for index in range(3)]
    client.send_message_batch(QueueUrl="checks", Entries=entries)
    run(time, 60)
    assert function.events == [(0.1, ["m0", "m1"]), (5.1, ["m2"])]


def test_a_batch_is_no_larger_than_the_function_takes() -> None:
    time = VirtualTime(START)
    checks, function = queue(time), Function(time)
    checks.handle, checks.batch_size = function, 1
    for body in ("one", "two"):
        checks.send(body)
    run(time, 1)
    assert [bodies for _, bodies in function.events] == [["one"], ["two"]]


def test_what_was_not_handled_comes_back_and_is_a_dead_letter_in_the_end() -> None:
    time = VirtualTime(START)
    checks, function, dead = queue(time), Function(time, failing=2), queue(time)
    checks.handle, checks.most_receives, checks.dead_letters = function, 2, dead
    checks.send("broken")
    checks.send("whole")
    run(time, 300)
    assert function.events == [(0.1, ["broken", "whole"]), (30.2, ["broken"])]
    assert [message.body for message in dead.waiting] == ["broken"]


def test_a_function_that_raises_gets_everything_again() -> None:
    time = VirtualTime(START)
    checks, calls = queue(time), []

    def handle(event: Mapping[str, Any]) -> None:
        calls.append([record["body"] for record in event["Records"]])
        if len(calls) == 1:
            raise RuntimeError("crashed")

    checks.handle = handle
    checks.send("one")
    checks.send("two")
    run(time, 60)
    assert calls == [["one", "two"], ["one", "two"]]


def test_a_queue_may_hand_over_twice() -> None:
    time = VirtualTime(START)
    checks, function = queue(time, Nature(duplicates=1.0)), Function(time)
    checks.handle = function
    checks.send("one")
    run(time, 60)
    assert [bodies for _, bodies in function.events] == [["one"], ["one"]]


@pytest.mark.parametrize(
    "entries",
    [
        [],
        [{"Id": str(number), "MessageBody": "m"} for number in range(11)],
        [{"Id": "1", "MessageBody": "m"}, {"Id": "1", "MessageBody": "m"}],
        [{"Id": "1", "MessageBody": "m" * 300_000}],
        [{"Id": "1", "MessageBody": "m", "DelaySeconds": 901}],
        [{"Id": "1", "MessageBody": "m", "DelaySeconds": 1.5}],
    ],
    ids=["none", "too many", "same id", "too long", "too late", "half a second"],
)
def test_what_sqs_refuses_is_refused(entries: list[dict[str, Any]]) -> None:
    client = VirtualSqs({"checks": queue(VirtualTime(START))})
    with pytest.raises(ClientError):
        client.send_message_batch(QueueUrl="checks", Entries=entries)


def image(name: str) -> dict[str, Any]:
    return {"name": {"S": name}}


def test_a_stream_keeps_the_order_and_goes_on_where_it_failed() -> None:
    time = VirtualTime(START)
    function = Function(time, failing=1)
    stream = VirtualStream(time, Chance(STEADY, 1), function, {"BatchSize": 2}, None)
    for name in ("one", "two", "three"):
        stream.changed(None, image(name))
    run(time, 60)
    assert function.events == [(0.2, ["one", "two"]), (1.2, ["one", "two"]), (1.2, ["three"])]


def test_a_record_that_fails_too_often_is_put_aside_and_blocks_nobody() -> None:
    time = VirtualTime(START)
    function, aside = Function(time, failing=3), queue(time)
    stream = VirtualStream(time, Chance(STEADY, 1), function, {"MaximumRetryAttempts": 2}, aside)
    stream.changed(None, image("broken"))
    stream.changed(image("broken"), image("whole"))
    run(time, 60)
    assert function.events[-1][1] == ["whole"]
    assert len(aside.waiting) == 1


def test_a_filter_keeps_removals_from_a_function() -> None:
    time = VirtualTime(START)
    function = Function(time)
    properties = {"FilterCriteria": {"Filters": [{"Pattern": '{"eventName":["INSERT","MODIFY"]}'}]}}
    stream = VirtualStream(time, Chance(STEADY, 1), function, properties, None)
    stream.changed(None, image("one"))
    stream.changed(image("one"), None)
    run(time, 60)
    assert [names for _, names in function.events] == [["one"]]


def test_a_filter_of_another_kind_is_refused() -> None:
    properties = {"FilterCriteria": {"Filters": [{"Pattern": '{"dynamodb":{"Keys":{}}}'}]}}
    with pytest.raises(ValueError, match="eventName"):
        VirtualStream(VirtualTime(START), Chance(STEADY, 1), lambda _: None, properties, None)


def test_a_topic_reaches_every_subscriber_and_keeps_no_order() -> None:
    time = VirtualTime(START)
    topic, seen = VirtualSns(time, Chance(Nature(topic=(0.0, 10.0)), 1)), []
    topic.subscribers += [lambda message, attributes: seen.append((message, attributes["type"]))] * 2
    for number in range(5):
        attributes = {"type": {"DataType": "String", "StringValue": "t"}}
        topic.publish(TopicArn="topic", Message=str(number), MessageAttributes=attributes)
    run(time, 60)
    assert sorted(seen) == sorted([(str(number), "t") for number in range(5)] * 2)
    assert seen != sorted(seen)


def test_a_secret_that_is_missing_is_an_error_of_the_service() -> None:
    secrets = VirtualSecrets()
    secrets.texts["a"] = "text"
    assert secrets.get_secret_value(SecretId="a")["SecretString"] == "text"
    with pytest.raises(secrets.exceptions.ClientError, match="ResourceNotFoundException"):
        secrets.get_secret_value(SecretId="b")


def test_a_secret_that_is_told_otherwise_than_usual_is_counted() -> None:
    secrets = VirtualSecrets()
    secrets.texts |= {"a": "text", "b": "text"}
    secrets.take_as_usual()
    secrets.get_secret_value(SecretId="a")
    assert secrets.unusual["a"] == 0
    secrets.texts["a"] = "another text"
    del secrets.texts["b"]
    secrets.get_secret_value(SecretId="a")
    with pytest.raises(secrets.exceptions.ClientError):
        secrets.get_secret_value(SecretId="b")
    assert secrets.unusual == {"a": 1, "b": 1}
