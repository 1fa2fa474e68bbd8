"""How what is known of a user is kept on an item of PresenceTable: compact texts, so that an item stays small.

An item without these attributes knows nothing; every text is read strictly, since a misread entry would show somebody
free who is not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache

from presence import fields
from presence.automatic_replies import Audience, AutomaticReplies
from presence.calendar import BusyType, CalendarEntry
from presence.errors import MalformedMessage
from presence.heard import Heard
from presence.instants import format_instant, parse_instant
from presence.knowledge import CalendarUse, Knowledge
from presence.known_calendar import KnownCalendar, KnownEntry
from presence.presences import Activity, Availability, Presence
from presence.standing_claims import Ending, StandingClaim
from presence.working_hours import working_hours_from_text, working_hours_to_text

# One letter for what is known of an entry; what is not known has none.
_FLAGS = (("is_meeting", "m", "a"), ("is_recurring", "r", "s"), ("is_private", "p", "o"), ("is_all_day", "d", "t"))
_KEPT = "k"
_REMEMBERED = 256
"""Texts of flags whose reading is remembered; there are 162 that can be right."""


def attributes_of_knowledge(knowledge: Knowledge) -> dict[str, object]:
    """Return the attributes that keep what is known; None stands for an attribute that is not there."""
    calendar, replies, use = knowledge.calendar, knowledge.replies, knowledge.use
    hours = None if calendar is None else calendar.working_hours
    return {
        "entries": None if calendar is None else _json([_entry_to_list(known) for known in calendar.entries]),
        "horizon": None if calendar is None else format_instant(calendar.horizon),
        "endpoint": None if calendar is None else calendar.endpoint,
        "view": None if calendar is None else calendar.view,
        "workingHours": None if hours is None else working_hours_to_text(hours),
        "replies": None if replies is None else _json(_replies_to_list(replies)),
        "repliesProblem": knowledge.replies_problem,
        "standing": _json([_claim_to_list(claim) for claim in knowledge.standing]) if knowledge.standing else None,
        "calendarOff": None if use.on else True,
        "pausedUntil": _optional(use.paused_until),
        "heard": _json([[one.subject, format_instant(one.asked_at)] for one in knowledge.heard])
        if knowledge.heard
        else None,
    }


def knowledge_from_attributes(item: Mapping[str, object], path: str) -> Knowledge:
    """Return what an item knows. Raises `MalformedMessage`, ValueError, TypeError or KeyError if it can't be read."""
    replies, standing, heard = item.get("replies"), item.get("standing"), item.get("heard")
    return Knowledge(
        calendar=_calendar(item, path) if "entries" in item else None,
        replies=None if replies is None else _replies_from_list(_list(replies)),
        replies_problem=fields.optional_text(item, "repliesProblem", path),
        standing=() if standing is None else tuple(_claim_from_list(values) for values in _list(standing)),
        use=CalendarUse(item.get("calendarOff") is not True, _instant(item.get("pausedUntil"))),
        heard=() if heard is None else tuple(_heard_from_list(values) for values in _list(heard)),
    )


def _calendar(item: Mapping[str, object], path: str) -> KnownCalendar:
    hours = fields.optional_text(item, "workingHours", path)
    return KnownCalendar(
        entries=tuple(_entry_from_list(values) for values in _list(item["entries"])),
        horizon=fields.instant(item, "horizon", path),
        endpoint=fields.text(item, "endpoint", path),
        view=fields.text(item, "view", path),
        working_hours=None if hours is None else working_hours_from_text(hours),
    )


def _entry_to_list(known: KnownEntry) -> list[object]:
    entry = known.entry
    told = (getattr(entry, name) for name, _, _ in _FLAGS)
    flags = "".join(yes if value else no for value, (_, yes, no) in zip(told, _FLAGS, strict=True) if value is not None)
    kept = _KEPT if entry.is_kept else ""
    return [format_instant(entry.start), format_instant(entry.end), entry.busy_type.value, flags + kept, known.rule]


def _entry_from_list(values: object) -> KnownEntry:
    start, end, busy_type, flags, rule = _texts(values)
    is_meeting, is_recurring, is_private, is_all_day = _told(flags)
    entry = CalendarEntry(
        parse_instant(start),
        parse_instant(end),
        BusyType(busy_type),
        is_meeting=is_meeting,
        is_recurring=is_recurring,
        is_private=is_private,
        is_all_day=is_all_day,
        is_kept=_KEPT in flags,
    )
    return KnownEntry(entry, rule)


@lru_cache(_REMEMBERED)
def _told(flags: str) -> tuple[bool | None, ...]:
    """Return what is known of an entry, in the order of the flags; None: not known."""
    return tuple(yes in flags if yes in flags or no in flags else None for _, yes, no in _FLAGS)


def _replies_to_list(replies: AutomaticReplies) -> list[object]:
    return [replies.enabled, _optional(replies.start), _optional(replies.end), replies.audience.value]


def _replies_from_list(values: Sequence[object]) -> AutomaticReplies:
    enabled, start, end, audience = values
    if not isinstance(enabled, bool):
        message = "automatic replies are neither on nor off"
        raise TypeError(message)
    return AutomaticReplies(enabled, _instant(start), _instant(end), Audience(str(audience)))


def _claim_to_list(claim: StandingClaim) -> list[object]:
    return [
        claim.source,
        claim.presence.availability.value,
        claim.presence.activity.value,
        claim.strength,
        format_instant(claim.since),
        _optional(claim.until),
        claim.ending.value,
        claim.set_by,
        _optional(claim.ends_at),
    ]


def _claim_from_list(values: object) -> StandingClaim:
    if not isinstance(values, list):
        message = "a standing claim is no list"
        raise TypeError(message)
    source, availability, activity, strength, since, until, ending, set_by, ends_at = values
    if isinstance(strength, bool) or not isinstance(strength, int | None):
        message = "the strength of a standing claim is no whole number"
        raise TypeError(message)
    return StandingClaim(
        source=str(source),
        presence=Presence(Availability(str(availability)), Activity(str(activity))),
        strength=strength,
        since=parse_instant(str(since)),
        until=_instant(until),
        ending=Ending(str(ending)),
        set_by=str(set_by),
        ends_at=_instant(ends_at),
    )


def _heard_from_list(values: object) -> Heard:
    subject, asked_at = _texts(values)
    return Heard(subject, parse_instant(asked_at))


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _list(text: object) -> list[object]:
    value = json.loads(str(text))
    if not isinstance(value, list):
        raise MalformedMessage("a list was expected")
    return value


def _texts(values: object) -> list[str]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        message = "a list of texts was expected"
        raise TypeError(message)
    return values


def _optional(instant: datetime | None) -> str | None:
    return None if instant is None else format_instant(instant)


def _instant(value: object) -> datetime | None:
    return None if value is None else parse_instant(str(value))
