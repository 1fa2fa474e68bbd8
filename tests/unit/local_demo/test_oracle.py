"""The oracle against domain.md's table, and against itself done the slow way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.demo.oracle import AVAILABLE, NO_DATA, Calendar, Entry, Shown

TEN = datetime(2026, 11, 21, 10, tzinfo=UTC)
HORIZON = TEN + timedelta(hours=24)


def minutes(count: float) -> datetime:
    return TEN + timedelta(minutes=count)


def entry(start: float, end: float, status: str, *, is_meeting: bool | None = None) -> Entry:
    return Entry(minutes(start), minutes(end), status, is_meeting)


@pytest.mark.parametrize(
    ("status", "is_meeting", "shown"),
    [
        ("Free", None, "Available/Available/none"),
        ("Tentative", True, "Available/Available/none"),
        ("WorkingElsewhere", None, "Available/WorkingElsewhere/calendar"),
        ("Busy", True, "Busy/InAMeeting/calendar"),
        ("Busy", False, "Busy/Busy/calendar"),
        ("Busy", None, "Busy/Busy/calendar"),
        ("OOF", None, "Away/OutOfOffice/calendar"),
        ("NoData", None, "PresenceUnknown/PresenceUnknown/calendar"),
    ],
)
def test_each_status_is_shown_as_domain_md_has_it(*, status: str, is_meeting: bool | None, shown: str) -> None:
    calendar = Calendar((entry(0, 60, status, is_meeting=is_meeting),), HORIZON)
    assert calendar.shown_at(minutes(30)) == Shown(*shown.split("/"))


def test_an_entry_counts_from_its_start_and_no_longer_at_its_end() -> None:
    calendar = Calendar((entry(0, 60, "OOF"),), HORIZON)
    assert calendar.shown_at(minutes(0)).availability == "Away"
    assert calendar.shown_at(minutes(60)) == AVAILABLE
    assert calendar.shown_at(minutes(-1)) == AVAILABLE


def test_the_stronger_status_wins_wherever_it_stands_in_the_calendar() -> None:
    statuses = ["WorkingElsewhere", "Free", "Busy", "OOF", "Tentative"]
    for order in (statuses, statuses[::-1]):
        entries = tuple(entry(0, 60, status) for status in order)
        assert Calendar(entries, HORIZON).shown_at(TEN).activity == "OutOfOffice"
        without = tuple(each for each in entries if each.status != "OOF")
        assert Calendar(without, HORIZON).shown_at(TEN).activity == "Busy"


def test_back_to_back_meetings_are_one_stretch_and_an_appointment_between_them_is_not() -> None:
    meetings = (entry(0, 30, "Busy", is_meeting=True), entry(30, 60, "Busy", is_meeting=True))
    assert Calendar(meetings, HORIZON).stretch_end(TEN) == minutes(60)
    assert Calendar(meetings, HORIZON).stretch_start(minutes(45)) == TEN
    mixed = (meetings[0], entry(30, 60, "Busy", is_meeting=False))
    assert Calendar(mixed, HORIZON).stretch_end(TEN) == minutes(30)


def test_a_short_meeting_inside_a_long_one_does_not_end_it() -> None:
    calendar = Calendar((entry(0, 60, "Busy"), entry(10, 20, "Busy")), HORIZON)
    assert calendar.changes(minutes(-1), minutes(90)) == [minutes(0), minutes(60)]


def test_what_reaches_the_horizon_has_no_end_and_what_was_always_so_has_no_start() -> None:
    calendar = Calendar((entry(0, 60 * 25, "OOF"),), HORIZON)
    assert calendar.stretch_end(minutes(30)) is None
    assert Calendar((), HORIZON).stretch_start(TEN) is None


def test_no_data_keeps_what_was_known_and_is_never_available() -> None:
    gap = (entry(0, 60, "NoData"),)
    assert Calendar(gap, HORIZON).shown_at(minutes(30)) == NO_DATA
    busy = Calendar((entry(0, 30, "Busy"),), HORIZON)
    after = Calendar(gap, HORIZON, before=busy)
    assert after.shown_at(minutes(10)).activity == "Busy"
    assert after.shown_at(minutes(45)) == AVAILABLE, "the earlier reading knew that nothing stood there"
    assert after.stretch_end(minutes(10)) == minutes(30)
    short_sighted = Calendar((), minutes(20))
    assert Calendar(gap, HORIZON, before=short_sighted).shown_at(minutes(45)) == NO_DATA


STATUSES = ("Free", "Tentative", "Busy", "OOF", "WorkingElsewhere", "NoData")
ENTRIES = st.lists(
    st.builds(
        lambda start, length, status, is_meeting: entry(start, start + length, status, is_meeting=is_meeting),
        st.integers(-20, 60),
        st.integers(0, 40),
        st.sampled_from(STATUSES),
        st.sampled_from((True, False, None)),
    ),
    max_size=6,
)


@given(ENTRIES, ENTRIES)
def test_looking_at_the_edges_only_misses_nothing_that_every_minute_would_show(
    now: list[Entry], earlier: list[Entry]
) -> None:
    calendar = Calendar(tuple(now), minutes(80), Calendar(tuple(earlier), minutes(70)))
    every = [minutes(minute) for minute in range(-40, 80)]
    shown = [calendar.shown_at(instant).presence for instant in every]
    changes = [here for here, before, after in zip(every[1:], shown, shown[1:], strict=False) if before != after]
    assert calendar.changes(every[0], every[-1]) == changes
    for instant, presence in zip(every, shown, strict=True):
        ends = [change for change in changes if change > instant]
        assert calendar.stretch_end(instant) == (ends[0] if ends else None)
        starts = [change for change in changes if change <= instant]
        assert calendar.stretch_start(instant) == (starts[-1] if starts else None), presence
