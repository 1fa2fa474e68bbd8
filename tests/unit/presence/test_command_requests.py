"""Commands as they come: what each field becomes, and what is told of one that is wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from presence.command_requests import decode_command_request
from presence.commands import ClearPresence, RemindOfMeetings, SetPresence, UseCalendar
from presence.errors import MalformedMessage
from presence.knowledge import CalendarUse
from presence.presences import Activity, Availability, Presence
from presence.standing_claims import Ending

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def command(type_: str, **more: object) -> dict[str, Any]:
    return {"schemaVersion": 1, "type": type_, "address": "Alice@Example.com", "requestedBy": "desk", **more}


def test_who_it_is_about_and_who_asks() -> None:
    request = decode_command_request(command("ClearPresence"), NOON)
    assert (request.address, request.requested_by) == ("alice@example.com", "desk")
    assert request.command == ClearPresence(asked_at=NOON)


def test_a_presence_is_set_by_hand_unless_a_system_is_named() -> None:
    away = Presence(Availability.AWAY, Activity.AWAY)
    by_hand = decode_command_request(command("SetPresence", presence="Away"), NOON).command
    assert by_hand == SetPresence(away, set_by="desk", source="by-hand", asked_at=NOON)


def test_a_claim_of_another_system_with_all_that_can_be_said() -> None:
    event = command(
        "SetPresence",
        presence="Busy/InACall",
        source="phone",
        strength=99,
        until="2026-11-23T15:00:00+01:00",
        ending="meeting",
        requestedAt="2026-11-23T11:58:00Z",
    )
    assert decode_command_request(event, NOON).command == SetPresence(
        presence=Presence(Availability.BUSY, Activity.IN_A_CALL),
        set_by="desk",
        source="phone",
        strength=99,
        until=NOON + timedelta(hours=2),
        ending=Ending.MEETING,
        asked_at=NOON - timedelta(minutes=2),
    )


def test_minutes_count_from_when_it_was_asked_for() -> None:
    event = command("SetPresence", presence="Away", forMinutes=30, requestedAt="2026-11-23T11:58:00Z")
    decoded = decode_command_request(event, NOON).command
    assert isinstance(decoded, SetPresence)
    assert decoded.until == NOON + timedelta(minutes=28)
    late = command("SetPresence", presence="Away", forMinutes=2, requestedAt="2026-11-23T11:58:00Z")
    with pytest.raises(MalformedMessage, match="forMinutes: has passed"):
        decode_command_request(late, NOON)


@pytest.mark.parametrize(
    ("fields", "use"),
    [
        ({"on": True}, CalendarUse()),
        ({"on": False}, CalendarUse(on=False)),
        (
            {"on": True, "pausedUntil": "2026-11-23T13:00:00Z"},
            CalendarUse(on=True, paused_until=NOON + timedelta(hours=1)),
        ),
    ],
)
def test_the_switch_of_the_calendar(fields: dict[str, object], use: CalendarUse) -> None:
    assert decode_command_request(command("UseCalendar", **fields), NOON).command == UseCalendar(use, NOON)


def test_reminders_on_and_off() -> None:
    on = decode_command_request(command("RemindOfMeetings", minutesBefore=15), NOON).command
    off = decode_command_request(command("RemindOfMeetings"), NOON).command
    assert (on, off) == (RemindOfMeetings(timedelta(minutes=15), NOON), RemindOfMeetings(None, NOON))


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (command("SetPresence", presence="Away", until="2026-11-23T12:00:00Z"), "until: lies in the past"),
        (command("SetPresence", presence="Away", until="2200-01-01T00:00:00Z"), "until: lies beyond the year 2199"),
        (command("UseCalendar", on=True, pausedUntil="2026-11-23T11:59:59Z"), "pausedUntil: lies in the past"),
        (command("UseCalendar", on=True, pausedUntil="9999-12-31T23:59:59Z"), "pausedUntil: lies beyond the year 2199"),
        (command("SetPresence", presence="Away / PresenceUnknown"), "presence: nobody can be set to unknown"),
        (command("SetPresence", presence="Away", requestedBy="a\nb"), "requestedBy: at most 600 characters that can"),
        (command("SetPresence", presence="Away", address="no address at all"), "address: no SMTP address$"),
    ],
)
def test_what_is_wrong_is_told_by_its_field(event: dict[str, Any], text: str) -> None:
    with pytest.raises(MalformedMessage, match=text):
        decode_command_request(event, NOON)


_VALUES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40) | st.lists(st.text(), max_size=2)
)
_KEYS = ["presence", "source", "strength", "until", "forMinutes", "ending", "on", "pausedUntil", "minutesBefore"]
_TYPES = st.sampled_from(["SetPresence", "ClearPresence", "UseCalendar", "RemindOfMeetings"])


@settings(deadline=None)
@given(_TYPES, st.dictionaries(st.sampled_from([*_KEYS, "requestedAt", "requestedBy", "address"]), _VALUES))
def test_whatever_comes_is_taken_or_refused_in_words(type_: str, fields: dict[str, object]) -> None:
    refused_fields = {*_KEYS, "requestedAt", "requestedBy", "address"}
    told = refusal_of({**command(type_, presence="Away", on=True), **fields})
    assert told is None or told.partition(":")[0] in refused_fields


def refusal_of(event: dict[str, Any]) -> str | None:
    try:
        decode_command_request(event, NOON)
    except MalformedMessage as refusal:
        return str(refusal)
    return None
