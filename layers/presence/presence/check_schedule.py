"""The schedule of checks: whose calendar is to be read in this minute."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from presence.addresses import domain_of
from presence.instants import MINUTE, floor_to_minute, format_instant, instant_noted
from presence.messages import CheckReason, CheckRequest
from presence.queues import Queue, QueuedMessage
from presence.records import User
from presence.tables.configuration import ConfigTable
from presence.tables.users import BUCKETS, ScheduledUser, UserTable

_STATE = "checks"
_READERS = 8


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
        served_until = instant_noted(self._state.state(_STATE), "servedUntil")
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
            self._state.put_state(_STATE, {"servedUntil": format_instant(minutes[-1])})
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
