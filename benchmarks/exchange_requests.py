"""How many requests it takes to read the calendars of a thousand people of one domain, counted where they arrive.

Cold: nobody has been looked up. Warm: the same people again. They are read as checks are queued, a hundred at a time,
by one reader after the other that share what is known of endpoints, with NTLM. What authentication needs is told
apart: requests that are answered with 401, of which NTLM has two on each new connection.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

from benchmarks.figures import Figure, Measurement
from benchmarks.readers import reader_of
from exchange.account.credentials import Credentials
from exchange.endpoints import MemoryEndpointCache
from local.exchange import web_services
from local.exchange.directory import ServiceUrls
from local.exchange.http_messages import LoggedRequest
from local.exchange.network import Host, Network, ews_url
from local.exchange.organisation import Mailbox, Organisation
from local.exchange.server import SimulatedExchange
from presence.calendar import CalendarReading, Window
from presence.clock import system_clock

USERS: Final = 1000
AT_ONCE: Final = 100
MOST: Final = USERS // AT_ONCE
"""Requests of EWS, and as many of autodiscover: one for each hundred."""

_DOMAIN: Final = "example.com"
_MAIL: Final = f"mail.{_DOMAIN}"
_ACCOUNT: Final = "exchange-reader"
_UNAUTHORIZED: Final = 401


@dataclass(frozen=True, slots=True)
class Requests:
    """How many requests arrived: of autodiscover and of EWS those that were answered, and those before it with 401."""

    autodiscover: int
    ews: int
    authentication: int


def counted(requests: Iterable[LoggedRequest]) -> Requests:
    """Count requests. What neither is of EWS nor only asks who is there serves to find out where to ask."""
    autodiscover = ews = authentication = 0
    for request in requests:
        if request.status == _UNAUTHORIZED:
            authentication += 1
        elif request.path.lower() == web_services.PATH:
            ews += 1
        else:
            autodiscover += 1
    return Requests(autodiscover, ews, authentication)


def figures_of(state: str, read: int, requests: Requests, autodiscover_at_most: int) -> list[Figure]:
    """Return the figures of reading everybody, cold or warm; who was not read makes the rest worth nothing."""
    name = f"requests_per_1000_users_{state}"
    return [
        Figure(f"{state}: users read", read, "users", at_least=USERS),
        Figure(name, requests.autodiscover + requests.ews, "requests", at_most=autodiscover_at_most + MOST),
        Figure(f"{name}, autodiscover", requests.autodiscover, "requests", at_most=autodiscover_at_most),
        Figure(f"{name}, EWS", requests.ews, "requests", at_most=MOST),
        Figure(f"{name}, authentication", requests.authentication, "requests"),
    ]


def figures() -> list[Figure]:
    """Measure and return the figures."""
    with SimulatedExchange(_organisation(), _network()) as exchange:
        cache = MemoryEndpointCache(system_clock)
        cold_read, cold = _read_everybody(exchange, cache), counted(exchange.requests)
        exchange.requests.clear()
        warm_read, warm = _read_everybody(exchange, cache), counted(exchange.requests)
    return [
        *figures_of("cold", cold_read, cold, autodiscover_at_most=MOST),
        *figures_of("warm", warm_read, warm, autodiscover_at_most=0),
    ]


def _read_everybody(exchange: SimulatedExchange, cache: MemoryEndpointCache) -> int:
    """Read all calendars; return of how many users they were read."""
    account = Credentials(**exchange.secrets()[_ACCOUNT])
    start = system_clock().replace(second=0, microsecond=0)
    window = Window(start - timedelta(hours=1), start + timedelta(hours=24))
    read = 0
    for first in range(0, USERS, AT_ONCE):
        reader = reader_of(exchange.gateways_document(), account, cache)
        found = reader.read_calendars(exchange.organisation.users[first : first + AT_ONCE], window)
        read += sum(isinstance(each, CalendarReading) for each in found.values())
    return read


def _organisation() -> Organisation:
    addresses = [f"user{number}@{_DOMAIN}" for number in range(USERS)]
    return Organisation(Mailbox(address, address, ZoneInfo("Europe/Berlin")) for address in addresses)


def _network() -> Network:
    """Return one server for mail and one for autodiscover; the domain itself has no address."""
    accounts = (_ACCOUNT,)
    service = {_DOMAIN: ServiceUrls(ews_url(_MAIL))}
    gateway = {"name": "all", "kind": "autodiscover", "domains": [_DOMAIN], "credentials": _ACCOUNT, "auth": "ntlm"}
    return Network(
        hosts=(
            Host(f"autodiscover.{_DOMAIN}", accounts=accounts, autodiscover=service),
            Host(_MAIL, accounts=accounts, mailboxes=frozenset({_DOMAIN})),
        ),
        gateways=(gateway,),
    )


MEASUREMENTS: Final = (Measurement("exchange_requests", figures),)
