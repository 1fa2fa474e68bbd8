"""One user's record through the decisions: what is read, fails, is asked for and falls due, in minutes from nine."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from presence.automatic_replies import AutomaticReplies
from presence.calendar import BusyType, CalendarEntry, CalendarReading, Window
from presence.commands import Command
from presence.decisions import Decision, Readings, after_command, after_problem, after_reading, at_transition
from presence.errors import Problem, ProblemKind
from presence.freshness import Rules
from presence.mapping import Profile
from presence.presences import Presence
from presence.profiles import DEFAULT
from presence.records import PresenceRecord, User
from presence.working_hours import WorkingHours

NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)
"""A Monday."""

ALICE = User("a" * 32, "alice@example.com")
SERVER_BUSY = Problem("ErrorServerBusy", ProblemKind.PASSING, "the server is busy", "wait")


def at(minutes: float) -> datetime:
    """Return the instant so many minutes after nine."""
    return NINE + timedelta(minutes=minutes)


def entry(
    start: float,
    end: float,
    busy_type: BusyType = BusyType.BUSY,
    *,
    meeting: bool | None = None,
    private: bool | None = None,
) -> CalendarEntry:
    """Return an entry, in minutes from nine."""
    return CalendarEntry(at(start), at(end), busy_type, is_meeting=meeting, is_private=private)


def reading(minutes: float, *entries: CalendarEntry, hours: WorkingHours | None = None) -> CalendarReading:
    """Return a reading from an hour before to a day ahead, as a check asks for it."""
    minute = at(minutes).replace(second=0, microsecond=0)
    window = Window(minute - timedelta(hours=1), minute + timedelta(hours=24))
    return CalendarReading(
        ALICE.address, window, entries, at(minutes), "https://mail.example.com/EWS", "FreeBusy", hours
    )


class OneUser:
    """A user whose record is kept as the table keeps it. `record` is the newest, `written` all that were written."""

    def __init__(self, profile: Profile = DEFAULT, rules: Rules | None = None) -> None:
        self.profile = profile
        self.rules = rules or Rules()
        self.written: list[PresenceRecord] = []

    @property
    def record(self) -> PresenceRecord:
        """The newest record. Raises IndexError before the first."""
        return self.written[-1]

    @property
    def presence(self) -> Presence:
        """What is shown."""
        return self.record.presence

    def read(
        self,
        minutes: float,
        *entries: CalendarEntry,
        replies: AutomaticReplies | None = None,
        hours: WorkingHours | None = None,
    ) -> bool:
        """Read the calendar; tell whether that wrote anything."""
        readings = Readings(reading(minutes, *entries, hours=hours), replies)
        return self._keep(after_reading(self._stored, ALICE, readings, self.profile, at(minutes), self.rules))

    def fail(self, minutes: float, problem: Problem = SERVER_BUSY) -> bool:
        """Fail to read the calendar; tell whether that wrote anything."""
        return self._keep(after_problem(self._stored, ALICE, problem, at(minutes), self.rules))

    def ask(self, minutes: float, command: Command) -> bool:
        """Carry out a command; tell whether that wrote anything."""
        return self._keep(after_command(self._stored, ALICE, command, self.profile, at(minutes), self.rules))

    def tick(self, minutes: float) -> bool:
        """Apply what is due at an instant; tell whether that wrote anything."""
        return self._keep(at_transition(self.record, at(minutes), self.rules))

    def run_until(self, minutes: float) -> list[tuple[float, Presence]]:
        """Apply each transition at its very instant, and return what was shown from when on."""
        seen: list[tuple[float, Presence]] = []
        last = NINE - timedelta(days=1)
        while (due := self.record.next_at) is not None and due <= at(minutes):
            assert due > last, "time has to go on"
            last, before = due, self.presence
            assert self._keep(at_transition(self.record, due, self.rules)), "what is due has to be written"
            if self.presence != before:
                seen.append(((due - NINE) / timedelta(minutes=1), self.presence))
        return seen

    @property
    def _stored(self) -> PresenceRecord | None:
        return self.written[-1] if self.written else None

    def _keep(self, decision: Decision) -> bool:
        if decision.record is None:
            return False
        before = self._stored
        assert decision.record.version - (before.version if before else 0) in {0, 1}, "versions have no gaps"
        self.written.append(replace(decision.record, revision=decision.record.revision + 1))
        return True
