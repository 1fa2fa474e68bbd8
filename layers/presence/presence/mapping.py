"""From calendar entries to claims, by the rules of a profile.

A profile is data: which status makes which claim, and which claim is the stronger (the table of domain.md, "Words").
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from presence.calendar import BusyType, CalendarEntry
from presence.claims import Claim, Source
from presence.presences import Activity, Availability, Presence


@dataclass(frozen=True, slots=True)
class Rule:
    """What an entry claims: a presence, under the rule's name, with a strength (the higher wins)."""

    name: str
    presence: Presence
    strength: int


@dataclass(frozen=True, slots=True)
class Profile:
    """How the statuses of a calendar become claims; a status without a rule claims nothing.

    `meeting` stands in for the rule of Busy where an entry is known to be a meeting with others.
    """

    name: str
    rules: Mapping[BusyType, Rule]
    meeting: Rule


DEFAULT_PROFILE = Profile(
    name="default",
    rules=MappingProxyType(
        {
            BusyType.OUT_OF_OFFICE: Rule("out-of-office", Presence(Availability.AWAY, Activity.OUT_OF_OFFICE), 40),
            BusyType.BUSY: Rule("busy", Presence(Availability.BUSY, Activity.BUSY), 30),
            BusyType.WORKING_ELSEWHERE: Rule(
                "working-elsewhere", Presence(Availability.AVAILABLE, Activity.WORKING_ELSEWHERE), 10
            ),
        }
    ),
    meeting=Rule("busy-meeting", Presence(Availability.BUSY, Activity.IN_A_MEETING), 31),
)
"""Free and Tentative claim nothing, NoData is no statement at all, and all others are as domain.md has them."""


def claims_of(entries: Iterable[CalendarEntry], profile: Profile) -> list[Claim]:
    """Return the claims that the entries make; an entry without length makes none."""
    claims = []
    for entry in entries:
        rule = _rule_for(entry, profile)
        if rule is not None and entry.start < entry.end:
            claims.append(Claim(entry.start, entry.end, rule.presence, Source.CALENDAR, rule.name, rule.strength))
    return claims


def stretches_without_data(entries: Iterable[CalendarEntry]) -> list[CalendarEntry]:
    """Return the entries with which Exchange says that it does not know."""
    return [entry for entry in entries if entry.busy_type is BusyType.NO_DATA and entry.start < entry.end]


def _rule_for(entry: CalendarEntry, profile: Profile) -> Rule | None:
    if entry.busy_type is BusyType.BUSY and entry.is_meeting:
        return profile.meeting
    return profile.rules.get(entry.busy_type)
