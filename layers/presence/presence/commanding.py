"""Carrying out commands: from a CommandRequest to the record written, at once and without asking Exchange."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from presence.command_requests import CommandRequest
from presence.commands import UseCalendar
from presence.decisions import Decision, after_command, first_record
from presence.errors import ConcurrentWrites, ConfigurationError
from presence.freshness import Rules
from presence.instants import format_instant
from presence.knowledge import CalendarUse
from presence.messages import CheckReason, CheckRequest
from presence.profiles import Profiles
from presence.queues import Queue, QueuedMessage
from presence.records import PresenceRecord, User
from presence.tables.presences import PresenceTable
from presence.tables.users import UserTable
from presence.transition_queue import TransitionQueue
from presence.writing import write_decided

_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Commanded:
    """What came of a command: the user, the record that stands now, and why."""

    user: User
    record: PresenceRecord
    why: str

    def as_answer(self) -> dict[str, object]:
        """Return what whoever gave the command is told."""
        record = self.record
        return {
            "userId": self.user.user_id,
            "presence": str(record.presence),
            "until": None if record.until is None else format_instant(record.until),
            "reason": {"source": str(record.reason.source), "rule": record.reason.rule},
            "version": record.version,
            "why": self.why,
        }


class CommandExecution:
    """The use case of `set_presence`. `profiles` gives the profiles as they stand, `clock` the present instant."""

    def __init__(
        self,
        presences: PresenceTable,
        users: UserTable,
        profiles: Callable[[], Profiles],
        check_queue: Queue,
        transition_queue: TransitionQueue,
        clock: Callable[[], datetime],
        rules: Rules,
    ) -> None:
        self._presences = presences
        self._users = users
        self._profiles = profiles
        self._check_queue = check_queue
        self._transition_queue = transition_queue
        self._clock = clock
        self._rules = rules

    def run(self, request: CommandRequest, traceparent: str) -> Commanded:
        """Do what a command says; to do it again heals what a crash left undone.

        Raises `ConfigurationError` if nobody has the address or it can't be done, `MalformedMessage` if the user's
        record is malformed, `ConcurrentWrites` if it kept changing.
        """
        user = self._users.find(request.address)
        if user is None:
            raise _nobody()
        before = self._presences.get(user.user_id)
        stands, why = before or first_record(user, self._clock()), ""

        def decide(record: PresenceRecord | None) -> Decision:
            nonlocal stands, why
            if record is None and not self._users.has(user.user_id):  # removed meanwhile
                raise _nobody()
            profile = self._profiles().profile_for(user.address, user.profile, user.groups).profile
            decision = after_command(record, user, request.command, profile, self._clock(), self._rules)
            stands, why = decision.record or record or stands, decision.why
            return decision

        written = write_decided(self._presences, user.user_id, before, decide, traceparent)
        if written is not None:
            self._transition_queue.queue_soon([written], self._clock(), traceparent)
        if isinstance(request.command, UseCalendar):
            self._follow(user, traceparent)
        return Commanded(user, written or stands, why)

    def _follow(self, user: User, traceparent: str) -> None:
        """Tell the schedule whether the calendar is used; one that is on is read at once.

        What stands on the record counts, and it is looked at again: of two commands that cross, the one that was
        written first may get here last.
        """
        told: CalendarUse | None = None
        for _ in range(_ATTEMPTS):
            record = self._presences.get(user.user_id)
            if record is None or record.knowledge.use == told:
                break
            told = record.knowledge.use
            self._users.use_calendar(user.user_id, enabled=told.on, paused_until=told.paused_until)
        else:
            raise ConcurrentWrites(f"user {user.user_id}: the calendar was switched at each of {_ATTEMPTS} attempts")
        now = self._clock()
        if told is not None and told.allows(now):
            check = CheckRequest(CheckReason.OPERATOR, now, (user,), traceparent)
            self._check_queue.send([QueuedMessage(check.encode())])


def _nobody() -> ConfigurationError:
    return ConfigurationError("address: nobody has it; add the user first")
