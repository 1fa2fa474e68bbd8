"""What is known of a user, as it becomes a timeline: gaps, off work, automatic replies, calendars that are off."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

import pytest

from presence.automatic_replies import NO_REPLIES, Audience, AutomaticReplies
from presence.calendar import BusyType, CalendarEntry
from presence.knowledge import NOTHING_KNOWN, CalendarUse, Knowledge, meeting_starts, picture_of
from presence.known_calendar import KnownCalendar, KnownEntry
from presence.mapping import Kind, Profile
from presence.presences import AVAILABLE, UNKNOWN, Activity, Availability, Presence
from presence.profile_documents import LONGEST_GAP
from presence.profiles import CISCO_9, DEFAULT
from presence.timeline import Segment, segment_at
from presence.working_hours import WorkingHours, WorkingPeriod
from tests.support.one_user import OneUser, at, entry
from tests.support.zones import BERLIN, OFFICE_HOURS, TOKYO

BUSY = Presence(Availability.BUSY, Activity.BUSY)
MEETING = Presence(Availability.BUSY, Activity.IN_A_MEETING)
AWAY = Presence(Availability.AWAY, Activity.OUT_OF_OFFICE)
OFF_WORK = Presence(Availability.OFFLINE, Activity.OFF_WORK)
NIGHTS_OFF = replace(DEFAULT, presences=MappingProxyType({**DEFAULT.presences, Kind.OFF_WORK: OFF_WORK}))
CLOSING = replace(DEFAULT, close_gaps=timedelta(minutes=10))


def knowing(
    *entries: CalendarEntry, hours: WorkingHours | None = None, replies: AutomaticReplies | None = None
) -> Knowledge:
    known = tuple(KnownEntry(one, "") for one in entries)
    return Knowledge(KnownCalendar(known, at(24 * 60), "https://mail.example.com/", "FreeBusy", hours), replies)


def timeline(knowledge: Knowledge, profile: Profile = DEFAULT) -> tuple[Segment, ...]:
    return picture_of(knowledge, profile, at(0)).timeline


def shown(knowledge: Knowledge, minutes: float, profile: Profile = DEFAULT) -> Presence:
    segment = segment_at(timeline(knowledge, profile), at(minutes))
    assert segment is not None
    return segment.presence


def rule(knowledge: Knowledge, minutes: float, profile: Profile = DEFAULT) -> tuple[str, str]:
    segment = segment_at(timeline(knowledge, profile), at(minutes))
    assert segment is not None
    return segment.source, segment.rule


def test_a_timeline_begins_an_hour_ago_and_its_last_segment_has_no_end() -> None:
    segments = timeline(knowing(entry(0, 60)))
    assert (segments[0].since, segments[-1].until) == (at(-60), None)


def test_each_entry_says_by_which_rule_it_counts_or_why_not() -> None:
    profile = replace(DEFAULT, minimum_length=timedelta(minutes=15))
    told = (entry(0, 60, meeting=True), entry(5, 10), entry(20, 60, BusyType.TENTATIVE))
    calendar = picture_of(knowing(*told), profile, at(0)).knowledge.calendar
    assert calendar is not None
    assert [known.rule for known in calendar.entries] == ["busy-meeting", "ignored-short", "tentative-claims-nothing"]


def test_what_ended_an_hour_ago_is_forgotten() -> None:
    calendar = picture_of(knowing(entry(-90, -61), entry(-90, -59)), DEFAULT, at(0)).knowledge.calendar
    assert calendar is not None
    assert [known.entry for known in calendar.entries] == [entry(-90, -59)]


# Gaps between busy entries.


@pytest.mark.parametrize(
    ("entries", "minutes", "presence"),
    [
        pytest.param([entry(0, 30), entry(40, 60)], 35, BUSY, id="as long as is allowed"),
        pytest.param([entry(0, 30), entry(41, 60)], 35, AVAILABLE, id="a minute longer"),
        pytest.param([entry(0, 30, meeting=True), entry(35, 60)], 32, MEETING, id="what was shown before goes on"),
        pytest.param([entry(0, 30, meeting=True), entry(0, 30), entry(35, 60)], 32, MEETING, id="the stronger of two"),
        pytest.param([entry(0, 90), entry(10, 20), entry(25, 95), entry(100, 110)], 97, BUSY, id="nested entries"),
        pytest.param([entry(0, 30), entry(35, 60, BusyType.OUT_OF_OFFICE)], 32, AVAILABLE, id="not before other kinds"),
        pytest.param([entry(0, 30), entry(32, 32), entry(60, 90)], 31, AVAILABLE, id="not before what has no length"),
        pytest.param([entry(0, 30), entry(35, 60)], 60, AVAILABLE, id="not after the last"),
    ],
)
def test_short_gaps_between_busy_entries_are_closed(
    entries: list[CalendarEntry], minutes: float, presence: Presence
) -> None:
    assert shown(knowing(*entries), minutes, CLOSING) == presence


def test_the_longest_gap_stays_closed_at_every_check_until_it_ends() -> None:
    day = (entry(0, 60), entry(60 + LONGEST_GAP, 240))
    user = OneUser(replace(DEFAULT, close_gaps=timedelta(minutes=LONGEST_GAP)))
    for minutes in range(0, 60 + LONGEST_GAP + 10, 5):
        # Exchange is asked for what was an hour ago.
        user.read(minutes + 0.5, *(one for one in day if one.end > at(minutes - 60)))
        user.run_until(minutes + 5)
        assert (user.presence, user.record.until) == (BUSY, at(240)), minutes
    assert user.record.version == 1


def test_a_closed_gap_says_so_and_loses_to_what_is_stronger() -> None:
    day = (entry(0, 30), entry(35, 60))
    assert rule(knowing(*day), 32, CLOSING) == ("calendar", "closed-gap")
    assert shown(knowing(*day, entry(31, 34, BusyType.OUT_OF_OFFICE)), 32, CLOSING) == AWAY


def test_a_gap_stays_closed_where_exchange_has_no_data_any_more() -> None:
    user = OneUser(CLOSING)
    user.read(0, entry(-30, 10), entry(15, 60))
    user.read(5, entry(-60, 24 * 60, BusyType.NO_DATA))
    assert user.run_until(70) == [(60, AVAILABLE)]


# Outside working hours.


def test_outside_working_hours_nothing_is_claimed_unless_a_profile_wants_it() -> None:
    hours = WorkingHours(BERLIN, OFFICE_HOURS)  # 07:00 to 16:00 UTC in winter
    assert shown(knowing(hours=hours), 8 * 60) == AVAILABLE
    assert [shown(knowing(hours=hours), minutes, NIGHTS_OFF) for minutes in (0, 419, 420, 22 * 60 - 1, 22 * 60)] == [
        AVAILABLE,
        AVAILABLE,
        OFF_WORK,
        OFF_WORK,
        AVAILABLE,
    ]
    assert rule(knowing(hours=hours), 420, NIGHTS_OFF) == ("working-hours", "off-work")


def test_working_hours_are_those_of_the_mailbox_s_own_zone() -> None:
    assert shown(knowing(hours=WorkingHours(TOKYO, OFFICE_HOURS)), 0, NIGHTS_OFF) == OFF_WORK, "six in the evening"
    assert shown(knowing(hours=WorkingHours(TOKYO, OFFICE_HOURS)), 14 * 60, NIGHTS_OFF) == AVAILABLE, "eight o'clock"


@pytest.mark.parametrize("hours", [None, WorkingHours(BERLIN, ())], ids=["not told", "no periods"])
def test_without_working_hours_nobody_is_off_work(hours: WorkingHours | None) -> None:
    assert shown(knowing(hours=hours), 12 * 60, NIGHTS_OFF) == AVAILABLE


def test_a_meeting_at_night_is_a_meeting() -> None:
    hours = WorkingHours(BERLIN, (WorkingPeriod(frozenset({0}), 600, 660),))
    assert shown(knowing(entry(400, 460, meeting=True), hours=hours), 430, NIGHTS_OFF) == MEETING


# Automatic replies.


def scheduled(start: float, end: float, audience: Audience = Audience.ALL) -> AutomaticReplies:
    return AutomaticReplies(enabled=True, start=at(start), end=at(end), audience=audience)


@pytest.mark.parametrize("audience", [Audience.ALL, Audience.INTERNAL])
def test_scheduled_replies_are_out_of_office_for_their_time_to_the_second(audience: Audience) -> None:
    user = OneUser()
    user.read(0, replies=scheduled(30, 90.5, audience))
    assert user.run_until(120) == [(30, AWAY), (90.5, AVAILABLE)]
    assert user.record.note is None
    assert rule(knowing(replies=scheduled(30, 90)), 30) == ("automatic-reply", "automatic-reply")


def test_busy_goes_before_automatic_replies_and_those_before_working_elsewhere() -> None:
    replies = scheduled(0, 120)
    day = (entry(0, 30, meeting=True), entry(0, 90, BusyType.WORKING_ELSEWHERE))
    assert shown(knowing(*day, replies=replies), 10) == MEETING
    assert shown(knowing(*day, replies=replies), 60) == AWAY


def test_replies_that_are_simply_switched_on_are_a_note_and_no_claim() -> None:
    picture = picture_of(knowing(replies=AutomaticReplies(enabled=True)), DEFAULT, at(0))
    assert picture.note == "automatic-replies"
    assert [segment.presence for segment in picture.timeline] == [AVAILABLE]


def test_replies_that_are_switched_on_are_a_claim_by_choice_and_then_no_note() -> None:
    profile = replace(CISCO_9, replies_switched_on_claim=True)
    picture = picture_of(knowing(replies=AutomaticReplies(enabled=True)), profile, at(0))
    assert picture.note is None
    assert [(segment.presence, segment.until) for segment in picture.timeline] == [(AWAY, None)]


@pytest.mark.parametrize(
    "replies",
    [
        None,
        NO_REPLIES,
        replace(scheduled(-30, 90), enabled=False),
        scheduled(-30, 90, Audience.EXTERNAL),
        AutomaticReplies(enabled=True, audience=Audience.EXTERNAL),
    ],
    ids=["not read", "none", "scheduled and switched off", "scheduled, to outsiders only", "to outsiders only"],
)
def test_replies_that_no_colleague_gets_are_neither_a_claim_nor_a_note(replies: AutomaticReplies | None) -> None:
    for profile in (DEFAULT, replace(DEFAULT, replies_switched_on_claim=True)):
        picture = picture_of(knowing(replies=replies), profile, at(0))
        assert picture.note is None
        assert [segment.presence for segment in picture.timeline] == [AVAILABLE]


def test_a_profile_that_shows_no_automatic_replies_shows_none() -> None:
    shown_kinds: dict[Kind, Presence] = {
        kind: presence for kind, presence in DEFAULT.presences.items() if kind is not Kind.AUTOMATIC_REPLY
    }
    profile = replace(DEFAULT, presences=MappingProxyType(shown_kinds))
    assert shown(knowing(replies=scheduled(-30, 90)), 0, profile) == AVAILABLE


# A calendar that is not read.


def test_of_whom_nothing_is_known_presence_is_unknown_and_never_available() -> None:
    assert {segment.presence for segment in timeline(NOTHING_KNOWN)} == {UNKNOWN}
    assert rule(NOTHING_KNOWN, 0) == ("none", "not-read")


def test_of_a_calendar_that_is_off_nothing_is_kept_and_what_is_shown_says_so() -> None:
    knowledge = replace(knowing(entry(0, 60), replies=scheduled(0, 60)), use=CalendarUse(on=False))
    picture = picture_of(knowledge, DEFAULT, at(0))
    assert (picture.knowledge.calendar, picture.knowledge.replies, picture.note) == (None, None, None)
    assert [(one.presence, one.source, one.rule) for one in picture.timeline] == [(UNKNOWN, "option", "calendar-off")]


def test_a_pause_ends_by_itself() -> None:
    knowledge = Knowledge(use=CalendarUse(paused_until=at(30)))
    assert [(one.since, one.until, one.rule) for one in timeline(knowledge)] == [
        (at(-60), at(30), "calendar-paused"),
        (at(30), None, "not-read"),
    ]
    assert not knowledge.use.allows(at(29))
    assert knowledge.use.allows(at(30))
    assert not CalendarUse(on=False, paused_until=at(0)).allows(at(30))


# Starts of meetings.


def test_meetings_begin_where_busy_entries_do_that_may_be_meetings() -> None:
    day = (
        entry(0, 30, meeting=True),
        entry(10, 30),
        entry(20, 30, meeting=False),
        entry(40, 50, BusyType.OUT_OF_OFFICE, meeting=True),
        entry(50, 60, BusyType.TENTATIVE, meeting=True),
        entry(60, 60, meeting=True),
        entry(70, 80, meeting=True),
        entry(70, 90),
    )
    calendar = picture_of(knowing(*day), DEFAULT, at(0)).knowledge.calendar
    assert meeting_starts(calendar) == [at(0), at(10), at(70)]
    assert meeting_starts(None) == []


def test_a_meeting_that_is_remembered_begins_where_it_did_and_not_where_data_ends() -> None:
    user = OneUser()
    user.read(0, entry(-30, 60), entry(90, 120))
    user.read(5, entry(0, 24 * 60, BusyType.NO_DATA))
    assert meeting_starts(user.record.knowledge.calendar) == [at(90)]
