"""A calendar that is paused: certain while the pause lasts, and no longer than that."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from presence.commands import SetPresence, UseCalendar
from presence.decisions import after_command, at_transition
from presence.freshness import Freshness, Rules
from presence.knowledge import CalendarUse
from presence.presences import UNKNOWN, Activity, Availability, Presence
from presence.profiles import DEFAULT
from presence.records import Change, PresenceRecord, User

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


def test_a_pause_that_becomes_off_is_published_once_also_where_no_end_is_published() -> None:
    off = UseCalendar(CalendarUse(on=False))
    for publish_until in (True, False):
        rules = Rules(publish_until=publish_until)
        now_off = after_command(switched(CalendarUse(paused_until=TEN)), ALICE, off, DEFAULT, NINE, rules).record
        assert now_off is not None
        assert (now_off.version, now_off.change, now_off.reason.rule) == (2, Change.PRESENCE, "calendar-off")
        again = after_command(now_off, ALICE, off, DEFAULT, NINE, rules).record
        assert again is None or again.version == now_off.version


def test_a_calendar_that_is_off_stays_off() -> None:
    assert switched(CalendarUse(on=False)).next_at is None
    assert switched(CalendarUse(on=False, paused_until=TEN)).next_at is None
