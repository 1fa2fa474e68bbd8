"""Why somebody is shown as they are: told from the record, and from nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from cli.outlook import Outlook
from cli.record_explanation import in_words, why_lines
from presence.automatic_replies import AutomaticReplies
from presence.calendar import BusyType, CalendarEntry, CalendarReading, Window
from presence.commands import SetPresence, UseCalendar
from presence.decisions import Readings, after_command, after_problem, after_reading, at_transition
from presence.errors import Problem, ProblemKind
from presence.freshness import Rules
from presence.knowledge import CalendarUse
from presence.presences import parse_presence
from presence.profiles import DEFAULT
from presence.records import PresenceRecord, Reminders, User
from presence.showing import shown_at
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


def told(record: PresenceRecord, minutes: float = 0, now: float = 0, rules: Rules | None = None) -> str:
    """What is told of a record as the table gives it back: nothing else may be needed, but the rules of decisions."""
    kept = record_from_item(
        {key: value for key, value in item_from_record(replace(record, revision=1), 16).items() if value is not None}
    )
    return "\n".join(why_lines(kept, at(minutes), at(now), rules or Rules()))


def test_the_winner_is_named_with_its_rule_and_what_it_beat() -> None:
    text = told(read(entry(-10, 60, meeting=True), entry(-30, 120, BusyType.WORKING_ELSEWHERE)))
    assert "Published: Busy / InAMeeting since 2026-11-23T11:50:00Z until 2026-11-23T13:00:00Z (version 1)" in text
    assert "won: a meeting with others (source calendar, rule busy-meeting)" in text
    assert "beaten: an entry with the status Working Elsewhere (rule working-elsewhere)" in text


def test_an_entry_that_is_beaten_by_its_like_is_told_as_well() -> None:
    record = read(entry(-10, 60), entry(-5, 30), entry(20, 90))
    assert "beaten: nothing" not in told(record)
    assert "beside it: 1 more by the same rule" in told(record)
    assert "beside it: 2 more by the same rule" in told(record, minutes=25)
    assert "beside it" not in told(record, minutes=61)
    assert "beaten: nothing" in told(record, minutes=61)


def test_entries_that_claim_nothing_are_told_with_the_reason() -> None:
    text = told(read(entry(-10, 60, BusyType.TENTATIVE)))
    assert "2026-11-23T11:50:00Z to 2026-11-23T13:00:00Z now Tentative: tentative entries claim nothing" in text
    assert "because: nothing claims otherwise (source none, rule no-claim)" in text


def test_an_entry_without_length_is_not_told_as_one_that_claims() -> None:
    text = told(read(entry(30, 30, meeting=True)))
    assert "2026-11-23T12:30:00Z Busy: an entry that ends as it begins claims nothing (rule without-length)" in text
    assert "a meeting with others" not in text


def test_another_time_is_told_from_the_timeline() -> None:
    text = told(read(entry(60, 120)), minutes=90)
    assert "At 2026-11-23T13:30:00Z the timeline says Busy / Busy" in text
    assert "Published" not in text
    assert "Next: Available / Available at 2026-11-23T14:00:00Z: nothing claims otherwise" in text


def test_a_time_that_is_over_is_left_to_the_history() -> None:
    record = replace(read(entry(60, 120)), timeline=())
    assert "not kept in the record; see `presence history`" in told(record, minutes=-600)


def test_of_whom_nothing_was_read_another_time_is_not_known_either() -> None:
    never_read = after_problem(None, ALICE, GONE, NOON, Rules()).record
    assert never_read is not None
    assert "At 2026-11-23T13:00:00Z: not known: the calendar has not been read yet" in told(never_read, minutes=60)
    assert "because: the calendar has not been read yet" in told(never_read)


def test_where_and_when_it_was_read_is_told() -> None:
    text = told(read())
    assert (
        "Read: at 2026-11-23T11:59:00Z, or later without news, from https://mail.example.com/EWS/Exchange.asmx" in text
    )
    assert "in the detail Detailed (detailed free/busy), as far as 2026-11-24T12:00:00Z" in text


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


def test_that_automatic_replies_could_not_be_read_is_told_beside_what_was_known_of_them() -> None:
    known = read(replies=AutomaticReplies(enabled=True, start=at(-60), end=at(600)))
    text = told(replace(known, knowledge=replace(known.knowledge, replies_problem="AutomaticRepliesRefused")))
    assert "automatic replies: 2026-11-23T11:00:00Z to 2026-11-23T22:00:00Z, for all" in text
    assert "they could not be read the last time: AutomaticRepliesRefused" in text
    assert "could not be read the last time" not in told(known)


def test_a_change_that_is_due_and_not_applied_is_told() -> None:
    late = replace(read(entry(60, 120)), next_at=at(-1))
    assert "a change was due at 2026-11-23T11:59:00Z and is not applied yet" in told(late)


def test_rules_of_other_systems_name_the_system() -> None:
    assert in_words("claimed-by-phone") == "claimed by the system phone"
    assert in_words("something-else") == "something-else"


def failing(record: PresenceRecord, since: float, until: float) -> PresenceRecord:
    """Return a record whose calendar could not be read from one minute to another, each transition applied."""
    current = after_problem(record, ALICE, GONE, at(since), Rules()).record
    assert current is not None
    while current.next_at is not None and current.next_at <= at(until):
        applied = at_transition(current, current.next_at, Rules()).record
        assert applied is not None
        current = applied
    return current


def by_hand(record: PresenceRecord, until: float, now: float = 0) -> PresenceRecord:
    command = SetPresence(parse_presence("DoNotDisturb"), set_by="operator", until=at(until))
    after = after_command(record, ALICE, command, DEFAULT, at(now), Rules()).record
    assert after is not None
    return after


def next_lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith(("Next: ", "Then: "))]


def test_what_is_not_believed_any_more_is_not_told_as_known() -> None:
    text = told(failing(read(entry(60, 120)), 5, 14 * 60), minutes=14 * 60, now=14 * 60)
    assert "the timeline says" not in text
    assert "At 2026-11-24T02:00:00Z: PresenceUnknown" in text
    assert "since the calendar could not be read for so long" in text
    assert next_lines(text) == ["Next: nothing that is known"]


def test_what_stands_by_hand_is_told_also_where_the_calendar_is_not_believed() -> None:
    record = failing(by_hand(read(), 15 * 60), 5, 14 * 60)
    text = told(record, minutes=14 * 60, now=14 * 60)
    assert "the timeline says DoNotDisturb / DoNotDisturb" in text
    (coming,) = next_lines(text)
    assert coming.startswith("Next: PresenceUnknown / PresenceUnknown at 2026-11-24T03:00:00Z: the calendar could not")


def test_beyond_what_was_read_nothing_is_told_as_known() -> None:
    text = told(read(entry(60, 120)), minutes=25 * 60)
    assert "At 2026-11-24T13:00:00Z: not known: the calendar was read as far as 2026-11-24T12:00:00Z" in text
    assert "the timeline says" not in text
    assert "the timeline says Available" in told(read(entry(60, 120)), minutes=24 * 60 - 1)


def test_behind_more_than_is_kept_of_a_day_nothing_is_told_as_known() -> None:
    crowded = read(*(entry(10 * number, 10 * number + 5) for number in range(60)))
    text = told(crowded, minutes=10 * 60)
    assert "At 2026-11-23T22:00:00Z the timeline says PresenceUnknown" in text
    assert "won: more changes were read than are kept, and what follows is not known" in text


def test_what_follows_a_claim_that_ends_beyond_what_was_read_is_not_known() -> None:
    record = by_hand(read(), 30 * 60)
    assert "the timeline says DoNotDisturb / DoNotDisturb" in told(record, minutes=25 * 60)
    (first, then) = next_lines(told(record))
    assert first.startswith("Next: stale at ")
    assert then == (
        "Then: at 2026-11-24T18:00:00Z what is not known: the calendar was read as far as 2026-11-24T12:00:00Z"
    )


def test_that_a_calendar_which_can_not_be_read_will_not_be_believed_then_is_told() -> None:
    record = failing(read(entry(13 * 60, 14 * 60)), 5, 60)
    text = told(record, minutes=13 * 60 + 30, now=60)
    assert "the timeline says Busy / Busy" in text
    assert "  not believed from 2026-11-24T00:05:00Z on, unless the calendar can be read before" in text
    assert "not believed from" not in told(record, minutes=11 * 60, now=60)
    assert "not believed from" not in told(read(entry(13 * 60, 14 * 60)), minutes=13 * 60 + 30)


def test_what_comes_next_is_told_whatever_it_is_and_the_earliest_first() -> None:
    assert next_lines(told(read())) == ["Next: stale at 2026-11-23T13:34:00Z, unless the calendar is read before"]
    record = replace(read(entry(60, 120, meeting=True)), reminders=Reminders(timedelta(minutes=10)))
    assert next_lines(told(record)) == [
        "Next: a reminder at 2026-11-23T12:50:00Z of the meeting that begins at 2026-11-23T13:00:00Z",
        "Then: Busy / InAMeeting at 2026-11-23T13:00:00Z: a meeting with others",
        "Then: stale at 2026-11-23T13:34:00Z, unless the calendar is read before",
    ]
    stale = failing(read(), 5, 60)
    assert next_lines(told(stale, minutes=60, now=60)) == [
        "Next: unknown at 2026-11-24T00:05:00Z, unless the calendar is read before"
    ]


def test_a_reminder_that_was_given_does_not_come_again() -> None:
    record = read(entry(60, 120, meeting=True), entry(180, 240, meeting=True))
    record = replace(record, reminders=Reminders(timedelta(minutes=10), (at(60),)))
    assert next_lines(told(record))[-1] == (
        "Then: a reminder at 2026-11-23T14:50:00Z of the meeting that begins at 2026-11-23T15:00:00Z"
    )


def test_the_age_is_told_by_the_rules_of_the_stack() -> None:
    rules = Rules(stale_after=timedelta(minutes=10))
    assert next_lines(told(read(), rules=rules)) == [
        "Next: stale at 2026-11-23T13:14:00Z, unless the calendar is read before"
    ]


@given(
    starts=st.lists(st.tuples(st.integers(-90, 300), st.integers(0, 120), st.booleans()), max_size=4),
    hand=st.none() | st.integers(1, 40 * 60),
    before=st.none() | st.integers(1, 120),
    fails_from=st.none() | st.integers(1, 60),
    now=st.integers(0, 900),
)
def test_the_first_that_is_told_to_come_is_what_the_functions_do_next(
    starts: list[tuple[int, int, bool]], hand: int | None, before: int | None, fails_from: int | None, now: int
) -> None:
    record = read(*(entry(start, start + length, meeting=meeting) for start, length, meeting in starts))
    if before is not None:
        record = replace(record, reminders=Reminders(timedelta(minutes=before)))
    if hand is not None:
        record = by_hand(record, hand)
    if fails_from is not None:
        record = after_problem(record, ALICE, GONE, at(min(fails_from, now)), Rules()).record or record
    record = shown_at(record, record.note, at(now), Rules())
    while record.next_at is not None and record.next_at <= at(now):  # reminders that are due together
        record = shown_at(record, record.note, at(now), Rules())
    coming = Outlook(record, at(now), Rules()).coming(at(now))
    assert min((change.at for change in coming), default=None) == record.next_at


def test_a_pause_is_told_as_long_as_it_lasts() -> None:
    paused = UseCalendar(CalendarUse(paused_until=at(60)))
    record = after_command(read(), ALICE, paused, DEFAULT, NOON, Rules()).record
    assert record is not None
    text = told(record)
    assert "calendar: paused until 2026-11-23T13:00:00Z" in text
    assert next_lines(text)[0] == "Next: the pause is over at 2026-11-23T13:00:00Z, and the calendar is read again"
    over = at_transition(record, at(60), Rules()).record
    assert over is not None
    assert "paused" not in told(over, minutes=61, now=61)
