"""The mailboxes of the simulated organisation and their calendars, in memory, changeable while they are being read."""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterable

# Subjects, locations and replies carry these words, so that a search through logs and tables finds any leak.
SUBJECT_CANARY = "canary-subject"
LOCATION_CANARY = "canary-location"
REPLY_CANARY = "canary-reply"


class BusyStatus(StrEnum):
    """Status of a calendar entry, spelled as on the wire (types.xsd, LegacyFreeBusyType)."""

    FREE = "Free"
    TENTATIVE = "Tentative"
    BUSY = "Busy"
    OUT_OF_OFFICE = "OOF"
    WORKING_ELSEWHERE = "WorkingElsewhere"
    NO_DATA = "NoData"


class Access(StrEnum):
    """What a mailbox lets the reading account see of its calendar."""

    NONE = "none"
    FREE_BUSY = "free-busy"
    DETAILED = "detailed"


class TimeForm(StrEnum):
    """How the server that holds a mailbox writes times: in UTC with Z, or in the mailbox's zone with its offset."""

    UTC = "utc"
    OFFSET = "offset"


@dataclass(frozen=True, slots=True)
class Recurrence:
    """Repeats an entry at the same wall-clock time of the mailbox's zone.

    `weekdays`: Monday is 0. `until`: last local date, or None for no end. `exceptions`: local dates left out.
    """

    weekdays: frozenset[int] = frozenset(range(7))
    until: date | None = None
    exceptions: frozenset[date] = frozenset()

    def falls_on(self, day: date) -> bool:
        """Tell whether an occurrence begins on this local date."""
        return (
            day.weekday() in self.weekdays and day not in self.exceptions and (self.until is None or day <= self.until)
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """One calendar entry. `start` and `end` are instants with a zone; the end does not belong to the entry.

    Free/busy answers know nothing of `is_all_day`, `is_cancelled` and `response` (types.xsd, ResponseTypeType: what the
    owner of the calendar answered to a meeting).
    """

    start: datetime
    end: datetime
    status: BusyStatus = BusyStatus.BUSY
    subject: str = SUBJECT_CANARY
    location: str = LOCATION_CANARY
    is_meeting: bool = True
    is_private: bool = False
    is_all_day: bool = False
    is_cancelled: bool = False
    response: str = "Accept"
    recurrence: Recurrence | None = None

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError(f"a calendar entry needs times with a zone: {self.start} to {self.end}")
        if self.end < self.start:
            raise ValueError(f"a calendar entry ends before it starts: {self.start} to {self.end}")


@dataclass(frozen=True, slots=True)
class Occurrence:
    """An entry, or one repetition of it, in UTC."""

    entry_id: str
    entry: Entry
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class OutOfOffice:
    """Automatic replies. With `start` and `end` they are scheduled, else simply switched on.

    `audience` are the people outside who get them (types.xsd, ExternalAudience: All, Known, None); people of the
    organisation get them unless `internal` is false.
    """

    message: str = REPLY_CANARY
    start: datetime | None = None
    end: datetime | None = None
    audience: str = "All"
    internal: bool = True

    def active_at(self, now: datetime) -> bool:
        """Tell whether replies go out at this instant."""
        return self.start is None or self.end is None or self.start <= now < self.end


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """Working days (Monday is 0) and minutes after local midnight."""

    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4)
    start_minute: int = 480
    end_minute: int = 1020


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A mailbox as Exchange knows it.

    `redirect_address` and `redirect_url` make autodiscover answer with a redirect; `problem` is a response code
    that is given for this mailbox instead of its calendar, and `back_off` the milliseconds that it asks to wait for;
    with `fails_requests` each request for free/busy times in which the mailbox is fails as a whole with it.
    `view` is the free/busy view that is given whatever was asked for; it comes without working hours unless
    `tells_working_hours`. Nobody may impersonate who is `excluded`. `readers` are the accounts (by reference) whom the
    owner lets read the calendar folder. With `members` (addresses) it is no mailbox but a distribution list. `server`
    is the host that holds it, where several hold mailboxes of its domain.
    """

    address: str
    name: str
    zone: ZoneInfo
    aliases: tuple[str, ...] = ()
    access: Access = Access.FREE_BUSY
    time_form: TimeForm = TimeForm.UTC
    working_hours: WorkingHours = field(default_factory=WorkingHours)
    out_of_office: OutOfOffice | None = None
    redirect_address: str | None = None
    redirect_url: str | None = None
    problem: str | None = None
    back_off: int | None = None
    fails_requests: bool = False
    view: str | None = None
    tells_working_hours: bool = True
    excluded: bool = False
    readers: frozenset[str] = frozenset()
    members: tuple[str, ...] = ()
    server: str | None = None


def all_day(zone: ZoneInfo, day: date, days: int = 1) -> tuple[datetime, datetime]:
    """Return midnight to midnight in the zone: what an all-day entry is on the wire, which has no flag for it."""
    return (
        datetime.combine(day, time(), zone),
        datetime.combine(day + timedelta(days=days), time(), zone),
    )


class Organisation:
    """Mailboxes and calendars; every method may be called from any thread.

    `users` are the addresses that the operator lists as users of the presence system, which need not exist here.
    """

    def __init__(self, mailboxes: Iterable[Mailbox], users: Iterable[str] | None = None) -> None:
        self._lock = threading.RLock()
        self._mailboxes: dict[str, Mailbox] = {}
        self._primary: dict[str, str] = {}
        self._calendars: dict[str, dict[str, Entry]] = {}
        self._numbers = itertools.count(1)
        for mailbox in mailboxes:
            self.add_mailbox(mailbox)
        self.users = tuple(users) if users is not None else tuple(self._mailboxes)

    def copy(self) -> Organisation:
        """Return the organisation as it is now, which later changes leave alone."""
        with self._lock:
            copied = Organisation(self._mailboxes.values(), self.users)
            for address, calendar in self._calendars.items():
                copied._calendars[address] = dict(calendar)
        return copied

    def add_mailbox(self, mailbox: Mailbox) -> None:
        """Add a mailbox with an empty calendar."""
        with self._lock:
            key = mailbox.address.lower()
            self._mailboxes[key] = mailbox
            self._calendars.setdefault(key, {})
            for address in (mailbox.address, *mailbox.aliases):
                self._primary[address.lower()] = key

    def mailbox(self, address: str) -> Mailbox | None:
        """Return the mailbox with this primary address or alias, or None."""
        with self._lock:
            return self._mailboxes.get(self._primary.get(address.lower(), ""))

    def mailboxes(self) -> tuple[Mailbox, ...]:
        """Return every mailbox, in the order in which they were added."""
        with self._lock:
            return tuple(self._mailboxes.values())

    def change_mailbox(self, address: str, **changes: Any) -> Mailbox:
        """Change fields of a mailbox other than its addresses. KeyError for an unknown address."""
        with self._lock:
            key = self._primary[address.lower()]
            self._mailboxes[key] = replace(self._mailboxes[key], **changes)
            return self._mailboxes[key]

    def set_out_of_office(self, address: str, replies: OutOfOffice | None) -> None:
        """Switch the automatic replies of a mailbox on, or off with None. KeyError for an unknown address."""
        self.change_mailbox(address, out_of_office=replies)

    def add(self, address: str, entry: Entry) -> str:
        """Add an entry to a calendar and return its id. KeyError for an unknown address."""
        with self._lock:
            entry_id = f"{next(self._numbers):08X}"
            self._calendars[self._primary[address.lower()]][entry_id] = entry
            return entry_id

    def change(self, address: str, entry_id: str, **changes: Any) -> Entry:
        """Change fields of an entry and return it as it is now. KeyError when there is none such."""
        with self._lock:
            calendar = self._calendars[self._primary[address.lower()]]
            calendar[entry_id] = replace(calendar[entry_id], **changes)
            return calendar[entry_id]

    def remove(self, address: str, entry_id: str) -> Entry:
        """Remove an entry and return it. KeyError when there is none such."""
        with self._lock:
            return self._calendars[self._primary[address.lower()]].pop(entry_id)

    def calendar(self, address: str) -> dict[str, Entry]:
        """Return a copy of a calendar, recurring entries unexpanded. KeyError for an unknown address."""
        with self._lock:
            return dict(self._calendars[self._primary[address.lower()]])

    def entries(self, address: str, start: datetime, end: datetime) -> list[Occurrence]:
        """Return what touches [start, end), recurrences expanded, ordered by start. KeyError for an unknown address."""
        with self._lock:
            key = self._primary[address.lower()]
            zone = self._mailboxes[key].zone
            calendar = dict(self._calendars[key])
        found = [
            occurrence
            for entry_id, entry in calendar.items()
            for occurrence in _occurrences(entry_id, entry, zone, start, end)
        ]
        return sorted(found, key=lambda occurrence: (occurrence.start, occurrence.end, occurrence.entry_id))


def _occurrences(entry_id: str, entry: Entry, zone: ZoneInfo, start: datetime, end: datetime) -> Iterable[Occurrence]:
    for begin, finish in _repetitions(entry, zone, start, end):
        # An entry without length touches the window too when it stands inside.
        if begin < end and (finish > start or begin == finish >= start):
            yield Occurrence(entry_id, entry, begin, finish)


def _repetitions(entry: Entry, zone: ZoneInfo, start: datetime, end: datetime) -> Iterable[tuple[datetime, datetime]]:
    if entry.recurrence is None:
        yield entry.start.astimezone(UTC), entry.end.astimezone(UTC)
        return
    first = entry.start.astimezone(zone).replace(tzinfo=None)
    length = entry.end.astimezone(zone).replace(tzinfo=None) - first
    day = max(first.date(), (start.astimezone(zone) - length).date() - timedelta(days=1))
    last = end.astimezone(zone).date()
    while day <= last:
        if entry.recurrence.falls_on(day):
            local = datetime.combine(day, first.time())
            yield (
                local.replace(tzinfo=zone).astimezone(UTC),
                (local + length).replace(tzinfo=zone).astimezone(UTC),
            )
        day += timedelta(days=1)
