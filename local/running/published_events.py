"""What the instance publishes, as a subscriber with a queue gets it: what comes while nobody listens is kept."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from local.stack.deployment import Deployment
from presence.events import EVENT_TYPE, REMINDER_TYPE

_KEPT_SECONDS: Final = 14 * 86_400
_AT_ONCE: Final = 10

_OF_SOMEBODY: Final = {("time",): str, ("data", "user", "id"): str, ("data", "user", "email"): str}
_FIELDS: Final[Mapping[str, Mapping[tuple[str, ...], type]]] = {
    EVENT_TYPE: {
        **_OF_SOMEBODY,
        ("data", "version"): int,
        ("data", "presence", "availability"): str,
        ("data", "presence", "activity"): str,
        ("data", "reason", "source"): str,
        ("data", "reason", "rule"): str,
    },
    REMINDER_TYPE: {
        **_OF_SOMEBODY,
        ("id",): str,
        ("data", "meeting", "startsAt"): str,
        ("data", "minutesBefore"): int,
    },
}
"""What an event of each kind has to hold to be told."""


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
            if event is not None and self._is_news(event):
                yield event
            self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])

    def _is_news(self, event: Mapping[str, Any]) -> bool:
        user = event["data"]["user"]["id"]
        if event["type"] == REMINDER_TYPE:
            came_before = self._reminders.get(user)
            self._reminders[user] = event["id"]
            return came_before != self._reminders[user]
        version: int = event["data"]["version"]
        if version <= self._versions.get(user, 0):
            return False
        self._versions[user] = version
        return True


def _event(body: str) -> Mapping[str, Any] | None:
    """Return the event that a message is; None if it is none, or of another kind, whose words are not known."""
    try:
        event: object = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(event, dict):
        return None
    fields = _FIELDS.get(str(event.get("type")))
    if fields is None or not all(_is_there(event, path, form) for path, form in fields.items()):
        return None
    return event


def _is_there(event: object, path: Iterable[str], form: type) -> bool:
    here = event
    for step in path:
        here = here.get(step) if isinstance(here, dict) else None
    return isinstance(here, form) and here != ""


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
