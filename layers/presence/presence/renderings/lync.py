"""Presence in Lync and Office Communications Server: an availability number and an activity token.

Sources: Microsoft, "state/availability element" and "state/activity element" (Lync 2013, presence schemas; the
containers and categories are those of [MS-PRES]) for ranges and tokens, "ContactAvailability Enumeration" (Lync 2010)
for the number that stands for each range.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import assert_never

from presence.presences import Activity, Availability, Presence
from presence.renderings.activities import activity_told, is_unknown

_TOKENS: Mapping[Activity, str] = {
    Activity.IN_A_MEETING: "in-a-meeting",
    Activity.IN_A_CALL: "on-the-phone",
    Activity.IN_A_CONFERENCE_CALL: "in-a-conference",
    Activity.OUT_OF_OFFICE: "out-of-office",
    Activity.URGENT_INTERRUPTIONS_ONLY: "urgent-interruptions-only",
}


@dataclass(frozen=True, slots=True)
class LyncState:
    """A state as it is published: `availability`, and the `activity` token if Lync has one for it."""

    availability: int
    activity: str | None

    def __str__(self) -> str:
        """Return the number and the token, for example `6500 in-a-meeting`."""
        return f"{self.availability} {self.activity}" if self.activity else str(self.availability)


def lync_state(presence: Presence) -> LyncState:
    """Return the presence as Lync has it."""
    return LyncState(_availability(presence), _TOKENS.get(activity_told(presence)))


def _availability(presence: Presence) -> int:
    if is_unknown(presence):
        return 18500  # offline: Lync has no number for "unknown", and reads 0 to 4499 as available
    match presence.availability:
        case Availability.AVAILABLE:  # 0 to 4499
            return 3500
        case Availability.AVAILABLE_IDLE:  # 4500 to 5999
            return 5000
        case Availability.BUSY:  # 6000 to 7499
            return 6500
        case Availability.BUSY_IDLE:  # 7500 to 8999
            return 7500
        case Availability.DO_NOT_DISTURB:  # 9000 to 11999
            return 9500
        case Availability.BE_RIGHT_BACK:  # 12000 to 14999
            return 12500
        case Availability.AWAY:  # 15000 to 17999
            return 15500
        case Availability.OFFLINE | Availability.UNKNOWN:  # 18000 and higher
            return 18500
        case _:
            assert_never(presence.availability)
