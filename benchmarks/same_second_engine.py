"""Users who change in the same second, on the embedded engine: the whole stack, the template as it is.

The engine is one process that does the work of all services, so lateness here is the engine's and is only printed.
What holds here as anywhere: nobody is lost, nobody changes early, and applying transitions costs not much more than the
writes that it consists of. So its throughput is compared with that of a bare loop of conditional updates in the same
run: one thread, one connection, one UpdateItem after the other, each under the condition that the item's revision is
the one that was put there; a table of its own, of items of the same size, without stream and index, while nothing else
goes on. Applying has, beside its writes, to take messages, to read and to decide, while what it writes is published.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from benchmarks.crowds import crowd
from benchmarks.figures import Figure, Measurement, percentile
from local.demo.warm_up import warm_up
from local.stack.deployment import Deployment
from local.stack.local_stack import LocalStack
from presence.instants import ceil_to_second
from presence.tables.items import to_attributes
from presence.tables.presences import item_from_record

USERS: Final = (1_000, 10_000)
SHARE_OF_BARE_LOOP: Final = 0.6
"""Least throughput of apply_transitions, as a share of the bare loop's."""

# On the engine a batch takes longer than on AWS. A worker that is ended in the middle costs its messages a minute.
_PARAMETERS: Final = {"TransitionTimeoutSeconds": "120"}
_TO_PREPARE: Final = timedelta(seconds=45)
_TO_PREPARE_EACH: Final = timedelta(milliseconds=7)
_GIVES_UP: Final = timedelta(seconds=30)
_GIVES_UP_EACH: Final = timedelta(milliseconds=20)
_ITEMS_A_BATCH: Final = 25
_SEEDERS: Final = 4
_BARE_UPDATES: Final = 500

_MESSAGES: Final = tuple(f"ApproximateNumberOfMessages{state}" for state in ("", "Delayed", "NotVisible"))
_KEPT: Final = (
    "EventSourceArn",
    "BatchSize",
    "ParallelizationFactor",
    "FilterCriteria",
    "FunctionResponseTypes",
    "BisectBatchOnFunctionError",
    "MaximumRetryAttempts",
    "MaximumRecordAgeInSeconds",
    "DestinationConfig",
)
"""What a mapping of a stream is made with again."""

_Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Write:
    """A write to a user's item: when it took effect (Unix time), and the version that it left."""

    user_id: str
    at: float
    version: int


@dataclass(frozen=True, slots=True)
class Run:
    """What came of it: the first write of each user who changed, and the bare loop's updates a second."""

    users: int
    due: float
    ready: float
    writes: Sequence[Write]
    bare_rate: float

    @property
    def late(self) -> list[float]:
        """Seconds by which the users were late."""
        return [write.at - self.due for write in self.writes]

    @property
    def rate(self) -> float:
        """Users applied a second, from when they were due and queued to the last; NaN if nobody was."""
        if not self.writes:
            return math.nan
        return len(self.writes) / (max(write.at for write in self.writes) - max(self.due, self.ready))


def change_together(users: int) -> Run:
    """Let users change in the same second on the engine."""
    with LocalStack(parameters=_PARAMETERS) as stack:
        deployment = stack.deployment
        warm_up(deployment, concurrent_checks=1)
        now = datetime.now(UTC)
        due = ceil_to_second(now + _TO_PREPARE + users * _TO_PREPARE_EACH)
        shards = int(deployment.variables_of("apply_transitions")["TRANSITION_SHARDS"])
        items = [to_attributes(item_from_record(record, shards)) for record in crowd(users, due, now)]
        table = deployment.outputs["PresenceTableName"]
        with _nothing_published(deployment):
            _put(deployment, table, items)
        stream = _Stream(deployment, table)
        bare_rate = bare_loop(deployment, items[:_BARE_UPDATES])
        stack.schedules.tick()
        ready = time.time()
        _wait_for_transitions(deployment, due + _GIVES_UP + users * _GIVES_UP_EACH)
        return Run(users, due.timestamp(), ready, stream.first_writes(), bare_rate)


def bare_loop(deployment: Deployment, items: Sequence[_Item]) -> float:
    """Return how many conditional updates a second a loop makes that does nothing else."""
    dynamodb, table = deployment.client("dynamodb"), "bare-loop"
    key = {"AttributeName": "userId"}
    dynamodb.create_table(
        TableName=table,
        KeySchema=[{**key, "KeyType": "HASH"}],
        AttributeDefinitions=[{**key, "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    _put(deployment, table, items)
    started = time.monotonic()
    for item in items:
        dynamodb.update_item(
            TableName=table,
            Key={"userId": item["userId"]},
            UpdateExpression="SET revision = :next, availability = :busy, activity = :busy, timeline = :timeline",
            ConditionExpression="revision = :read",
            ExpressionAttributeValues={
                ":next": {"N": str(int(item["revision"]["N"]) + 1)},
                ":busy": {"S": "Busy"},
                ":timeline": item["timeline"],
                ":read": item["revision"],
            },
        )
    return len(items) / (time.monotonic() - started)


class _Stream:
    """The stream of the table, from now on."""

    def __init__(self, deployment: Deployment, table: str) -> None:
        self._client = deployment.client("dynamodbstreams")
        arn = deployment.client("dynamodb").describe_table(TableName=table)["Table"]["LatestStreamArn"]
        (shard,) = self._client.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        self._iterator: str = self._client.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="LATEST"
        )["ShardIterator"]

    def first_writes(self) -> list[Write]:
        """Return the first write to each user's item that changed what is shown, as far as there are any."""
        first: dict[str, Write] = {}
        while records := self._page():
            for record in records:
                write = _write(record["dynamodb"])
                if write.version > 1:
                    first.setdefault(write.user_id, write)
        return list(first.values())

    def _page(self) -> Sequence[Mapping[str, Any]]:
        answer = self._client.get_records(ShardIterator=self._iterator)
        self._iterator = answer["NextShardIterator"]
        records: Sequence[Mapping[str, Any]] = answer["Records"]
        return records


def _write(change: Mapping[str, Any]) -> Write:
    """Return the write that a record of the stream tells of.

    The record's time has whole seconds only. The engine's sequence numbers begin with the milliseconds.
    """
    at = int(change["SequenceNumber"][:20]) / 1000
    if not 0 <= at - change["ApproximateCreationDateTime"].timestamp() <= 1:
        raise ValueError(f"sequence number {change['SequenceNumber']} does not begin with its time")
    image = change["NewImage"]
    return Write(image["userId"]["S"], at, int(image["version"]["N"]))


@contextmanager
def _nothing_published(deployment: Deployment) -> Iterator[None]:
    """Take what calls functions with the stream away; at the end it is put back, and begins with what is written then.

    What is seeded has been published long ago, as far as the measurement goes.
    """
    client = deployment.client("lambda")
    found = [each for each in client.list_event_source_mappings()["EventSourceMappings"] if "StartingPosition" in each]
    for mapping in found:
        client.delete_event_source_mapping(UUID=mapping["UUID"])
    yield
    for mapping in found:
        client.create_event_source_mapping(
            FunctionName=mapping["FunctionArn"],
            StartingPosition="LATEST",
            **{name: mapping[name] for name in _KEPT if name in mapping},
        )


def _put(deployment: Deployment, table: str, items: Sequence[_Item]) -> None:
    dynamodb = deployment.client("dynamodb")

    def put(batch: Sequence[_Item]) -> None:
        left: Any = [{"PutRequest": {"Item": item}} for item in batch]
        while left:
            left = dynamodb.batch_write_item(RequestItems={table: left}).get("UnprocessedItems", {}).get(table)

    batches = [items[start : start + _ITEMS_A_BATCH] for start in range(0, len(items), _ITEMS_A_BATCH)]
    with ThreadPoolExecutor(_SEEDERS) as pool:
        list(pool.map(put, batches))


def _wait_for_transitions(deployment: Deployment, give_up: datetime) -> None:
    """Wait until no message waits in the queue of transitions, or is being handled."""
    sqs, url = deployment.client("sqs"), deployment.outputs["TransitionQueueUrl"]
    while datetime.now(UTC) < give_up:
        answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(_MESSAGES))
        if not any(int(answer["Attributes"][name]) for name in _MESSAGES):
            return
        time.sleep(1)


def figures(users: int) -> list[Figure]:
    """Measure and return the figures."""
    run = change_together(users)
    return [
        Figure("lost", users - len(run.writes), "users", at_most=0),
        Figure("early", sum(late < 0 for late in run.late), "users", at_most=0),
        Figure("late, the first", min(run.late, default=math.nan), "s"),
        Figure("late, half of them", percentile(run.late, 0.5), "s"),
        Figure("late, 99 of 100", percentile(run.late, 0.99), "s"),
        Figure("late, the last", max(run.late, default=math.nan), "s"),
        Figure("users applied", run.rate, "1/s"),
        Figure("bare loop of conditional updates", run.bare_rate, "1/s"),
        Figure("users applied, of the bare loop's updates", run.rate / run.bare_rate, "", at_least=SHARE_OF_BARE_LOOP),
    ]


MEASUREMENTS: Final = tuple(Measurement(f"same_second_engine_{users}", partial(figures, users)) for users in USERS)
