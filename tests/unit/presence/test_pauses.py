"""A calendar that is paused: certain while the pause lasts, and no longer than that."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from presence.calendar import BusyType
from presence.commands import SetPresence, UseCalendar
from presence.decisions import after_command, at_transition
from presence.freshness import Freshness, Rules
from presence.knowledge import CalendarUse
from presence.presences import UNKNOWN, Activity, Availability, Presence
from presence.profiles import DEFAULT
from presence.records import Change, PresenceRecord, User
from tests.support.one_user import OneUser, at, entry

NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)
TEN = NINE + timedelta(hours=1)
ALICE = User("a" * 32, "alice@example.com")


def switched(use: CalendarUse) -> PresenceRecord:
    record = after_command(None, ALICE, UseCalendar(use), DEFAULT, NINE, Rules()).record
    assert record is not None
    return replace(record, revision=1)


def test_when_a_pause_is_over_nothing_is_known_until_the_calendar_is_read() -> None:
    paused = switched(CalendarUse(paused_until=TEN))
    assert (paused.presence, paused.freshness, paused.next_at) == (UNKNOWN, Freshness.CURRENT, TEN)
    over = at_transition(paused, TEN, Rules()).record
    assert over is not None
    assert (over.presence, over.freshness, over.version) == (UNKNOWN, Freshness.UNKNOWN, 2)


def test_a_pause_ends_to_the_second_also_under_what_is_set_by_hand() -> None:
    away = SetPresence(Presence(Availability.AWAY, Activity.AWAY), "alice", until=TEN + timedelta(hours=1))
    paused = after_command(switched(CalendarUse(paused_until=TEN)), ALICE, away, DEFAULT, NINE, Rules()).record
    assert paused is not None
    assert (paused.presence, paused.freshness, paused.next_at) == (away.presence, Freshness.CURRENT, TEN)
    over = at_transition(paused, TEN, Rules()).record
    assert over is not None
    assert (over.presence, over.freshness) == (away.presence, Freshness.UNKNOWN)


@pytest.mark.parametrize("publish_until", [True, False])
@pytest.mark.parametrize(
    ("before", "after", "rule"),
    [
        (CalendarUse(paused_until=TEN), CalendarUse(on=False), "calendar-off"),
        (CalendarUse(on=False), CalendarUse(paused_until=TEN), "calendar-paused"),
    ],
    ids=["a pause becomes off", "off becomes a pause"],
)
def test_how_a_calendar_is_not_shown_is_published_once_also_where_no_end_is_published(
    before: CalendarUse, after: CalendarUse, rule: str, *, publish_until: bool
) -> None:
    rules, command = Rules(publish_until=publish_until), UseCalendar(after)
    changed = after_command(switched(before), ALICE, command, DEFAULT, NINE, rules).record
    assert changed is not None
    assert (changed.version, changed.change, changed.reason.rule) == (2, Change.PRESENCE, rule)
    again = after_command(changed, ALICE, command, DEFAULT, NINE, rules).record
    assert again is None or again.version == changed.version


def test_that_a_calendar_is_not_paused_any_more_is_published_also_where_no_data_is_all_that_is_read() -> None:
    someone = OneUser(rules=Rules(publish_until=False))
    someone.ask(0, UseCalendar(CalendarUse(paused_until=at(5))))
    assert someone.read(6, entry(-54, 1446, BusyType.NO_DATA)), "the end of the pause has not been applied yet"
    assert [record.reason.rule for record in someone.written] == ["calendar-paused", "no-data"]
    assert [record.version for record in someone.written] == [1, 2]
    assert someone.record.change is Change.SOURCE


def test_a_calendar_that_is_off_stays_off() -> None:
    assert switched(CalendarUse(on=False)).next_at is None
    assert switched(CalendarUse(on=False, paused_until=TEN)).next_at is None
