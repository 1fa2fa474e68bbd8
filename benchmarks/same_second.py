"""Users who change in the same second, in the real handler: how late, with five workers and writes of 5 ms.

How late a user is: from the instant at which the stored timeline changes to the one at which the write of it took
effect, on the same clock. How early: likewise, but to the instant at which the write was asked for. The workers are
warm, and the messages are those that the schedule's tick queues: on AWS they come two to three seconds early.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from benchmarks.crowds import crowd
from benchmarks.figures import Figure, Measurement, percentile
from benchmarks.shared_table import SharedTable, Stored, lay_out
from benchmarks.workers import QueueClient, Workers
from local.virtual.template import Template
from presence.clock import system_clock
from presence.instants import ceil_to_second
from presence.messages import new_traceparent
from presence.presences import Availability
from presence.queues import Queue
from presence.tables.items import from_attributes, to_attributes
from presence.tables.presences import ComingTransition, item_from_record, record_from_item
from presence.transition_queue import TransitionQueue

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

CHECKOUT: Final = Path(__file__).resolve().parents[1]
FUNCTION: Final = "apply_transitions"
WORKERS: Final = 5
P99: Final = {1_000: 1.0, 10_000: 3.0}
"""Seconds by which 99 of 100 users may be late at most, by the number of users who change in the same second."""

_LOCKS: Final = 64
_TO_PREPARE: Final = timedelta(seconds=5)
_TO_PREPARE_EACH: Final = timedelta(microseconds=500)
_EARLY: Final = timedelta(seconds=3)


@dataclass(frozen=True, slots=True)
class Lateness:
    """What came of users who change in the same second: seconds late of each who changed, and what went wrong.

    `processor_time` is what the workers took for all, in seconds.
    """

    late: Sequence[float]
    lost: int
    early: int
    written_twice: int
    processor_time: float


def change_together(users: int) -> Lateness:
    """Let users change in the same second, and return how late each was."""
    function = next(each for each in Template(CHECKOUT, {}).functions() if each.name == FUNCTION)
    shards = int(function.variables["TRANSITION_SHARDS"])
    locks = [get_context("spawn").Lock() for _ in range(_LOCKS)]
    with tempfile.TemporaryDirectory() as folder, Workers(WORKERS, function, locks) as workers:
        now = system_clock()
        due = ceil_to_second(now + _TO_PREPARE + users * _TO_PREPARE_EACH)
        records = crowd(users, due, now)
        layout = lay_out(Path(folder, "table"), [to_attributes(item_from_record(each, shards)) for each in records])
        workers.open(layout)
        ready = system_clock()
        if ready > due - _EARLY:
            raise TimeoutError(f"only {due - ready} before the instant all was prepared: this machine is too busy")
        sent = QueueClient()
        queue = TransitionQueue(Queue(cast("SQSClient", sent), ""), shards)
        queue.queue([ComingTransition(each.user_id, due) for each in records], ready, new_traceparent())
        processor_time = workers.take_all(sent.take())
        table = SharedTable(layout, locks)
        stored = [table.get(each.user_id) for each in records]
        table.close()
    return _judged([each for each in stored if each is not None], due, processor_time)


def _judged(stored: Sequence[Stored], due: datetime, processor_time: float) -> Lateness:
    instant = due.timestamp()
    changed = [each for each in stored if _shows_the_meeting(each)]
    return Lateness(
        late=sorted(each.written_at - instant for each in changed),
        lost=len(stored) - len(changed),
        early=sum(each.asked_at < instant for each in stored if each.writes),
        written_twice=sum(each.writes > 1 for each in stored),
        processor_time=processor_time,
    )


def _shows_the_meeting(stored: Stored) -> bool:
    record = record_from_item(from_attributes(stored.item))
    return stored.writes > 0 and record.version > 1 and record.presence.availability is Availability.BUSY


def figures(users: int) -> list[Figure]:
    """Measure and return the figures."""
    came = change_together(users)
    return [
        Figure("lost", came.lost, "users", at_most=0),
        Figure("early", came.early, "users", at_most=0),
        Figure("written twice", came.written_twice, "users", at_most=0),
        Figure("late, the first", min(came.late), "s"),
        Figure("late, half of them", percentile(came.late, 0.5), "s"),
        Figure("late, 99 of 100", percentile(came.late, 0.99), "s", at_most=P99[users]),
        Figure("late, the last", max(came.late), "s"),
        Figure("processor time a user", came.processor_time / users * 1e6, "µs"),
    ]


MEASUREMENTS: Final = tuple(
    Measurement(f"same_second_handler_{users}", partial(figures, users)) for users in sorted(P99)
)
