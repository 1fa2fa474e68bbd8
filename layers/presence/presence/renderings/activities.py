"""The activity that is told of a presence, the same in every world.

An availability and an activity may come from different systems, so every pair of them may come, also one that makes
little sense. Two rules keep each rendering honest: what is half unknown is unknown, and nobody is told to be available
whose availability says otherwise.
"""

from __future__ import annotations

from typing import assert_never

from presence.presences import Activity, Availability, Presence

_OF_SOMEBODY_AVAILABLE = (Activity.AVAILABLE, Activity.WORKING_ELSEWHERE)


def is_unknown(presence: Presence) -> bool:
    """Return whether the availability or the activity is unknown: missing data never becomes Available."""
    return presence.availability is Availability.UNKNOWN or presence.activity is Activity.UNKNOWN


def activity_told(presence: Presence) -> Activity:
    """Return the activity to put into words: that of the presence, where it does not belie the availability."""
    if is_unknown(presence):
        return Activity.UNKNOWN
    if presence.activity in _OF_SOMEBODY_AVAILABLE and presence.availability is not Availability.AVAILABLE:
        return _plain_activity(presence.availability)
    return presence.activity


def _plain_activity(availability: Availability) -> Activity:
    match availability:
        case Availability.AVAILABLE:
            return Activity.AVAILABLE
        case Availability.AVAILABLE_IDLE:
            return Activity.INACTIVE
        case Availability.BUSY | Availability.BUSY_IDLE:
            return Activity.BUSY
        case Availability.DO_NOT_DISTURB:
            return Activity.DO_NOT_DISTURB
        case Availability.BE_RIGHT_BACK:
            return Activity.BE_RIGHT_BACK
        case Availability.AWAY:
            return Activity.AWAY
        case Availability.OFFLINE:
            return Activity.OFFLINE
        case Availability.UNKNOWN:
            return Activity.UNKNOWN
        case _:
            assert_never(availability)
