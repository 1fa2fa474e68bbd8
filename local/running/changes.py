"""What the instance publishes, as a subscriber with a queue gets it: what comes while nobody listens is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from local.stack.deployment import Deployment

_KEPT_SECONDS: Final = 14 * 86_400
_AT_ONCE: Final = 10


class Changes:
    """The events of the topic, each version of a user's presence once and none that is older than what was given."""

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

    def take(self, seconds: int) -> Iterator[Mapping[str, Any]]:
        """Yield what is there, or comes within so many seconds; an event has been taken when the next is asked for."""
        messages = self._sqs.receive_message(
            QueueUrl=self._queue, MaxNumberOfMessages=_AT_ONCE, WaitTimeSeconds=seconds
        ).get("Messages", [])
        for message in messages:
            event = json.loads(message["Body"])
            user, version = event["data"]["user"]["id"], int(event["data"]["version"])
            if version > self._versions.get(user, 0):
                self._versions[user] = version
                yield event
            self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])


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
