"""Since when a presence is said to hold, where claims that have ended, or disbelief, come in between."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from presence.calendar import BusyType, CalendarEntry, CalendarReading, Window
from presence.decisions import Readings, after_problem, after_reading, at_transition
from presence.errors import Problem, ProblemKind
from presence.freshness import Rules
from presence.presences import UNKNOWN, Activity, Availability, Presence
from presence.profiles import DEFAULT
from presence.records import PresenceRecord, User

NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)
ALICE = User("a" * 32, "alice@example.com")
AWAY = Presence(Availability.AWAY, Activity.OUT_OF_OFFICE)
GONE = Problem("ErrorServerBusy", ProblemKind.PASSING, "the server is busy", "wait")


def at(minutes: float) -> datetime:
    return NINE + timedelta(minutes=minutes)


def first_record(minutes: float, *entries: CalendarEntry) -> PresenceRecord:
    window = Window(at(minutes) - timedelta(hours=1), at(minutes) + timedelta(hours=24))
    read = CalendarReading(ALICE.address, window, entries, at(minutes), "https://mail.example.com/EWS", "FreeBusy")
    record = after_reading(None, ALICE, Readings(read), DEFAULT, at(minutes), Rules()).record
    assert record is not None
    return replace(record, revision=1)


def test_a_hidden_meeting_that_ended_does_not_say_since_when_somebody_is_away() -> None:
    leave = CalendarEntry(at(-600), at(600), BusyType.OUT_OF_OFFICE)
    hidden = CalendarEntry(at(-30), at(-10), BusyType.BUSY)
    record = first_record(0, leave, hidden)
    # Longer ago than a timeline looks back, so all that is known is that it was seen now.
    assert (record.presence, record.since) == (AWAY, at(0))


def test_presence_is_unknown_since_it_is_not_believed_any_more() -> None:
    back_to_back = (
        CalendarEntry(at(-30), at(30), BusyType.BUSY),
        CalendarEntry(at(-10), at(900), BusyType.OUT_OF_OFFICE),
    )
    record = first_record(0, *back_to_back)
    failing = after_problem(record, ALICE, GONE, at(5), Rules()).record
    assert failing is not None
    stale = at_transition(failing, at(35), Rules()).record
    assert stale is not None
    unknown = at_transition(stale, at(5 + 12 * 60), Rules()).record
    assert unknown is not None
    assert (unknown.presence, unknown.since) == (UNKNOWN, at(5 + 12 * 60))
