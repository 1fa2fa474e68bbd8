from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from presence.freshness import Freshness
from presence.history import HistoryEntry, entry_of, shown_between
from presence.presences import AVAILABLE, Activity, Availability, Presence
from tests.support.records import available_record

TEN = datetime(2026, 11, 23, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
BUSY = Presence(Availability.BUSY, Activity.IN_A_MEETING)


def entry(version: int, at: datetime) -> HistoryEntry:
    return HistoryEntry("a" * 32, version, at, BUSY, AVAILABLE, at, None, "calendar", "busy-meeting")


DAY = [entry(1, TEN - HOUR), entry(2, TEN), entry(3, TEN + HOUR)]


@pytest.mark.parametrize(
    ("start", "end", "versions"),
    [
        pytest.param(None, None, [1, 2, 3], id="open on both sides"),
        pytest.param(TEN, None, [2, 3], id="from the very instant of a version, without the one that ended there"),
        pytest.param(TEN + HOUR / 2, None, [2, 3], id="the one shown at the start was decided before"),
        pytest.param(None, TEN, [1], id="until the instant of a version, without it"),
        pytest.param(TEN + HOUR / 2, TEN + HOUR / 2 + timedelta(seconds=1), [2], id="a second in the middle of one"),
        pytest.param(TEN + 9 * HOUR, None, [3], id="long after the last, which is still shown"),
        pytest.param(None, TEN - 2 * HOUR, [], id="before the first"),
        pytest.param(TEN, TEN, [], id="no time at all"),
    ],
)
def test_what_was_shown_between(start: datetime | None, end: datetime | None, versions: list[int]) -> None:
    assert [one.version for one in shown_between(DAY, start, end)] == versions


def test_of_nothing_nothing_was_shown() -> None:
    assert shown_between([], TEN, None) == ()


def test_versions_stand_in_their_order_however_they_come() -> None:
    assert [one.version for one in shown_between([DAY[2], DAY[0], DAY[1]], None, None)] == [1, 2, 3]


@given(
    st.lists(st.integers(0, 50), min_size=1, max_size=8, unique=True).map(sorted), st.integers(0, 60), st.integers(1, 9)
)
def test_each_instant_of_the_stretch_has_the_entry_that_was_shown_then(
    minutes: list[int], start: int, length: int
) -> None:
    def at(minute: int) -> datetime:
        return TEN + timedelta(minutes=minute)

    entries = [entry(version, at(minute)) for version, minute in enumerate(minutes, 1)]
    by_instant = {
        max((one.version for one in entries if one.at <= at(minute)), default=None)
        for minute in range(start, start + length)
    }
    found = {one.version for one in shown_between(entries, at(start), at(start + length))}
    assert found == by_instant - {None}


def test_an_entry_says_what_the_record_shows_and_why() -> None:
    record = replace(
        available_record("a" * 32, TEN, until=TEN + HOUR),
        version=7,
        previous=BUSY,
        freshness=Freshness.STALE,
        note="automatic-replies",
    )
    assert entry_of(record) == HistoryEntry(
        user_id="a" * 32,
        version=7,
        at=TEN,
        presence=AVAILABLE,
        previous=BUSY,
        since=TEN,
        until=TEN + HOUR,
        source="none",
        rule="no-claim",
        freshness=Freshness.STALE,
        note="automatic-replies",
    )
