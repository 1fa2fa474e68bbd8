"""Presence as it is shown: an availability and an activity.

The words are those of the presence resource of Microsoft Graph, as domain.md sets them; `WorkingElsewhere` is ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Availability(StrEnum):
    """How available somebody is."""

    AVAILABLE = "Available"
    AVAILABLE_IDLE = "AvailableIdle"
    BUSY = "Busy"
    BUSY_IDLE = "BusyIdle"
    DO_NOT_DISTURB = "DoNotDisturb"
    BE_RIGHT_BACK = "BeRightBack"
    AWAY = "Away"
    OFFLINE = "Offline"
    UNKNOWN = "PresenceUnknown"


class Activity(StrEnum):
    """What somebody does meanwhile."""

    AVAILABLE = "Available"
    WORKING_ELSEWHERE = "WorkingElsewhere"
    BUSY = "Busy"
    IN_A_MEETING = "InAMeeting"
    IN_A_CALL = "InACall"
    IN_A_CONFERENCE_CALL = "InAConferenceCall"
    PRESENTING = "Presenting"
    DO_NOT_DISTURB = "DoNotDisturb"
    URGENT_INTERRUPTIONS_ONLY = "UrgentInterruptionsOnly"
    BE_RIGHT_BACK = "BeRightBack"
    AWAY = "Away"
    INACTIVE = "Inactive"
    OUT_OF_OFFICE = "OutOfOffice"
    OFF_WORK = "OffWork"
    OFFLINE = "Offline"
    UNKNOWN = "PresenceUnknown"


@dataclass(frozen=True, slots=True)
class Presence:
    """An availability with its activity."""

    availability: Availability
    activity: Activity

    def __str__(self) -> str:
        """Return the presence as an administrator reads it, for example `Busy / InAMeeting`."""
        return f"{self.availability} / {self.activity}"


def parse_presence(text: str) -> Presence:
    """Read a presence as `str` writes it: `Busy / InAMeeting`. A single word names both: `Away` is `Away / Away`.

    Raises ValueError with the words that are known.
    """
    first, pair, second = (part.strip() for part in text.partition("/"))
    if pair and not second:
        message = f"{text!r:.40} has no activity behind its availability"
        raise ValueError(message)
    if first not in set(Availability):
        message = f"{first!r:.40} is no availability; known are {', '.join(Availability)}"
        raise ValueError(message)
    if (second or first) not in set(Activity):
        message = f"{second or first!r:.40} is no activity; known are {', '.join(Activity)}"
        raise ValueError(message)
    return Presence(Availability(first), Activity(second or first))


AVAILABLE = Presence(Availability.AVAILABLE, Activity.AVAILABLE)
UNKNOWN = Presence(Availability.UNKNOWN, Activity.UNKNOWN)
