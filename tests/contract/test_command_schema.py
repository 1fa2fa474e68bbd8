"""The commands that set_presence takes are what docs/schemas/command.json says, and what the command line sends."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest

from cli.arguments import parser
from cli.presence_words import WORDS
from cli.set_presence import command_of, message_of
from presence.claims import Source
from presence.command_requests import decode_command_request
from presence.errors import MalformedMessage
from presence.presences import Activity, Availability
from presence.records import MOST_REMIND_MINUTES
from presence.standing_claims import Ending
from tests.support.expected_events import cases, event_of, expected_answer
from tests.support.schemas import complaints, schema, undescribed

COMMAND = "schemas/command.json"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ONLY_THE_TABLES_AND_THE_CLOCK_KNOW = {
    "unknown_address",
    "requested_long_ago",
    "past_until",
    "past_pause",
    "until_for_ever",
}
Change = Callable[[dict[str, Any]], object]


def command(type_: str, **more: object) -> dict[str, Any]:
    return {"schemaVersion": 1, "type": type_, "address": "alice@example.com", "requestedBy": "desk", **more}


def everything() -> dict[str, Any]:
    return command(
        "SetPresence",
        requestedAt="2026-11-23T11:59:59.5Z",
        presence="Busy / InACall",
        source="phone",
        strength=55,
        until="2026-11-23T14:00:00+01:00",
        ending="meeting",
    )


GOOD = {
    "all that can be said": everything(),
    "as little as can be said": command("SetPresence", presence="Away"),
    "minutes instead of an end": command("SetPresence", presence="Away", forMinutes=527_040),
    "null for what is not said": command(
        "SetPresence", presence="Away", source=None, strength=None, until=None, forMinutes=30, ending=None
    ),
    "an end beside no minutes": command("SetPresence", presence="Away", until="2026-11-23T14:00:00Z", forMinutes=None),
    "by hand in so many words": command("SetPresence", presence="Away", source="by-hand"),
    "taking back": command("ClearPresence"),
    "taking back a system's claim": command("ClearPresence", source="phone"),
    "off": command("UseCalendar", on=False),
    "off, and no pause": command("UseCalendar", on=False, pausedUntil=None),
    "on": command("UseCalendar", on=True),
    "paused": command("UseCalendar", on=True, pausedUntil="2026-11-23T14:00:00Z"),
    "reminders": command("RemindOfMeetings", minutesBefore=MOST_REMIND_MINUTES),
    "no reminders": command("RemindOfMeetings", minutesBefore=None),
    "a key that nobody knows yet": command("ClearPresence", mood="sunny"),
    "keys of other commands": command("ClearPresence", presence=7, on="maybe", minutesBefore=-1),
}


@pytest.mark.parametrize("event", GOOD.values(), ids=GOOD)
def test_what_the_schema_takes_is_taken(event: dict[str, Any]) -> None:
    assert complaints(COMMAND, event) == []
    decode_command_request(event, NOON)


BAD: dict[str, Change] = {
    "an unknown version": lambda event: event.update(schemaVersion=2),
    "no version": lambda event: event.pop("schemaVersion"),
    "an unknown type": lambda event: event.update(type="ForgetPresence"),
    "no type": lambda event: event.pop("type"),
    "an address that is none": lambda event: event.update(address="alice"),
    "an address without a full domain": lambda event: event.update(address="alice@localhost"),
    "no address": lambda event: event.pop("address"),
    "nobody who asks": lambda event: event.pop("requestedBy"),
    "an empty name of who asks": lambda event: event.update(requestedBy=""),
    "a name of who asks without end": lambda event: event.update(requestedBy="x" * 601),
    "asked for at a time without a zone": lambda event: event.update(requestedAt="2026-11-23T12:00:00"),
    "asked for at a number": lambda event: event.update(requestedAt=1_700_000_000),
    "no presence": lambda event: event.pop("presence"),
    "a presence of the command line": lambda event: event.update(presence="in-a-call"),
    "a presence that is unknown": lambda event: event.update(presence="PresenceUnknown"),
    "half of a presence unknown": lambda event: event.update(presence="Busy / PresenceUnknown"),
    "the other half unknown": lambda event: event.update(presence="PresenceUnknown / Busy"),
    "an availability that is no activity": lambda event: event.update(presence="BusyIdle"),
    "a source with capitals": lambda event: event.update(source="Phone"),
    "a source that begins with a digit": lambda event: event.update(source="1phone"),
    "a source of 33 letters": lambda event: event.update(source="a" * 33),
    "an empty source": lambda event: event.update(source=""),
    "a source of our own": lambda event: event.update(source="automatic-reply"),
    "no strength at all": lambda event: event.update(strength=0),
    "as weak as that nothing is known": lambda event: event.update(strength=2),
    "too much strength": lambda event: event.update(strength=100),
    "half a strength": lambda event: event.update(strength=50.5),
    "a strength that is true": lambda event: event.update(strength=True),
    "a strength by hand": lambda event: event.update(source="by-hand"),
    "a strength by hand without a word": lambda event: event.pop("source"),
    "an end without a zone": lambda event: event.update(until="2026-11-23T14:00:00"),
    "an end in words": lambda event: event.update(until="tomorrow"),
    "an end and minutes": lambda event: event.update(forMinutes=30),
    "no minutes": lambda event: (event.pop("until"), event.update(forMinutes=0)),
    "minutes of more than a year": lambda event: (event.pop("until"), event.update(forMinutes=527_041)),
    "an unknown ending": lambda event: event.update(ending="sunset"),
    "an empty ending": lambda event: event.update(ending=""),
}


@pytest.mark.parametrize("change", BAD.values(), ids=BAD)
def test_what_the_schema_refuses_is_refused(change: Change) -> None:
    event = copy.deepcopy(everything())
    change(event)
    refused_by_both(event)


@pytest.mark.parametrize(
    "event",
    [
        command("ClearPresence", source="option"),
        command("UseCalendar"),
        command("UseCalendar", on="off"),
        command("UseCalendar", on=None),
        command("UseCalendar", on=False, pausedUntil="2026-11-23T14:00:00Z"),
        command("UseCalendar", on=True, pausedUntil="2026-11-23T14:00:00"),
        command("RemindOfMeetings", minutesBefore=0),
        command("RemindOfMeetings", minutesBefore=MOST_REMIND_MINUTES + 1),
        command("RemindOfMeetings", minutesBefore="10"),
        [],
        None,
        "SetPresence",
    ],
)
def test_other_commands_that_the_schema_refuses_are_refused(event: object) -> None:
    refused_by_both(event)


def test_the_schema_knows_the_words_that_the_code_knows() -> None:
    known = {
        (availability, activity)
        for availability, activity in product([*Availability, "Asleep"], [*Activity, "Asleep"])
        if not complaints(COMMAND, command("SetPresence", presence=f"{availability} / {activity}"))
    }
    assert known == {
        (availability, activity)
        for availability, activity in product(Availability, Activity)
        if availability is not Availability.UNKNOWN and activity is not Activity.UNKNOWN
    }
    single = {one for one in Availability if not complaints(COMMAND, command("SetPresence", presence=one))}
    assert single == {one for one in Availability if one.value in set(map(str, Activity))} - {Availability.UNKNOWN}
    reserved = schema(COMMAND)["$defs"]["source"]["anyOf"][1]["not"]["enum"]
    assert set(reserved) == set(Source) - {Source.BY_HAND}
    assert all(not complaints(COMMAND, command("SetPresence", presence="Away", ending=one)) for one in Ending)


@pytest.mark.parametrize("case", [case for case in cases() if case.startswith("set_presence/")])
def test_the_schema_has_nothing_against_the_test_events_but_against_those_that_are_refused(case: str) -> None:
    refused = "refused" in expected_answer(case) and case.partition("/")[2] not in ONLY_THE_TABLES_AND_THE_CLOCK_KNOW
    assert bool(complaints(COMMAND, event_of(case))) == refused


FROM_THE_COMMAND_LINE = [
    *(["set", "alice@example.com", word] for word in WORDS),
    ["set", "alice@example.com", "Busy/InAMeeting", "--until", "2026-11-23T14:00:00+01:00"],
    ["set", "alice@example.com", "busy", "--for", "1h30m"],
    ["set", "alice@example.com", "away", "--until-next-meeting"],
    ["set", "alice@example.com", "in-a-call", "--source", "phone", "--strength", "61"],
    ["clear", "alice@example.com"],
    ["clear", "alice@example.com", "--source", "phone"],
    ["calendar", "alice@example.com", "on"],
    ["calendar", "alice@example.com", "off"],
    ["calendar", "alice@example.com", "pause", "--until", "2026-11-23T14:00:00Z"],
    ["remind", "alice@example.com", "10"],
    ["remind", "alice@example.com", "off"],
]


@pytest.mark.parametrize("arguments", FROM_THE_COMMAND_LINE, ids=" ".join)
def test_what_the_command_line_sends_is_described_and_taken(arguments: list[str]) -> None:
    parsed = parser().parse_args([*arguments, "--stack", "prod"])
    message = message_of(command_of(parsed), parsed.address, "arn:aws:iam::123456789012:user/desk", NOON)
    assert message["requestedAt"] == "2026-11-23T12:00:00Z", "so that it may be sent again"
    assert complaints(COMMAND, message) == []
    assert undescribed(schema(COMMAND), message) == []
    assert decode_command_request(message, NOON).address == "alice@example.com"


def refused_by_both(event: object) -> None:
    assert complaints(COMMAND, event)
    with pytest.raises(MalformedMessage):
        decode_command_request(event, NOON)
