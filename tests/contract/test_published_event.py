"""What is published is what docs/events says: the JSON Schema of the event, the AsyncAPI description of the topic."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from presence.claims import Source
from presence.events import (
    DATA_SCHEMA,
    EVENT_TYPE,
    REMINDER_SCHEMA,
    REMINDER_TYPE,
    Disclosure,
    encode_event,
    meeting_starting_soon,
    message_attributes,
    presence_changed,
    reminder_attributes,
)
from presence.freshness import Freshness
from presence.instants import format_instant
from presence.presences import Activity, Availability
from presence.records import MOST_REMIND_MINUTES, PresenceRecord, Reminders
from presence.records import Change as RecordChange
from tests.support.records import records
from tests.support.schemas import DOCS, complaints, schema, undescribed

EVENT = "events/presence-changed.v1.schema.json"
REMINDER = "events/meeting-starting-soon.v1.schema.json"
SOURCE = "urn:calendar-presence:prod"
DISCLOSURES = st.builds(Disclosure, until=st.booleans(), next=st.booleans())


def asyncapi() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((DOCS / "events/asyncapi.yaml").read_text(encoding="utf-8"))
    return document


def described_message(name: str = "PresenceChanged") -> dict[str, Any]:
    message: dict[str, Any] = asyncapi()["components"]["messages"][name]
    return message


@given(records(), DISCLOSURES)
def test_every_published_event_is_valid_and_holds_nothing_that_is_not_described(
    record: PresenceRecord, disclosure: Disclosure
) -> None:
    event = json.loads(encode_event(presence_changed(record, SOURCE, disclosure)))
    assert complaints(EVENT, event) == []
    assert undescribed(schema(EVENT), event) == []


@given(records(), DISCLOSURES)
def test_what_stands_twice_in_an_event_says_the_same(record: PresenceRecord, disclosure: Disclosure) -> None:
    event: dict[str, Any] = presence_changed(record, SOURCE, disclosure)
    data = event["data"]
    assert event["id"] == f"{data['user']['id']}:{data['version']}"
    assert int(event["sequence"]) == data["version"]
    assert event["subject"] == data["user"]["email"]
    assert event.get("expirytime") == data["presence"].get("until")


@given(records())
def test_the_schedule_ahead_is_told_only_as_far_as_the_operator_allows(record: PresenceRecord) -> None:
    event = encode_event(presence_changed(record, SOURCE, Disclosure(until=False, next=False)))
    told = json.loads(event)
    assert "until" not in told["data"]["presence"]
    assert "expirytime" not in told
    assert "next" not in told["data"]
    ahead = [format_instant(segment.since) for segment in record.timeline[1:]]
    known = {told["time"], told["data"]["presence"]["since"], told["data"].get("observedAt")}
    assert not [instant for instant in ahead if instant in event and instant not in known]


@given(records())
def test_the_message_attributes_are_those_that_asyncapi_describes(record: PresenceRecord) -> None:
    attributes = message_attributes(record)
    described = asyncapi()["components"]["schemas"]["MessageAttributes"]
    assert list(Draft202012Validator(described).iter_errors(attributes)) == []


def reminded(record: PresenceRecord, minutes: int) -> PresenceRecord:
    return replace(record, reminders=Reminders(timedelta(minutes=minutes), (record.since,)))


@given(records(), st.integers(1, MOST_REMIND_MINUTES))
def test_every_reminder_is_valid_and_holds_nothing_that_is_not_described(record: PresenceRecord, minutes: int) -> None:
    made = meeting_starting_soon(reminded(record, minutes), record.since, SOURCE)
    event: dict[str, Any] = json.loads(encode_event(made))
    assert complaints(REMINDER, event) == []
    assert undescribed(schema(REMINDER), event) == []
    assert event["expirytime"] == event["data"]["meeting"]["startsAt"]
    assert event["subject"] == event["data"]["user"]["email"]
    attributes = reminder_attributes(record)
    described = asyncapi()["components"]["schemas"]["ReminderAttributes"]
    assert list(Draft202012Validator(described).iter_errors(attributes)) == []


MESSAGES = {
    "PresenceChanged": (EVENT, EVENT_TYPE, "MessageAttributes"),
    "MeetingStartingSoon": (REMINDER, REMINDER_TYPE, "ReminderAttributes"),
}


def test_asyncapi_describes_these_messages_and_no_other() -> None:
    assert set(asyncapi()["components"]["messages"]) == set(MESSAGES)
    sent = [message["$ref"] for operation in asyncapi()["operations"].values() for message in operation["messages"]]
    assert len(set(sent)) == len(MESSAGES)


@pytest.mark.parametrize("name", MESSAGES)
def test_the_examples_in_asyncapi_are_valid(name: str) -> None:
    path, event_type, attributes = MESSAGES[name]
    message = described_message(name)
    assert f"events/{message['payload']['$ref'].removeprefix('./')}" == path
    assert message["headers"] == {"$ref": f"#/components/schemas/{attributes}"}
    assert message["name"] == event_type
    described = asyncapi()["components"]["schemas"][attributes]
    assert described["properties"]["type"]["const"] == event_type
    for example in message["examples"]:
        assert complaints(path, example["payload"]) == []
        assert undescribed(schema(path), example["payload"]) == []
        assert list(Draft202012Validator(described).iter_errors(example["headers"])) == []


def test_the_references_in_asyncapi_lead_somewhere() -> None:
    document = asyncapi()

    def references(part: object) -> list[str]:
        if isinstance(part, dict):
            own = [part["$ref"]] if "$ref" in part else []
            return own + [found for value in part.values() for found in references(value)]
        return [found for value in part for found in references(value)] if isinstance(part, list) else []

    inner = [reference for reference in references(document) if reference.startswith("#/")]
    assert inner
    for reference in inner:
        target: Any = document
        for name in reference.removeprefix("#/").split("/"):
            target = target[name]


def test_the_event_schema_knows_the_words_that_the_code_knows() -> None:
    described = schema(EVENT)
    Draft202012Validator.check_schema(described)
    assert described["$id"] == DATA_SCHEMA
    assert described["$defs"]["availability"]["enum"] == list(Availability)
    assert described["$defs"]["activity"]["enum"] == list(Activity)
    data = described["properties"]["data"]["properties"]
    assert data["freshness"]["enum"] == list(Freshness)
    pattern = data["reason"]["properties"]["source"]["pattern"]
    assert all(re.fullmatch(pattern, source) for source in Source)
    assert pattern == schema("schemas/presence-record.json")["$defs"]["source"]["pattern"]
    attributes = asyncapi()["components"]["schemas"]["MessageAttributes"]["properties"]
    assert attributes["change"]["enum"] == list(RecordChange)
    assert attributes["reason"]["pattern"] == pattern


def test_the_reminder_schema_knows_what_the_code_knows() -> None:
    described = schema(REMINDER)
    Draft202012Validator.check_schema(described)
    assert described["$id"] == REMINDER_SCHEMA
    assert described["properties"]["data"]["properties"]["minutesBefore"]["maximum"] == MOST_REMIND_MINUTES


Change = Callable[[dict[str, Any]], object]
CHANGES: dict[str, Change] = {
    "no id": lambda event: event.pop("id"),
    "an id without a version": lambda event: event.update(id="0" * 32),
    "an id with a dot": lambda event: event.update(id="0" * 32 + ".1"),
    "a time with an offset": lambda event: event.update(time="2026-11-21T14:00:00+00:00"),
    "a sequence that does not sort": lambda event: event.update(sequence="42"),
    "an unknown availability": lambda event: event["data"]["presence"].update(availability="Free"),
    "no previous presence": lambda event: event["data"].pop("previous"),
    "no since": lambda event: event["data"]["presence"].pop("since"),
    "version 0": lambda event: event["data"].update(version=0),
    "a source that is a sentence": lambda event: event["data"]["reason"].update(source="A guess"),
    "an unknown freshness": lambda event: event["data"].update(freshness="ripe"),
    "no freshness": lambda event: event["data"].pop("freshness"),
    "an empty note": lambda event: event["data"]["presence"].update(note=""),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_schema_refuses_an_event_that_is_wrong(change: Change) -> None:
    event = copy.deepcopy(described_message()["examples"][0]["payload"])
    assert complaints(EVENT, event) == []
    change(event)
    assert complaints(EVENT, event)


REMINDER_CHANGES: dict[str, Change] = {
    "an id without the meeting": lambda event: event.update(id="0" * 32),
    "the type of the other event": lambda event: event.update(type=EVENT_TYPE),
    "no start": lambda event: event["data"]["meeting"].pop("startsAt"),
    "no end of its use": lambda event: event.pop("expirytime"),
    "days before": lambda event: event["data"].update(minutesBefore=5000),
    "as it begins": lambda event: event["data"].update(minutesBefore=0),
}


@pytest.mark.parametrize("change", REMINDER_CHANGES.values(), ids=REMINDER_CHANGES)
def test_the_schema_refuses_a_reminder_that_is_wrong(change: Change) -> None:
    event = copy.deepcopy(described_message("MeetingStartingSoon")["examples"][0]["payload"])
    assert complaints(REMINDER, event) == []
    change(event)
    assert complaints(REMINDER, event)
