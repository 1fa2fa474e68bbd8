from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from cli.event_users import record_before
from cli.main import main
from presence.events import Disclosure, presence_changed
from presence.records import PresenceRecord
from presence.tables.presences import PresenceTable
from presence.tables.users import UserTable
from tests.support.deployed import STACK, Deployed

NOW = datetime(2026, 11, 21, 14, 0, tzinfo=UTC)


@pytest.fixture
def subscription(stack: Deployed) -> str:
    """Return the URL of a queue to which the topic delivers."""
    url: str = stack.client("sqs").create_queue(QueueName="subscriber")["QueueUrl"]
    arn = stack.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    stack.client("sns").subscribe(
        TopicArn=stack.outputs["PresenceTopicArn"],
        Protocol="sqs",
        Endpoint=arn,
        Attributes={"RawMessageDelivery": "true"},
    )
    return url


def published(stack: Deployed, url: str) -> list[dict[str, Any]]:
    answer = stack.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    return sorted((json.loads(message["Body"]) for message in answer.get("Messages", [])), key=lambda one: one["id"])


def add(stack: Deployed, address: str) -> PresenceRecord:
    user = UserTable(stack.client("dynamodb"), stack.outputs["UserTableName"]).add(address)
    table = PresenceTable(stack.client("dynamodb"), stack.outputs["PresenceTableName"], 16)
    record = table.write(record_before(user, NOW, NOW))
    assert record is not None
    return record


def test_a_users_present_version_is_published_as_the_function_published_it(
    stack: Deployed, subscription: str, capsys: pytest.CaptureFixture[str]
) -> None:
    alice = add(stack, "alice@example.com")
    add(stack, "bob@example.org")
    assert main(["replay", "Alice@example.com", "--stack", STACK]) == 0
    assert published(stack, subscription) == [
        presence_changed(alice, f"urn:calendar-presence:{STACK}", Disclosure(until=True, next=False))
    ]
    assert "1 published again" in capsys.readouterr().out


def test_all_users_are_published_and_those_without_a_record_counted(
    stack: Deployed, subscription: str, capsys: pytest.CaptureFixture[str]
) -> None:
    records = [add(stack, "alice@example.com"), add(stack, "bob@example.org")]
    UserTable(stack.client("dynamodb"), stack.outputs["UserTableName"]).add("carol@example.com")
    assert main(["replay", "--all", "--stack", STACK]) == 0
    assert {event["id"] for event in published(stack, subscription)} == {f"{one.user_id}:1" for one in records}
    assert "2 published again, 1 have no record yet, 0 could not be read" in capsys.readouterr().out


def test_a_record_that_is_malformed_is_named_and_costs_the_others_nothing(
    stack: Deployed, subscription: str, capsys: pytest.CaptureFixture[str]
) -> None:
    broken, whole = add(stack, "alice@example.com"), add(stack, "bob@example.org")
    stack.client("dynamodb").update_item(
        TableName=stack.outputs["PresenceTableName"],
        Key={"userId": {"S": broken.user_id}},
        UpdateExpression="SET availability = :none",
        ExpressionAttributeValues={":none": {"S": "Invisible"}},
    )
    assert main(["replay", "--all", "--stack", STACK]) == 1
    assert [event["id"] for event in published(stack, subscription)] == [f"{whole.user_id}:1"]
    out = capsys.readouterr().out
    assert broken.user_id in out
    assert "1 could not be read" in out


def test_somebody_unknown_is_refused_before_anything_is_published(
    stack: Deployed, subscription: str, capsys: pytest.CaptureFixture[str]
) -> None:
    add(stack, "alice@example.com")
    assert main(["replay", "alice@example.com", "bob@example.org", "--stack", STACK]) == 2
    assert "bob@example.org is no user of this stack" in capsys.readouterr().err
    assert published(stack, subscription) == []


@pytest.mark.parametrize("arguments", [[], ["--all", "alice@example.com"]])
def test_either_somebody_or_all_must_be_named(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", *arguments, "--stack", STACK]) == 2
    assert capsys.readouterr().err.count("\n") == 1
