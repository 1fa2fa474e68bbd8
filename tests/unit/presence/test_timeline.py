from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from presence.calendar import BusyType, CalendarEntry, Window
from presence.claims import Claim, Source
from presence.knowledge import claims_of_entries
from presence.mapping import Kind, judge
from presence.presences import AVAILABLE, UNKNOWN, Activity, Availability, Presence
from presence.profiles import DEFAULT
from presence.timeline import (
    MAXIMUM_SEGMENTS,
    Segment,
    from_instant,
    is_cut,
    says_the_same,
    segment_at,
    stretch_at,
    timeline_of,
)

TEN = datetime(2026, 11, 23, 10, tzinfo=UTC)
DAY = Window(TEN - timedelta(hours=10), TEN + timedelta(hours=14))

BUSY = Presence(Availability.BUSY, Activity.BUSY)
MEETING = Presence(Availability.BUSY, Activity.IN_A_MEETING)
AWAY = Presence(Availability.AWAY, Activity.OUT_OF_OFFICE)
ELSEWHERE = Presence(Availability.AVAILABLE, Activity.WORKING_ELSEWHERE)


def at(minutes: float) -> datetime:
    return TEN + timedelta(minutes=minutes)


def entry(
    start: float, end: float, busy_type: BusyType = BusyType.BUSY, *, meeting: bool | None = None
) -> CalendarEntry:
    return CalendarEntry(at(start), at(end), busy_type, is_meeting=meeting)


def claims_of(entries: Iterable[CalendarEntry]) -> list[Claim]:
    return claims_of_entries([(entry, judge(entry, DEFAULT, None)) for entry in entries], DEFAULT, DAY.end)


def timeline(*entries: CalendarEntry, window: Window = DAY) -> tuple[Segment, ...]:
    return timeline_of(claims_of(entries), window)


def shown(segments: tuple[Segment, ...]) -> list[tuple[float | None, float | None, Presence]]:
    """The timeline as minutes from ten o'clock."""

    def minutes(instant: datetime | None) -> float | None:
        return None if instant is None else (instant - TEN).total_seconds() / 60

    return [(minutes(segment.since), minutes(segment.until), segment.presence) for segment in segments]


@pytest.mark.parametrize(
    ("busy_type", "meeting", "presence"),
    [
        pytest.param(BusyType.FREE, None, AVAILABLE, id="free claims nothing"),
        pytest.param(BusyType.TENTATIVE, None, AVAILABLE, id="tentative claims nothing"),
        pytest.param(BusyType.BUSY, None, BUSY, id="busy, of which no more is known, is busy"),
        pytest.param(BusyType.BUSY, False, BUSY, id="a busy appointment is busy"),
        pytest.param(BusyType.BUSY, True, MEETING, id="a busy meeting with others is a meeting"),
        pytest.param(BusyType.OUT_OF_OFFICE, None, AWAY, id="out of office is away"),
        pytest.param(BusyType.OUT_OF_OFFICE, True, AWAY, id="an out-of-office meeting is away"),
        pytest.param(BusyType.WORKING_ELSEWHERE, None, ELSEWHERE, id="working elsewhere is available elsewhere"),
    ],
)
def test_each_status_is_shown_as_the_table_says(busy_type: BusyType, meeting: bool | None, presence: Presence) -> None:
    segment = segment_at(timeline(entry(0, 60, busy_type, meeting=meeting)), at(30))
    assert segment is not None
    assert segment.presence == presence


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        pytest.param([], [(-600, None, AVAILABLE)], id="an empty calendar is available as far as known"),
        pytest.param(
            [entry(0, 60), entry(10, 20)],
            [(-600, 0, AVAILABLE), (0, 60, BUSY), (60, None, AVAILABLE)],
            id="a meeting inside another does not end it",
        ),
        pytest.param(
            [entry(0, 30), entry(20, 60)],
            [(-600, 0, AVAILABLE), (0, 60, BUSY), (60, None, AVAILABLE)],
            id="crossing entries run until the later end",
        ),
        pytest.param(
            [entry(0, 30), entry(30, 60)],
            [(-600, 0, AVAILABLE), (0, 60, BUSY), (60, None, AVAILABLE)],
            id="back-to-back entries leave no gap",
        ),
        pytest.param(
            [entry(0, 30), entry(30, 60, meeting=True)],
            [(-600, 0, AVAILABLE), (0, 30, BUSY), (30, 60, MEETING), (60, None, AVAILABLE)],
            id="an appointment that touches a meeting changes the activity",
        ),
        pytest.param(
            [entry(0, 60, BusyType.OUT_OF_OFFICE), entry(20, 90)],
            [(-600, 0, AVAILABLE), (0, 60, AWAY), (60, 90, BUSY), (90, None, AVAILABLE)],
            id="out of office beats busy, and busy comes back when it ends",
        ),
        pytest.param(
            [entry(0, 60, BusyType.WORKING_ELSEWHERE), entry(20, 30)],
            [(-600, 0, AVAILABLE), (0, 20, ELSEWHERE), (20, 30, BUSY), (30, 60, ELSEWHERE), (60, None, AVAILABLE)],
            id="busy beats working elsewhere",
        ),
        pytest.param(
            [entry(0, 30), entry(0, 30), entry(0, 30)],
            [(-600, 0, AVAILABLE), (0, 30, BUSY), (30, None, AVAILABLE)],
            id="an entry that repeats ends once",
        ),
        pytest.param([entry(0, 0)], [(-600, None, AVAILABLE)], id="an entry without length claims nothing"),
        pytest.param(
            [entry(30, 0)], [(-600, None, AVAILABLE)], id="an entry that ends before it starts claims nothing"
        ),
        pytest.param([entry(-700, -650)], [(-600, None, AVAILABLE)], id="an entry before the window claims nothing"),
        pytest.param(
            [entry(-700, -300)],
            [(-600, -300, BUSY), (-300, None, AVAILABLE)],
            id="an entry that runs into the window starts with it",
        ),
        pytest.param(
            [entry(0, 60 * 48)],
            [(-600, 0, AVAILABLE), (0, None, BUSY)],
            id="an entry that runs past the horizon has no known end",
        ),
    ],
)
def test_overlaps(entries: list[CalendarEntry], expected: list[tuple[float, float | None, Presence]]) -> None:
    segments = timeline(*entries)
    merged: list[tuple[float | None, float | None, Presence]] = []
    for since, until, presence in shown(segments):
        if merged and merged[-1][2] == presence:
            merged[-1] = (merged[-1][0], until, presence)
        else:
            merged.append((since, until, presence))
    assert merged == expected


def test_a_segment_says_which_rule_won_and_what_it_beat() -> None:
    segment = segment_at(
        timeline(
            entry(0, 60, BusyType.OUT_OF_OFFICE), entry(0, 60), entry(0, 60), entry(0, 60, BusyType.WORKING_ELSEWHERE)
        ),
        at(1),
    )
    assert segment is not None
    assert (segment.source, segment.rule, segment.beaten) == (
        Source.CALENDAR,
        "out-of-office",
        ("busy", "working-elsewhere"),
    )


def test_what_is_beaten_is_named_with_the_strongest_first() -> None:
    claims = [claim(0, 60, strength=number, rule=rule) for number, rule in ((10, "b"), (40, "a"), (20, "d"), (30, "c"))]
    segment = segment_at(timeline_of(claims, DAY), at(30))
    assert segment is not None
    assert (segment.rule, segment.beaten) == ("a", ("c", "d", "b"))


def test_a_stretch_joins_neighbours_that_show_the_same() -> None:
    segments = timeline(entry(0, 30), entry(30, 60), entry(10, 20, BusyType.WORKING_ELSEWHERE))
    stretch = stretch_at(segments, at(15))
    assert stretch is not None
    assert (stretch.since, stretch.until) == (at(0), at(60))


def test_a_stretch_that_nothing_claims_ends_where_the_same_is_claimed() -> None:
    claim = Claim(at(10), at(20), AVAILABLE, "badge", "claimed-by-badge", 55)
    segments = timeline_of([claim], Window(at(-60), at(24 * 60)))
    stretches = [stretch_at(segments, at(minutes)) for minutes in (0, 15, 30)]
    assert [stretch and (stretch.since, stretch.until) for stretch in stretches] == [
        (at(-60), at(10)),
        (at(10), at(20)),
        (at(20), None),
    ]


def test_half_open_at_the_end_nothing_is_claimed() -> None:
    segment = segment_at(timeline(entry(0, 60)), at(60))
    assert segment is not None
    assert segment.presence == AVAILABLE


def test_the_moving_of_the_window_is_no_change() -> None:
    entries = [entry(-30, 10), entry(60, 90), entry(200, 10_000)]
    later = Window(DAY.start + timedelta(minutes=5), DAY.end + timedelta(minutes=5))
    assert says_the_same(timeline(*entries), timeline(*entries, window=later), at(0))


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param([entry(0, 61)], id="another end"),
        pytest.param([entry(0, 60), entry(90, 100)], id="one more entry"),
        pytest.param([entry(0, 60, BusyType.OUT_OF_OFFICE)], id="another status"),
        pytest.param([entry(0, 60), entry(0, 30, BusyType.WORKING_ELSEWHERE)], id="one more beaten claim"),
        pytest.param([], id="an entry less"),
    ],
)
def test_a_change_ahead_is_seen(changed: list[CalendarEntry]) -> None:
    assert not says_the_same(timeline(entry(0, 60)), timeline(*changed), at(-5))


def test_a_crowded_day_is_cut_at_its_far_end_behind_which_nothing_is_known() -> None:
    segments = timeline(*[entry(10 * index, 10 * index + 5) for index in range(60)])
    whole = timeline(*[entry(10 * index, 10 * index + 5) for index in range(49)])
    assert is_cut(segments)
    assert not is_cut(whole)
    assert segments[: MAXIMUM_SEGMENTS - 2] == whole[:-1]
    assert shown(segments)[-2:] == [(490, 495, BUSY), (495, None, UNKNOWN)]
    assert (segments[-1].source, segments[-1].rule) == (Source.NONE, "beyond-horizon")


def test_a_timeline_with_as_many_segments_as_are_kept_is_whole_and_one_more_cuts_it() -> None:
    meetings = [entry(10 * index - 600, 10 * index - 595) for index in range(MAXIMUM_SEGMENTS // 2)]
    assert shown(timeline(*meetings))[MAXIMUM_SEGMENTS - 1 :] == [(-105, None, AVAILABLE)]
    assert shown(timeline(*meetings, entry(839, 9000)))[MAXIMUM_SEGMENTS - 1 :] == [
        (-105, 839, AVAILABLE),
        (839, None, UNKNOWN),
    ]


entries_of_a_day = st.lists(
    st.builds(
        entry,
        start=st.integers(-700, 900),
        end=st.integers(-700, 900),
        busy_type=st.sampled_from([status for status in BusyType if status is not BusyType.NO_DATA]),
        meeting=st.none() | st.booleans(),
    ).filter(lambda made: made.start <= made.end),
    max_size=12,
)


def naive_presence(entries: list[CalendarEntry], instant: datetime) -> Presence:
    """What one sees by looking at a single instant: the strongest of the entries that run."""
    running = [each for each in entries if each.start <= instant < each.end]
    if any(each.busy_type is BusyType.OUT_OF_OFFICE for each in running):
        return AWAY
    if any(each.busy_type is BusyType.BUSY and each.is_meeting for each in running):
        return MEETING
    if any(each.busy_type is BusyType.BUSY for each in running):
        return BUSY
    if any(each.busy_type is BusyType.WORKING_ELSEWHERE for each in running):
        return ELSEWHERE
    return AVAILABLE


@given(entries=entries_of_a_day, minute=st.integers(-600, 839))
def test_every_instant_shows_what_a_look_at_that_instant_shows(entries: list[CalendarEntry], minute: int) -> None:
    segment = segment_at(timeline(*entries), at(minute))
    assert segment is not None
    assert segment.presence == naive_presence(entries, at(minute))


@given(entries=entries_of_a_day)
def test_the_window_is_covered_without_gap_or_overlap(entries: list[CalendarEntry]) -> None:
    segments = timeline(*entries)
    assert segments[0].since == DAY.start
    assert segments[-1].until is None
    assert all(one.until == other.since for one, other in pairwise(segments))


@given(entries=entries_of_a_day, data=st.data())
def test_the_order_of_the_entries_makes_no_difference(entries: list[CalendarEntry], data: st.DataObject) -> None:
    assert timeline(*data.draw(st.permutations(entries))) == timeline(*entries)


ONE = Claim(at(0), at(60), BUSY, "phone", "claimed-by-phone", 35)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(replace(ONE, since=at(-10)), id="the beginning"),
        pytest.param(replace(ONE, until=at(90)), id="the end"),
        pytest.param(replace(ONE, until=None), id="having an end"),
        pytest.param(replace(ONE, rule="claimed-by-desk"), id="the rule"),
        pytest.param(replace(ONE, source="desk"), id="the source"),
        pytest.param(replace(ONE, presence=AWAY), id="the availability"),
        pytest.param(replace(ONE, presence=MEETING), id="the activity"),
        pytest.param(replace(ONE, strength=36), id="the strength"),
    ],
)
def test_of_two_claims_that_differ_in_one_thing_only_the_same_is_shown_whichever_comes_first(other: Claim) -> None:
    assert timeline_of([ONE, other], DAY) == timeline_of([other, ONE], DAY)


@given(entries=entries_of_a_day)
def test_a_claim_of_the_same_strength_is_no_reason_to_split(entries: list[CalendarEntry]) -> None:
    twice = [*entries, *entries]
    assert timeline(*twice) == timeline(*entries)


def test_claims_carry_the_source_of_the_calendar() -> None:
    assert claims_of([entry(0, 60)]) == [
        Claim(at(0), at(60), BUSY, Source.CALENDAR, "busy", DEFAULT.strengths[Kind.BUSY])
    ]


def claim(start: float, end: float | None, presence: Presence = BUSY, strength: int = 10, rule: str = "rule") -> Claim:
    return Claim(at(start), None if end is None else at(end), presence, "phone", rule, strength)


def test_a_claim_without_an_end_holds_as_far_as_the_window_reaches() -> None:
    assert shown(timeline_of([claim(0, None)], DAY)) == [(-600, 0, AVAILABLE), (0, None, BUSY)]


def test_a_claim_that_ends_where_the_window_does_leaves_no_end_there() -> None:
    assert shown(timeline_of([claim(0, 840)], DAY)) == [(-600, 0, AVAILABLE), (0, None, BUSY)]


def test_what_a_claim_covered_comes_back_when_it_ends_and_is_named_meanwhile() -> None:
    segments = timeline_of([claim(0, 60, rule="meeting"), claim(20, 30, AWAY, 20, "set-by-hand")], DAY)
    assert shown(segments) == [
        (-600, 0, AVAILABLE),
        (0, 20, BUSY),
        (20, 30, AWAY),
        (30, 60, BUSY),
        (60, None, AVAILABLE),
    ]
    assert [segment.beaten for segment in segments] == [(), (), ("meeting",), (), ()]


def test_of_claims_as_strong_as_each_other_the_first_holds_until_it_ends() -> None:
    segments = timeline_of([claim(10, 40, AWAY, rule="second"), claim(0, 30, rule="first")], DAY)
    assert shown(segments)[1:-1] == [(0, 10, BUSY), (10, 30, BUSY), (30, 40, AWAY)]
    assert [segment.beaten for segment in segments[1:-1]] == [(), ("second",), ()]


@pytest.mark.parametrize(("start", "end"), [(0, 0), (10, 5), (-700, -600), (840, 900), (840, None)])
def test_a_claim_that_holds_at_no_instant_of_the_window_leaves_no_trace(start: float, end: float | None) -> None:
    assert timeline_of([claim(start, end)], DAY) == timeline_of([], DAY)


def test_without_what_has_ended_the_running_segment_is_first() -> None:
    segments = timeline(entry(0, 30), entry(60, 90))
    assert from_instant(segments, at(30))[0].since == at(30)
    assert from_instant(segments, at(29))[0].since == at(0)
    assert from_instant(segments, at(5000)) == segments[-1:]


@pytest.mark.parametrize(
    ("start", "end"),
    [
        pytest.param(at(0), at(0), id="without length"),
        pytest.param(at(1), at(0), id="ending before it starts"),
        pytest.param(at(0).replace(tzinfo=None), at(1).replace(tzinfo=None), id="without a zone"),
    ],
)
def test_a_window_that_is_none_is_refused(start: datetime, end: datetime) -> None:
    with pytest.raises(ValueError, match="window"):
        Window(start, end)
