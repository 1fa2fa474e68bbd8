"""What a record of PresenceTable's stream is about, as far as it can be read: for log lines, also of malformed ones."""

from __future__ import annotations

from collections.abc import Mapping

from presence.log_names import Person
from presence.records import is_user_id


def person_of(stream_record: object) -> Person | None:
    """Return whose record it is; None if that can't be read."""
    user_id = _attribute(stream_record, "Keys", "userId") or _attribute(stream_record, "NewImage", "userId")
    if not is_user_id(user_id):
        return None
    address = _attribute(stream_record, "NewImage", "address") or _attribute(stream_record, "OldImage", "address")
    return Person(str(user_id), address)


def traceparent_of(stream_record: object) -> str | None:
    """Return the traceparent with which the record was written; None if it was removed, or can't be read."""
    return _attribute(stream_record, "NewImage", "traceparent")


def _attribute(stream_record: object, image: str, name: str) -> str | None:
    """Return a text in DynamoDB's typed form."""
    value: object = stream_record
    for key in ("dynamodb", image, name, "S"):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value if isinstance(value, str) else None
