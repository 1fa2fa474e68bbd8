"""Days with more meetings than a timeline has room for: what there was no room for is unknown, and nobody is free."""

from __future__ import annotations

from datetime import timedelta

import pytest

from presence.calendar import CalendarEntry
from presence.claims import Source
from presence.events import Disclosure, presence_changed
from presence.presences import AVAILABLE, UNKNOWN, Activity, Availability, Presence
from presence.tables.presences import item_from_record
from presence.timeline import MAXIMUM_SEGMENTS, is_cut
from tests.support.one_user import OneUser, at, entry

BUSY = Presence(Availability.BUSY, Activity.BUSY)
LARGEST_TIMELINE = 10 * 1024


def separate(meetings: int, every: float = 20) -> list[CalendarEntry]:
    """Return short meetings, from half past nine on."""
    return [entry(30 + every * index, 30 + every * index + every / 2) for index in range(meetings)]


def expected(entries: list[CalendarEntry], minutes: float) -> Presence:
    return BUSY if any(one.start <= at(minutes) < one.end for one in entries) else AVAILABLE


@pytest.mark.parametrize("meetings", [20, 30, 49])
def test_many_meetings_are_shown_all_day_though_exchange_is_down(meetings: int) -> None:
    day, user = separate(meetings, every=13), OneUser()
    user.read(0, *day)
    user.fail(5)
    for minute in range(10, 30 + 13 * meetings + 15):
        user.run_until(minute)
        assert user.presence == expected(day, minute), minute


def test_behind_a_timeline_that_is_cut_the_presence_is_unknown_until_the_calendar_is_read_again() -> None:
    day, user = separate(60, every=10), OneUser()
    user.read(0, *day)
    *_, last, cut = user.record.timeline
    assert is_cut(user.record.timeline)
    assert (last.until, len(user.record.timeline)) == (cut.since, MAXIMUM_SEGMENTS + 1)
    assert (cut.until, cut.presence, cut.source, cut.rule) == (None, UNKNOWN, Source.NONE, "beyond-horizon")
    user.fail(5)
    for minute in range(10, 630):
        user.run_until(minute)
        assert user.presence == (expected(day, minute) if at(minute) < cut.since else UNKNOWN), minute
    user.read(630, *(one for one in day if one.end > at(570)))
    assert user.presence == expected(day, 630)


def test_that_there_was_no_room_is_no_presence_that_comes_next() -> None:
    user = OneUser()
    user.read(0, *separate(60, every=10))
    user.run_until((user.record.timeline[-2].since - at(0)) / timedelta(minutes=1))
    assert user.record.until == user.record.timeline[-1].since
    event = presence_changed(user.record, "urn:calendar-presence:test", Disclosure(next=True))
    assert isinstance(event["data"], dict)
    assert "next" not in event["data"]


def test_a_full_timeline_of_overlapping_meetings_is_stored_in_less_than_ten_kilobytes() -> None:
    user = OneUser()
    user.read(
        0, *separate(60, every=10), *(entry(31 + 10 * index, 38 + 10 * index, meeting=True) for index in range(60))
    )
    assert is_cut(user.record.timeline)
    text = item_from_record(user.record, shards=1)["timeline"]
    assert isinstance(text, str)
    assert 6 * 1024 < len(text) < LARGEST_TIMELINE
