"""The events that are published, in the JSON format of CloudEvents 1.0: PresenceChanged and MeetingStartingSoon.

JSON Schemas and AsyncAPI: docs/events. Subjects, locations and attendees are never in them: a record has none.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from presence.addresses import domain_of
from presence.freshness import Belief
from presence.instants import MINUTE, format_instant
from presence.records import PresenceRecord
from presence.showing import NOT_BELIEVED_RULE, RESTS_ON_READING, believed
from presence.timeline import BEYOND_HORIZON_RULE, Segment, segment_at

EVENT_TYPE = "calendar-presence.presence.changed.v1"
DATA_SCHEMA = "urn:calendar-presence:schema:presence-changed:v1"
REMINDER_TYPE = "calendar-presence.meeting.starting-soon.v1"
REMINDER_SCHEMA = "urn:calendar-presence:schema:meeting-starting-soon:v1"


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
        "freshness": record.freshness.value,
        "reason": {"source": str(record.reason.source), "rule": record.reason.rule},
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
    if record.note is not None:
        presence["note"] = record.note
    if until is not None:
        presence["until"] = until
        event["expirytime"] = until
    if record.traceparent is not None:
        event["traceparent"] = record.traceparent
    following = _following(record) if disclosure.next else None
    if following is not None:
        data["next"] = {
            "availability": following.presence.availability.value,
            "activity": following.presence.activity.value,
        }
    return event


def _following(record: PresenceRecord) -> Segment | None:
    """Return what follows what is shown; None where it is not known: so far the calendar was not read.

    Where the last reading is not believed any more, what it said follows no more than it is shown.
    """
    calendar = record.knowledge.calendar
    timeline = believed(record, record.timeline, Belief(record.freshness, None))
    following = None if record.until is None else segment_at(timeline, record.until)
    if following is None or following.rule == BEYOND_HORIZON_RULE:
        return None
    if following.rule == NOT_BELIEVED_RULE:
        return following
    is_read = calendar is None or following.since < calendar.horizon or following.source not in RESTS_ON_READING
    return following if is_read else None


def message_attributes(record: PresenceRecord) -> dict[str, str]:
    """Return what a subscriber can filter by without opening the event.

    `change` says what changed: `presence` (availability or activity), `freshness`, `note`, `source` (nothing claimed
    the presence, and now something does, or the other way round), or, where none of them did, `until`, its end.
    """
    return {
        "type": EVENT_TYPE,
        "availability": record.presence.availability.value,
        "activity": record.presence.activity.value,
        "reason": str(record.reason.source),
        "domain": domain_of(record.address),
        "change": record.change.value,
    }


def meeting_starting_soon(record: PresenceRecord, starts_at: datetime, source: str) -> dict[str, object]:
    """Return the event that reminds a user of a meeting, of which it tells the start and nothing else.

    The reminder that the presence server's WebDAV gateway had (domain.md, "WebDAV gateway"). The id is the same on
    every attempt to publish.
    """
    before = record.reminders.before or timedelta(0)
    event: dict[str, object] = {
        "specversion": "1.0",
        "id": f"{record.user_id}:meeting:{int(starts_at.timestamp())}",
        "source": source,
        "type": REMINDER_TYPE,
        "subject": record.address,
        "time": format_instant(starts_at - before),
        "datacontenttype": "application/json",
        "dataschema": REMINDER_SCHEMA,
        "expirytime": format_instant(starts_at),
        "data": {
            "user": {"id": record.user_id, "email": record.address},
            "meeting": {"startsAt": format_instant(starts_at)},
            "minutesBefore": before // MINUTE,
        },
    }
    if record.traceparent is not None:
        event["traceparent"] = record.traceparent
    return event


def reminder_attributes(record: PresenceRecord) -> dict[str, str]:
    """Return what a subscriber can filter reminders by."""
    return {"type": REMINDER_TYPE, "domain": domain_of(record.address)}


def encode_event(event: dict[str, object]) -> str:
    """Return the event as JSON text, in ASCII: topics and queues refuse some characters that JSON may hold."""
    return json.dumps(event, separators=(",", ":"))
