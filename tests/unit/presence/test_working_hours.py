from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from presence.working_hours import (
    MailboxZone,
    WorkingHours,
    WorkingPeriod,
    ZoneChange,
    lasts_whole_days,
    stretches_off_work,
    working_hours_from_text,
    working_hours_to_text,
)
from tests.support.zones import BERLIN, NO_CHANGE, SUNDAY, TOKYO, WEEKDAYS, ZONES

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
EVERY_DAY = frozenset(range(7))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def wall_clock(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize("name", ZONES)
def test_every_hour_of_a_year_and_every_second_around_a_change_is_the_zone_s_own(name: str) -> None:
    zone, real = ZONES[name], ZoneInfo(name)
    instant, changes = utc("2025-12-30T00:00:00"), 0
    while instant < utc("2027-01-03T00:00:00"):
        assert zone.local(instant) == instant.astimezone(real).replace(tzinfo=None), instant
        following = instant + HOUR
        if following.astimezone(real).utcoffset() != instant.astimezone(real).utcoffset():
            changes += 1
            for second in range(3600):
                near = instant + timedelta(seconds=second)
                assert zone.local(near) == near.astimezone(real).replace(tzinfo=None), near
        instant = following
    assert changes == (0 if name == "Asia/Tokyo" else 2)


@pytest.mark.parametrize("name", ZONES)
def test_every_half_hour_on_the_clock_is_the_instant_that_the_zone_gives_it(name: str) -> None:
    zone, real = ZONES[name], ZoneInfo(name)
    local = wall_clock("2026-01-01T00:00:00")
    while local.year == 2026:
        # Python reads what is shown twice as the first, and what is skipped with the offset before (PEP 495).
        assert zone.instant(local) == local.replace(tzinfo=real).astimezone(UTC), local
        local += timedelta(minutes=30)


@pytest.mark.parametrize(
    ("local", "instant"),
    [
        ("2026-10-25T02:30:00", "2026-10-25T00:30:00"),
        ("2026-03-29T02:30:00", "2026-03-29T01:30:00"),
        ("2026-03-29T03:00:00", "2026-03-29T01:00:00"),
    ],
    ids=["shown twice: the first", "skipped: as before the change", "the change itself"],
)
def test_a_time_around_a_change_is_one_instant(local: str, instant: str) -> None:
    assert BERLIN.instant(wall_clock(local)) == utc(instant)


@pytest.mark.parametrize(
    "changes",
    [
        (ZoneChange(0, time(2), 1, 1, 0), ZoneChange(0, time(2), 1, 1, 0)),
        (ZoneChange(-60, time(2), 1, 1, 0), ZoneChange(-60, time(2), 5, 7, 0)),
        (NO_CHANGE, ZoneChange(-60, time(2), 5, 3, SUNDAY)),
        (ZoneChange(0, time(2), 5, 3, SUNDAY), NO_CHANGE),
        (ZoneChange(-60, time(2), 0, 0, SUNDAY), ZoneChange(-60, time(2), 0, 0, SUNDAY)),
    ],
    ids=["the same change", "the same bias", "no standard", "no daylight", "neither, with a bias"],
)
def test_a_zone_without_a_real_change_keeps_one_offset(changes: tuple[ZoneChange, ZoneChange]) -> None:
    zone = MailboxZone(-330, *changes)
    ahead = 390 if all(change.month and change.bias for change in changes) else 330
    for month in range(1, 13):
        instant = datetime(2026, month, 15, tzinfo=UTC)
        assert zone.local(instant) == instant.replace(tzinfo=None) + timedelta(minutes=ahead)
        assert zone.instant(zone.local(instant)) == instant


def test_a_change_with_a_year_is_made_in_that_year_alone() -> None:
    zone = MailboxZone(-60, ZoneChange(0, time(3), 25, 10, SUNDAY, 2026), ZoneChange(-60, time(2), 29, 3, SUNDAY, 2026))
    shown = {instant: zone.local(utc(instant)).hour for instant in ("2026-03-29T00:59:59", "2026-03-29T01:00:00")}
    assert shown == {"2026-03-29T00:59:59": 1, "2026-03-29T01:00:00": 3}
    assert [zone.local(datetime(year, 7, 1, 12, tzinfo=UTC)).hour for year in (2025, 2026, 2027)] == [13, 14, 13]


@pytest.mark.parametrize("year", [1, 9999])
def test_at_the_end_of_all_years_an_entry_is_judged_without_an_error(year: int) -> None:
    near = datetime(year, 6, 1, tzinfo=UTC)
    assert BERLIN.instant(BERLIN.local(near)) == near
    first, last = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, tzinfo=UTC)
    assert not lasts_whole_days(first, last, BERLIN)
    assert not lasts_whole_days(first, last, ZONES["America/New_York"])


@pytest.mark.parametrize(
    ("zone", "start", "end", "whole"),
    [
        ("Asia/Tokyo", "2026-11-20T15:00:00", "2026-11-21T15:00:00", True),
        ("Asia/Tokyo", "2026-11-20T15:00:00", "2026-11-23T15:00:00", True),
        ("Asia/Tokyo", "2026-11-21T00:00:00", "2026-11-22T00:00:00", False),
        ("Asia/Tokyo", "2026-11-20T15:00:00", "2026-11-21T14:30:00", False),
        ("Asia/Tokyo", "2026-11-20T15:00:00", "2026-11-20T15:00:00", False),
        ("Asia/Tokyo", "2026-11-21T15:00:00", "2026-11-20T15:00:00", False),
        ("Europe/Berlin", "2026-03-28T23:00:00", "2026-03-29T22:00:00", True),
        ("Europe/Berlin", "2026-03-28T23:00:00", "2026-03-29T23:00:00", False),
        ("Europe/Berlin", "2026-10-24T22:00:00", "2026-10-25T23:00:00", True),
        ("Europe/Berlin", "2026-10-24T22:00:00", "2026-10-25T22:00:00", False),
        ("America/Havana", "2026-03-08T05:00:00", "2026-03-09T04:00:00", True),
        ("America/Havana", "2026-11-01T04:00:00", "2026-11-02T05:00:00", True),
        ("America/Havana", "2026-11-01T05:00:00", "2026-11-02T05:00:00", True),
        ("America/Havana", "2026-11-01T04:00:00", "2026-11-01T05:00:00", False),
        ("Australia/Sydney", "2026-10-03T14:00:00", "2026-10-04T13:00:00", True),
    ],
    ids=[
        "a day of Tokyo",
        "three days of Tokyo",
        "a day of London, in Tokyo",
        "half an hour short",
        "no length",
        "an end before the start",
        "a day of 23 hours",
        "24 hours where the day has 23",
        "a day of 25 hours",
        "24 hours where the day has 25",
        "a day without midnight",
        "a day with two midnights, from the first",
        "a day with two midnights, from the second",
        "from midnight to midnight of the same day",
        "a day of 23 hours in the south",
    ],
)
def test_whole_days_are_those_of_the_zone(zone: str, start: str, end: str, *, whole: bool) -> None:
    assert lasts_whole_days(utc(start), utc(end), ZONES[zone]) is whole


@pytest.mark.parametrize("name", ZONES)
def test_every_day_of_a_year_is_a_whole_day_and_none_is_one_that_is_a_minute_shorter(name: str) -> None:
    real = ZoneInfo(name)
    for number in range(365):
        day = date(2026, 1, 1) + timedelta(days=number)
        start, end = (datetime.combine(each, time(), real).astimezone(UTC) for each in (day, day + timedelta(days=1)))
        assert lasts_whole_days(start, end, ZONES[name]), day
        assert not lasts_whole_days(start, end - timedelta(minutes=1), ZONES[name]), day
        assert not lasts_whole_days(start + timedelta(minutes=1), end, ZONES[name]), day


OFFICE = WorkingHours(BERLIN, (WorkingPeriod(WEEKDAYS, 480, 1020),))
NIGHT_SHIFT = WorkingHours(BERLIN, (WorkingPeriod(EVERY_DAY, 1320, 360),))


@pytest.mark.parametrize(
    ("hours", "start", "end", "expected"),
    [
        # 20 November 2026 is a Friday.
        (
            OFFICE,
            "2026-11-20T00:00:00",
            "2026-11-21T00:00:00",
            [("2026-11-20T00:00:00", "2026-11-20T07:00:00"), ("2026-11-20T16:00:00", "2026-11-21T00:00:00")],
        ),
        (OFFICE, "2026-11-20T16:00:00", "2026-11-23T07:00:00", [("2026-11-20T16:00:00", "2026-11-23T07:00:00")]),
        (OFFICE, "2026-11-20T08:00:00", "2026-11-20T16:00:00", []),
        (OFFICE, "2026-11-20T08:00:00", "2026-11-20T16:00:01", [("2026-11-20T16:00:00", "2026-11-20T16:00:01")]),
        (NIGHT_SHIFT, "2026-11-20T00:00:00", "2026-11-21T00:00:00", [("2026-11-20T05:00:00", "2026-11-20T21:00:00")]),
        # A night with one hour less.
        (NIGHT_SHIFT, "2026-03-28T21:00:00", "2026-03-29T05:00:00", [("2026-03-29T04:00:00", "2026-03-29T05:00:00")]),
        (WorkingHours(BERLIN, ()), "2026-11-20T00:00:00", "2026-11-21T00:00:00", []),
        (WorkingHours(BERLIN, (WorkingPeriod(EVERY_DAY, 0, 1440),)), "2026-10-24T00:00:00", "2026-10-27T00:00:00", []),
        (WorkingHours(BERLIN, (WorkingPeriod(EVERY_DAY, 540, 540),)), "2026-10-24T00:00:00", "2026-10-27T00:00:00", []),
        (
            WorkingHours(TOKYO, (WorkingPeriod(EVERY_DAY, 540, 720), WorkingPeriod(EVERY_DAY, 780, 1080))),
            "2026-11-20T00:00:00",
            "2026-11-20T10:00:00",
            [("2026-11-20T03:00:00", "2026-11-20T04:00:00"), ("2026-11-20T09:00:00", "2026-11-20T10:00:00")],
        ),
        (
            WorkingHours(TOKYO, (WorkingPeriod(EVERY_DAY, 780, 1080), WorkingPeriod(EVERY_DAY, 540, 900))),
            "2026-11-20T00:00:00",
            "2026-11-20T09:00:00",
            [],
        ),
        (OFFICE, "2026-11-20T20:00:00", "2026-11-20T20:00:00", []),
    ],
    ids=[
        "before and after",
        "a weekend",
        "within a period",
        "a second beyond it",
        "a night shift",
        "a night shift when the clock changes",
        "nothing known",
        "always",
        "from nine to nine",
        "a lunch break",
        "periods that overlap, the later first",
        "no time at all",
    ],
)
def test_off_work_is_what_lies_outside_of_all_periods(
    hours: WorkingHours, start: str, end: str, expected: list[tuple[str, str]]
) -> None:
    assert stretches_off_work(hours, utc(start), utc(end)) == [(utc(since), utc(until)) for since, until in expected]


changes_of_months = st.builds(
    ZoneChange,
    bias=st.integers(-240, 240),
    time=st.times(),
    day_order=st.integers(1, 5),
    month=st.integers(1, 12),
    weekday=st.integers(0, 6),
)
changes_of_one_year = st.builds(
    ZoneChange,
    bias=st.integers(-240, 240),
    time=st.times(),
    day_order=st.integers(1, 28),
    month=st.integers(1, 12),
    weekday=st.integers(0, 6),
    year=st.integers(1900, 2100),
)
changes = changes_of_months | changes_of_one_year | st.just(NO_CHANGE)


@st.composite
def zones(draw: st.DrawFn) -> MailboxZone:
    standard, daylight = draw(changes), draw(changes)
    try:
        return MailboxZone(draw(st.integers(-1440, 1440)), standard, daylight)
    except ValueError:
        return MailboxZone(0, NO_CHANGE, daylight)


periods = st.builds(
    WorkingPeriod,
    weekdays=st.frozensets(st.integers(0, 6), min_size=1),
    start_minute=st.integers(0, 1439),
    end_minute=st.integers(0, 1440),
)
hours_of_all_kinds = st.builds(WorkingHours, zone=zones(), periods=st.lists(periods, max_size=21).map(tuple))


@given(hours_of_all_kinds)
def test_working_hours_come_back_from_their_text(hours: WorkingHours) -> None:
    assert working_hours_from_text(working_hours_to_text(hours)) == hours


def test_the_text_of_an_office_is_short() -> None:
    assert working_hours_to_text(OFFICE) == "-60;0,03:00:00,5,10,6;-60,02:00:00,5,3,6;01234,480,1020"


@given(hours_of_all_kinds, st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1)), st.integers(0, 72))  # noqa: DTZ001
def test_a_minute_is_off_work_where_no_period_of_its_day_or_the_day_before_holds_it(
    hours: WorkingHours, naive: datetime, length: int
) -> None:
    start = naive.replace(tzinfo=UTC, microsecond=0)
    end = start + length * HOUR
    stretches = stretches_off_work(hours, start, end)

    assert all(start <= since < until <= end for since, until in stretches)
    assert all(until < since for (_, until), (since, _) in pairwise(stretches))
    if not hours.periods:
        assert stretches == []
        return
    instant = start
    while instant < end:
        local = hours.zone.local(instant)
        near_a_change = any(
            hours.zone.local(instant + step) - local != step for step in (-4 * DAY, -DAY, -HOUR, HOUR, DAY)
        )
        if not near_a_change:
            off = any(since <= instant < until for since, until in stretches)
            assert off is not any(_holds(period, local) for period in hours.periods), instant
        instant += timedelta(minutes=37)


def _holds(period: WorkingPeriod, local: datetime) -> bool:
    minute = local.hour * 60 + local.minute
    today, yesterday = local.weekday() in period.weekdays, (local.weekday() - 1) % 7 in period.weekdays
    if period.start_minute < period.end_minute:
        return today and period.start_minute <= minute < period.end_minute
    return (today and minute >= period.start_minute) or (yesterday and minute < period.end_minute)


GOOD = working_hours_to_text(OFFICE)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-60",
        "-60;0,03:00:00,5,10,6",
        GOOD + ";",
        GOOD + ";01234,480",
        GOOD + ";01234,480,1020,1",
        GOOD + ";,480,1020",
        GOOD + ";7,480,1020",
        GOOD + ";10,480,1020",
        GOOD + ";0,-1,1020",
        GOOD + ";0,1440,1020",
        GOOD + ";0,480,1441",
        GOOD + ";0,0480,1020",
        GOOD + ";0,٤,1020",
        GOOD + ";0,4.5,1020",
        GOOD + ";0,480,1020" * 21,
        GOOD.replace("-60;0", "60000;0"),
        GOOD.replace("-60;0", "-1441;0"),
        GOOD.replace("03:00:00", "03:00"),
        GOOD.replace("03:00:00", "25:00:00"),
        GOOD.replace("03:00:00", "03:00:00+01:00"),
        GOOD.replace("5,10,6", "6,10,6"),
        GOOD.replace("5,10,6", "0,10,6"),
        GOOD.replace("5,10,6", "5,13,6"),
        GOOD.replace("5,10,6", "5,-1,6"),
        GOOD.replace("5,10,6", "5,10,7"),
        GOOD.replace("5,10,6", "31,11,6,2026"),
        GOOD.replace("5,10,6", "5,10,6,1"),
        GOOD.replace("5,10,6", "5,10,6,9999"),
        GOOD.replace("5,10,6", "5,10,6,2026,1"),
        GOOD.replace("5,10,6", "5,10"),
        GOOD.replace(";0,03", ";241,03"),
        GOOD.replace("0,03:00:00,5,10,6", "0,02:00:00,5,3,6"),
        GOOD + "0" * 1000,
        "{}",
        "\x00",
    ],
)
def test_another_text_is_refused(text: str) -> None:
    assert text != GOOD
    with pytest.raises(ValueError, match=r"."):
        working_hours_from_text(text)


@given(st.text(max_size=60) | st.from_regex(re.compile(r"[-0-9;:,]{0,80}"), fullmatch=True))
def test_any_text_is_working_hours_or_refused(text: str) -> None:
    try:
        hours = working_hours_from_text(text)
    except ValueError:
        return
    assert working_hours_to_text(hours) == text
