"""Sending to a queue: in batches, in parallel, and what was refused is sent again."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from presence.errors import CalendarPresenceError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

LONGEST_DELAY = 900
"""Seconds; SQS delays a message by at most 15 minutes (SendMessage, DelaySeconds)."""

_MOST_ENTRIES = 10
_MOST_BYTES = 240_000
"""SQS takes 256 KiB in one batch; what the entries' frame takes is left free."""
_ATTEMPTS = 3
_SENDERS = 8


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """A message's text, with the whole seconds for which the queue is to hold it back."""

    body: str
    delay: int = 0


class Queue:
    """The adapter to one SQS queue."""

    def __init__(self, client: SQSClient, url: str) -> None:
        self._client = client
        self._url = url

    def send(self, messages: Sequence[QueuedMessage]) -> None:
        """Send the messages. Raises `CalendarPresenceError` if some are still refused at the third attempt."""
        batches = _batches(messages)
        if len(batches) > 1:
            with ThreadPoolExecutor(min(_SENDERS, len(batches))) as pool:
                refused = [message for left in pool.map(self._send_batch, batches) for message in left]
        else:
            refused = [message for batch in batches for message in self._send_batch(batch)]
        if refused:
            name = self._url.rpartition("/")[2]
            raise CalendarPresenceError(f"queue {name}: {len(refused)} of {len(messages)} messages were refused")

    def _send_batch(self, batch: Sequence[QueuedMessage]) -> Sequence[QueuedMessage]:
        for _ in range(_ATTEMPTS):
            entries: list[SendMessageBatchRequestEntryTypeDef] = [
                {
                    "Id": str(index),
                    "MessageBody": message.body,
                    "DelaySeconds": min(max(message.delay, 0), LONGEST_DELAY),
                }
                for index, message in enumerate(batch)
            ]
            answer = self._client.send_message_batch(QueueUrl=self._url, Entries=entries)
            batch = [batch[int(failed["Id"])] for failed in answer.get("Failed", [])]
            if not batch:
                break
        return batch


def _batches(messages: Sequence[QueuedMessage]) -> list[list[QueuedMessage]]:
    batches: list[list[QueuedMessage]] = []
    size = 0
    for message in messages:
        length = len(message.body.encode())
        if not batches or len(batches[-1]) == _MOST_ENTRIES or size + length > _MOST_BYTES:
            batches.append([])
            size = 0
        batches[-1].append(message)
        size += length
    return batches
