from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from presence.errors import MalformedMessage
from presence.tables.items import to_attributes
from presence.tables.presences import item_from_record
from tests.support.functions import Stack
from tests.support.records import available_record

TEN = datetime(2026, 11, 23, 10, tzinfo=UTC)


def stream_record(number: int, **spoilt: Any) -> dict[str, Any]:
    record = replace(available_record(f"{number:032x}", TEN), revision=1, address=f"user{number}@example.com")
    image = {**to_attributes(item_from_record(record, 16)), **spoilt}
    keys = {"userId": {"S": record.user_id}}
    return {"eventName": "INSERT", "dynamodb": {"Keys": keys, "NewImage": image, "SequenceNumber": f"{100 + number}"}}


@pytest.fixture
def inbox(stack: Stack) -> str:
    """The URL of a queue that subscribes to the topic and gets the events as they are."""
    url = stack.aws.make_queue("subscriber")
    arn = stack.aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    stack.aws.sns.subscribe(
        TopicArn=stack.variables["PRESENCE_TOPIC_ARN"],
        Protocol="sqs",
        Endpoint=arn,
        Attributes={"RawMessageDelivery": "true"},
    )
    return url


def received(stack: Stack, inbox: str) -> list[str]:
    return [json.loads(body)["subject"] for body in stack.aws.take_messages(inbox)]


def test_each_new_version_reaches_the_subscribers(stack: Stack, inbox: str, capsys: pytest.CaptureFixture[str]) -> None:
    event = {"Records": [stream_record(1), stream_record(2)]}
    assert stack.handler("publish_presence").lambda_handler(event, None) == {"batchItemFailures": []}
    assert received(stack, inbox) == ["user1@example.com", "user2@example.com"]
    assert '"EventsPublished":[2.0]' in capsys.readouterr().out


def test_a_malformed_record_is_set_aside_and_holds_nobody_up(
    stack: Stack, inbox: str, capsys: pytest.CaptureFixture[str]
) -> None:
    event = {"Records": [stream_record(1), stream_record(2, version={"N": "-1"}), stream_record(3)]}
    assert stack.handler("publish_presence").lambda_handler(event, None) == {"batchItemFailures": []}
    assert received(stack, inbox) == ["user1@example.com", "user3@example.com"]
    (letter,) = stack.taken_from("PUBLISH_FAILURE_QUEUE_URL")
    assert "version" in letter["reason"]
    assert letter["keys"] == {"userId": {"S": f"{2:032x}"}}
    assert '"message":"set aside in the dead-letter queue"' in capsys.readouterr().out


def test_what_the_topic_does_not_take_is_set_aside_with_its_event(stack: Stack) -> None:
    stack.aws.sns.delete_topic(TopicArn=stack.variables["PRESENCE_TOPIC_ARN"])
    event = {"Records": [stream_record(1)]}
    assert stack.handler("publish_presence").lambda_handler(event, None) == {"batchItemFailures": []}
    (letter,) = stack.taken_from("PUBLISH_FAILURE_QUEUE_URL")
    assert letter["event"]["id"] == f"{1:032x}:1"


def test_what_can_not_even_be_set_aside_comes_back_by_its_sequence_number(stack: Stack, inbox: str) -> None:
    stack.aws.sqs.delete_queue(QueueUrl=stack.variables["PUBLISH_FAILURE_QUEUE_URL"])
    event = {"Records": [stream_record(1), stream_record(2, address={"N": "1"}), stream_record(3)]}
    answer = stack.handler("publish_presence").lambda_handler(event, None)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "102"}]}
    assert received(stack, inbox) == ["user1@example.com", "user3@example.com"]


@pytest.mark.parametrize("event", [None, {}, {"Records": []}, {"Records": [{"eventName": "INSERT"}]}])
def test_what_is_no_event_of_a_stream_is_an_error_that_says_so(stack: Stack, event: Any) -> None:
    with pytest.raises(MalformedMessage, match=r"^event"):
        stack.handler("publish_presence").lambda_handler(event, None)
