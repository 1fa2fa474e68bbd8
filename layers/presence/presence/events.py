"""PresenceChanged: the event that is published for each new version of a record (CloudEvents 1.0, JSON format).

JSON Schema and AsyncAPI: docs/events. Subjects, locations and attendees are never in it: a record has none.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from presence.addresses import domain_of
from presence.instants import format_instant
from presence.records import PresenceRecord
from presence.timeline import segment_at

EVENT_TYPE = "calendar-presence.presence.changed.v1"
DATA_SCHEMA = "urn:calendar-presence:schema:presence-changed:v1"


@dataclass(frozen=True, slots=True)
class Disclosure:
    """How much of somebody's coming schedule is told to others: the end of a presence, and what follows it."""

    until: bool = True
    next: bool = False


def presence_changed(record: PresenceRecord, source: str, disclosure: Disclosure) -> dict[str, object]:
    """Return the event for the record's version.

    The id is user id and version, so it is the same on every attempt to publish and a consumer can drop what it has
    seen; `sequence` orders the versions of a user as text. `time` is when the change was decided, `observedAt` when the
    calendar that it rests on was read (absent: never).
    """
    until = format_instant(record.until) if record.until is not None and disclosure.until else None
    presence: dict[str, object] = {
        "availability": record.presence.availability.value,
        "activity": record.presence.activity.value,
        "since": format_instant(record.since),
    }
    data: dict[str, object] = {
        "user": {"id": record.user_id, "email": record.address},
        "version": record.version,
        "reason": {"source": record.reason.source.value, "rule": record.reason.rule},
        "presence": presence,
        "previous": {
            "availability": record.previous.availability.value,
            "activity": record.previous.activity.value,
        },
    }
    if record.read_at is not None:
        data["observedAt"] = format_instant(record.read_at)
    event: dict[str, object] = {
        "specversion": "1.0",
        "id": f"{record.user_id}:{record.version}",
        "source": source,
        "type": EVENT_TYPE,
        "subject": record.address,
        "time": format_instant(record.changed_at),
        "datacontenttype": "application/json",
        "dataschema": DATA_SCHEMA,
        "sequence": f"{record.version:020d}",
        "data": data,
    }
    if until is not None:
        presence["until"] = until
        event["expirytime"] = until
    if record.traceparent is not None:
        event["traceparent"] = record.traceparent
    following = segment_at(record.timeline, record.until) if record.until is not None and disclosure.next else None
    if following is not None:
        data["next"] = {
            "availability": following.presence.availability.value,
            "activity": following.presence.activity.value,
        }
    return event


def message_attributes(record: PresenceRecord) -> dict[str, str]:
    """Return what a subscriber can filter by without opening the event.

    `change` is `presence` if availability or activity changed and `until` if only the end of the presence moved.
    """
    moved_only = record.previous == record.presence and record.version > 1
    return {
        "type": EVENT_TYPE,
        "availability": record.presence.availability.value,
        "activity": record.presence.activity.value,
        "reason": record.reason.source.value,
        "domain": domain_of(record.address),
        "change": "until" if moved_only else "presence",
    }


def encode_event(event: dict[str, object]) -> str:
    """Return the event as JSON text, in ASCII: topics and queues refuse some characters that JSON may hold."""
    return json.dumps(event, separators=(",", ":"))
