"""Checking calendars: from a CheckRequest to records written, transitions queued and failures put back.

Every user succeeds or fails alone. Nothing here waits: what failed for a passing reason goes back on the queue,
delayed as the server asked.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from botocore.exceptions import BotoCoreError, ClientError

from presence.automatic_replies import AutomaticReplies
from presence.calendar import CalendarReading, Window
from presence.check_retries import delays_of, retries
from presence.check_summary import CheckSummary
from presence.data_gaps import has_data_at, no_free_busy_data
from presence.decisions import Decision, Readings, after_problem, after_reading
from presence.errors import CalendarPresenceError, Problem
from presence.freshness import Rules
from presence.instants import MINUTE, floor_to_minute
from presence.knowledge import LOOKS_BACK
from presence.messages import CheckReason, CheckRequest
from presence.profiles import Assignment, Profiles
from presence.queues import Queue
from presence.records import PresenceRecord, User
from presence.tables.presences import PresenceTable
from presence.tables.users import UserTable
from presence.transition_queue import TransitionQueue
from presence.writing import write_decided


class CalendarReader(Protocol):
    """Reads calendars; `exchange.reader` has the real one."""

    def read_calendars(self, addresses: Sequence[str], window: Window) -> Mapping[str, CalendarReading | Problem]:
        """Return a reading or a problem for each of the addresses; never raises for one mailbox or endpoint."""
        ...

    def read_automatic_replies(self, addresses: Sequence[str]) -> Mapping[str, AutomaticReplies | Problem]:
        """Return the automatic replies of mailboxes, each or a problem; of those that are not asked for them nothing.

        Never raises for one mailbox or endpoint.
        """
        ...


def window_around(now: datetime, horizon: timedelta) -> Window:
    """Return the stretch of the calendar that is read at an instant: from an hour ago to the horizon, whole minutes."""
    minute = floor_to_minute(now)
    return Window(minute - LOOKS_BACK, minute + horizon)


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """What an operator sets for checks: how often, how far ahead, and the rules of decisions.

    Automatic replies change more rarely than calendars, so they are read every `replies_interval`.
    """

    interval: timedelta = timedelta(minutes=5)
    horizon: timedelta = timedelta(hours=24)
    replies_interval: timedelta = timedelta(minutes=15)
    rules: Rules = field(default_factory=Rules)


class CalendarCheck:
    """The use case of `check_calendars`.

    `profiles` gives the profiles as they stand, `clock` the present instant in UTC, `jitter` a factor around 1.
    """

    def __init__(
        self,
        presences: PresenceTable,
        users: UserTable,
        reader: CalendarReader,
        profiles: Callable[[], Profiles],
        check_queue: Queue,
        transition_queue: TransitionQueue,
        clock: Callable[[], datetime],
        jitter: Callable[[], float],
        options: CheckOptions,
    ) -> None:
        self._presences = presences
        self._users = users
        self._reader = reader
        self._profiles = profiles
        self._check_queue = check_queue
        self._transition_queue = transition_queue
        self._clock = clock
        self._jitter = jitter
        self._options = options

    def run(self, request: CheckRequest) -> CheckSummary:
        """Read the calendars of the request's users and write what changed."""
        now = self._clock()
        if now - request.requested_at > self._options.interval:
            # The users' next turn has come or is coming: their calendars are read then, not twice.
            return CheckSummary(dropped=len(request.users))
        stored = self._presences.get_many([user.user_id for user in request.users])
        summary = CheckSummary(errors=dict(stored.malformed))
        users = [
            user
            for user in request.users
            if user.user_id not in stored.malformed and self._may_be_read(user, stored.found.get(user.user_id), now)
        ]
        summary.checked = len(users)
        summary.dropped = len(request.users) - len(users) - len(stored.malformed)
        summary.unknown_profiles = sum(self._assigned(user).mistake is not None for user in users)
        outcomes = self._read(request, users, stored.found, now)
        next_turn = request.requested_at + self._options.interval
        delays = delays_of(request, outcomes, next_turn, self._clock(), self._jitter())
        # Of who was not asked, and will be in a moment, there is no news.
        told = [user for user in users if not (_is_unasked(outcomes[user.address]) and user.address in delays)]
        written = self._write_all(request, told, stored.found, outcomes, summary)
        self._transition_queue.queue_soon(written, self._clock(), request.traceparent)
        failed = [
            (user, outcome)
            for user in users
            if user.user_id not in summary.errors and isinstance(outcome := outcomes[user.address], Problem)
        ]
        gaps = self._gaps(users, outcomes)
        summary.problems = dict(Counter([*(problem.code for _, problem in failed), *gaps]))
        replies = (outcome.replies for outcome in outcomes.values() if isinstance(outcome, Readings))
        summary.replies_problems = dict(Counter(each.code for each in replies if isinstance(each, Problem)))
        self._check_queue.send(retries(request, failed, delays))
        summary.retried = sum(user.address in delays for user, _ in failed)
        # Who is asked for again is counted by the last attempt, so that nobody counts twice a turn.
        summary.unread = len(failed) + len(gaps) - summary.retried
        return summary

    def _write_all(
        self,
        request: CheckRequest,
        users: Sequence[User],
        records: Mapping[str, PresenceRecord],
        outcomes: Mapping[str, Readings | Problem],
        summary: CheckSummary,
    ) -> list[PresenceRecord]:
        """Write what changed of each user, and note in the summary what came of it; return the records written."""
        written: list[PresenceRecord] = []
        for user in users:
            outcome, before = outcomes[user.address], records.get(user.user_id)
            try:
                after = self._write(before, user, outcome, request.traceparent)
                if isinstance(outcome, Readings) and request.endpoint != outcome.calendar.endpoint:
                    self._users.remember_endpoint(user.user_id, outcome.calendar.endpoint)
            except (CalendarPresenceError, ClientError, BotoCoreError) as error:
                summary.errors[user.user_id] = error
                continue
            if after is not None:
                written.append(after)
                summary.note_written(before, after)
        return written

    def _gaps(self, users: Sequence[User], outcomes: Mapping[str, Readings | Problem]) -> list[str]:
        """Return the problem codes of users whose calendar was read, but has no data for now."""
        now = self._clock()
        return [
            no_free_busy_data(user.address).code
            for user in users
            if isinstance(outcome := outcomes[user.address], Readings) and not has_data_at(outcome.calendar, now)
        ]

    def _may_be_read(self, user: User, record: PresenceRecord | None, now: datetime) -> bool:
        """Tell whether a calendar is to be read: not one that is switched off, nor that of somebody who was removed."""
        if record is None:
            return self._users.has(user.user_id)
        return record.knowledge.use.allows(now)

    def _read(
        self, request: CheckRequest, users: Sequence[User], records: Mapping[str, PresenceRecord], now: datetime
    ) -> dict[str, Readings | Problem]:
        """Return what Exchange says of each address; without its automatic replies where only they can't be had."""
        window = window_around(now, self._options.horizon)
        calendars = self._reader.read_calendars([user.address for user in users], window) if users else {}
        due = {
            user.address: None
            for user in users
            if isinstance(calendars[user.address], CalendarReading)
            and self._replies_are_due(records.get(user.user_id), request)
        }
        replies = self._reader.read_automatic_replies([*due]) if due else {}
        return {
            address: outcome
            if isinstance(outcome, Problem)
            else Readings(outcome, replies.get(address), replies_are_off=address in due and address not in replies)
            for address, outcome in calendars.items()
        }

    def _replies_are_due(self, record: PresenceRecord | None, request: CheckRequest) -> bool:
        """Tell whether this turn is one in which automatic replies are read, or the user's first."""
        if record is None or record.read_at is None or request.reason is CheckReason.OPERATOR:
            return True
        return replies_are_due(request, self._options.interval, self._options.replies_interval)

    def _write(
        self, record: PresenceRecord | None, user: User, outcome: Readings | Problem, traceparent: str
    ) -> PresenceRecord | None:
        """Decide and write; return what was written, None if there was nothing to write."""
        return write_decided(
            self._presences, user.user_id, record, lambda record: self._decide(record, user, outcome), traceparent
        )

    def _decide(self, record: PresenceRecord | None, user: User, outcome: Readings | Problem) -> Decision:
        if record is None and not self._users.has(user.user_id):
            return Decision(None, "the user was removed meanwhile")
        rules = self._options.rules
        if isinstance(outcome, Problem):
            return after_problem(record, user, outcome, self._clock(), rules)
        return after_reading(record, user, outcome, self._assigned(user).profile, self._clock(), rules)

    def _assigned(self, user: User) -> Assignment:
        return self._profiles().profile_for(user.address, user.profile, user.groups)


def _is_unasked(outcome: Readings | Problem) -> bool:
    return isinstance(outcome, Problem) and outcome.unasked


def replies_are_due(request: CheckRequest, interval: timedelta, replies_interval: timedelta) -> bool:
    """Tell whether automatic replies are read with a request: one turn in so many that it is every `replies_interval`.

    It follows from the minute and from whom the request asks, so that nothing has to be noted: all users of a request
    have the same turn, for one question more, and endpoints and minutes have different ones.
    """
    minute, minutes = int(request.requested_at.timestamp()) // 60, max(1, interval // MINUTE)
    asked = zlib.crc32((request.endpoint or request.domain or "").encode())
    return (minute // minutes + minute % minutes + asked) % max(1, replies_interval // interval) == 0
