"""Queueing transitions so that they are applied on the second.

A TransitionRequest is one second, one shard and up to 100 users. The queue holds it back until two seconds before the
instant; the function that takes it waits the last moment, so a cold start costs nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from presence.instants import ceil_to_second
from presence.messages import MOST_USERS_A_TRANSITION, TransitionRequest
from presence.queues import LONGEST_DELAY, Queue, QueuedMessage
from presence.records import PresenceRecord
from presence.tables.presences import ComingTransition, shard_of

TICK_LOOKS_AHEAD = timedelta(seconds=150)
"""How far ahead each tick of schedule_transitions queues: two ticks and a half, so that one may be missed."""

WRITER_LOOKS_AHEAD = TICK_LOOKS_AHEAD + timedelta(seconds=90)
"""How far ahead who writes a record queues its transition.

Further than a tick, since a tick that looked just before the write does not look at that stretch again.
"""

_ARRIVES_EARLY = 2


class TransitionQueue:
    """Queues the transitions of records. `shards` is the number of shards of the index."""

    def __init__(self, queue: Queue, shards: int) -> None:
        self._queue = queue
        self._shards = shards

    def queue_soon(self, records: Iterable[PresenceRecord], now: datetime, traceparent: str) -> int:
        """Queue what is due soon on records that were just written; the schedule finds the rest. Return how many."""
        soon = [
            ComingTransition(record.user_id, record.next_at)
            for record in records
            if record.next_at is not None and record.next_at < now + WRITER_LOOKS_AHEAD
        ]
        self.queue(soon, now, traceparent)
        return len(soon)

    def queue(self, transitions: Sequence[ComingTransition], now: datetime, traceparent: str) -> None:
        """Queue the transitions, grouped by second and shard."""
        groups: defaultdict[tuple[datetime, int], list[str]] = defaultdict(list)
        for transition in transitions:
            groups[ceil_to_second(transition.due), shard_of(transition.user_id, self._shards)].append(
                transition.user_id
            )
        requests = [
            TransitionRequest(due, shard, tuple(user_ids[start : start + MOST_USERS_A_TRANSITION]), traceparent)
            for (due, shard), user_ids in sorted(groups.items())
            for start in range(0, len(user_ids), MOST_USERS_A_TRANSITION)
        ]
        self._queue.send([QueuedMessage(request.encode(), delay_until(request.due, now)) for request in requests])


def delay_until(due: datetime, now: datetime) -> int:
    """Return the whole seconds to hold a message back: rounded down, less two, and no more than the queue can."""
    return max(0, min(int((due - now).total_seconds()) - _ARRIVES_EARLY, LONGEST_DELAY))
