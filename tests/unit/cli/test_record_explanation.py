"""Why somebody is shown as they are: told from the record, and from nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from cli.record_explanation import in_words, why_lines
from presence.automatic_replies import AutomaticReplies
from presence.calendar import BusyType, CalendarEntry, CalendarReading, Window
from presence.commands import SetPresence, UseCalendar
from presence.decisions import Readings, after_command, after_problem, after_reading
from presence.errors import Problem, ProblemKind
from presence.freshness import Rules
from presence.knowledge import CalendarUse
from presence.presences import parse_presence
from presence.profiles import DEFAULT
from presence.records import PresenceRecord, User
from presence.tables.presences import item_from_record, record_from_item

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ALICE = User("a" * 32, "alice@example.com")
GONE = Problem("ErrorServerBusy", ProblemKind.PASSING, "ews.example.com answers with ErrorServerBusy", "wait")


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def entry(start: float, end: float, status: BusyType = BusyType.BUSY, *, meeting: bool | None = None) -> CalendarEntry:
    return CalendarEntry(at(start), at(end), status, is_meeting=meeting)


def read(*entries: CalendarEntry, replies: AutomaticReplies | None = None) -> PresenceRecord:
    window = Window(at(-60), at(24 * 60))
    reading = CalendarReading(
        ALICE.address, window, entries, at(-1), "https://mail.example.com/EWS/Exchange.asmx", "Detailed"
    )
    record = after_reading(None, ALICE, Readings(reading, replies), DEFAULT, NOON, Rules()).record
    assert record is not None
    return record


def told(record: PresenceRecord, minutes: float = 0) -> str:
    """What is told of a record as the table gives it back: nothing else may be needed."""
    kept = record_from_item(
        {key: value for key, value in item_from_record(replace(record, revision=1), 16).items() if value is not None}
    )
    return "\n".join(why_lines(kept, at(minutes), NOON))


def test_the_winner_is_named_with_its_rule_and_what_it_beat() -> None:
    text = told(read(entry(-10, 60, meeting=True), entry(-30, 120, BusyType.WORKING_ELSEWHERE)))
    assert "Published: Busy / InAMeeting since 2026-11-23T11:50:00Z until 2026-11-23T13:00:00Z (version 1)" in text
    assert "won: a meeting with others (source calendar, rule busy-meeting)" in text
    assert "beaten: an entry with the status Working Elsewhere (rule working-elsewhere)" in text


def test_entries_that_claim_nothing_are_told_with_the_reason() -> None:
    text = told(read(entry(-10, 60, BusyType.TENTATIVE)))
    assert "2026-11-23T11:50:00Z to 2026-11-23T13:00:00Z now Tentative: tentative entries claim nothing" in text
    assert "because: nothing claims otherwise (source none, rule no-claim)" in text


def test_another_time_is_told_from_the_timeline() -> None:
    text = told(read(entry(60, 120)), minutes=90)
    assert "At 2026-11-23T13:30:00Z the timeline says Busy / Busy" in text
    assert "Published" not in text
    assert "Next: Available / Available at 2026-11-23T14:00:00Z: nothing claims otherwise" in text


def test_a_time_that_is_over_is_left_to_the_history() -> None:
    record = replace(read(entry(60, 120)), timeline=())
    assert "not kept in the record; see `presence history`" in told(record, minutes=-600)


def test_where_and_when_it_was_read_is_told() -> None:
    text = told(read())
    assert (
        "Read: at 2026-11-23T11:59:00Z, or later without news, from https://mail.example.com/EWS/Exchange.asmx" in text
    )
    assert "in the detail Detailed, as far as 2026-11-24T12:00:00Z" in text


def test_what_was_set_by_hand_is_told_with_who_set_it_and_its_end() -> None:
    command = SetPresence(
        parse_presence("DoNotDisturb"), set_by="arn:aws:iam::123456789012:user/operator", until=at(30)
    )
    record = after_command(read(entry(-10, 60)), ALICE, command, DEFAULT, NOON, Rules()).record
    assert record is not None
    text = told(record)
    assert "won: set by hand (source by-hand, rule set-by-hand)" in text
    assert "beaten: an entry with the status Busy (rule busy)" in text
    assert (
        "by hand: DoNotDisturb / DoNotDisturb since 2026-11-23T12:00:00Z until 2026-11-23T12:30:00Z, "
        "set by arn:aws:iam::123456789012:user/operator" in text
    )


def test_a_switched_off_calendar_is_told() -> None:
    record = after_command(read(), ALICE, UseCalendar(CalendarUse(on=False)), DEFAULT, NOON, Rules()).record
    assert record is not None
    text = told(record)
    assert "because: the calendar is switched off for this user" in text
    assert "Read: no calendar of this user is known" in text


def test_a_problem_is_told_with_its_remedy_and_staleness() -> None:
    failing = after_problem(read(), ALICE, GONE, at(-40), Rules()).record
    assert failing is not None
    stale = after_problem(failing, ALICE, GONE, NOON, Rules()).record
    assert stale is not None
    text = told(stale)
    assert "stale, since 2026-11-23T11:20:00Z nothing could be read" in text
    assert "Problem: ErrorServerBusy since 2026-11-23T11:20:00Z" in text
    assert "to do: wait" in text


def test_automatic_replies_are_told_by_their_times() -> None:
    text = told(read(replies=AutomaticReplies(enabled=True, start=at(-60), end=at(600))))
    assert "won: scheduled automatic replies (source automatic-reply, rule automatic-reply)" in text
    assert "automatic replies: 2026-11-23T11:00:00Z to 2026-11-23T22:00:00Z, for all" in text


def test_a_change_that_is_due_and_not_applied_is_told() -> None:
    late = replace(read(entry(60, 120)), next_at=at(-1))
    assert "a change was due at 2026-11-23T11:59:00Z and is not applied yet" in told(late)


def test_rules_of_other_systems_name_the_system() -> None:
    assert in_words("claimed-by-phone") == "claimed by the system phone"
    assert in_words("something-else") == "something-else"
