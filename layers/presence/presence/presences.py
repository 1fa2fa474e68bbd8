"""Presence as it is shown: an availability and an activity.

The words are those of the presence resource of Microsoft Graph, as domain.md sets them; `WorkingElsewhere` is ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Availability(StrEnum):
    """How available somebody is."""

    AVAILABLE = "Available"
    BUSY = "Busy"
    AWAY = "Away"
    UNKNOWN = "PresenceUnknown"


class Activity(StrEnum):
    """What somebody does meanwhile."""

    AVAILABLE = "Available"
    WORKING_ELSEWHERE = "WorkingElsewhere"
    BUSY = "Busy"
    IN_A_MEETING = "InAMeeting"
    OUT_OF_OFFICE = "OutOfOffice"
    UNKNOWN = "PresenceUnknown"


@dataclass(frozen=True, slots=True)
class Presence:
    """An availability with its activity."""

    availability: Availability
    activity: Activity

    def __str__(self) -> str:
        """Return the presence as an administrator reads it, for example `Busy / InAMeeting`."""
        return f"{self.availability} / {self.activity}"


AVAILABLE = Presence(Availability.AVAILABLE, Activity.AVAILABLE)
UNKNOWN = Presence(Availability.UNKNOWN, Activity.UNKNOWN)
