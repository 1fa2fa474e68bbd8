"""Users who change in the same second, on the embedded engine: the whole stack, the template as it is.

The engine is one process that does the work of all services, so lateness here is the engine's and is only printed.
What holds here as anywhere: nobody is lost, nobody changes early, and applying transitions costs not much more than the
writes that it consists of. So its throughput is compared with that of a bare loop of conditional updates in the same
run: one thread, one connection, one UpdateItem after the other, each under the condition that the item's revision is
the one that was put there; a table of its own, of items of the same size, without stream and index, while nothing else
goes on. Applying has, beside its writes, to take messages, to read and to decide, while what it writes is published.

A thousand change in three rounds, and the loop runs before each: of the three shares the middle one counts, since a
loop of a second and a round of three meet different moments of a busy machine. Ten thousand take long enough by
themselves; the loop runs three times before, and the middle of its rates counts.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from statistics import median
from typing import Any, Final

from benchmarks.crowds import crowd
from benchmarks.figures import Figure, Measurement, percentile
from local.demo.warm_up import warm_up
from local.stack.deployment import Deployment
from local.stack.local_stack import deployed_stack
from presence.clock import system_clock
from presence.instants import ceil_to_second, parse_instant
from presence.tables.items import to_attributes
from presence.tables.presences import item_from_record

ROUNDS: Final = {1_000: 3, 10_000: 1}
"""Rounds, by the number of users who change in the same second."""
SHARE_OF_BARE_LOOP: Final = 0.6
"""Least throughput of apply_transitions, as a share of the bare loop's."""

# On the engine a batch takes longer than on AWS. A worker that is ended in the middle costs its messages a minute.
_PARAMETERS: Final = {"TransitionTimeoutSeconds": "120"}
_TO_PREPARE: Final = timedelta(seconds=45)
_TO_PREPARE_EACH: Final = timedelta(milliseconds=7)
_APART: Final = timedelta(seconds=45)
_LOOP_BEFORE: Final = timedelta(seconds=12)
_GIVES_UP: Final = timedelta(seconds=30)
_GIVES_UP_EACH: Final = timedelta(milliseconds=20)
_ITEMS_A_BATCH: Final = 25
_SEEDERS: Final = 4
_BARE_UPDATES: Final = 500
_LOOPS: Final = 3

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
    """A write to a user's item: when it took effect, and since when what it shows holds (Unix times)."""

    user_id: str
    at: float
    since: float

    @property
    def late(self) -> float:
        """Seconds from the change to the write."""
        return self.at - self.since


@dataclass(frozen=True, slots=True)
class Round:
    """One second in which all users change. `start`: when it came, and the messages were queued (Unix time)."""

    users: int
    start: float
    writes: Sequence[Write]
    bare_rate: float

    @property
    def rate(self) -> float:
        """Users applied a second, until the last of them; NaN if nobody was."""
        return len(self.writes) / (max(write.at for write in self.writes) - self.start) if self.writes else math.nan

    @property
    def share(self) -> float:
        """The throughput as a share of the bare loop's."""
        return self.rate / self.bare_rate


def change_together(users: int, rounds: int) -> list[Round]:
    """Let users change in the same second on the engine, and again in each further round."""
    with deployed_stack(parameters=_PARAMETERS) as stack:
        deployment = stack.deployment
        warm_up(deployment, concurrent_checks=1)
        now = system_clock()
        due = ceil_to_second(now + _TO_PREPARE + users * _TO_PREPARE_EACH)
        shards = int(deployment.variables_of("apply_transitions")["TRANSITION_SHARDS"])
        people = crowd(users, due, now) if rounds == 1 else crowd(users, due, now, length=_APART, pause=_APART)
        items = [to_attributes(item_from_record(each, shards)) for each in people]
        with _nothing_published(deployment):
            _put(deployment, deployment.outputs["PresenceTableName"], items)
        stream = _Stream(deployment, deployment.outputs["PresenceTableName"])
        seconds = [due + _APART * number for number in range(rounds)]
        bare_rates: list[float] = []
        ready = 0.0
        for second in seconds:
            if bare_rates:
                _sleep_until(second - _LOOP_BEFORE)
            tables = [f"bare-{len(bare_rates)}-{number}" for number in range(_LOOPS // rounds)]
            bare_rates.append(median(bare_loop(deployment, items[:_BARE_UPDATES], table) for table in tables))
            if second == due:
                stack.schedules.tick()  # what follows is queued by who applies it
                ready = time.time()
            _sleep_until(second)
            _wait_for_transitions(deployment, second + _GIVES_UP + users * _GIVES_UP_EACH)
        writes = stream.writes()
    starts = [second.timestamp() for second in seconds]
    shown = [{write.user_id: write for write in writes if write.since == start} for start in starts]
    starts[0] = max(starts[0], ready)
    return [
        Round(users, start, list(written.values()), bare_rate)
        for start, written, bare_rate in zip(starts, shown, bare_rates, strict=True)
    ]


def _sleep_until(instant: datetime) -> None:
    time.sleep(max(0.0, (instant - system_clock()).total_seconds()))


def bare_loop(deployment: Deployment, items: Sequence[_Item], table: str) -> float:
    """Return how many conditional updates a second a loop makes that does nothing else, on a new table."""
    dynamodb = deployment.client("dynamodb")
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

    def writes(self) -> list[Write]:
        """Return the writes that changed what is shown, as far as there are any, the last first."""
        found: list[Write] = []
        while records := self._page():
            found += [_write(record["dynamodb"]) for record in records]
        return found[::-1]  # of two writes that show the same, the first counts: it comes last

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
    return Write(image["userId"]["S"], at, parse_instant(image["since"]["S"]).timestamp())


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
    """Wait until no message that the queue shows waits, or is being handled."""
    sqs, url = deployment.client("sqs"), deployment.outputs["TransitionQueueUrl"]
    while system_clock() < give_up:
        answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(_MESSAGES))
        if not any(int(answer["Attributes"][name]) for name in _MESSAGES):
            return
        time.sleep(1)


def figures(users: int, rounds: int) -> list[Figure]:
    """Measure and return the figures."""
    taken = change_together(users, rounds)
    late = [write.late for each in taken for write in each.writes]
    middle = sorted(taken, key=lambda each: each.share)[rounds // 2]
    return [
        Figure("changes", users * rounds, ""),
        Figure("lost", users * rounds - len(late), "changes", at_most=0),
        Figure("early", sum(each < 0 for each in late), "changes", at_most=0),
        Figure("late, the first", min(late, default=math.nan), "s"),
        Figure("late, half of them", percentile(late, 0.5), "s"),
        Figure("late, 99 of 100", percentile(late, 0.99), "s"),
        Figure("late, the last", max(late, default=math.nan), "s"),
        Figure("users applied", middle.rate, "1/s"),
        Figure("bare loop of conditional updates", middle.bare_rate, "1/s"),
        Figure("users applied, of the bare loop's updates", middle.share, "", at_least=SHARE_OF_BARE_LOOP),
    ]


MEASUREMENTS: Final = tuple(
    Measurement(f"same_second_engine_{users}", partial(figures, users, rounds)) for users, rounds in ROUNDS.items()
)
