"""What reading calendars costs: our read, and exchangelib's as it comes, each against as little as it can cost at all.

All ask the same Exchange for the same hundred calendars with ten entries each, over a new connection each time (TLS,
Basic), as each read of a function does. What is counted is the processor time of this process, in which Exchange is
not. They take turns, and the ratio is that of two reads of one turn, so that a busy machine disturbs both alike.
"""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import exchangelib
import requests
from exchangelib.protocol import Protocol
from lxml import etree

from benchmarks.figures import Figure, Measurement, percentile
from benchmarks.prepared_exchange import (
    ADDRESSES,
    ENTRIES,
    PASSWORD,
    USERNAME,
    WINDOW,
    PreparedExchange,
    in_another_process,
)
from benchmarks.readers import reader_of
from exchange.account.credentials import Credentials
from exchange.endpoints import MemoryEndpointCache
from exchange.ews.requests import availability_request
from exchange.ews.soap import MESSAGES, TYPES
from presence.calendar import CalendarReading
from presence.clock import system_clock

MOST: Final = 1.6
"""How many times the processor time of the raw read our read may take."""

_TURNS: Final = 40
_SECONDS: Final = 30.0
_HEADERS: Final = {"Content-Type": "text/xml; charset=utf-8"}

Read = Callable[[], int]
"""Reads all calendars and returns how many entries it found."""


def raw_read(exchange: PreparedExchange, ca_file: str) -> Read:
    """Return a read that does as little as can be done.

    The request was made beforehand, requests sends it, and out of lxml come tuples of texts that nobody checks.
    """
    request = availability_request(ADDRESSES, WINDOW, "Exchange2013")
    calendar, event = f"{{{MESSAGES}}}FreeBusyResponse", f"{{{TYPES}}}CalendarEvent"
    start, end, busy_type = (f"{{{TYPES}}}{name}" for name in ("StartTime", "EndTime", "BusyType"))

    def read() -> int:
        with _trusting(requests.Session(), ca_file) as session:
            session.auth = (USERNAME, PASSWORD)
            answer = session.post(exchange.url, data=request, headers=_HEADERS, timeout=_SECONDS)
        calendars = [
            [(each.findtext(start), each.findtext(end), each.findtext(busy_type)) for each in found.iter(event)]
            for found in etree.fromstring(answer.content).iter(calendar)
        ]
        return sum(map(len, calendars))

    return read


def our_read(exchange: PreparedExchange) -> Read:
    """Return a read by the product, in the way of check_calendars. At first it looks the mailboxes up."""
    gateway = {
        "name": "prepared",
        "kind": "autodiscover",
        "domains": ["example.com"],
        "skip": ["root-domain", "http-redirect", "srv"],
        "credentials": "reader",
        "auth": "basic",
        "ca": exchange.ca_pem,
    }
    network = {"allow_loopback": True, "connect": exchange.connect}
    document = {"schema_version": 1, "network": network, "gateways": [gateway]}
    reader = reader_of(document, Credentials(USERNAME, PASSWORD), MemoryEndpointCache(system_clock))

    def read() -> int:
        found = reader.read_calendars(ADDRESSES, WINDOW).values()
        return sum(len(each.entries) for each in found if isinstance(each, CalendarReading))

    return read


def stock_read(exchange: PreparedExchange, ca_file: str) -> Read:
    """Return a read by exchangelib, which is told the version and how to sign in, and asks for the time zone too."""

    class ProtocolWithCa(Protocol):  # type: ignore[misc]  # exchangelib has no types
        @classmethod
        def raw_session(cls, *arguments: Any, **options: Any) -> requests.Session:
            return _trusting(super().raw_session(*arguments, **options), ca_file)

    # In exchangelib's zone an instant is one of exchangelib's.
    start, end = (each.astimezone(exchangelib.UTC) for each in (WINDOW.start, WINDOW.end))

    def read() -> int:
        configuration = exchangelib.Configuration(
            service_endpoint=exchange.url,
            credentials=exchangelib.Credentials(USERNAME, PASSWORD),
            auth_type=exchangelib.BASIC,
            version=exchangelib.Version(build=exchangelib.Build(15, 1, 2507, 6)),
        )
        protocol = ProtocolWithCa(config=configuration)
        mailboxes = [(address, "Required", False) for address in ADDRESSES]
        views = list(protocol.get_free_busy_info(mailboxes, start, end))
        ProtocolWithCa.clear_cache()  # which closes its connection
        return sum(len(view.calendar_events) for view in views)

    return read


def take_turns(
    ways: Mapping[str, Read], turns: int, clock: Callable[[], float] = time.process_time
) -> dict[str, list[float]]:
    """Return the seconds that each way took in each turn, by way. Nobody is always first.

    The first turn is not counted: in it is found out what the next ones know already.
    Raises RuntimeError if a way did not find all entries.
    """
    spent: dict[str, list[float]] = {name: [] for name in ways}
    names = list(ways)
    for turn in range(turns + 1):
        for name in names:
            gc.collect()  # or who comes next clears up
            before = clock()
            found = ways[name]()
            seconds = clock() - before
            if found != len(ADDRESSES) * ENTRIES:
                raise RuntimeError(f"{name} found {found} entries instead of {len(ADDRESSES) * ENTRIES}")
            if turn:
                spent[name].append(seconds)
        names.append(names.pop(0))
    return spent


def ratios(name: str, spent: Sequence[float], raw: Sequence[float], at_most: float | None = None) -> list[Figure]:
    """Return the ratio of the processor times of two ways, and how far those of single turns lie apart."""
    each = [ours / least for ours, least in zip(spent, raw, strict=True)]
    return [
        Figure(name, percentile(each, 0.5), "", at_most),
        Figure(f"{name}, lowest tenth up to", percentile(each, 0.1), ""),
        Figure(f"{name}, highest tenth from", percentile(each, 0.9), ""),
    ]


def figures() -> list[Figure]:
    """Measure and return the figures."""
    with in_another_process() as exchange, tempfile.NamedTemporaryFile("w", suffix=".pem") as ca:
        ca.write(exchange.ca_pem)
        ca.flush()
        ways = {
            "raw": raw_read(exchange, ca.name),
            "read": our_read(exchange),
            "exchangelib": stock_read(exchange, ca.name),
        }
        spent = take_turns(ways, _TURNS)
    a_user = {name: percentile(seconds, 0.5) / len(ADDRESSES) * 1e6 for name, seconds in spent.items()}
    return [
        *ratios("read_cpu_vs_raw", spent["read"], spent["raw"], MOST),
        *ratios("stock_exchangelib_cpu_vs_raw", spent["exchangelib"], spent["raw"]),
        *(Figure(f"processor time a user, {name}", value, "µs") for name, value in a_user.items()),
    ]


def _trusting(session: requests.Session, ca_file: str) -> requests.Session:
    """Return a session that takes its authorities from a file, and nothing from the environment (proxies, .netrc)."""
    session.trust_env, session.verify = False, ca_file
    return session


MEASUREMENTS: Final = (Measurement("exchange_read_cpu", figures),)
