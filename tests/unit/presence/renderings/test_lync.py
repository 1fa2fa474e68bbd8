from __future__ import annotations

import pytest

from presence.presences import parse_presence
from presence.renderings.lync import lync_state


@pytest.mark.parametrize(
    ("presence", "availability", "activity"),
    [
        ("Available", 3500, None),
        ("Available / WorkingElsewhere", 3500, None),
        ("AvailableIdle / Inactive", 5000, None),
        ("Busy", 6500, None),
        ("Busy / InAMeeting", 6500, "in-a-meeting"),
        ("Busy / InACall", 6500, "on-the-phone"),
        ("Busy / InAConferenceCall", 6500, "in-a-conference"),
        ("BusyIdle / Busy", 7500, None),
        ("DoNotDisturb", 9500, None),
        ("DoNotDisturb / UrgentInterruptionsOnly", 9500, "urgent-interruptions-only"),
        ("BeRightBack", 12500, None),
        ("Away / OutOfOffice", 15500, "out-of-office"),
        ("Offline / OffWork", 18500, None),
        ("PresenceUnknown", 18500, None),
        ("PresenceUnknown / InAMeeting", 18500, None),
        ("Available / PresenceUnknown", 18500, None),
    ],
)
def test_the_number_and_the_token(presence: str, availability: int, activity: str | None) -> None:
    state = lync_state(parse_presence(presence))
    assert (state.availability, state.activity) == (availability, activity)


def test_a_state_in_words() -> None:
    assert str(lync_state(parse_presence("Busy / InAMeeting"))) == "6500 in-a-meeting"
    assert str(lync_state(parse_presence("Busy"))) == "6500"
