"""What a record of PresenceTable is stored as is what docs/schemas says, in both directions."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given

from presence.automatic_replies import Audience
from presence.calendar import BusyType
from presence.claims import Source
from presence.errors import MalformedMessage, ProblemKind
from presence.freshness import Freshness
from presence.presences import Activity, Availability
from presence.records import MOST_REMIND_MINUTES, PresenceRecord
from presence.records import Change as RecordChange
from presence.standing_claims import Ending
from presence.tables.presences import item_from_record, record_from_item
from tests.support.records import records
from tests.support.schemas import Change, changed, complaints, schema, validator

RECORD = "schemas/presence-record.json"
USER_ID = "0123456789abcdef0123456789abcdef"


def good_record() -> dict[str, Any]:
    return {
        "userId": USER_ID,
        "address": "alice@example.com",
        "revision": 7,
        "version": 3,
        "availability": "Busy",
        "activity": "InAMeeting",
        "since": "2026-11-21T14:00:00Z",
        "until": "2026-11-21T15:00:00Z",
        "source": "calendar",
        "rule": "busy-meeting",
        "previousAvailability": "Available",
        "previousActivity": "Available",
        "timeline": '[["2026-11-21T14:00:00Z",null,"Busy","InAMeeting","calendar","busy-meeting",["busy"]]]',
        "nextMinute": "2026-11-21T15:00#3",
        "nextAt": "2026-11-21T15:00:00Z",
        "readAt": "2026-11-21T13:58:41.25Z",
        "changedAt": "2026-11-21T14:00:00.004Z",
        "failingSince": "2026-11-21T14:05:00Z",
        "problem": {
            "code": "Timeout",
            "kind": "passing",
            "text": "it took long",
            "remedy": "wait",
            "since": "2026-11-21T14:05:00Z",
        },
        "freshness": "stale",
        "note": "automatic-replies",
        "change": "freshness",
        "profile": "default",
        "entries": '[["2026-11-21T14:00:00Z","2026-11-21T15:00:00Z","Busy","mrodk","busy-meeting"]]',
        "horizon": "2026-11-22T14:00:00Z",
        "endpoint": "https://mail.example.com/EWS/Exchange.asmx",
        "view": "Detailed",
        "workingHours": "-60;0,03:00:00,5,10,6;-60,02:00:00,5,3,6;01234,480,1020",
        "replies": '[true,null,null,"all"]',
        "repliesProblem": "ErrorServerBusy",
        "standing": '[["phone","Busy","InACall",55,"2026-11-21T14:00:00Z",null,"time","exchange",null]]',
        "heard": '[["UseCalendar","2026-11-21T14:00:00.5Z"],["phone","2026-11-21T14:00:00Z"]]',
        "pausedUntil": "2026-11-21T13:00:00Z",
        "remindMinutes": 15,
        "remindedOf": '["2026-11-21T14:00:00Z"]',
    }


TEXTS_OF_JSON = {"remindedOf", "timeline", "entries", "replies", "standing", "heard"}


def complaints_about_content(attribute: str, content: object) -> list[str]:
    """What the schema of the JSON text in an attribute has against a content."""
    described = {**schema(RECORD)["properties"][attribute]["contentSchema"], "$defs": schema(RECORD)["$defs"]}
    return [error.message for error in validator(RECORD).evolve(schema=described).iter_errors(content)]


def test_every_text_of_json_in_a_record_is_described() -> None:
    properties = schema(RECORD)["properties"]
    assert {name for name, described in properties.items() if "contentSchema" in described} == TEXTS_OF_JSON


CONTENTS: dict[str, tuple[str, object]] = {
    "an entry of an unknown status": (
        "entries",
        [["2026-11-21T14:00:00Z", "2026-11-21T15:00:00Z", "Asleep", "m", "busy"]],
    ),
    "an entry with an unknown letter": (
        "entries",
        [["2026-11-21T14:00:00Z", "2026-11-21T15:00:00Z", "Busy", "z", "busy"]],
    ),
    "an entry with a subject": (
        "entries",
        [["2026-11-21T14:00:00Z", "2026-11-21T15:00:00Z", "Busy", "m", "busy", "Budget"]],
    ),
    "replies to nobody": ("replies", [True, None, None, "nobody"]),
    "replies from no time": ("replies", [True, "soon", None, "all"]),
    "a claim that ends somehow": (
        "standing",
        [["phone", "Busy", "InACall", 55, "2026-11-21T14:00:00Z", None, "somehow", "exchange", None]],
    ),
    "a reminder of no time": ("remindedOf", ["later"]),
    "a segment of an unknown availability": (
        "timeline",
        [["2026-11-21T14:00:00Z", None, "Invisible", "Busy", "calendar", "busy", []]],
    ),
}


@pytest.mark.parametrize(("attribute", "content"), CONTENTS.values(), ids=CONTENTS)
def test_the_schema_refuses_what_is_wrong_in_a_text_of_json(attribute: str, content: object) -> None:
    assert complaints_about_content(attribute, content)


@given(records())
def test_what_a_record_is_stored_as_is_valid_and_reads_back_as_itself(record: PresenceRecord) -> None:
    item = {key: value for key, value in item_from_record(record, 16).items() if value is not None}
    assert complaints(RECORD, item) == []
    for attribute in TEXTS_OF_JSON & set(item):
        assert complaints_about_content(attribute, json.loads(str(item[attribute]))) == []
    assert record_from_item(item) == record


RECORDS: dict[str, Change] = {
    "no address": lambda item: item.pop("address"),
    "no version": lambda item: item.pop("version"),
    "version 0": lambda item: item.update(version=0),
    "revision 0": lambda item: item.update(revision=0),
    "an unknown availability": lambda item: item.update(availability="Invisible"),
    "no activity": lambda item: item.pop("activity"),
    "no source": lambda item: item.pop("source"),
    "an empty source": lambda item: item.update(source=""),
    "an unknown freshness": lambda item: item.update(freshness="ripe"),
    "an unknown change": lambda item: item.update(change="mood"),
    "an empty note": lambda item: item.update(note=""),
    "an empty profile": lambda item: item.update(profile=""),
    "a calendar without a horizon": lambda item: item.pop("horizon"),
    "a calendar without its endpoint": lambda item: item.pop("endpoint"),
    "a calendar without its view": lambda item: item.pop("view"),
    "working hours that are none": lambda item: item.update(workingHours="nine to five"),
    "a problem of automatic replies without its code": lambda item: item.update(repliesProblem=""),
    "a pause until no time": lambda item: item.update(pausedUntil="later"),
    "a reminder three hours before": lambda item: item.update(remindMinutes=180),
    "no rule": lambda item: item.pop("rule"),
    "a since without zone": lambda item: item.update(since="2026-11-21T14:00:00"),
    "an until that is none": lambda item: item.update(until="later"),
    "no timeline": lambda item: item.pop("timeline"),
    "an unknown kind of problem": lambda item: item["problem"].update(kind="grave"),
    "a problem without a remedy": lambda item: item["problem"].pop("remedy"),
    "no instant of the change": lambda item: item.pop("changedAt"),
}


def test_the_item_that_the_refused_ones_were_made_from_is_accepted() -> None:
    assert complaints(RECORD, good_record()) == []
    assert record_from_item(good_record()).version == 3


@pytest.mark.parametrize("change", RECORDS.values(), ids=RECORDS)
def test_an_item_that_the_schema_refuses_is_refused(change: Change) -> None:
    item = changed(good_record(), change)
    assert complaints(RECORD, item)
    with pytest.raises(MalformedMessage, match=USER_ID):
        record_from_item(item)


def test_the_schema_knows_the_words_that_the_code_knows() -> None:
    definitions = schema(RECORD)["$defs"]
    assert definitions["availability"]["enum"] == list(Availability)
    assert definitions["activity"]["enum"] == list(Activity)
    assert all(re.fullmatch(definitions["source"]["pattern"], source) for source in Source)
    assert schema(RECORD)["properties"]["freshness"]["enum"] == list(Freshness)
    assert schema(RECORD)["properties"]["change"]["enum"] == list(RecordChange)
    assert schema(RECORD)["properties"]["remindMinutes"]["maximum"] == MOST_REMIND_MINUTES
    assert definitions["entry"]["prefixItems"][2]["enum"] == list(BusyType)
    assert definitions["replies"]["prefixItems"][3]["enum"] == list(Audience)
    assert definitions["standingClaim"]["prefixItems"][6]["enum"] == list(Ending)
    assert schema(RECORD)["properties"]["problem"]["properties"]["kind"]["enum"] == list(ProblemKind)
