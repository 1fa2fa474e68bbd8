"""The deployed stack on this machine, taken to pieces: one function runs at a time, and what it did can be looked at.

The template is the real one, in the embedded engine, beside the simulated organisation. Only the two queues hand
nothing over, so that what a function queues stays there to be seen; the stream publishes as ever, and is not recorded.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final

from cli.event_users import bring_in_users
from local.demo.subscriber import Subscriber
from local.exchange.scenario import demo_organisation
from local.exchange.server import SimulatedExchange
from local.stack.deployment import Deployment
from local.stack.local_stack import deployed_stack
from local.stack.tables import presences_of, users_of
from presence.clock import system_clock
from presence.history import HistoryEntry
from presence.log_names import LogNames
from presence.records import PresenceRecord
from presence.tables.history import entry_from_item
from presence.tables.items import from_attributes
from presence.tables.presences import record_from_item

QUEUES: Final = (
    "CheckQueue",
    "TransitionQueue",
    "CheckDeadLetterQueue",
    "TransitionDeadLetterQueue",
    "PublishFailureQueue",
    "HistoryFailureQueue",
)
_CHANGES_ARE_OVER: Final = timedelta(minutes=2)
_SHARDS: Final = 16
_PARAMETERS: Final = MappingProxyType(
    {
        "CheckIntervalMinutes": "1",  # so that each user has their turn in every tick
        "TransitionShards": str(_SHARDS),
        "HistoryDays": "30",
        "LogNames": LogNames.ADDRESS,  # its people are those of the event, whom the log should name
    }
)
_PUBLISHED_WITHIN: Final = 10.0
_LOOKS_EVERY: Final = 0.05
_SETTLES: Final = 0.5


@dataclass(frozen=True, slots=True)
class Queued:
    """What stands in a queue: the messages that can be seen, and how many are held back until later."""

    messages: tuple[str, ...]
    delayed: int

    @property
    def count(self) -> int:
        """How many there are in all."""
        return len(self.messages) + self.delayed


@dataclass(frozen=True, slots=True)
class Run:
    """What a function did: its answer or the error that it raised, its log, and what it wrote, queued and published.

    `recorded` is what stands in the history afterwards, where nothing stood before.
    """

    answer: Any
    error: str | None
    log: tuple[str, ...]
    written: tuple[PresenceRecord, ...]
    queued: Mapping[str, Queued]
    published: tuple[Mapping[str, Any], ...]
    recorded: tuple[HistoryEntry, ...]


class Workbench:
    """Runs functions with test events; see `set_up_workbench`. `addresses` are those of the organisation's users."""

    def __init__(self, deployment: Deployment, addresses: Sequence[str], subscriber: Subscriber) -> None:
        self._deployment = deployment
        self._addresses = addresses
        self._subscriber = subscriber
        self._users = users_of(deployment)
        self._presences = presences_of(deployment, _SHARDS)
        self._queue_urls = {name: deployment.resources[name] for name in QUEUES}

    def run(self, function: str, event: object) -> Run:
        """Bring in the users of the event, run the function, and collect what it did; everything is cleared before."""
        self._clear()
        self._bring_in_users(function, event)
        before, heard = self._records(), len(self._subscriber.deliveries())
        answer = self._deployment.client("lambda").invoke(
            FunctionName=f"{self._deployment.stack_name}-{function}", Payload=json.dumps(event).encode(), LogType="Tail"
        )
        payload = json.loads(answer["Payload"].read() or b"null")
        written = [record for key, record in self._records().items() if before.get(key) != record]
        versions = sum(
            record.user_id not in before or record.version != before[record.user_id].version for record in written
        )
        self._wait_for(heard + versions)
        return Run(
            answer=None if answer.get("FunctionError") else payload,
            error=payload.get("errorMessage") if answer.get("FunctionError") else None,
            log=tuple(base64.b64decode(answer.get("LogResult", "")).decode().splitlines()),
            written=tuple(sorted(written, key=lambda record: record.address)),
            queued={name: self._take(url) for name, url in self._queue_urls.items()},
            published=tuple(delivery.body for delivery in self._subscriber.deliveries()[heard:]),
            recorded=self._recorded(),
        )

    def _clear(self) -> None:
        """Remove users, records and messages of an earlier run."""
        self._empty("UserTableName", ("bucket", "userId"))
        self._empty("PresenceTableName", ("userId",))
        self._empty("HistoryTableName", ("userId", "version"))
        for url in self._queue_urls.values():
            self._deployment.client("sqs").purge_queue(QueueUrl=url)

    def _empty(self, output: str, keys: tuple[str, ...]) -> None:
        dynamodb, table = self._deployment.client("dynamodb"), self._deployment.outputs[output]
        for page in dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
            for item in page["Items"]:
                dynamodb.delete_item(TableName=table, Key={key: item[key] for key in keys})

    def _bring_in_users(self, function: str, event: object) -> None:
        heard = len(self._subscriber.deliveries())
        records = bring_in_users(function, event, self._users, self._presences, self._addresses, system_clock())
        self._wait_for(heard + records)

    def _records(self) -> dict[str, PresenceRecord]:
        records = (record_from_item(item) for item in self._items("PresenceTableName"))
        return {record.user_id: record for record in records}

    def _recorded(self) -> tuple[HistoryEntry, ...]:
        entries = (entry_from_item(item) for item in self._items("HistoryTableName"))
        return tuple(sorted(entries, key=lambda entry: (entry.user_id, entry.version)))

    def _items(self, output: str) -> Iterator[dict[str, object]]:
        scan = self._deployment.client("dynamodb").get_paginator("scan")
        for page in scan.paginate(TableName=self._deployment.outputs[output], ConsistentRead=True):
            yield from (from_attributes(item) for item in page["Items"])

    def _wait_for(self, deliveries: int) -> None:
        """Wait until so many events have been delivered, and a little longer for those that nobody expects."""
        give_up = time.monotonic() + _PUBLISHED_WITHIN
        while len(self._subscriber.deliveries()) < deliveries and time.monotonic() < give_up:
            time.sleep(_LOOKS_EVERY)
        time.sleep(_SETTLES)

    def _take(self, url: str) -> Queued:
        sqs = self._deployment.client("sqs")
        messages: list[str] = []
        while found := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            messages += [message["Body"] for message in found]
            for message in found:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        name = "ApproximateNumberOfMessagesDelayed"
        delayed = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name]
        return Queued(tuple(messages), int(delayed))


@contextmanager
def set_up_workbench() -> Iterator[Workbench]:
    """Deploy the stack beside the simulated organisation, which takes about three seconds.

    Raises `LocalStackError` if the engine or the layers' packages are not installed.
    """
    organisation = demo_organisation(system_clock() - _CHANGES_ARE_OVER)
    with SimulatedExchange(organisation) as exchange, deployed_stack(parameters=_PARAMETERS) as stack:
        deployment = stack.deployment
        _stop_queues_and_history(deployment)
        stack.seed(gateways=exchange.gateways_document(), credentials=exchange.secrets(), addresses=())
        topic = deployment.outputs["PresenceTopicArn"]
        with Subscriber(deployment.client("sns"), topic, system_clock) as subscriber:
            yield Workbench(deployment, organisation.users, subscriber)


def _stop_queues_and_history(deployment: Deployment) -> None:
    client = deployment.client("lambda")
    for mapping in client.list_event_source_mappings()["EventSourceMappings"]:
        if ":sqs:" in mapping["EventSourceArn"] or mapping["FunctionArn"].endswith("-record_history"):
            client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
