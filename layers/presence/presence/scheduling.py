"""The two schedules: whose calendar is to be read in this minute, and what falls due in the next ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from presence.addresses import domain_of
from presence.instants import MINUTE, ceil_to_second, floor_to_minute, format_instant, parse_instant
from presence.messages import CheckReason, CheckRequest
from presence.queues import Queue, QueuedMessage
from presence.records import User
from presence.tables.configuration import ConfigTable
from presence.tables.presences import ComingTransition, PresenceTable
from presence.tables.users import BUCKETS, ScheduledUser, UserTable
from presence.transition_queue import TICK_LOOKS_AHEAD, TransitionQueue

_CHECKS_STATE = "checks"
_TRANSITIONS_STATE = "transitions"
_READERS = 8

OVERDUE_AFTER = timedelta(seconds=10)
"""A transition that is still on the index so long after its instant has been lost, and is queued again."""

_LOOKS_BACK = timedelta(minutes=5)
_MOST_MINUTES_BACK = 120
"""Minutes of the past that one tick looks through; after a long stop the next ticks go on where it ended."""
_GIVES_UP_AFTER = timedelta(hours=1)
"""A transition that is still not applied so long after its instant can't be: its dead letters say why."""


def due_buckets(minutes: Iterable[datetime], interval_minutes: int) -> list[int]:
    """Return the buckets whose turn is in one of the minutes: each bucket has one turn in each interval."""
    turns = {int(minute.timestamp()) // 60 % interval_minutes for minute in minutes}
    return [bucket for bucket in range(BUCKETS) if bucket % interval_minutes in turns]


def minutes_to_serve(tick: datetime, served_until: datetime | None, interval_minutes: int) -> list[datetime]:
    """Return the minutes that a tick serves: its own, and those that were missed before it, an interval at most.

    A tick that comes twice, or late, serves its own minute again: a check too many does no harm, one too few does.
    """
    minute = floor_to_minute(tick)
    if served_until is None or served_until >= minute:
        return [minute]
    missed = min(int((minute - served_until) / MINUTE), interval_minutes)
    return [minute - MINUTE * back for back in reversed(range(missed))]


@dataclass(frozen=True, slots=True)
class ScheduledChecks:
    """What a tick queued: users, in so many requests."""

    users: int
    requests: int


class CheckSchedule:
    """Queues the checks of each minute."""

    def __init__(
        self, users: UserTable, state: ConfigTable, queue: Queue, interval_minutes: int, group_size: int
    ) -> None:
        self._users = users
        self._state = state
        self._queue = queue
        self._interval_minutes = interval_minutes
        self._group_size = group_size

    def tick(self, tick: datetime, now: datetime, traceparent: str) -> ScheduledChecks:
        """Queue the checks of the tick's minute, and of the minutes missed before it."""
        served_until = _noted(self._state.state(_CHECKS_STATE), "servedUntil")
        minutes = minutes_to_serve(tick, served_until, self._interval_minutes)
        buckets = due_buckets(minutes, self._interval_minutes)
        with ThreadPoolExecutor(_READERS) as pool:
            found = [
                user
                for users in pool.map(lambda bucket: list(self._users.of_bucket(bucket)), buckets)
                for user in users
            ]
        due = [user for user in found if user.is_due(now)]
        requests = list(group_checks(due, self._group_size, now, traceparent))
        self._queue.send([QueuedMessage(request.encode()) for request in requests])
        if served_until is None or served_until < minutes[-1]:
            self._state.put_state(_CHECKS_STATE, {"servedUntil": format_instant(minutes[-1])})
        return ScheduledChecks(len(due), len(requests))


def group_checks(
    users: Iterable[ScheduledUser], group_size: int, now: datetime, traceparent: str
) -> Iterator[CheckRequest]:
    """Yield requests of up to `group_size` users each: those of one endpoint together, the others by their domain."""
    groups: defaultdict[tuple[str | None, str | None], list[User]] = defaultdict(list)
    for scheduled in users:
        domain = None if scheduled.endpoint else domain_of(scheduled.user.address)
        groups[scheduled.endpoint, domain].append(scheduled.user)
    for (endpoint, domain), members in groups.items():
        for start in range(0, len(members), group_size):
            yield CheckRequest(
                reason=CheckReason.SCHEDULE,
                requested_at=now,
                users=tuple(members[start : start + group_size]),
                traceparent=traceparent,
                endpoint=endpoint,
                domain=domain,
            )


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
        noted = self._state.state(_TRANSITIONS_STATE)
        overdue_before = ceil_to_second(now - OVERDUE_AFTER)
        through = ceil_to_second(now + TICK_LOOKS_AHEAD)
        queued_through = max(_noted(noted, "queuedThrough") or overdue_before, overdue_before)
        lost_before = overdue_before - _LOOKS_BACK
        look_back_from = min(_noted(noted, "lookBackFrom") or lost_before, lost_before)
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
            _TRANSITIONS_STATE,
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


def _noted(state: Mapping[str, str], name: str) -> datetime | None:
    # A mark that can't be read is like none: the first tick has none either, and must not stop the schedule for good.
    try:
        return parse_instant(state.get(name, ""))
    except ValueError:
        return None
