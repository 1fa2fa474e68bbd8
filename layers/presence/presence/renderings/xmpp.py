"""Presence in XMPP: `show` and status text (RFC 6121, sections 4.7.2.1 and 4.7.2.2).

A presence without `show` means that somebody is online and available, and there is no `show` for "unknown". So whoever
is offline, or of whom nothing is known, is sent as unavailable (section 4.7.1): the one presence that claims no
availability.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never
from xml.etree import ElementTree as ET

from presence.presences import Activity, Availability, Presence
from presence.renderings.activities import activity_told, is_unknown
from presence.renderings.labels import Language, presence_label


class Show(StrEnum):
    """The values of `show` that are used. `chat` and `xa` say more than is known of anybody."""

    AWAY = "away"
    DND = "dnd"


@dataclass(frozen=True, slots=True)
class XmppPresence:
    """What a presence stanza says: whether somebody is there, `show`, and a status text in `language`."""

    is_available: bool
    show: Show | None
    status: str | None
    language: Language

    def to_xml(self) -> str:
        """Return the stanza, without the addresses that who sends it adds."""
        stanza = ET.Element("presence", {"xmlns": "jabber:client", "xml:lang": self.language})
        if not self.is_available:
            stanza.set("type", "unavailable")
        if self.show:
            ET.SubElement(stanza, "show").text = self.show
        if self.status:
            ET.SubElement(stanza, "status").text = self.status
        return ET.tostring(stanza, encoding="unicode")


def xmpp_presence(presence: Presence, language: Language = Language.ENGLISH, busy_as: Show = Show.AWAY) -> XmppPresence:
    """Return the presence as XMPP has it.

    `busy_as` is what Busy becomes: `away` with its text, or by choice `dnd`, which silences people in many clients.
    Somebody who is plainly available has no text: there is nothing to explain.
    """
    is_available = not is_unknown(presence) and presence.availability is not Availability.OFFLINE
    plainly_available = activity_told(presence) is Activity.AVAILABLE
    return XmppPresence(
        is_available,
        _show(presence.availability, busy_as) if is_available else None,
        None if plainly_available else presence_label(presence, language),
        language,
    )


def _show(availability: Availability, busy_as: Show) -> Show | None:
    match availability:
        case Availability.AVAILABLE:
            return None
        case Availability.BUSY | Availability.BUSY_IDLE:
            return busy_as
        case Availability.DO_NOT_DISTURB:
            return Show.DND
        case Availability.AVAILABLE_IDLE | Availability.BE_RIGHT_BACK | Availability.AWAY:
            return Show.AWAY
        case Availability.OFFLINE | Availability.UNKNOWN:
            return None
        case _:
            assert_never(availability)
