"""A presence as other worlds show it, each in a module of its own that names its source.

All of them are pure and total: every availability with every activity has a rendering in every world, and what is
unknown is available in none.
"""

from __future__ import annotations

import json
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from presence.presences import Presence
from presence.renderings.cisco import CiscoRelease, cisco_label
from presence.renderings.labels import Language, presence_label
from presence.renderings.lync import lync_state
from presence.renderings.pidf import pidf_document
from presence.renderings.slack import slack_status
from presence.renderings.xmpp import xmpp_presence


class World(StrEnum):
    """The worlds that a presence can be rendered for, by the names that an operator types."""

    TEXT = "text"
    CISCO_9 = "cisco-9"
    CISCO_15 = "cisco-15"
    XMPP = "xmpp"
    PIDF = "pidf"
    LYNC = "lync"
    SLACK = "slack"


def render(
    world: World,
    presence: Presence,
    *,
    address: str,
    since: datetime,
    until: datetime | None = None,
    language: Language = Language.ENGLISH,
) -> str:
    """Return a presence as a world shows it, as text: a label, an XML document, a number or a JSON object.

    `since` and `until` (None: not known, or not to be told) are the instants that bound it. Raises ValueError if the
    world needs one of them and it has no zone.
    """
    match world:
        case World.TEXT:
            return presence_label(presence, language)
        case World.CISCO_9:
            return cisco_label(presence, CiscoRelease.NINE, language)
        case World.CISCO_15:
            return cisco_label(presence, CiscoRelease.FIFTEEN, language)
        case World.XMPP:
            return xmpp_presence(presence, language).to_xml()
        case World.PIDF:
            return pidf_document(address, presence, since, until, language)
        case World.LYNC:
            return str(lync_state(presence))
        case World.SLACK:
            return json.dumps(slack_status(presence, until, language).profile, ensure_ascii=False)
        case _:
            assert_never(world)
