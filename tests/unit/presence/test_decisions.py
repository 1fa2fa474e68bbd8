"""A day in the life of a record: readings, failures and transitions, with the clock as an argument."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from presence.calendar import BusyType, CalendarEntry, CalendarReading, Window
from presence.claims import Source
from presence.decisions import Decision, Readings, after_problem, after_reading, at_transition
from presence.errors import Problem, ProblemKind
from presence.freshness import READ_AT_REFRESH, Freshness, Rules
from presence.presences import AVAILABLE, UNKNOWN, Activity, Availability, Presence
from presence.profiles import DEFAULT
from presence.records import Change, PresenceRecord, Reason, User

NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)
ALICE = User("a" * 32, "alice@example.com")
RULES = Rules(unknown_after=timedelta(hours=12))
BUSY = Presence(Availability.BUSY, Activity.BUSY)
AWAY = Presence(Availability.AWAY, Activity.OUT_OF_OFFICE)
NO_ACCESS = Problem("ErrorNoFreeBusyAccess", ProblemKind.LASTING, "no access to alice@example.com", "grant it")
SERVER_BUSY = Problem("ErrorServerBusy", ProblemKind.PASSING, "the server is busy", "wait")


def at(minutes: float) -> datetime:
    return NINE + timedelta(minutes=minutes)


def busy(start: float, end: float, status: BusyType = BusyType.BUSY) -> CalendarEntry:
    return CalendarEntry(at(start), at(end), status)


def reading(minutes: float, *entries: CalendarEntry) -> CalendarReading:
    window = Window(at(minutes) - timedelta(hours=1), at(minutes) + timedelta(hours=24))
    return CalendarReading(ALICE.address, window, entries, at(minutes), "https://mail.example.com/EWS", "FreeBusy")


def read(record: PresenceRecord | None, minutes: float, *entries: CalendarEntry, rules: Rules = RULES) -> Decision:
    decision = after_reading(record, ALICE, Readings(reading(minutes, *entries)), DEFAULT, at(minutes), rules)
    return stored(decision)


def stored(decision: Decision) -> Decision:
    """The decision as the table leaves it: the revision has grown."""
    if decision.record is None:
        return decision
    return replace(decision, record=replace(decision.record, revision=decision.record.revision + 1))


def record_of(decision: Decision) -> PresenceRecord:
    assert decision.record is not None, decision.why
    return decision.record


def test_the_first_reading_is_the_first_version() -> None:
    record = record_of(read(None, 0, busy(30, 60)))
    assert (record.version, record.presence, record.previous) == (1, AVAILABLE, UNKNOWN)
    assert (record.since, record.until, record.next_at) == (at(0), at(30), at(30))
    assert record.reason == Reason(Source.NONE, "no-claim")


def test_a_first_reading_in_the_middle_of_a_meeting_knows_since_when_it_runs() -> None:
    record = record_of(read(None, 10, busy(0, 60)))
    assert (record.presence, record.since, record.until) == (BUSY, at(0), at(60))


def test_a_reading_that_brings_nothing_new_writes_nothing() -> None:
    record = record_of(read(None, 0, busy(30, 60)))
    assert read(record, 5, busy(30, 60)).record is None
    assert read(record, 25, busy(30, 60), busy(-50, -20)).record is None


def test_the_age_of_the_reading_is_refreshed_once_an_hour_without_a_new_version() -> None:
    record = record_of(read(None, 0))
    minutes = READ_AT_REFRESH / timedelta(minutes=1)
    assert read(record, minutes - 1).record is None
    refreshed = record_of(read(record, minutes))
    assert (refreshed.version, refreshed.read_at) == (1, at(minutes))


def test_a_reading_older_than_the_record_loses() -> None:
    record = record_of(read(None, 10, busy(0, 60)))
    assert read(record, 5).record is None


def test_a_change_further_ahead_is_stored_without_a_new_version() -> None:
    record = record_of(read(None, 0, busy(30, 60)))
    changed = record_of(read(record, 5, busy(30, 60), busy(90, 120)))
    assert changed.version == record.version
    assert changed.next_at == at(30)
    assert len(changed.timeline) > len(record.timeline)


def test_a_meeting_that_is_extended_moves_the_end_and_makes_a_version() -> None:
    record = record_of(read(None, 10, busy(0, 60)))
    longer = record_of(read(record, 15, busy(0, 90)))
    assert (longer.version, longer.presence, longer.until, longer.since) == (2, BUSY, at(90), at(0))
    assert longer.previous == BUSY


def test_where_the_end_is_not_published_moving_it_makes_no_version() -> None:
    rules = replace(RULES, publish_until=False)
    record = record_of(read(None, 10, busy(0, 60), rules=rules))
    longer = record_of(read(record, 15, busy(0, 90), rules=rules))
    assert (longer.version, longer.until, longer.next_at) == (1, at(90), at(90))


def test_a_meeting_deleted_while_it_runs_ends_when_that_is_seen() -> None:
    record = record_of(read(None, 10, busy(0, 60)))
    freed = record_of(read(record, 15))
    assert (freed.version, freed.presence, freed.since, freed.previous) == (2, AVAILABLE, at(15), BUSY)


def test_a_meeting_put_in_after_it_began_counts_from_its_start() -> None:
    record = record_of(read(None, 0))
    in_meeting = record_of(read(record, 15, busy(10, 60)))
    assert (in_meeting.presence, in_meeting.since) == (BUSY, at(10))


def test_a_transition_is_never_early() -> None:
    record = record_of(read(None, 0, busy(30, 60)))
    assert at_transition(record, at(30) - timedelta(microseconds=1), RULES).record is None


def test_a_transition_applies_what_the_timeline_says_from_its_second_on() -> None:
    record = record_of(read(None, 0, busy(30, 60)))
    begun = record_of(at_transition(record, at(30), RULES))
    assert (begun.version, begun.presence, begun.since, begun.until) == (2, BUSY, at(30), at(60))
    ended = record_of(at_transition(begun, at(60), RULES))
    assert (ended.version, ended.presence, ended.since, ended.until) == (3, AVAILABLE, at(60), None)
    assert ended.next_at == at(60 + 5 + 30), "nothing comes but that the reading grows stale"


def test_a_late_transition_says_since_when_it_should_have_been() -> None:
    record = record_of(read(None, 0, busy(30, 60)))
    late = record_of(at_transition(record, at(31), RULES))
    assert (late.since, late.changed_at) == (at(30), at(31))


def test_a_transition_that_comes_twice_changes_nothing_the_second_time() -> None:
    record = record_of(read(None, 0, busy(30, 60)))
    begun = record_of(at_transition(record, at(30), RULES))
    assert at_transition(begun, at(30), RULES).record is None


def test_back_to_back_meetings_make_no_change_between_them() -> None:
    record = record_of(read(None, 10, busy(0, 30), busy(30, 60)))
    assert (record.until, record.next_at) == (at(60), at(60))


def test_the_morning_timeline_goes_on_being_applied_while_exchange_is_down() -> None:
    record: PresenceRecord = record_of(read(None, 0, busy(30, 60), busy(120, 180, BusyType.OUT_OF_OFFICE)))
    seen = []
    for minute in range(0, 200, 5):
        failing = after_problem(record, ALICE, SERVER_BUSY, at(minute), RULES).record
        record = failing or record
        record = at_transition(record, at(minute), RULES).record or record
        seen.append((minute, record.presence))
    changes = [now for before, now in zip([(-1, UNKNOWN), *seen], seen, strict=False) if before[1] != now[1]]
    assert changes == [(0, AVAILABLE), (30, BUSY), (60, AVAILABLE), (120, AWAY), (180, AVAILABLE)]


def test_a_user_who_was_never_read_is_unknown_and_never_available() -> None:
    record = record_of(stored(after_problem(None, ALICE, NO_ACCESS, at(0), RULES)))
    assert (record.version, record.presence, record.next_at) == (1, UNKNOWN, None)
    assert record.problem is not None
    assert record.problem.problem == NO_ACCESS
    assert after_problem(record, ALICE, NO_ACCESS, at(5), RULES).record is None


def test_failing_is_noted_once_and_forgotten_at_the_next_good_reading() -> None:
    record = record_of(read(None, 0, busy(30, 60)))
    failing = record_of(stored(after_problem(record, ALICE, SERVER_BUSY, at(5), RULES)))
    assert (failing.version, failing.presence, failing.failing_since) == (1, AVAILABLE, at(5))
    assert after_problem(failing, ALICE, SERVER_BUSY, at(10), RULES).record is None
    healthy = record_of(read(failing, 15, busy(30, 60)))
    assert (healthy.version, healthy.failing_since, healthy.problem) == (1, None, None)


def test_another_problem_is_recorded_but_failing_counts_from_the_first() -> None:
    record = record_of(read(None, 0))
    failing = record_of(stored(after_problem(record, ALICE, SERVER_BUSY, at(5), RULES)))
    worse = record_of(after_problem(failing, ALICE, NO_ACCESS, at(10), RULES))
    assert worse.failing_since == at(5)
    assert worse.problem is not None
    assert (worse.problem.problem.code, worse.problem.since) == ("ErrorNoFreeBusyAccess", at(10))


def test_after_twelve_hours_of_failing_the_presence_is_unknown_and_said_once() -> None:
    record = record_of(read(None, 0, busy(0, 60 * 20)))
    failing = record_of(stored(after_problem(record, ALICE, SERVER_BUSY, at(5), RULES)))
    stale = record_of(stored(after_problem(failing, ALICE, SERVER_BUSY, at(5 + 30), RULES)))
    assert (stale.version, stale.presence, stale.freshness, stale.change) == (
        2,
        BUSY,
        Freshness.STALE,
        Change.FRESHNESS,
    )
    almost = after_problem(stale, ALICE, SERVER_BUSY, at(5) + timedelta(hours=12, seconds=-1), RULES)
    assert almost.record is None
    unknown = record_of(stored(after_problem(stale, ALICE, SERVER_BUSY, at(5) + timedelta(hours=12), RULES)))
    assert (unknown.version, unknown.presence, unknown.previous, unknown.next_at) == (3, UNKNOWN, BUSY, None)
    assert (unknown.freshness, unknown.change, unknown.until) == (Freshness.UNKNOWN, Change.PRESENCE, None)
    assert after_problem(unknown, ALICE, SERVER_BUSY, at(5) + timedelta(hours=13), RULES).record is None
    back = record_of(read(unknown, 60 * 14, busy(0, 60 * 20)))
    assert (back.version, back.presence, back.freshness) == (4, BUSY, Freshness.CURRENT)
    assert back.since == at(60 * 14), "until then it was unknown"


def test_a_first_version_is_news_of_a_presence_whatever_it_is() -> None:
    """Who filters out that only an end moved must hear of a new user."""
    unknown = record_of(read(None, 0, busy(-60, 90, BusyType.NO_DATA)))
    assert (unknown.presence, unknown.until, unknown.change) == (UNKNOWN, at(90), Change.PRESENCE)
    failed = record_of(after_problem(None, ALICE, NO_ACCESS, at(0), RULES))
    assert (failed.version, failed.change, failed.freshness) == (1, Change.PRESENCE, Freshness.UNKNOWN)


def test_a_mailbox_of_which_nothing_was_ever_known_is_nothing_new_at_the_next_reading() -> None:
    record = record_of(read(None, 0, busy(-60, 24 * 60, BusyType.NO_DATA)))
    for minutes in (5, 10):
        decision = read(record, minutes, busy(minutes - 60, minutes + 24 * 60, BusyType.NO_DATA))
        assert decision.record is None, decision.why


def test_a_stretch_without_data_that_moves_with_the_window_is_nothing_new() -> None:
    record = record_of(read(None, 0, busy(30, 60)))
    for minutes in (5, 10, 15):
        gap = busy(minutes - 60, minutes + 24 * 60, BusyType.NO_DATA)
        decision = read(record, minutes, gap)
        assert (decision.record is None) == (minutes > 5), decision.why
        record = decision.record or record
    assert (record.presence, record.until, record.version) == (AVAILABLE, at(30), 1)


@pytest.mark.parametrize("known", [True, False])
def test_no_data_keeps_what_was_known_and_is_unknown_otherwise(known: bool) -> None:
    before = record_of(read(None, 0, busy(0, 60))) if known else None
    record = record_of(read(before, 10, busy(5, 120, BusyType.NO_DATA)))
    assert record.presence == (BUSY if known else UNKNOWN)


def test_a_change_of_address_is_stored() -> None:
    record = record_of(read(None, 0))
    renamed = replace(ALICE, address="alice.b@example.com")
    decision = after_reading(record, renamed, Readings(reading(5)), DEFAULT, at(5), RULES)
    assert record_of(decision).address == "alice.b@example.com"
    assert record_of(decision).version == 1
