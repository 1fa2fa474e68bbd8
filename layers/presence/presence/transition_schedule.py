"""The schedule of transitions: what falls due in the next minutes, and what was lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from presence.instants import MINUTE, ceil_to_second, floor_to_minute, format_instant, instant_noted
from presence.tables.configuration import ConfigTable
from presence.tables.presences import ComingTransition, PresenceTable
from presence.transition_queue import TICK_LOOKS_AHEAD, TransitionQueue

OVERDUE_AFTER = timedelta(seconds=10)
"""A transition that is still on the index so long after its instant has been lost, and is queued again."""

_STATE = "transitions"
_READERS = 8
_LOOKS_BACK = timedelta(minutes=5)
_MOST_MINUTES_BACK = 120
"""Minutes of the past that one tick looks through; after a long stop the next ticks go on where it ended."""
_GIVES_UP_AFTER = timedelta(hours=1)
"""A transition that is still not applied so long after its instant can't be: its dead letters say why."""


@dataclass(frozen=True, slots=True)
class ScheduledTransitions:
    """What a tick queued: transitions that come, and overdue ones that were lost."""

    coming: int
    overdue: int


class TransitionSchedule:
    """Queues the transitions that fall due, each once, and again if it was not applied.

    Two marks are kept between ticks. `queuedThrough`: what is due before it has been queued. `lookBackFrom`, the
    low-water mark: what is due before it has been applied, or can't be. A tick that fails moves neither.
    """

    def __init__(self, presences: PresenceTable, state: ConfigTable, queue: TransitionQueue, shards: int) -> None:
        self._presences = presences
        self._state = state
        self._queue = queue
        self._shards = shards

    def tick(self, now: datetime, traceparent: str) -> ScheduledTransitions:
        """Queue what falls due until 150 s from now and what is overdue."""
        noted = self._state.state(_STATE)
        overdue_before = ceil_to_second(now - OVERDUE_AFTER)
        through = ceil_to_second(now + TICK_LOOKS_AHEAD)
        queued_through = max(instant_noted(noted, "queuedThrough") or overdue_before, overdue_before)
        lost_before = overdue_before - _LOOKS_BACK
        look_back_from = min(instant_noted(noted, "lookBackFrom") or lost_before, lost_before)
        examined_until = min(overdue_before, floor_to_minute(look_back_from) + MINUTE * _MOST_MINUTES_BACK)
        overdue = self._due(look_back_from, examined_until)
        coming = self._due(queued_through, through)
        self._queue.queue([*overdue, *coming], now, traceparent)
        if examined_until < overdue_before:
            mark = examined_until
        else:
            oldest = min((transition.due for transition in overdue), default=lost_before)
            mark = min(max(oldest, overdue_before - _GIVES_UP_AFTER), lost_before)
        self._state.put_state(
            _STATE,
            {"queuedThrough": format_instant(through), "lookBackFrom": format_instant(floor_to_minute(mark))},
        )
        return ScheduledTransitions(coming=len(coming), overdue=len(overdue))

    def _due(self, start: datetime, end: datetime) -> list[ComingTransition]:
        """Return what is due in [start, end), all shards."""
        if start >= end:
            return []
        minute = floor_to_minute(start)
        partitions = []
        while minute < end:
            partitions += [(minute, shard) for shard in range(self._shards)]
            minute += MINUTE
        with ThreadPoolExecutor(_READERS) as pool:
            found = pool.map(lambda partition: self._presences.coming(partition[0], partition[1], end), partitions)
            return [transition for part in found for transition in part if transition.due >= start]
