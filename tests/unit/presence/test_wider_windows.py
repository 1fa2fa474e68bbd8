"""Claims that reach further ahead than the calendar is read: its horizon moves with each check, and that is no news."""

from __future__ import annotations

from dataclasses import replace

import pytest

from presence.automatic_replies import Audience, AutomaticReplies
from presence.calendar import BusyType, CalendarEntry
from presence.commands import SetPresence
from presence.events import Disclosure, presence_changed
from presence.knowledge import picture_of
from presence.mapping import Kind
from presence.presences import AVAILABLE, Activity, Availability, Presence
from presence.profiles import DEFAULT
from presence.timeline import segment_at
from presence.working_hours import MailboxZone, WorkingHours, WorkingPeriod
from tests.support.one_user import OneUser, at, entry
from tests.support.zones import NO_CHANGE

DAY = 24 * 60
MONDAYS_FROM_EIGHT_TO_HALF_PAST = WorkingHours(
    MailboxZone(0, NO_CHANGE, NO_CHANGE), (WorkingPeriod(frozenset({0}), 480, 510),)
)
OFF_WORK = Presence(Availability.OFFLINE, Activity.OFF_WORK)
TELLS_OFF_WORK = replace(DEFAULT, name="desk", presences={**DEFAULT.presences, Kind.OFF_WORK: OFF_WORK})
DO_NOT_DISTURB = Presence(Availability.DO_NOT_DISTURB, Activity.DO_NOT_DISTURB)
REPLIES = AutomaticReplies(enabled=True, start=at(3 * DAY), end=at(5 * DAY), audience=Audience.ALL)


def no_data(minutes: float) -> CalendarEntry:
    """Return the answer for a mailbox without data: as far as it was asked for."""
    return entry(-60, minutes + DAY, BusyType.NO_DATA)


def calm(user: OneUser, *entries: CalendarEntry, without_data: bool = False) -> list[float]:
    """Check every five minutes until it grows stale; return the minutes of the checks that wrote anything."""
    return [
        minutes
        for minutes in range(5, 30, 5)
        if user.read(
            minutes,
            *entries,
            *([no_data(minutes)] if without_data else []),
            hours=MONDAYS_FROM_EIGHT_TO_HALF_PAST,
            replies=REPLIES,
        )
    ]


def test_off_work_beside_replies_of_the_week_after() -> None:
    user = OneUser(TELLS_OFF_WORK)
    user.read(0, hours=MONDAYS_FROM_EIGHT_TO_HALF_PAST, replies=REPLIES)
    assert (user.presence, user.record.until) == (OFF_WORK, at(3 * DAY))
    assert calm(user) == []


def test_off_work_under_a_claim_of_another_system_for_days() -> None:
    user = OneUser(TELLS_OFF_WORK)
    user.read(0, hours=MONDAYS_FROM_EIGHT_TO_HALF_PAST, replies=REPLIES)
    user.ask(1, SetPresence(AVAILABLE, "client", source="client", strength=5, until=at(3 * DAY)))
    assert calm(user) == []


def test_off_work_goes_on_behind_the_horizon_also_when_it_is_worked_out_only_there() -> None:
    user = OneUser(TELLS_OFF_WORK)
    user.read(0, hours=MONDAYS_FROM_EIGHT_TO_HALF_PAST)
    later = at(DAY + 90)
    for timeline in (user.record.timeline, picture_of(user.record.knowledge, TELLS_OFF_WORK, later).timeline):
        segment = segment_at(timeline, later)
        assert segment is not None
        assert segment.presence == OFF_WORK


def test_where_there_is_no_data_at_all() -> None:
    user = OneUser()
    user.read(0, no_data(0), hours=MONDAYS_FROM_EIGHT_TO_HALF_PAST, replies=REPLIES)
    assert calm(user, without_data=True) == []


def test_where_there_is_no_data_any_more() -> None:
    """The first reading without data is news, that what was known ends where it was read to; the others are none."""
    user = OneUser()
    user.read(0, hours=MONDAYS_FROM_EIGHT_TO_HALF_PAST, replies=REPLIES)
    user.ask(1, SetPresence(DO_NOT_DISTURB, "alice", until=at(3 * DAY)))
    assert calm(user, without_data=True) == [5]


def test_an_entry_that_ends_behind_the_horizon_is_shown_as_far_as_anything_is() -> None:
    user = OneUser()
    leave = entry(-60, DAY + 60, BusyType.OUT_OF_OFFICE)
    user.read(0, leave, hours=MONDAYS_FROM_EIGHT_TO_HALF_PAST, replies=REPLIES)
    assert user.record.until is None
    assert calm(user, leave) == []


@pytest.mark.parametrize(
    ("until", "following"),
    [
        pytest.param(DAY - 10, {"availability": "Available", "activity": "Available"}, id="as far as it was read"),
        pytest.param(DAY, None, id="from the horizon on"),
        pytest.param(3 * DAY, None, id="far behind it"),
    ],
)
def test_what_comes_next_is_told_as_far_as_the_calendar_was_read(
    until: float, following: dict[str, str] | None
) -> None:
    user = OneUser()
    user.read(0)
    user.ask(1, SetPresence(DO_NOT_DISTURB, "alice", until=at(until)))
    assert user.record.until == at(until)
    event = presence_changed(user.record, "urn:calendar-presence:test", Disclosure(next=True))
    assert isinstance(event["data"], dict)
    assert event["data"].get("next") == following


def test_what_another_system_claims_is_known_however_far_ahead() -> None:
    user = OneUser()
    user.read(0)
    user.ask(1, SetPresence(AVAILABLE, "client", source="client", strength=5, until=at(5 * DAY)))
    user.ask(2, SetPresence(DO_NOT_DISTURB, "alice", until=at(3 * DAY)))
    event = presence_changed(user.record, "urn:calendar-presence:test", Disclosure(next=True))
    assert isinstance(event["data"], dict)
    assert event["data"]["next"] == {"availability": "Available", "activity": "Available"}
