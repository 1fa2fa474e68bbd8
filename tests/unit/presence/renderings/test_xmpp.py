from __future__ import annotations

import pytest

from presence.presences import parse_presence
from presence.renderings.labels import Language
from presence.renderings.xmpp import Show, xmpp_presence


@pytest.mark.parametrize(
    ("presence", "show", "status"),
    [
        ("Available", None, None),
        ("Available / WorkingElsewhere", None, "Working elsewhere"),
        ("AvailableIdle / Inactive", "away", "Idle"),
        ("Busy", "away", "Busy"),
        ("Busy / InAMeeting", "away", "In a meeting"),
        ("BusyIdle / Busy", "away", "Busy"),
        ("DoNotDisturb", "dnd", "Do not disturb"),
        ("BeRightBack", "away", "Be right back"),
        ("Away / OutOfOffice", "away", "Out of office"),
    ],
)
def test_who_is_there_has_show_and_status(presence: str, show: str | None, status: str | None) -> None:
    rendering = xmpp_presence(parse_presence(presence))
    assert (rendering.is_available, rendering.show, rendering.status) == (True, show, status)


@pytest.mark.parametrize(
    ("presence", "status"),
    [
        ("Offline", "Offline"),
        ("Offline / OffWork", "Off work"),
        ("PresenceUnknown", "Unknown"),
        ("PresenceUnknown / Available", "Unknown"),
        ("Available / PresenceUnknown", "Unknown"),
    ],
)
def test_who_is_offline_or_unknown_is_unavailable(presence: str, status: str) -> None:
    rendering = xmpp_presence(parse_presence(presence))
    assert (rendering.is_available, rendering.show, rendering.status) == (False, None, status)


def test_busy_silences_people_by_choice_only() -> None:
    for presence in ("Busy", "Busy / InAMeeting", "BusyIdle / Busy"):
        assert xmpp_presence(parse_presence(presence)).show is Show.AWAY
        assert xmpp_presence(parse_presence(presence), busy_as=Show.DND).show is Show.DND
    assert xmpp_presence(parse_presence("Away"), busy_as=Show.DND).show is Show.AWAY


@pytest.mark.parametrize(
    ("presence", "stanza"),
    [
        ("Available", '<presence xmlns="jabber:client" xml:lang="ja" />'),
        (
            "Busy / InAMeeting",
            '<presence xmlns="jabber:client" xml:lang="ja"><show>away</show><status>会議中</status></presence>',
        ),
        (
            "PresenceUnknown",
            '<presence xmlns="jabber:client" xml:lang="ja" type="unavailable"><status>不明</status></presence>',
        ),
    ],
)
def test_the_stanza(presence: str, stanza: str) -> None:
    assert xmpp_presence(parse_presence(presence), Language.JAPANESE).to_xml() == stanza
