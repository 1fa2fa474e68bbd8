"""Queues, streams, topics and secrets in virtual time: what boto3's clients answer, and how things are handed on.

As on AWS, everything takes its time, a queue may hand a message over twice, and a topic keeps no order.
"""

from __future__ import annotations

import json
import random
import secrets
import string
import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

from local.virtual.virtual_time import VirtualTime

Range = tuple[float, float]
Handle = Callable[[Mapping[str, Any]], Any]
"""Calls a function with an event; returns its answer, or raises what it raised."""
_LONGEST_DELAY = 900
_MOST_ENTRIES = 10
_LARGEST_BATCH = 262_144
_RETRY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Nature:
    """How services behave: from and to, in seconds, how long each takes, and how often a queue hands over twice."""

    schedule: Range = (0.0, 2.0)
    queue: Range = (0.01, 0.2)
    stream: Range = (0.05, 0.3)
    topic: Range = (0.01, 0.15)
    duplicates: float = 0.02


class Chance:
    """Draws times from a nature's ranges, the same ones for the same seed."""

    def __init__(self, nature: Nature, seed: int) -> None:
        self.nature = nature
        self._random = random.Random(seed)  # noqa: S311  it makes delays and guards no secret

    def seconds(self, between: Range) -> float:
        """Return a number of seconds from the range."""
        return self._random.uniform(*between)

    def happens(self, probability: float) -> bool:
        """Tell whether something of this probability happens now."""
        return self._random.random() < probability


@dataclass(slots=True)
class _Message:
    number: int
    body: str
    received: int = 0


@dataclass(slots=True)
class VirtualQueue:
    """A queue, and the function that takes its messages, if one does.

    A message that was not handled is visible again after `visibility` seconds; after `most_receives` it goes to the
    queue `dead_letters`. Each of `on_send` is told of every message that is sent, with the seconds of its delay.
    """

    time: VirtualTime
    chance: Chance
    visibility: float = 30.0
    most_receives: int | None = None
    dead_letters: VirtualQueue | None = None
    batch_size: int = 10
    handle: Handle | None = None
    on_send: list[Callable[[str, float], None]] = field(default_factory=list)
    waiting: list[_Message] = field(default_factory=list)
    _numbers: int = 0
    _polling: bool = False

    def send(self, body: str, delay: float = 0.0) -> None:
        """Take a message, which is visible after so many seconds."""
        for tell in self.on_send:
            tell(body, delay)
        self._numbers += 1
        message = _Message(self._numbers, body)
        self.time.after(delay, lambda: self._show(message))
        if self.handle is not None and self.chance.happens(self.chance.nature.duplicates):
            again = _Message(message.number, body)
            self.time.after(delay + self.chance.seconds((0.0, 30.0)), lambda: self._show(again))

    def _show(self, message: _Message) -> None:
        self.waiting.append(message)
        if self.handle is not None and not self._polling:
            self._polling = True
            self.time.after(self.chance.seconds(self.chance.nature.queue), self._poll)

    def _poll(self) -> None:
        self._polling = False
        while self.waiting and self.handle is not None:
            taken, self.waiting = self.waiting[: self.batch_size], self.waiting[self.batch_size :]
            self.time.start(partial(self._hand_over, taken, self.handle))

    def _hand_over(self, messages: Sequence[_Message], handle: Handle) -> None:
        for message in messages:
            message.received += 1
        records = [
            {"messageId": str(message.number), "body": message.body, "eventSource": "aws:sqs"} for message in messages
        ]
        try:
            answer = handle({"Records": records})
        except Exception:  # noqa: BLE001  who handles has noted it; here it only means that all come back
            failed = {record["messageId"] for record in records}
        else:
            failed = {failure["itemIdentifier"] for failure in (answer or {}).get("batchItemFailures", [])}
        for message in messages:
            if str(message.number) in failed:
                self._return(message)

    def _return(self, message: _Message) -> None:
        if self.most_receives is not None and message.received >= self.most_receives and self.dead_letters is not None:
            self.dead_letters.send(message.body)
        else:
            self.time.after(self.visibility, lambda: self._show(message))


class VirtualSqs:
    """A client of the queues, by their URLs."""

    def __init__(self, queues: Mapping[str, VirtualQueue]) -> None:
        self._queues = queues

    def send_message_batch(self, **call: Any) -> dict[str, Any]:
        """Answer SendMessageBatch. Raises ClientError for what SQS refuses."""
        queue, entries = self._queues[call["QueueUrl"]], call["Entries"]
        if not 1 <= len(entries) <= _MOST_ENTRIES or len({entry["Id"] for entry in entries}) != len(entries):
            raise _refusal("TooManyEntriesInBatchRequest", "SendMessageBatch")
        if sum(len(entry["MessageBody"].encode()) for entry in entries) > _LARGEST_BATCH:
            raise _refusal("BatchRequestTooLong", "SendMessageBatch")
        for entry in entries:
            delay = entry.get("DelaySeconds", 0)
            if not isinstance(delay, int) or not 0 <= delay <= _LONGEST_DELAY:
                raise _refusal("InvalidParameterValue", "SendMessageBatch")
            queue.send(entry["MessageBody"], delay)
        return {"Successful": [{"Id": entry["Id"]} for entry in entries], "Failed": []}


class VirtualStream:
    """The stream of a table, read by one function: in order, and again from the first record that was not handled."""

    def __init__(
        self,
        time: VirtualTime,
        chance: Chance,
        handle: Handle,
        properties: Mapping[str, Any],
        failures: VirtualQueue | None,
    ) -> None:
        self._time = time
        self._chance = chance
        self._handle = handle
        self._batch_size = int(properties.get("BatchSize", 100))
        self._most_retries = int(properties.get("MaximumRetryAttempts", 10_000))
        patterns = [json.loads(each["Pattern"]) for each in properties.get("FilterCriteria", {}).get("Filters", [])]
        if any(set(pattern) != {"eventName"} for pattern in patterns):
            raise ValueError("a filter of a stream looks at something else than eventName, which is not known here")
        self._names = {name for pattern in patterns for name in pattern["eventName"]}
        self._failures = failures
        self._records: list[dict[str, Any]] = []
        self._numbers = 0
        self._retries = 0
        self._reading = False

    def changed(self, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> None:
        """Take in a change of an item."""
        self._numbers += 1
        change: dict[str, Any] = {"SequenceNumber": f"{self._numbers:021d}"}
        change |= {"OldImage": before} if before is not None else {}
        change |= {"NewImage": after} if after is not None else {}
        name = "INSERT" if before is None else "REMOVE" if after is None else "MODIFY"
        if not self._names or name in self._names:
            self._records.append({"eventName": name, "eventSource": "aws:dynamodb", "dynamodb": change})
            self._read_after(self._chance.seconds(self._chance.nature.stream))

    def _read_after(self, seconds: float) -> None:
        if not self._reading:
            self._reading = True
            self._time.after(seconds, lambda: self._time.start(self._read))

    def _read(self) -> None:
        batch = self._records[: self._batch_size]
        try:
            answer = self._handle({"Records": batch})
        except Exception:  # noqa: BLE001  who handles has noted it; here it only means that all come again
            failed = {record["dynamodb"]["SequenceNumber"] for record in batch}
        else:
            failed = {failure["itemIdentifier"] for failure in (answer or {}).get("batchItemFailures", [])}
        handled = next(
            (place for place, record in enumerate(batch) if record["dynamodb"]["SequenceNumber"] in failed), len(batch)
        )
        self._retries = 0 if handled or not batch else self._retries + 1
        if self._retries > self._most_retries:
            if self._failures is not None:
                self._failures.send(json.dumps({"SequenceNumber": batch[0]["dynamodb"]["SequenceNumber"]}))
            handled, self._retries = 1, 0
        del self._records[:handled]
        self._reading = False
        if self._records:
            self._read_after(_RETRY_SECONDS if self._retries else 0.0)


Subscriber = Callable[[str, Mapping[str, str]], None]
"""Takes a message and its attributes."""


class VirtualSns:
    """A client of the topics. `subscribers` get each message after a time of its own, so the order is not kept."""

    def __init__(self, time: VirtualTime, chance: Chance) -> None:
        self._time = time
        self._chance = chance
        self.subscribers: list[Subscriber] = []

    def publish(self, **call: Any) -> dict[str, Any]:
        """Answer Publish; there is one topic."""
        attributes = {name: str(each["StringValue"]) for name, each in call["MessageAttributes"].items()}
        for subscriber in self.subscribers:
            self._time.after(
                self._chance.seconds(self._chance.nature.topic), partial(subscriber, call["Message"], attributes)
            )
        return {"MessageId": "virtual"}


class VirtualSecrets:
    """A client of the secrets, which are texts by their names.

    `unusual` counts by names who was told otherwise than at the last `take_as_usual`.
    """

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.unusual = Counter[str]()
        self._usual: dict[str, str] | None = None
        self.exceptions = SimpleNamespace(ClientError=ClientError)

    def take_as_usual(self) -> None:
        """Let what is unusual be counted from now on, against the secrets that there are now."""
        self._usual = dict(self.texts)
        self.unusual.clear()

    def get_secret_value(self, **call: Any) -> dict[str, Any]:
        """Answer GetSecretValue. Raises ClientError if there is none."""
        if self._usual is not None and self._usual.get(call["SecretId"]) != self.texts.get(call["SecretId"]):
            self.unusual[call["SecretId"]] += 1
        if call["SecretId"] not in self.texts:
            raise _refusal("ResourceNotFoundException", "GetSecretValue")
        text = self.texts[call["SecretId"]]
        return {"SecretString": text, "VersionId": f"{zlib.crc32(text.encode()):032x}"}


def generated_secret(how: Mapping[str, Any]) -> str:
    """Return a new secret as GenerateSecretString describes it: letters and digits, since nothing else may be in it.

    (CloudFormation template reference, AWS::SecretsManager::Secret GenerateSecretString.)
    """
    if set(how) != {"PasswordLength", "ExcludePunctuation"} or how["ExcludePunctuation"] is not True:
        raise ValueError("a secret is made in a way that is not known here")
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(how["PasswordLength"]))


def _refusal(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}}, operation)
