"""What the oracle expects of a day: each rule by an example, with instants in minutes after nine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from local.demo.day_expectations import Claimed, News, Observation, Switched, TakenBack, acceptable_days
from local.demo.expectations import Cause, Expected
from local.demo.oracle import Entry, Replies, Shown

NINE = datetime(2026, 10, 29, 9, tzinfo=UTC)
DO_NOT_DISTURB = Shown("DoNotDisturb", "DoNotDisturb", "by-hand")


def at(minutes: float) -> datetime:
    return NINE + timedelta(minutes=minutes)


def entry(start: float, end: float, status: str = "Busy") -> Entry:
    return Entry(at(start), at(end), status)


def read(minutes: float, *entries: Entry) -> Observation:
    return Observation(at(minutes), entries)


def failed(minutes: float) -> Observation:
    return Observation(at(minutes), None)


def told(minutes: float, replies: Replies | None, *entries: Entry) -> Observation:
    return Observation(at(minutes), entries, asked_replies=True, replies=replies)


def expected(*news: News, closes: float = 60 * 24) -> tuple[Expected, ...]:
    (sequence,) = acceptable_days(news, NINE, at(closes))
    return sequence


def shown(*news: News, closes: float = 60 * 24) -> list[tuple[float, str]]:
    """When what is published first, in minutes, and the activity; with how far it is believed, if not wholly."""
    return [
        (
            (change.not_before - NINE) / timedelta(minutes=1),
            change.shown.activity + (f", {change.freshness}" if change.freshness != "current" else ""),
        )
        for change in expected(*news, closes=closes)
    ]


MEETING = entry(30, 60)


def test_a_calendar_takes_effect_at_its_boundaries() -> None:
    assert shown(read(0.5, MEETING), read(5.5, MEETING)) == [(0.5, "Available"), (30, "Busy"), (60, "Available")]
    first, begins, ends = expected(read(0.5, MEETING))
    assert (first.cause, begins.cause, ends.cause) == (Cause.FIRST, Cause.BOUNDARY, Cause.BOUNDARY)
    assert (begins.since_from, begins.since_to, begins.until) == (at(30), at(30), at(60))
    assert ends.until is None


def test_an_edit_counts_from_the_reading_that_saw_it() -> None:
    longer = entry(30, 90)
    sequence = expected(read(0.5, MEETING), read(40.5, longer), read(45.5, longer))
    assert [(change.not_before, change.until) for change in sequence] == [
        (at(0.5), at(30)),
        (at(30), at(60)),
        (at(40.5), at(90)),
        (at(90), None),
    ]
    assert (sequence[2].cause, sequence[2].since_from) == (Cause.EDIT, at(30)), "only its end moved"
    assert sequence[2].not_after == at(40.5) + timedelta(seconds=1)


def test_an_end_beyond_the_horizon_is_told_when_it_comes_into_view() -> None:
    tomorrow = entry(60 * 24 + 2, 60 * 25)
    assert [change.until for change in expected(read(1, tomorrow), read(6, tomorrow), closes=20)] == [
        None,
        at(60 * 24 + 2),
    ]


def test_what_fails_is_kept_then_stale_then_unknown() -> None:
    news = [read(0.5, MEETING), *(failed(5.5 + 5 * count) for count in range(200))]
    assert shown(*news) == [
        (0.5, "Available"),
        (30, "Busy"),
        (35.5, "Busy, stale"),
        (60, "Available, stale"),
        (5.5 + 12 * 60, "PresenceUnknown, unknown"),
    ]
    assert expected(*news)[2].cause is Cause.AGE


def test_a_reading_ends_staleness_and_it_counts_anew() -> None:
    news = [read(0.5), failed(5.5), failed(40.5), read(45.5), failed(50.5)]
    assert shown(*news, closes=85) == [
        (0.5, "Available"),
        (35.5, "Available, stale"),
        (45.5, "Available"),
        (80.5, "Available, stale"),
    ]


def test_who_was_never_read_is_unknown_until_they_are() -> None:
    assert shown(failed(1), failed(6), read(11, entry(0, 30))) == [
        (1, "PresenceUnknown, unknown"),
        (11, "Busy"),
        (30, "Available"),
    ]
    assert expected(failed(1), read(11, entry(-30, 30)))[1].since_from == at(11), "unknown was shown until then"


def test_missing_data_keeps_what_was_known_and_grows_stale() -> None:
    gap = entry(0, 120, "NoData")
    assert shown(read(0.5, MEETING), read(5.5, gap), read(10.5, gap), read(70.5)) == [
        (0.5, "Available"),
        (30, "Busy"),
        (35.5, "Busy, stale"),
        (60, "Available, stale"),
        (70.5, "Available"),
    ]
    assert shown(read(0.5, gap), read(10.5, entry(11, 40, "NoData"))) == [
        (0.5, "PresenceUnknown"),
        (10.5, "Available"),
        (11, "PresenceUnknown"),
        (40, "Available"),
    ]
    assert shown(read(0.5, gap, entry(0, 120))) == [(0.5, "Busy"), (120, "Available")], "told beside it"


def test_scheduled_replies_end_to_the_second_and_give_way_to_meetings() -> None:
    replies = Replies(at(-60), at(45.25))
    assert shown(told(0.5, replies, MEETING)) == [(0.5, "OutOfOffice"), (30, "Busy"), (60, "Available")]
    longer = Replies(at(-60), at(75.25))
    assert shown(told(0.5, longer, MEETING)) == [
        (0.5, "OutOfOffice"),
        (30, "Busy"),
        (60, "OutOfOffice"),
        (75.25, "Available"),
    ]


def test_replies_that_are_simply_on_are_a_note() -> None:
    sequence = expected(told(0.5, None), told(5.5, Replies()), read(10.5), told(15.5, None))
    assert [(change.not_before, change.note) for change in sequence] == [
        (at(0.5), None),
        (at(5.5), "automatic-replies"),
        (at(15.5), None),
    ]


def test_what_is_set_by_hand_ends_at_its_time() -> None:
    by_hand = Claimed(at(40), DO_NOT_DISTURB, at(50))
    assert shown(read(0.5, MEETING), by_hand, read(45.5, MEETING), read(52.5, MEETING)) == [
        (0.5, "Available"),
        (30, "Busy"),
        (40, "DoNotDisturb"),
        (50, "Busy"),
        (60, "Available"),
    ]


def test_what_is_set_by_hand_ends_where_the_day_changes_and_follows_it() -> None:
    by_hand = Claimed(at(10), DO_NOT_DISTURB)
    assert shown(read(0.5, MEETING), by_hand) == [
        (0.5, "Available"),
        (10, "DoNotDisturb"),
        (30, "Busy"),
        (60, "Available"),
    ]
    moved = entry(50, 60)
    sequence = expected(read(0.5, MEETING), by_hand, read(20.5, moved))
    assert [(change.not_before, change.until) for change in sequence][1:4] == [
        (at(10), at(30)),
        (at(20.5), at(50)),
        (at(50), at(60)),
    ]


def test_what_was_set_by_hand_and_has_ended_stays_so() -> None:
    by_hand = Claimed(at(10), DO_NOT_DISTURB)
    assert shown(read(0.5, MEETING), by_hand, read(32.5), closes=50) == [
        (0.5, "Available"),
        (10, "DoNotDisturb"),
        (30, "Busy"),
        (32.5, "Available"),
    ]


def test_without_a_change_ahead_it_ends_after_eight_hours() -> None:
    assert shown(read(0.5), Claimed(at(10), DO_NOT_DISTURB))[-1] == (10 + 8 * 60, "Available")


def test_what_was_set_by_hand_can_be_taken_back() -> None:
    by_hand = Claimed(at(40), DO_NOT_DISTURB, at(500))
    sequence = expected(read(0.5, MEETING), by_hand, TakenBack(at(45)), closes=50)
    assert [change.shown.activity for change in sequence][-1] == "Busy"
    assert sequence[-1].since_from == at(45), "something else was shown until then"


def test_another_system_claims_until_it_takes_back_and_a_hand_is_stronger() -> None:
    in_a_call = Claimed(at(10), Shown("Busy", "InACall", "phone"))
    by_hand = Claimed(at(15), DO_NOT_DISTURB, at(18))
    news: list[News] = [read(0.5, MEETING), in_a_call, by_hand, TakenBack(at(35), "phone")]
    assert shown(*news) == [
        (0.5, "Available"),
        (10, "InACall"),
        (15, "DoNotDisturb"),
        (18, "InACall"),
        (35, "Busy"),
        (60, "Available"),
    ]


def test_a_calendar_that_is_off_is_unknown_and_read_anew_when_it_is_on() -> None:
    sequence = expected(read(0.5, MEETING), Switched(at(40), on=False), Switched(at(50), on=True), read(50.5, MEETING))
    assert [(change.shown.activity, change.shown.source, change.freshness) for change in sequence] == [
        ("Available", "none", "current"),
        ("Busy", "calendar", "current"),
        ("PresenceUnknown", "option", "current"),
        ("PresenceUnknown", "none", "unknown"),
        ("Busy", "calendar", "current"),
        ("Available", "none", "current"),
    ]
    assert [change.since_from for change in sequence][2:5] == [at(40), at(40), at(50.5)]


@pytest.mark.parametrize("seconds", [0.0, 0.4, 1.0])
def test_news_within_a_second_of_a_boundary_may_come_before_or_after_it(seconds: float) -> None:
    moment = at(30) + timedelta(seconds=seconds)
    news = [read(0.5, MEETING), Observation(moment, (entry(30, 90),))]
    ends = [[change.until for change in sequence][1:] for sequence in acceptable_days(news, NINE, at(40))]
    after, before = [at(60), at(90)], [at(90)]
    assert sorted(ends, key=len, reverse=True) == ([after, before] if seconds < 1 else [after])


def test_where_both_orders_come_to_the_same_there_is_one_answer() -> None:
    moment = at(30) + timedelta(seconds=0.4)
    assert len(acceptable_days([read(0.5, MEETING), Observation(moment, (MEETING,))], NINE, at(90))) == 1
