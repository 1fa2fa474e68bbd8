"""Mailboxes of example.com that are found by autodiscover and read once, for tests of what is kept of that."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from exchange.endpoints import MemoryEndpointCache
from local.exchange.kept_host import KeptHost
from presence.calendar import CalendarReading, Window
from presence.errors import Problem
from tests.unit.exchange.hosts import NOW, Net, availability, mailbox_answer, when_signed_in

WINDOW = Window(NOW, NOW + timedelta(hours=24))
ALICE, BOB = "alice@example.com", "bob@example.com"
OLD, NEW = (f"https://{name}.example.com/EWS/Exchange.asmx" for name in ("old", "new"))
BUSY = availability(mailbox_answer([("2026-11-21T12:30:00Z", "2026-11-21T13:00:00Z", "Busy")]))


def read(
    net: Net, cache: MemoryEndpointCache, gateway: Mapping[str, Any] | None = None, address: str = ALICE
) -> CalendarReading | Problem:
    return net.reader(gateway or {}, cache=cache).read_calendars([address], WINDOW)[address]


def only_autodiscover(net: Net, answer: bytes) -> KeptHost:
    """Let one host alone answer for example.com."""
    net.silent("example.com")
    return net.host("autodiscover.example.com", when_signed_in(answer))
