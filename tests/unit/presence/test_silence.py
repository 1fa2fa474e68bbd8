"""No check comes to an end for hours, and then one that fails: no news, after a long silence."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from presence.calendar import CalendarReading, Window
from presence.decisions import Readings, after_problem, after_reading, at_transition
from presence.errors import Problem, ProblemKind
from presence.freshness import Freshness, Rules
from presence.presences import UNKNOWN
from presence.profiles import DEFAULT
from presence.records import PresenceRecord, User

NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)
SILENT = NINE + timedelta(hours=1, minutes=5)
ALICE = User("a" * 32, "alice@example.com")
NO_ANSWER = Problem("Timeout", ProblemKind.PASSING, "no answer in time", "look at the server")


def read_at_nine() -> PresenceRecord:
    window = Window(NINE - timedelta(hours=1), NINE + timedelta(hours=24))
    reading = CalendarReading(ALICE.address, window, (), NINE, "https://mail.example.com/EWS", "FreeBusy")
    record = after_reading(None, ALICE, Readings(reading), DEFAULT, NINE, Rules()).record
    assert record is not None
    return replace(record, revision=1)


def test_a_check_that_fails_makes_nothing_believable_again() -> None:
    late = SILENT + timedelta(hours=12)
    unknown = at_transition(read_at_nine(), late, Rules()).record
    assert unknown is not None
    assert (unknown.presence, unknown.freshness) == (UNKNOWN, Freshness.UNKNOWN)
    failing = after_problem(unknown, ALICE, NO_ANSWER, late + timedelta(minutes=1), Rules()).record
    assert failing is not None
    assert (failing.presence, failing.freshness, failing.version) == (UNKNOWN, Freshness.UNKNOWN, unknown.version)
    assert failing.failing_since == late + timedelta(minutes=1)


def test_staleness_goes_on_from_the_silence_and_does_not_begin_again() -> None:
    failing = after_problem(read_at_nine(), ALICE, NO_ANSWER, SILENT + timedelta(minutes=20), Rules()).record
    assert failing is not None
    assert failing.next_at == SILENT + timedelta(minutes=30)
