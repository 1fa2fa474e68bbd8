"""CalendarCheck over tables, queues and an Exchange in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from presence.automatic_replies import AutomaticReplies
from presence.calendar import BusyType, CalendarEntry, CalendarReading, Window
from presence.check_summary import CheckSummary
from presence.checking import CalendarCheck, CheckOptions
from presence.errors import Problem, ProblemKind
from presence.messages import (
    CheckReason,
    CheckRequest,
    new_traceparent,
)
from presence.presences import Activity, Availability, Presence
from presence.profiles import BUILT_IN, Profiles
from presence.records import PresenceRecord, User
from presence.tables.users import UserTable
from presence.transition_queue import TransitionQueue
from tests.support.memory import MemoryPresenceTable, MemoryQueue

TEN = datetime(2026, 11, 23, 10, 0, 7, tzinfo=UTC)
ENDPOINT = "https://mail.example.com/EWS/Exchange.asmx"
BUSY = Presence(Availability.BUSY, Activity.BUSY)
AVAILABLE = Presence(Availability.AVAILABLE, Activity.AVAILABLE)


def user(number: int) -> User:
    return User(f"{number:032x}", f"user{number}@example.com")


ALICE, BOB, CAROL = user(1), user(2), user(3)


def problem(kind: ProblemKind = ProblemKind.PASSING, retry_after: float | None = None) -> Problem:
    return Problem("ErrorServerBusy", kind, "the server is busy", "wait", retry_after)


class Records(MemoryPresenceTable):
    """PresenceTable in memory that can be made to lose races."""

    def __init__(self) -> None:
        super().__init__()
        self.races_to_lose = 0

    def write(self, record: PresenceRecord) -> PresenceRecord | None:
        if self.races_to_lose:
            self.races_to_lose -= 1
            return None
        return super().write(record)

    def of(self, user: User) -> PresenceRecord:
        return self.get_many([user.user_id]).found[user.user_id]


class Hints(UserTable):
    """Everybody is a user but those in `removed`."""

    def __init__(self) -> None:
        self.endpoints: dict[str, str] = {}
        self.removed: set[str] = set()

    def has(self, user_id: str) -> bool:
        return user_id not in self.removed

    def remember_endpoint(self, user_id: str, endpoint: str) -> None:
        self.endpoints[user_id] = endpoint


class Exchange:
    """Answers from a table of entries or problems; each question is noted."""

    def __init__(self) -> None:
        self.calendars: dict[str, tuple[CalendarEntry, ...] | Problem] = {}
        self.replies: dict[str, AutomaticReplies | Problem] = {}
        self.asked_for_replies: list[tuple[str, ...]] = []
        self.asked: list[tuple[tuple[str, ...], Window]] = []
        self.now = TEN

    def read_calendars(self, addresses: Sequence[str], window: Window) -> Mapping[str, CalendarReading | Problem]:
        self.asked.append((tuple(addresses), window))
        outcomes: dict[str, CalendarReading | Problem] = {}
        for address in addresses:
            found = self.calendars.get(address, ())
            outcomes[address] = (
                found
                if isinstance(found, Problem)
                else CalendarReading(address, window, found, self.now, ENDPOINT, "FreeBusy")
            )
        return outcomes

    def read_automatic_replies(self, addresses: Sequence[str]) -> Mapping[str, AutomaticReplies | Problem]:
        self.asked_for_replies.append(tuple(addresses))
        return {address: self.replies[address] for address in addresses if address in self.replies}


@dataclass
class World:
    records: Records
    checks: MemoryQueue
    transitions: MemoryQueue
    hints: Hints
    exchange: Exchange
    now: datetime = TEN
    profiles: Profiles = BUILT_IN
    jitter: Callable[[], float] = lambda: 1.0

    def check(self, *users: User, request: CheckRequest | None = None) -> CheckSummary:
        self.exchange.now = self.now
        return CalendarCheck(
            presences=self.records,
            users=self.hints,
            reader=self.exchange,
            profiles=lambda: self.profiles,
            check_queue=self.checks,
            transition_queue=TransitionQueue(self.transitions, 16),
            clock=lambda: self.now,
            jitter=self.jitter,
            options=CheckOptions(),
        ).run(request or request_for(*users, at=self.now))


def request_for(*users: User, at: datetime = TEN, attempt: int = 0, endpoint: str | None = ENDPOINT) -> CheckRequest:
    return CheckRequest(CheckReason.SCHEDULE, at, users, new_traceparent(), attempt, endpoint)


def busy(start: float, end: float) -> CalendarEntry:
    return CalendarEntry(TEN + timedelta(seconds=start), TEN + timedelta(seconds=end), BusyType.BUSY)
