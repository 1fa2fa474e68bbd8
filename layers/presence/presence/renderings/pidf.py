"""Presence as a PIDF document with rich presence: `application/pidf+xml`.

Sources: RFC 3863 (tuple, `basic`, note, timestamp), RFC 4479 (the person), RFC 4480 (activities, section 3.2) and
RFC 3859 (`pres:` URIs). `basic` says whether a message reaches somebody, the activities what they do; why
somebody is out of office is not ours to tell, so it is `away` and never `vacation` (domain.md, "Words").
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import assert_never
from urllib.parse import quote
from xml.etree import ElementTree as ET

from presence.instants import format_instant
from presence.presences import Activity, Availability, Presence
from presence.renderings.activities import activity_told, is_unknown
from presence.renderings.labels import Language, presence_label

CONTENT_TYPE = "application/pidf+xml"

_NAMESPACES = {
    "xmlns": "urn:ietf:params:xml:ns:pidf",
    "xmlns:dm": "urn:ietf:params:xml:ns:pidf:data-model",
    "xmlns:rpid": "urn:ietf:params:xml:ns:pidf:rpid",
}
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
_TUPLE_ID = "calendar-presence"
_PERSON_ID = "calendar-presence-person"

_ALLOWED_IN_LOCAL_PART = "!$'*+"
"""What RFC 6068, section 2, leaves unescaped besides letters, digits and `-._~`, brackets and commas aside."""

_ACTIVITIES: Mapping[Activity, tuple[str, ...]] = {
    Activity.AVAILABLE: (),
    Activity.WORKING_ELSEWHERE: (),
    Activity.BUSY: ("busy",),
    Activity.IN_A_MEETING: ("meeting",),
    Activity.IN_A_CALL: ("on-the-phone",),
    Activity.IN_A_CONFERENCE_CALL: ("on-the-phone", "meeting"),
    Activity.PRESENTING: ("presentation",),
    Activity.DO_NOT_DISTURB: ("busy",),
    Activity.URGENT_INTERRUPTIONS_ONLY: ("busy",),
    Activity.BE_RIGHT_BACK: ("away",),
    Activity.AWAY: ("away",),
    Activity.INACTIVE: ("away",),
    Activity.OUT_OF_OFFICE: ("away",),
    Activity.OFF_WORK: ("away",),
    Activity.OFFLINE: ("unknown",),
    Activity.UNKNOWN: ("unknown",),
}


def pidf_document(
    address: str,
    presence: Presence,
    since: datetime,
    until: datetime | None = None,
    language: Language = Language.ENGLISH,
) -> str:
    """Return the document of somebody's presence, to be sent as UTF-8.

    `address` is an SMTP address that `parse_smtp_address` accepted; `since` and `until` bound the presence (until
    None: not known, or not to be told). Raises ValueError if one of them has no zone.
    """
    root = ET.Element("presence", {**_NAMESPACES, "entity": pres_uri(address)})
    label = presence_label(presence, language)
    timestamp = format_instant(since)
    _add_tuple(root, presence, label, timestamp, language)
    _add_person(root, presence, label, timestamp, format_instant(until) if until else None, language)
    ET.indent(root)
    return f"{_DECLARATION}{ET.tostring(root, encoding='unicode')}\n"


def pres_uri(address: str) -> str:
    """Return the `pres:` URI of an SMTP address; what a URI can't hold is escaped, as UTF-8 (RFC 3986, 2.5)."""
    local_part, _, domain = address.rpartition("@")
    return f"pres:{quote(local_part, safe=_ALLOWED_IN_LOCAL_PART)}@{quote(domain, safe='')}"


def basic(presence: Presence) -> str:
    """Return `open` where a message reaches somebody, `closed` where it does not or nothing is known."""
    if is_unknown(presence):
        return "closed"
    match presence.availability:
        case Availability.OFFLINE | Availability.UNKNOWN:
            return "closed"
        case (
            Availability.AVAILABLE
            | Availability.AVAILABLE_IDLE
            | Availability.BUSY
            | Availability.BUSY_IDLE
            | Availability.DO_NOT_DISTURB
            | Availability.BE_RIGHT_BACK
            | Availability.AWAY
        ):
            return "open"
        case _:
            assert_never(presence.availability)


def rpid_activities(presence: Presence) -> tuple[str, ...]:
    """Return the names of the activities in RFC 4480; none for who is available."""
    return _ACTIVITIES[activity_told(presence)]


def _add_tuple(root: ET.Element, presence: Presence, label: str, timestamp: str, language: Language) -> None:
    """Add the tuple. The note stands here too, for watchers that know RFC 3863 alone."""
    part = ET.SubElement(root, "tuple", {"id": _TUPLE_ID})
    ET.SubElement(ET.SubElement(part, "status"), "basic").text = basic(presence)
    ET.SubElement(part, "note", {"xml:lang": language}).text = label
    ET.SubElement(part, "timestamp").text = timestamp


def _add_person(
    root: ET.Element, presence: Presence, label: str, since: str, until: str | None, language: Language
) -> None:
    person = ET.SubElement(root, "dm:person", {"id": _PERSON_ID})
    names = rpid_activities(presence)
    if names:
        activities = ET.SubElement(person, "rpid:activities", {"from": since})
        if until:
            activities.set("until", until)
        for name in names:
            ET.SubElement(activities, f"rpid:{name}")
    ET.SubElement(person, "dm:note", {"xml:lang": language}).text = label
    ET.SubElement(person, "dm:timestamp").text = since
