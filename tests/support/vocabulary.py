"""Every presence that can be said: each availability with each activity."""

from __future__ import annotations

from itertools import product

from presence.presences import Activity, Availability, Presence

EVERY_PRESENCE = [Presence(availability, activity) for availability, activity in product(Availability, Activity)]


def known_available(presence: Presence) -> bool:
    """Return whether both halves are known and say that somebody can be reached."""
    return (
        presence.availability in {Availability.AVAILABLE, Availability.AVAILABLE_IDLE}
        and presence.activity is not Activity.UNKNOWN
    )
