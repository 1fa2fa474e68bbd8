"""Promises that hold for every availability with every activity, in every world."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import pytest

from presence.calendar import BusyType
from presence.presences import Activity, Availability, Presence
from presence.renderings import World, render
from presence.renderings.labels import Language, calendar_label
from tests.support.vocabulary import EVERY_PRESENCE, known_available

SINCE = datetime(2026, 11, 21, 14, tzinfo=UTC)
UNTIL = datetime(2026, 11, 21, 15, tzinfo=UTC)
PIDF = "{urn:ietf:params:xml:ns:pidf}"
RPID = "{urn:ietf:params:xml:ns:pidf:rpid}"


def rendered(world: World, presence: Presence, language: Language = Language.ENGLISH) -> str:
    return render(world, presence, address="alice@example.com", since=SINCE, until=UNTIL, language=language)


def looks_available(world: World, rendering: str) -> bool:
    """Judge a rendering as somebody of that world would who knows nothing of ours."""
    match world:
        case World.TEXT | World.CISCO_9 | World.CISCO_15:
            return rendering in {"Available", "Working elsewhere", "利用可能", "他の場所で作業中"}
        case World.XMPP:
            stanza = ET.fromstring(rendering)  # noqa: S314  written by the code under test
            return stanza.get("type") is None and stanza.find("{jabber:client}show") is None
        case World.PIDF:
            document = ET.fromstring(rendering)  # noqa: S314  likewise
            return document.findtext(f".//{PIDF}basic") == "open" and document.find(f".//{RPID}activities") is None
        case World.LYNC:
            return int(rendering.split(maxsplit=1)[0]) < 6000
        case World.SLACK:
            return json.loads(rendering)["status_text"] in {"", "Available", "利用可能"}


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("world", World)
def test_every_presence_has_a_rendering(world: World, language: Language) -> None:
    assert all(rendered(world, presence, language) for presence in EVERY_PRESENCE)


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("world", World)
def test_nobody_looks_available_of_whom_that_is_not_known(world: World, language: Language) -> None:
    assert [
        str(presence)
        for presence in EVERY_PRESENCE
        if looks_available(world, rendered(world, presence, language)) and not known_available(presence)
    ] == []


@pytest.mark.parametrize("world", World)
def test_somebody_available_looks_available(world: World) -> None:
    assert looks_available(world, rendered(world, Presence(Availability.AVAILABLE, Activity.AVAILABLE)))


def test_every_status_of_a_calendar_has_a_label() -> None:
    assert all(calendar_label(busy_type, language) for busy_type in BusyType for language in Language)
