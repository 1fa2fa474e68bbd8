from __future__ import annotations

import pytest

from presence.presences import parse_presence
from presence.renderings.cisco import CiscoRelease, cisco_label
from presence.renderings.labels import Language


@pytest.mark.parametrize(
    ("presence", "nine", "fifteen"),
    [
        ("Available", "Available", "Available"),
        ("Available / WorkingElsewhere", "Available", "Available"),
        ("AvailableIdle / Inactive", "Idle/Busy", "Away"),
        ("Busy", "Idle/Busy", "In a meeting"),
        ("Busy / InAMeeting", "Idle/Busy", "In a meeting"),
        ("Busy / InACall", "Idle/Busy", "On a call"),
        ("Busy / InAConferenceCall", "Idle/Busy", "On a call"),
        ("DoNotDisturb", "Do not disturb", "Do not disturb"),
        ("DoNotDisturb / Presenting", "Do not disturb", "Presenting"),
        ("BeRightBack", "Away", "Away"),
        ("Away / OutOfOffice", "Away", "Away"),
        ("Offline / OffWork", "Offline", "Offline"),
        ("PresenceUnknown", "Unknown", "Unknown"),
    ],
)
def test_the_label_of_each_release(presence: str, nine: str, fifteen: str) -> None:
    assert cisco_label(parse_presence(presence), CiscoRelease.NINE) == nine
    assert cisco_label(parse_presence(presence), CiscoRelease.FIFTEEN) == fifteen


@pytest.mark.parametrize(
    ("presence", "nine", "fifteen"),
    [
        ("Available", "利用可能", "利用可能"),
        ("Busy / InAMeeting", "アイドル/ビジー", "会議中"),
        ("Away", "退席中", "退席中"),
        ("PresenceUnknown", "不明", "不明"),
    ],
)
def test_the_label_in_japanese(presence: str, nine: str, fifteen: str) -> None:
    assert cisco_label(parse_presence(presence), CiscoRelease.NINE, Language.JAPANESE) == nine
    assert cisco_label(parse_presence(presence), CiscoRelease.FIFTEEN, Language.JAPANESE) == fifteen
