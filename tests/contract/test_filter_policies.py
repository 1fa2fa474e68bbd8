"""What a subscription with the filter policy of docs/events is sent, of what publish_presence publishes."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from itertools import pairwise
from typing import Any

import yaml

from presence.commands import RemindOfMeetings
from presence.events import Disclosure
from presence.publishing import PresencePublisher
from presence.records import PresenceRecord
from presence.tables.items import to_attributes
from presence.tables.presences import item_from_record
from tests.support.aws import Account
from tests.support.memory import MemoryQueue
from tests.support.one_user import OneUser, entry
from tests.support.schemas import DOCS

ALL: dict[str, Any] = {}


def described_policy() -> dict[str, Any]:
    """Return the policy that AsyncAPI tells a subscriber who does not want to hear of moved ends."""
    document = yaml.safe_load((DOCS / "events/asyncapi.yaml").read_text(encoding="utf-8"))
    (policy,) = re.findall(r"`(\{.*\})`", document["channels"]["presence"]["description"])
    return dict(json.loads(policy))


def a_meeting_that_is_extended() -> list[PresenceRecord]:
    """Return the records of somebody who is busy for longer than was known, and reminded of what comes then."""
    user = OneUser()
    user.read(0, entry(-10, 30))
    user.read(5, entry(-10, 60), entry(70, 80))
    user.ask(6, RemindOfMeetings(timedelta(minutes=5)))
    user.run_until(80)
    return user.written


def stream_record(before: PresenceRecord | None, after: PresenceRecord) -> dict[str, object]:
    images = {"NewImage": after, **({} if before is None else {"OldImage": before})}
    return {
        "eventName": "MODIFY",
        "dynamodb": {name: to_attributes(item_from_record(record, 16)) for name, record in images.items()},
    }


def received(aws: Account, policy: dict[str, Any]) -> set[str]:
    """Return the ids of the events that a queue with the policy is sent, without the user."""
    topic = aws.sns.create_topic(Name="presence")["TopicArn"]
    url = aws.make_queue("subscriber")
    arn = aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    filtering = {"FilterPolicy": json.dumps(policy)} if policy else {}
    aws.sns.subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true", **filtering}
    )
    publisher = PresencePublisher(aws.sns, topic, "urn:calendar-presence:test", Disclosure(), MemoryQueue())
    for before, after in pairwise([None, *a_meeting_that_is_extended()]):
        assert after is not None
        publisher.handle(stream_record(before, after))
    return {json.loads(body)["id"].partition(":")[2] for body in aws.take_messages(url)}


def test_a_subscriber_may_leave_out_that_only_an_end_moved(aws: Account) -> None:
    everything = received(aws, ALL)
    reminder = {name for name in everything if name.startswith("meeting:")}
    assert len(reminder) == 1
    assert everything == {"1", "2", "3", "4", "5", *reminder}


def test_who_leaves_it_out_hears_everything_else(aws: Account) -> None:
    heard = received(aws, described_policy())
    assert {name for name in heard if not name.startswith("meeting:")} == {"1", "3", "4", "5"}
    assert len(heard) == 5


def test_who_wants_only_that_hears_of_nothing_else(aws: Account) -> None:
    assert received(aws, {"change": ["until"]}) == {"2"}
