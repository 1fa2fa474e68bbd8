"""What a profile makes of a single entry: each rule of domain.md, "Rules per profile"."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import pytest

from presence.calendar import BusyType, CalendarEntry
from presence.mapping import DEFAULT_ORDER, Judgement, Kind, PrivateEntries, Profile, judge
from presence.presences import AVAILABLE, UNKNOWN, Activity, Availability, Presence
from presence.profiles import CISCO_9, CISCO_15, DEFAULT, LYNC
from presence.working_hours import MailboxZone
from tests.support.one_user import entry
from tests.support.zones import BERLIN, TOKYO, ZONES

BUSY = Presence(Availability.BUSY, Activity.BUSY)
MEETING = Presence(Availability.BUSY, Activity.IN_A_MEETING)
AWAY = Presence(Availability.AWAY, Activity.OUT_OF_OFFICE)
ELSEWHERE = Presence(Availability.AVAILABLE, Activity.WORKING_ELSEWHERE)
BY_CHOICE = replace(DEFAULT, presences=MappingProxyType({**DEFAULT.presences, Kind.TENTATIVE: BUSY}))


@pytest.mark.parametrize(
    ("profile", "made", "presence"),
    [
        pytest.param(DEFAULT, entry(0, 60, BusyType.FREE), None, id="free claims nothing"),
        pytest.param(DEFAULT, entry(0, 60, BusyType.TENTATIVE), None, id="tentative claims nothing"),
        pytest.param(BY_CHOICE, entry(0, 60, BusyType.TENTATIVE), BUSY, id="tentative is busy by choice"),
        pytest.param(DEFAULT, entry(0, 60), BUSY, id="busy of which no more is known"),
        pytest.param(DEFAULT, entry(0, 60, meeting=False), BUSY, id="an appointment"),
        pytest.param(DEFAULT, entry(0, 60, meeting=True), MEETING, id="a meeting with others"),
        pytest.param(DEFAULT, entry(0, 60, BusyType.OUT_OF_OFFICE, meeting=True), AWAY, id="out of office"),
        pytest.param(DEFAULT, entry(0, 60, BusyType.WORKING_ELSEWHERE), ELSEWHERE, id="elsewhere"),
        pytest.param(LYNC, entry(0, 60, BusyType.WORKING_ELSEWHERE), AVAILABLE, id="elsewhere, as Lync shows it"),
        pytest.param(LYNC, entry(0, 60, meeting=True), MEETING, id="a meeting, as Lync shows it"),
        pytest.param(CISCO_9, entry(0, 60, meeting=True), BUSY, id="a meeting is Idle/Busy in release 9"),
        pytest.param(CISCO_15, entry(0, 60), MEETING, id="all that is busy is a meeting in release 15"),
        pytest.param(CISCO_9, entry(0, 60, BusyType.OUT_OF_OFFICE), AWAY, id="out of office in release 9"),
        pytest.param(DEFAULT, entry(0, 60, BusyType.NO_DATA), UNKNOWN, id="no data is unknown"),
    ],
)
def test_each_status_is_shown_as_the_table_says(
    profile: Profile, made: CalendarEntry, presence: Presence | None
) -> None:
    assert judge(made, profile, BERLIN).presence == presence


@pytest.mark.parametrize(
    ("private", "made", "presence", "rule"),
    [
        (PrivateEntries.LIKE_OTHERS, entry(0, 60, meeting=True, private=True), MEETING, "busy-meeting"),
        (PrivateEntries.PLAIN, entry(0, 60, meeting=True, private=True), BUSY, "busy"),
        (PrivateEntries.PLAIN, entry(0, 60, meeting=True, private=False), MEETING, "busy-meeting"),
        (PrivateEntries.PLAIN, entry(0, 60, meeting=True), MEETING, "busy-meeting"),
        (PrivateEntries.IGNORED, entry(0, 60, private=True), None, "ignored-private"),
        (PrivateEntries.IGNORED, entry(0, 60, BusyType.OUT_OF_OFFICE, private=True), None, "ignored-private"),
        (PrivateEntries.IGNORED, entry(0, 60), BUSY, "busy"),
    ],
)
def test_private_entries_are_treated_as_the_profile_says(
    private: PrivateEntries, made: CalendarEntry, presence: Presence | None, rule: str
) -> None:
    judgement = judge(made, replace(DEFAULT, private=private), BERLIN)
    assert (judgement.presence, judgement.rule) == (presence, rule)


@pytest.mark.parametrize(("minutes", "presence"), [(14, None), (15, BUSY), (16, BUSY)])
def test_entries_shorter_than_the_minimum_claim_nothing(minutes: int, presence: Presence | None) -> None:
    profile = replace(DEFAULT, minimum_length=timedelta(minutes=15))
    judgement = judge(entry(0, minutes), profile, None)
    assert judgement.presence == presence
    assert judgement.rule == ("busy" if presence else "ignored-short")


@pytest.mark.parametrize("status", BusyType)
@pytest.mark.parametrize("shortest", [0, 15])
def test_an_entry_without_length_claims_nothing_and_says_so(status: BusyType, shortest: int) -> None:
    profile = replace(BY_CHOICE, minimum_length=timedelta(minutes=shortest))
    assert judge(entry(30, 30, status, meeting=True), profile, BERLIN) == Judgement("without-length")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


ALL_DAY = [
    pytest.param(TOKYO, "2026-11-22T15:00", "2026-11-23T15:00", True, id="a day of Tokyo comes as 15:00Z to 15:00Z"),
    pytest.param(TOKYO, "2026-11-23T00:00", "2026-11-24T00:00", False, id="a day of London is none in Tokyo"),
    pytest.param(BERLIN, "2026-11-22T23:00", "2026-11-24T23:00", True, id="two days of Berlin"),
    pytest.param(BERLIN, "2026-03-28T23:00", "2026-03-29T22:00", True, id="the day of Berlin that has 23 hours"),
    pytest.param(BERLIN, "2026-10-24T22:00", "2026-10-25T23:00", True, id="the day of Berlin that has 25 hours"),
    pytest.param(BERLIN, "2026-11-22T23:00", "2026-11-23T22:59", False, id="a minute less than a day"),
    pytest.param(
        ZONES["Australia/Lord_Howe"], "2026-10-03T13:30", "2026-10-04T13:00", True, id="a day with 23.5 hours"
    ),
    pytest.param(None, "2026-11-22T23:00", "2026-11-23T23:00", False, id="a mailbox whose zone is not known"),
]


@pytest.mark.parametrize(("zone", "start", "end", "all_day"), ALL_DAY)
def test_all_day_is_from_midnight_to_midnight_where_the_mailbox_is(
    zone: MailboxZone | None, start: str, end: str, *, all_day: bool
) -> None:
    made = CalendarEntry(utc(start), utc(end), BusyType.BUSY)
    assert judge(made, DEFAULT, zone).presence == BUSY, "by default it counts"
    ignoring = judge(made, replace(DEFAULT, all_day_busy=False), zone)
    assert (ignoring.presence, ignoring.rule) == ((None, "ignored-all-day") if all_day else (BUSY, "busy"))
    away = replace(made, busy_type=BusyType.OUT_OF_OFFICE)
    assert judge(away, replace(DEFAULT, all_day_busy=False), zone).presence == AWAY, "all day out of office counts"


@pytest.mark.parametrize("zone", [None, BERLIN], ids=["zone not known", "Berlin"])
@pytest.mark.parametrize(
    ("end", "is_all_day"), [("2026-11-23T23:00", False), ("2026-11-22T23:30", True)], ids=["a day", "half an hour"]
)
def test_where_it_is_told_whether_an_entry_lasts_all_day_that_counts_and_not_its_times(
    zone: MailboxZone | None, end: str, *, is_all_day: bool
) -> None:
    """Read from the calendar, the flag is the owner's own (domain.md, "What can be known with which rights")."""
    made = CalendarEntry(utc("2026-11-22T23:00"), utc(end), BusyType.BUSY, is_all_day=is_all_day)
    rule = judge(made, replace(DEFAULT, all_day_busy=False), zone).rule
    assert rule == ("ignored-all-day" if is_all_day else "busy")


def test_what_claims_nothing_says_why() -> None:
    assert judge(entry(0, 60, BusyType.FREE), DEFAULT, None) == Judgement("free")
    assert judge(entry(0, 60, BusyType.TENTATIVE), DEFAULT, None) == Judgement("tentative-claims-nothing")


def test_a_piece_of_an_entry_that_was_kept_is_not_measured_again() -> None:
    """Else the end of a long meeting, for which Exchange has no data now, would become free time."""
    profile = replace(DEFAULT, minimum_length=timedelta(minutes=45), all_day_busy=False)
    kept = judge(replace(entry(0, 10), is_kept=True), profile, BERLIN)
    assert (kept.presence, kept.rule) == (BUSY, "last-known")
    day = CalendarEntry(utc("2026-11-22T23:00"), utc("2026-11-23T23:00"), BusyType.BUSY, is_kept=True)
    assert judge(day, profile, BERLIN).presence == BUSY


def test_free_time_that_was_kept_is_available_and_weaker_than_anything_known() -> None:
    kept = judge(replace(entry(0, 60, BusyType.FREE), is_kept=True), DEFAULT, None)
    assert (kept.presence, kept.rule) == (AVAILABLE, "last-known")
    assert kept.strength < min(DEFAULT.strengths.values())
    assert judge(entry(0, 60, BusyType.NO_DATA), DEFAULT, None).strength == kept.strength


def test_the_order_of_a_profile_says_what_is_stronger() -> None:
    strengths = [DEFAULT.strengths[kind] for kind in DEFAULT_ORDER]
    assert strengths == sorted(strengths, reverse=True)
    busy_first = replace(DEFAULT, order=(Kind.BUSY, *(kind for kind in DEFAULT_ORDER if kind is not Kind.BUSY)))
    away, busy = (judge(entry(0, 60, status), busy_first, None) for status in (BusyType.OUT_OF_OFFICE, BusyType.BUSY))
    assert busy.strength > away.strength
    assert judge(entry(0, 60), DEFAULT, None).strength < judge(entry(0, 60, meeting=True), DEFAULT, None).strength
