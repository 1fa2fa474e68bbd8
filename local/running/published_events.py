"""What the instance publishes, as a subscriber with a queue gets it: what comes while nobody listens is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from local.stack.deployment import Deployment
from presence.events import EVENT_TYPE, REMINDER_TYPE

_KEPT_SECONDS: Final = 14 * 86_400
_AT_ONCE: Final = 10


class PublishedEvents:
    """The events of the topic, each version of a user's presence once and none that is older than what was given.

    Reminders are among them. What is no event of ours is left out: whoever has the key of the engine can publish.
    """

    def __init__(self, deployment: Deployment) -> None:
        self._sqs = deployment.client("sqs")
        topic = deployment.outputs["PresenceTopicArn"]
        name = f"{deployment.stack_name}-run"
        self._queue = self._sqs.create_queue(QueueName=name, Attributes={"MessageRetentionPeriod": str(_KEPT_SECONDS)})[
            "QueueUrl"
        ]
        arn = topic.replace(":sns:", ":sqs:").rpartition(":")[0] + f":{name}"
        self._sqs.set_queue_attributes(QueueUrl=self._queue, Attributes={"Policy": _policy(topic, arn)})
        deployment.client("sns").subscribe(
            TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"}
        )
        self._versions: dict[str, int] = {}
        self._reminders: dict[str, str] = {}

    def take(self, seconds: int) -> Iterator[Mapping[str, Any]]:
        """Yield what is there, or comes within so many seconds; an event has been taken when the next is asked for."""
        messages = self._sqs.receive_message(
            QueueUrl=self._queue, MaxNumberOfMessages=_AT_ONCE, WaitTimeSeconds=seconds
        ).get("Messages", [])
        for message in messages:
            event = _event(message["Body"])
            if self._is_news(event):
                yield event
            self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])

    def _is_news(self, event: Mapping[str, Any]) -> bool:
        """Tell whether an event is given; one of another kind is not, since its words are not known."""
        kind = event.get("type")
        if kind not in {EVENT_TYPE, REMINDER_TYPE}:
            return False
        user = event["data"]["user"]["id"]
        if kind == REMINDER_TYPE:
            came_before = self._reminders.get(user)
            self._reminders[user] = str(event["id"])
            return came_before != self._reminders[user]
        version = int(event["data"]["version"])
        if version <= self._versions.get(user, 0):
            return False
        self._versions[user] = version
        return True


def _event(body: str) -> Mapping[str, Any]:
    """Return the event that a message is; one without a type if it is none."""
    try:
        event = json.loads(body)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}


def _policy(topic: str, queue: str) -> str:
    """Let the topic, and nothing else, send to the queue (SQS developer guide, "Using policies with Amazon SQS")."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
