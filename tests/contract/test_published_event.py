"""What is published is what docs/events says: the JSON Schema of the event, the AsyncAPI description of the topic."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from presence.claims import Source
from presence.events import DATA_SCHEMA, EVENT_TYPE, Disclosure, encode_event, message_attributes, presence_changed
from presence.instants import format_instant
from presence.presences import Activity, Availability
from presence.records import PresenceRecord
from tests.support.records import records
from tests.support.schemas import DOCS, complaints, schema, undescribed

EVENT = "events/presence-changed.v1.schema.json"
SOURCE = "urn:calendar-presence:prod"
DISCLOSURES = st.builds(Disclosure, until=st.booleans(), next=st.booleans())


def asyncapi() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((DOCS / "events/asyncapi.yaml").read_text(encoding="utf-8"))
    return document


def described_message() -> dict[str, Any]:
    message: dict[str, Any] = asyncapi()["components"]["messages"]["PresenceChanged"]
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


@given(records())
def test_the_attribute_change_says_whether_only_the_end_moved(record: PresenceRecord) -> None:
    moved = replace(record, version=2, previous=record.presence)
    assert message_attributes(moved)["change"] == "until"
    assert message_attributes(replace(moved, version=1))["change"] == "presence"


def test_the_example_in_asyncapi_is_valid() -> None:
    message = described_message()
    assert message["payload"] == {"$ref": "./presence-changed.v1.schema.json"}
    assert (DOCS / "events" / message["payload"]["$ref"]).exists()
    assert message["name"] == EVENT_TYPE
    described = asyncapi()["components"]["schemas"]["MessageAttributes"]
    for example in message["examples"]:
        assert complaints(EVENT, example["payload"]) == []
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
    assert described["properties"]["data"]["properties"]["reason"]["properties"]["source"]["enum"] == list(Source)


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
    "another source": lambda event: event["data"]["reason"].update(source="guess"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_schema_refuses_an_event_that_is_wrong(change: Change) -> None:
    event = copy.deepcopy(described_message()["examples"][0]["payload"])
    assert complaints(EVENT, event) == []
    change(event)
    assert complaints(EVENT, event)
