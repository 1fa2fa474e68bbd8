"""What is published and when: since and until, what changed, notes, reminders."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest

from presence.automatic_replies import NO_REPLIES, AutomaticReplies
from presence.calendar import BusyType
from presence.commands import ClearPresence, RemindOfMeetings, SetPresence, UseCalendar
from presence.freshness import Freshness, Rules
from presence.knowledge import CalendarUse
from presence.presences import AVAILABLE, UNKNOWN, Activity, Availability, Presence
from presence.records import Change
from tests.support.one_user import OneUser, at, entry

BUSY = Presence(Availability.BUSY, Activity.BUSY)
AWAY = Presence(Availability.AWAY, Activity.OUT_OF_OFFICE)
DO_NOT_DISTURB = Presence(Availability.DO_NOT_DISTURB, Activity.DO_NOT_DISTURB)


def user(*read: float) -> OneUser:
    made = OneUser()
    made.read(0, entry(30, 60), *(entry(start, start + 30) for start in read))
    return made


def test_a_change_says_what_of_that_which_is_published_changed() -> None:
    someone = user()
    assert (someone.record.version, someone.record.change) == (1, Change.PRESENCE)
    someone.read(5, entry(40, 60))
    assert (someone.record.version, someone.record.change, someone.record.until) == (2, Change.UNTIL, at(40))
    someone.read(10, entry(40, 60), replies=AutomaticReplies(enabled=True))
    assert (someone.record.version, someone.record.change) == (3, Change.NOTE)
    assert someone.record.note == "automatic-replies"
    someone.read(15, entry(40, 60), replies=NO_REPLIES)
    without = someone.written[-1]
    assert (without.version, without.change, without.note) == (4, Change.NOTE, None)
    someone.run_until(40)
    assert (someone.record.version, someone.record.change) == (5, Change.PRESENCE)


def test_of_several_changes_at_once_the_weightiest_is_named() -> None:
    someone = user()
    someone.fail(5)
    someone.run_until(29)
    someone.read(29, entry(20, 80), replies=AutomaticReplies(enabled=True))
    assert (someone.record.change, someone.record.note, someone.record.presence) == (
        Change.PRESENCE,
        "automatic-replies",
        BUSY,
    )


def test_available_by_hand_is_news_where_nothing_claimed_it_and_so_is_its_end() -> None:
    someone = OneUser()
    someone.read(0, entry(30, 60))
    someone.ask(5, SetPresence(AVAILABLE, "alice", until=at(20)))
    set_by_hand = someone.record
    assert (set_by_hand.version, set_by_hand.change, set_by_hand.reason.source) == (2, Change.SOURCE, "by-hand")
    assert (set_by_hand.since, set_by_hand.until, set_by_hand.next_at) == (at(0), at(20), at(20))
    assert someone.run_until(20) == []
    ended = someone.record
    assert (ended.version, ended.change, ended.reason.source) == (3, Change.SOURCE, "none")
    assert (ended.presence, ended.since, ended.until) == (AVAILABLE, at(0), at(30))


def test_who_claims_a_presence_is_news_also_where_the_end_is_not_published() -> None:
    someone = OneUser(rules=Rules(publish_until=False))
    someone.read(0)
    someone.ask(5, SetPresence(AVAILABLE, "badge", source="badge", strength=5))
    assert (someone.record.version, someone.record.change) == (2, Change.SOURCE)
    someone.ask(10, SetPresence(AVAILABLE, "alice", until=at(20)))
    assert someone.record.version == 2, "somebody else claims the same"
    someone.ask(15, ClearPresence("badge"))
    someone.run_until(20)
    assert (someone.record.version, someone.record.change, someone.record.reason.source) == (3, Change.SOURCE, "none")


def test_available_by_hand_over_a_meeting_that_ends_meanwhile_ends_as_nothing_claims_it() -> None:
    someone = OneUser()
    someone.read(0, entry(-30, 30))
    someone.ask(5, SetPresence(AVAILABLE, "alice", until=at(40)))
    assert (someone.presence, someone.record.since, someone.record.until) == (AVAILABLE, at(5), at(40))
    assert someone.run_until(60) == []
    assert (someone.record.change, someone.record.reason.source, someone.record.since) == (Change.SOURCE, "none", at(5))


def test_where_the_end_is_not_published_its_moving_is_no_news_but_all_else_is() -> None:
    someone = OneUser(rules=Rules(publish_until=False))
    someone.read(0, entry(30, 60))
    assert someone.read(5, entry(40, 60))
    assert (someone.record.version, someone.record.until) == (1, at(40))
    someone.read(10, entry(40, 60), replies=AutomaticReplies(enabled=True))
    assert someone.record.version == 2


def test_a_note_goes_through_transitions_and_failures() -> None:
    someone = OneUser()
    someone.read(0, entry(30, 60), replies=AutomaticReplies(enabled=True))
    someone.fail(5)
    someone.run_until(60)
    assert {record.note for record in someone.written} == {"automatic-replies"}
    someone.read(65, entry(30, 60))
    assert someone.record.note == "automatic-replies", "replies that were not told stay as they were"


def test_the_next_instant_is_the_first_of_an_end_of_belief_and_a_reminder() -> None:
    someone = user(200)
    assert someone.record.next_at == at(30)
    someone.ask(1, RemindOfMeetings(timedelta(minutes=10)))
    assert someone.record.next_at == at(20)
    someone.run_until(60)
    assert someone.record.next_at == at(65 + 30), "that it grows stale"


def test_a_late_transition_shows_since_when_it_should_have_been() -> None:
    someone = user()
    someone.tick(33)
    assert (someone.record.since, someone.record.changed_at, someone.record.presence) == (at(30), at(33), BUSY)


def test_a_calendar_that_is_switched_off_is_published_once_and_keeps_nothing() -> None:
    someone = OneUser()
    someone.read(0, entry(-30, 60), replies=AutomaticReplies(enabled=True))
    someone.ask(5, UseCalendar(CalendarUse(on=False)))
    record = someone.record
    assert (record.version, record.presence, record.reason.source, record.reason.rule) == (
        2,
        UNKNOWN,
        "option",
        "calendar-off",
    )
    assert (record.knowledge.calendar, record.knowledge.replies, record.note, record.read_at) == (
        None,
        None,
        None,
        None,
    )
    someone.ask(6, UseCalendar(CalendarUse(on=False)))
    assert someone.record.version == record.version
    assert not someone.read(7, entry(-30, 60)), "a check that was under way"


def test_of_a_calendar_that_is_switched_off_there_is_no_problem() -> None:
    someone = OneUser()
    someone.read(0, entry(-30, 60))
    someone.fail(5)
    failing = someone.record
    someone.ask(10, UseCalendar(CalendarUse(on=False)))
    off = someone.record
    assert (failing.problem is None, failing.failing_since) == (False, at(5))
    assert (off.problem, off.failing_since) == (None, None)
    assert not someone.fail(11), "a check that was under way"


def test_a_calendar_that_is_switched_on_again_is_read_again() -> None:
    someone = OneUser()
    someone.read(0, entry(-30, 60))
    someone.ask(5, UseCalendar(CalendarUse(on=False)))
    someone.ask(10, UseCalendar(CalendarUse()))
    assert someone.presence == UNKNOWN, "nobody is available before the calendar was read"
    someone.read(11, entry(-30, 60))
    assert (someone.presence, someone.record.since) == (BUSY, at(11))


def test_a_pause_ends_by_itself_and_what_is_read_then_is_shown() -> None:
    someone = OneUser()
    someone.read(0, entry(-30, 60))
    someone.ask(5, UseCalendar(CalendarUse(paused_until=at(20))))
    assert (someone.presence, someone.record.reason.rule) == (UNKNOWN, "calendar-paused")
    assert not someone.read(19, entry(-30, 60))
    someone.read(20, entry(-30, 60))
    assert (someone.presence, someone.record.freshness) == (BUSY, Freshness.CURRENT)


def test_by_hand_is_shown_with_the_calendar_off() -> None:
    someone = user()
    someone.ask(5, UseCalendar(CalendarUse(on=False)))
    someone.ask(6, SetPresence(DO_NOT_DISTURB, "alice", until=at(20)))
    assert someone.presence == DO_NOT_DISTURB
    assert someone.run_until(20) == [(20, UNKNOWN)]


# Reminders.


def reminded(someone: OneUser) -> list[tuple[float, float]]:
    """Return at which minute of which meeting the user was told."""
    minute = timedelta(minutes=1)
    return [
        ((before.next_at - at(0)) / minute, (start - at(0)) / minute)
        for before, after in pairwise(someone.written)
        for start in after.reminders.reminded_of
        if before.next_at is not None and start not in before.reminders.reminded_of
    ]


def test_a_user_is_reminded_of_each_meeting_to_the_second_and_of_none_twice() -> None:
    someone = OneUser()
    someone.read(0, entry(30, 60, meeting=True), entry(40, 50), entry(70, 80, meeting=False))
    someone.ask(1, RemindOfMeetings(timedelta(minutes=15)))
    someone.run_until(60)
    someone.read(61, entry(30, 60, meeting=True), entry(40, 50), entry(70, 80, meeting=False))
    someone.run_until(90)
    assert reminded(someone) == [(15, 30), (25, 40)], "and of no appointment"


def test_a_reminder_is_no_new_version() -> None:
    someone = user()
    someone.ask(1, RemindOfMeetings(timedelta(minutes=15)))
    someone.run_until(15)
    assert (someone.record.version, someone.record.reminders.reminded_of) == (1, (at(30),))


def test_nobody_is_reminded_who_does_not_want_it() -> None:
    someone = user()
    someone.run_until(60)
    assert reminded(someone) == []
    someone.ask(61, RemindOfMeetings(timedelta(minutes=15)))
    someone.ask(62, RemindOfMeetings(None))
    someone.read(63, entry(90, 120))
    someone.run_until(120)
    assert someone.record.reminders.reminded_of == ()


def test_who_asks_for_it_when_a_meeting_is_near_is_told_at_once_and_not_of_one_that_runs() -> None:
    someone = OneUser()
    someone.read(0, entry(-10, 60), entry(5, 30))
    someone.ask(1, RemindOfMeetings(timedelta(minutes=15)))
    assert someone.record.reminders.reminded_of == (at(5),)


def test_a_meeting_that_moves_is_reminded_of_at_its_new_time() -> None:
    someone = user()
    someone.ask(1, RemindOfMeetings(timedelta(minutes=15)))
    someone.read(5, entry(50, 80))
    someone.run_until(60)
    assert reminded(someone) == [(35, 50)]


def test_a_meeting_put_before_one_that_was_told_is_told_and_the_other_not_again() -> None:
    someone = OneUser()
    later = entry(60, 90, meeting=True)
    someone.read(-60, later)
    someone.ask(-50, RemindOfMeetings(timedelta(minutes=60)))
    someone.run_until(0)
    assert reminded(someone) == [(0, 60)]
    someone.read(5, entry(30, 50, meeting=True), later)
    assert someone.record.reminders.reminded_of == (at(30), at(60))
    someone.run_until(100)
    assert [meeting for _, meeting in reminded(someone)] == [60, 30]


def test_a_meeting_that_moves_and_back_is_told_once_and_two_that_are_due_at_once_are_told_at_once() -> None:
    someone = OneUser()
    someone.read(0, entry(20, 30), entry(21, 40))
    someone.ask(1, RemindOfMeetings(timedelta(minutes=60)))
    assert someone.record.reminders.reminded_of == (at(20), at(21))
    someone.read(5, entry(21, 40))
    assert not someone.read(6, entry(21, 40))
    someone.read(10, entry(20, 30), entry(21, 40))
    assert someone.record.reminders.reminded_of == (at(20), at(21))


def test_by_a_clock_that_goes_after_nobody_is_told_again_and_what_has_passed_is_forgotten() -> None:
    someone = OneUser()
    someone.read(0, entry(20, 30), entry(60, 90))
    someone.ask(1, RemindOfMeetings(timedelta(minutes=5)))
    someone.run_until(20)
    someone.ask(19.5, SetPresence(DO_NOT_DISTURB, "alice", until=at(40)))
    assert reminded(someone) == [(15, 20)]
    someone.run_until(40)
    assert not someone.record.reminders.reminded_of


def test_a_reminder_that_comes_after_the_meeting_has_begun_is_left_out() -> None:
    someone = user(90)
    someone.ask(1, RemindOfMeetings(timedelta(minutes=15)))
    someone.tick(31)
    assert someone.record.reminders.reminded_of == ()
    assert someone.record.next_at == at(60)


def test_nobody_is_reminded_of_what_is_not_believed_any_more_or_not_read() -> None:
    someone = OneUser()
    someone.read(0, entry(60, 70), entry(15 * 60, 16 * 60))
    someone.ask(1, RemindOfMeetings(timedelta(minutes=15)))
    someone.fail(5)
    someone.run_until(16 * 60)
    assert reminded(someone) == [(45, 60)]


@pytest.mark.parametrize("status", [BusyType.OUT_OF_OFFICE, BusyType.TENTATIVE, BusyType.FREE])
def test_nobody_is_reminded_of_what_does_not_make_them_busy(status: BusyType) -> None:
    someone = OneUser()
    someone.read(0, entry(30, 60, status, meeting=True))
    someone.ask(1, RemindOfMeetings(timedelta(minutes=15)))
    someone.run_until(60)
    assert someone.record.reminders.reminded_of == ()


def test_a_claim_taken_back_shows_what_is_below_since_then() -> None:
    someone = user()
    someone.ask(35, SetPresence(DO_NOT_DISTURB, "alice", until=at(50)))
    someone.ask(40, ClearPresence())
    assert (someone.presence, someone.record.since, someone.record.until) == (BUSY, at(40), at(60))


def test_versions_say_what_was_shown_before() -> None:
    someone = user()
    someone.run_until(60)
    assert [(record.version, record.previous, record.presence) for record in someone.written] == [
        (1, UNKNOWN, AVAILABLE),
        (2, AVAILABLE, BUSY),
        (3, BUSY, AVAILABLE),
    ]
