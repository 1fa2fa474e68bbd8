from __future__ import annotations

from typing import Any

import pytest

from presence.log_names import Person
from presence.stream_records import person_of, traceparent_of

ID = "6f1c0a9b8d7e6f5a4b3c2d1e0f9a8b7c"
TRACEPARENT = f"00-{'a' * 32}-{'b' * 16}-01"
KEYS = {"userId": {"S": ID}}
IMAGE = {**KEYS, "address": {"S": "alice@example.com"}, "traceparent": {"S": TRACEPARENT}}


def stream_record(**change: Any) -> dict[str, Any]:
    return {"dynamodb": {"SequenceNumber": "1", **change}}


@pytest.mark.parametrize(
    ("record", "person", "traceparent"),
    [
        (stream_record(Keys=KEYS, NewImage=IMAGE), Person(ID, "alice@example.com"), TRACEPARENT),
        (stream_record(NewImage=IMAGE, OldImage=IMAGE), Person(ID, "alice@example.com"), TRACEPARENT),
        (stream_record(Keys=KEYS, OldImage=IMAGE), Person(ID, "alice@example.com"), None),
        (stream_record(Keys=KEYS), Person(ID), None),
        (stream_record(Keys={"userId": {"S": "x"}}, NewImage={"traceparent": {"N": "1"}}), None, None),
        (stream_record(Keys=5, NewImage=[]), None, None),
        ({"dynamodb": None}, None, None),
        (None, None, None),
    ],
    ids=["written", "written, without keys", "removed", "keys alone", "malformed", "of no form", "empty", "none"],
)
def test_what_a_record_is_about_is_told_as_far_as_it_can_be_read(
    record: object, person: Person | None, traceparent: str | None
) -> None:
    assert person_of(record) == person
    assert traceparent_of(record) == traceparent
