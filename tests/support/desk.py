"""One user, her calendar and whoever says something of her presence, through the real use cases in memory.

Times are texts of one Monday, `12:30` or `12:30:05.5`, in UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from presence.automatic_replies import NO_REPLIES, AutomaticReplies
from presence.calendar import BusyType, CalendarEntry, CalendarReading, Window
from presence.check_summary import CheckSummary
from presence.checking import CalendarCheck, CheckOptions
from presence.command_requests import decode_command_request
from presence.commanding import Commanded, CommandExecution
from presence.errors import Problem, ProblemKind
from presence.freshness import Rules
from presence.instants import format_instant
from presence.mapping import Profile
from presence.messages import CheckReason, CheckRequest, TransitionRequest, new_traceparent
from presence.profiles import BUILT_IN, DEFAULT, Profiles
from presence.records import PresenceRecord
from presence.tables.presences import shard_of
from presence.transition_queue import TransitionQueue
from presence.transitions import TransitionApplication
from tests.support.memory import MemoryPresenceTable, MemoryQueue, MemoryUserTable

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
BY_HAND = "Away by set-by-hand"
MEETING = "Busy by busy"
FREE = "Available by no-claim"
SERVER_BUSY = Problem("ErrorServerBusy", ProblemKind.PASSING, "the server is busy", "wait")
_SHARDS = 16
_INTERVAL = timedelta(minutes=5)


def at(time: str) -> datetime:
    """Return an instant of the Monday; the hours go on after 24."""
    hours, minutes, *seconds = time.split(":")
    return MONDAY + timedelta(hours=int(hours), minutes=int(minutes), seconds=float(seconds[0]) if seconds else 0)


def entry(start: str, end: str, busy_type: BusyType = BusyType.BUSY, *, meeting: bool | None = None) -> CalendarEntry:
    """Return an entry of the Monday."""
    return CalendarEntry(at(start), at(end), busy_type, is_meeting=meeting)


class Desk:
    """Alice at `now`. `calendar` is what Exchange has of her, or the problem that it answers with instead."""

    def __init__(self, now: str, *entries: CalendarEntry) -> None:
        self.now = at(now)
        self.calendar: tuple[CalendarEntry, ...] | Problem = entries
        self.profile = DEFAULT
        self.users = MemoryUserTable()
        self.alice = self.users.add("alice@example.com")
        self.records = MemoryPresenceTable(_SHARDS)
        self.checks = MemoryQueue()
        self.transitions = MemoryQueue()
        self.readings = 0
        self.while_reading: Callable[[], object] = lambda: None

    @property
    def record(self) -> PresenceRecord:
        """The record as it is stored."""
        return self.records.get_many([self.alice.user_id]).found[self.alice.user_id]

    @property
    def shown(self) -> str:
        """What is shown, and by which rule."""
        return f"{self.record.presence.activity} by {self.record.reason.rule}"

    def message(self, type_: str, **more: object) -> dict[str, object]:
        """Return a command about Alice, asked for now."""
        asked = {"schemaVersion": 1, "type": type_, "address": self.alice.address, "requestedBy": "desk"}
        return {**asked, "requestedAt": format_instant(self.now), **more}

    def say(self, type_: str, **more: object) -> Commanded:
        """Have a command carried out."""
        return self.take(self.message(type_, **more))

    def take(self, message: object) -> Commanded:
        """Have a message carried out, whenever it was sent."""
        execution = CommandExecution(
            presences=self.records,
            users=self.users,
            profiles=self._profiles,
            check_queue=self.checks,
            transition_queue=TransitionQueue(self.transitions, _SHARDS),
            clock=lambda: self.now,
            rules=Rules(),
        )
        return execution.run(decode_command_request(message, self.now), new_traceparent())

    def check(self) -> CheckSummary:
        """Have the calendar checked, as the schedule or a command asks for it."""
        check = CalendarCheck(
            presences=self.records,
            users=self.users,
            reader=self,
            profiles=self._profiles,
            check_queue=MemoryQueue(),
            transition_queue=TransitionQueue(self.transitions, _SHARDS),
            clock=lambda: self.now,
            jitter=lambda: 1.0,
            options=CheckOptions(_INTERVAL),
        )
        return check.run(CheckRequest(CheckReason.SCHEDULE, self.now, (self.alice,), new_traceparent()))

    def go_on(self, until: str) -> None:
        """Let time pass until an instant: all transitions at their second, and a check every five minutes if due."""
        self.go_on_to(at(until))

    def go_on_to(self, target: datetime) -> None:
        """Let time pass until an instant."""
        while self.now < target:
            next_check = MONDAY + ((self.now - MONDAY) // _INTERVAL + 1) * _INTERVAL
            due = self.record.next_at if self.records.items else None
            self.now = min(target, next_check, *([max(due, self.now)] if due is not None else []))
            if due is not None and due <= self.now:
                self.apply_transitions()
            (scheduled,) = self.users.every()
            if self.now == next_check and scheduled.is_due(self.now):
                self.check()

    def apply_transitions(self) -> None:
        """Apply what is due on the record, as its message in the queue has it."""
        due = self.record.next_at or self.now
        application = TransitionApplication(
            presences=self.records,
            queue=self.transitions,
            shards=_SHARDS,
            clock=lambda: self.now,
            sleep=self._sleep,
            rules=Rules(),
        )
        user_id = self.alice.user_id
        request = TransitionRequest(due, shard_of(user_id, _SHARDS), (user_id,), new_traceparent())
        application.run([request])[request].raise_errors()

    def read_calendars(self, addresses: Sequence[str], window: Window) -> Mapping[str, CalendarReading | Problem]:
        """Answer as Exchange does, after what happens meanwhile."""
        self.readings += 1
        calendar, asked_at = self.calendar, self.now
        self.while_reading()
        if isinstance(calendar, Problem):
            return dict.fromkeys(addresses, calendar)
        entries = tuple(one for one in calendar if one.start < window.end and one.end > window.start)
        endpoint = "https://mail.example.com/EWS/Exchange.asmx"
        reading = CalendarReading(addresses[0], window, entries, asked_at, endpoint, "FreeBusy")
        return dict.fromkeys(addresses, reading)

    def read_automatic_replies(self, addresses: Sequence[str]) -> Mapping[str, AutomaticReplies | Problem]:
        """Answer that there are none."""
        return dict.fromkeys(addresses, NO_REPLIES)

    def _profiles(self) -> Profiles:
        profile: Profile = self.profile
        return Profiles({**BUILT_IN.by_name, DEFAULT.name: profile})

    def _sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def desk(now: str, *entries: tuple[str, str]) -> Desk:
    """Return a desk whose calendar was just read."""
    made = Desk(now, *(entry(*times) for times in entries))
    made.check()
    return made


def seen(desk: Desk, *times: str) -> list[str]:
    """Return what is shown at each of the times, on the way."""
    shown = []
    for time in times:
        desk.go_on(time)
        shown.append(desk.shown)
    return shown
