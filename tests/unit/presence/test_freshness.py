"""How long what is shown is believed when the calendar can't be read: kept, stale, unknown, each to the second."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from presence.calendar import BusyType, CalendarEntry
from presence.commands import ClearPresence, SetPresence, UseCalendar
from presence.events import Disclosure, presence_changed
from presence.freshness import Belief, Freshness, Rules, belief_at
from presence.knowledge import CalendarUse
from presence.presences import AVAILABLE, UNKNOWN, Activity, Availability, Presence
from presence.records import Change
from tests.support.one_user import OneUser, at, entry

BUSY = Presence(Availability.BUSY, Activity.BUSY)
DO_NOT_DISTURB = Presence(Availability.DO_NOT_DISTURB, Activity.DO_NOT_DISTURB)
HORIZON = at(24 * 60)
MOMENT = 1e-6 / 60
RULES = Rules(stale_after=timedelta(minutes=30), unknown_after=timedelta(hours=12), check_interval=timedelta(minutes=5))


@pytest.mark.parametrize(
    ("minutes", "freshness", "changes_at"),
    [
        (5, Freshness.CURRENT, at(35)),
        (35 - MOMENT, Freshness.CURRENT, at(35)),
        (35, Freshness.STALE, at(5 + 720)),
        (5 + 720 - MOMENT, Freshness.STALE, at(5 + 720)),
    ],
)
def test_while_checks_fail_it_counts_from_the_first_of_them(
    minutes: float, freshness: Freshness, changes_at: datetime
) -> None:
    assert belief_at(at(minutes), at(0), at(5), HORIZON, RULES) == Belief(freshness, changes_at)


def test_where_no_check_ends_at_all_it_counts_from_when_a_reading_should_have_been_noted() -> None:
    """A reading that brings nothing new is noted once an hour, by the next check."""
    noted = 60 + 5
    assert belief_at(at(noted + 30 - MOMENT), at(0), None, HORIZON, RULES).freshness is Freshness.CURRENT
    assert belief_at(at(noted + 30), at(0), None, HORIZON, RULES) == Belief(Freshness.STALE, at(noted + 720))
    assert belief_at(at(noted + 720), at(0), None, HORIZON, RULES).freshness is Freshness.UNKNOWN


def test_beyond_the_horizon_nothing_was_ever_known() -> None:
    near = at(120)
    assert belief_at(at(119), at(0), at(5), near, RULES) == Belief(Freshness.STALE, near)
    assert belief_at(near, at(0), at(5), near, RULES).freshness is Freshness.UNKNOWN


def test_who_has_it_called_stale_late_believes_no_more_beyond_the_horizon_either() -> None:
    rules = replace(RULES, stale_after=timedelta(hours=24))
    near = at(120)
    assert belief_at(at(5), at(0), at(5), near, rules) == Belief(Freshness.CURRENT, near)
    assert belief_at(near, at(0), at(5), near, rules).freshness is Freshness.UNKNOWN
    assert belief_at(near, at(0), None, near, rules).freshness is Freshness.UNKNOWN


def test_a_check_that_should_come_where_the_calendar_was_read_to_may_be_late() -> None:
    """Each hour, and read two hours ahead: the news that there is none is noted after two hours."""
    rules = replace(RULES, check_interval=timedelta(hours=1))
    assert belief_at(at(129), at(0), None, at(120), rules) == Belief(Freshness.CURRENT, at(130))
    assert belief_at(at(130), at(0), None, at(120), rules).freshness is Freshness.UNKNOWN


def test_an_unknown_belief_waits_for_nothing() -> None:
    assert belief_at(at(2000), at(0), at(5), HORIZON, RULES).changes_at is None


def test_a_day_without_exchange_is_kept_then_stale_then_unknown_and_each_is_published_once() -> None:
    user = OneUser()
    user.read(0, entry(60, 14 * 60))
    for minute in range(5, 16 * 60, 5):
        user.run_until(minute)
        user.fail(minute)
    versions = [
        (record.version, (record.changed_at - at(0)) / timedelta(minutes=1), record.freshness, record.presence)
        for before, record in zip([None, *user.written], user.written, strict=False)
        if before is None or before.version != record.version
    ]
    assert versions == [
        (1, 0, Freshness.CURRENT, AVAILABLE),
        (2, 35, Freshness.STALE, AVAILABLE),
        (3, 60, Freshness.STALE, BUSY),
        (4, 725, Freshness.UNKNOWN, UNKNOWN),
    ]
    assert user.record.since == at(725)


def test_when_nothing_runs_any_more_but_the_transitions_presence_grows_old_all_the_same() -> None:
    user = OneUser()
    user.read(0, entry(60, 14 * 60))
    assert user.run_until(20 * 60) == [(60, BUSY), (65 + 720, UNKNOWN)]
    assert next(record.changed_at for record in user.written if record.freshness is Freshness.STALE) == at(95)
    assert user.record.next_at is None


def test_the_next_good_reading_makes_it_current_again_and_says_so_once() -> None:
    user = OneUser()
    user.read(0, entry(60, 120))
    user.fail(5)
    user.run_until(40)
    assert (user.record.freshness, user.record.change) == (Freshness.STALE, Change.FRESHNESS)
    assert user.read(45, entry(60, 120))
    assert (user.record.freshness, user.record.change, user.record.version) == (
        Freshness.CURRENT,
        Change.FRESHNESS,
        3,
    )
    assert not user.read(50, entry(60, 120))


def test_a_failure_now_and_then_is_no_news() -> None:
    user = OneUser()
    user.read(0, entry(60, 120))
    for minute in range(5, 55, 10):
        user.fail(minute)
        user.read(minute + 5, entry(60, 120))
        user.run_until(minute + 5)
    assert (user.record.version, user.record.freshness) == (1, Freshness.CURRENT)


def test_what_was_set_by_hand_is_shown_also_while_the_calendar_is_not_believed() -> None:
    user = OneUser()
    user.read(0, entry(60, 14 * 60))
    user.fail(5)
    user.ask(10, SetPresence(DO_NOT_DISTURB, "alice", until=at(13 * 60)))
    user.run_until(725)
    assert (user.presence, user.record.freshness) == (DO_NOT_DISTURB, Freshness.UNKNOWN)
    user.run_until(13 * 60)
    assert (user.presence, user.record.reason.rule) == (UNKNOWN, "unknown-after-failing")


@pytest.mark.parametrize("until", [13 * 60, 30 * 60])
def test_what_is_not_believed_any_more_is_not_told_to_come_next_either(until: float) -> None:
    user = OneUser()
    user.read(0, entry(60, 12 * 60))
    user.fail(5)
    user.ask(10, SetPresence(DO_NOT_DISTURB, "alice", until=at(until)))
    user.run_until(725)
    event = presence_changed(user.record, "urn:calendar-presence:test", Disclosure(next=True))
    assert isinstance(event["data"], dict)
    assert event["data"]["next"] == {"availability": "PresenceUnknown", "activity": "PresenceUnknown"}
    assert user.run_until(until) == [(until, UNKNOWN)]


def test_what_is_set_while_nothing_is_believed_is_shown_and_its_end_shows_unknown_again() -> None:
    user = OneUser()
    user.read(0)
    user.fail(5)
    user.run_until(800)
    assert user.presence == UNKNOWN
    user.ask(800, SetPresence(DO_NOT_DISTURB, "alice", until=at(900)))
    assert user.presence == DO_NOT_DISTURB
    user.ask(850, ClearPresence())
    assert user.presence == UNKNOWN


def test_a_calendar_that_is_off_is_never_stale() -> None:
    user = OneUser()
    user.read(0, entry(60, 120))
    user.fail(5)
    user.ask(10, UseCalendar(CalendarUse(on=False)))
    assert (user.record.freshness, user.record.next_at, user.record.failing_since) == (Freshness.CURRENT, None, None)
    assert not user.fail(15), "a check that was under way"


def no_data(start: float, end: float = 48 * 60) -> CalendarEntry:
    return entry(start, end, BusyType.NO_DATA)


def test_a_calendar_without_data_for_now_grows_stale_and_is_not_believed_for_ever() -> None:
    user = OneUser()
    user.read(0, entry(-30, 13 * 60))
    shown: list[tuple[int, tuple[Presence, Freshness]]] = []
    for minute in range(5, 26 * 60, 5):
        user.run_until(minute)
        user.read(minute, no_data(minute - 60))
        state = (user.presence, user.record.freshness)
        if not shown or shown[-1][1] != state:
            shown.append((minute, state))
    assert shown == [
        (5, (BUSY, Freshness.CURRENT)),
        (35, (BUSY, Freshness.STALE)),
        (5 + 12 * 60, (UNKNOWN, Freshness.UNKNOWN)),
    ]
    assert user.record.problem is not None
    assert (user.record.problem.problem.code, user.record.problem.since) == ("NoFreeBusyData", at(5))
    assert user.record.failing_since == at(5)
    user.read(26 * 60, entry(26 * 60 - 5, 27 * 60))
    assert (user.presence, user.record.freshness) == (BUSY, Freshness.CURRENT)
    assert user.record.failing_since is None
    assert user.record.problem is None


def test_without_data_for_now_the_failing_before_goes_on() -> None:
    user = OneUser()
    user.read(0, entry(-30, 13 * 60))
    user.fail(5)
    assert user.read(10, no_data(-60))
    assert user.record.failing_since == at(5)
    assert not user.read(15, no_data(-60)), "said once"
    assert user.fail(20)
    assert (user.record.failing_since, user.record.next_at) == (at(5), at(35))


def test_a_reading_without_data_after_a_long_silence_makes_nothing_believable_again() -> None:
    user = OneUser()
    user.read(0, entry(-30, 24 * 60))
    user.run_until(14 * 60)
    assert user.presence == UNKNOWN
    user.read(14 * 60 + 5, no_data(13 * 60))
    assert (user.presence, user.record.freshness) == (UNKNOWN, Freshness.UNKNOWN)


def test_of_whom_there_never_was_any_data_nothing_is_believed_after_half_a_day() -> None:
    user = OneUser()
    user.read(0, no_data(-60))
    assert (user.presence, user.record.reason.rule, user.record.failing_since) == (UNKNOWN, "no-data", at(0))
    user.read(6 * 60, no_data(5 * 60))
    user.run_until(12 * 60)
    assert (user.presence, user.record.freshness) == (UNKNOWN, Freshness.UNKNOWN)


@pytest.mark.parametrize(
    "entries",
    [
        pytest.param((no_data(6),), id="what comes"),
        pytest.param((no_data(-60, 5),), id="what has passed"),
        pytest.param((no_data(-60), entry(0, 6)), id="an entry beside it counts alone"),
    ],
)
def test_a_reading_that_tells_of_now_is_one_whatever_else_it_lacks(entries: tuple[CalendarEntry, ...]) -> None:
    user = OneUser()
    user.read(0, entry(0, 60))
    user.read(5, *entries)
    assert (user.record.freshness, user.record.failing_since, user.record.problem) == (Freshness.CURRENT, None, None)


def test_an_entry_that_claims_nothing_is_data_all_the_same_but_a_free_one_is_none() -> None:
    user = OneUser()
    user.read(0, no_data(-60), entry(-10, 10, BusyType.TENTATIVE))
    assert user.record.problem is None
    user.read(5, no_data(-55), entry(-10, 10, BusyType.FREE))
    assert user.record.problem is not None


def test_an_operator_sets_how_long() -> None:
    user = OneUser(rules=Rules(stale_after=timedelta(minutes=2), unknown_after=timedelta(hours=1)))
    user.read(0)
    user.fail(5)
    user.run_until(7)
    assert user.record.freshness is Freshness.STALE
    assert user.run_until(65) == [(65, UNKNOWN)]
