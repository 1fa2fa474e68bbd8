"""An Exchange that answers with what was prepared, over TLS and to one account (Basic): what it costs is not measured.

It knows the free/busy times of a hundred calendars with ten entries each, the time zone for which exchangelib asks, and
by autodiscover where the mailboxes are: on itself, under another name.
"""

from __future__ import annotations

import base64
import random
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Final
from zoneinfo import ZoneInfo

from local.exchange.autodiscover import PATH, Autodiscover
from local.exchange.availability_answer import answer
from local.exchange.availability_request import AvailabilityRequest
from local.exchange.certificates import CertificateAuthority
from local.exchange.directory import ServiceUrls
from local.exchange.http_connection import HttpConnection
from local.exchange.http_messages import HttpAnswer, HttpRequest
from local.exchange.listener import LOOPBACK, Listener
from local.exchange.network import HTTPS, ews_url
from local.exchange.organisation import Entry, Mailbox, Organisation
from local.exchange.soap import MESSAGES, TYPES, envelope, namespace
from presence.calendar import Window
from presence.clock import system_clock

ADDRESSES: Final = tuple(f"user{number}@example.com" for number in range(100))
ENTRIES: Final = 10
"""Of each calendar."""
USERNAME: Final = "reader@example.com"
PASSWORD: Final = "of no real account"  # noqa: S105  as it says

_START: Final = datetime(2026, 11, 23, 8, tzinfo=UTC)
WINDOW: Final = Window(_START - timedelta(hours=1), _START + timedelta(hours=24))

_MAIL: Final = "mail.example.com"
_NAMES: Final = ("autodiscover.example.com", _MAIL)
_AUTHORIZATION: Final = f"Basic {base64.b64encode(f'{USERNAME}:{PASSWORD}'.encode()).decode()}"
_CHALLENGE: Final = HttpAnswer(401, headers=(("WWW-Authenticate", 'Basic realm="Exchange"'),))
_SECONDS_TO_START: Final = 60.0


@dataclass(frozen=True, slots=True)
class PreparedExchange:
    """Where it runs, and the CA (PEM) that signed its certificate."""

    port: int
    ca_pem: str

    @property
    def url(self) -> str:
        """The address of its Exchange Web Services for those who know nothing of names."""
        return f"https://{LOOPBACK}:{self.port}/EWS/Exchange.asmx"

    @property
    def connect(self) -> Mapping[str, str]:
        """Where its names lead to, as a gateways document says it."""
        return {f"{name}:{HTTPS}": f"{LOOPBACK}:{self.port}" for name in _NAMES}


@contextmanager
def in_another_process() -> Iterator[PreparedExchange]:
    """Run it in a process of its own, so that its processor time is not this one's."""
    context = get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there,), daemon=True)
    process.start()
    there.close()
    try:
        if not here.poll(_SECONDS_TO_START):
            raise TimeoutError(f"the prepared Exchange did not start within {_SECONDS_TO_START:g} seconds")
        yield here.recv()
    finally:
        here.close()  # which ends the process
        process.join()


def _serve(pipe: Connection) -> None:
    with in_this_process() as exchange, suppress(EOFError):
        pipe.send(exchange)
        pipe.recv()


@contextmanager
def in_this_process() -> Iterator[PreparedExchange]:
    """Run it in threads of this process."""
    authority = CertificateAuthority("Prepared Exchange CA")
    certificate = authority.issue(LOOPBACK, *_NAMES)
    prepared = _Prepared()
    listener = Listener(lambda connection: _serve_connection(connection, prepared), certificate.server_context())
    listener.start()
    try:
        yield PreparedExchange(listener.port, authority.pem)
    finally:
        listener.close()


def _serve_connection(connection: socket.socket, prepared: _Prepared) -> None:
    HttpConnection(connection, LOOPBACK, prepared)


class _Prepared:
    """Answers each request by the operation that its body names."""

    def __init__(self) -> None:
        organisation = _organisation()
        self._discover = Autodiscover(organisation, {"example.com": ServiceUrls(ews_url(_MAIL))}, system_clock)
        self._answers = {
            b"GetUserAvailabilityRequest": _availability(organisation),
            b"GetServerTimeZones": _time_zone(),
        }

    def answer(self, request: HttpRequest) -> HttpAnswer:
        if request.headers.get("authorization") != _AUTHORIZATION:
            return _CHALLENGE
        if request.path.lower() == PATH:
            return self._discover.answer(request)
        return next((each for name, each in self._answers.items() if name in request.body), HttpAnswer(404))


def _organisation() -> Organisation:
    chance = random.Random(ENTRIES)  # noqa: S311  it makes up calendars
    organisation = Organisation(Mailbox(address, address, ZoneInfo("Europe/Berlin")) for address in ADDRESSES)
    for address in ADDRESSES:
        for _ in range(ENTRIES):
            begin = _START + timedelta(minutes=15 * chance.randrange(90))
            organisation.add(address, Entry(begin, begin + timedelta(minutes=30)))
    return organisation


def _availability(organisation: Organisation) -> HttpAnswer:
    request = AvailabilityRequest(ADDRESSES, WINDOW.start, WINDOW.end, 30, "DetailedMerged")
    return envelope(answer(request, organisation, lambda _: True))


def _time_zone() -> HttpAnswer:
    """Return what an Exchange tells of UTC (GetServerTimeZones, messages.xsd and types.xsd)."""
    period = "trule:Microsoft/Registry/UTC/1-Standard"
    return envelope(
        f"<GetServerTimeZonesResponse{namespace(MESSAGES)}><ResponseMessages>"
        '<GetServerTimeZonesResponseMessage ResponseClass="Success"><ResponseCode>NoError</ResponseCode>'
        f'<TimeZoneDefinitions><TimeZoneDefinition{namespace(TYPES)} Id="UTC" Name="(UTC) Coordinated Universal Time">'
        f'<Periods><Period Bias="PT0S" Name="Standard" Id="{period}"/></Periods>'
        f'<TransitionsGroups><TransitionsGroup Id="0"><Transition><To Kind="Period">{period}</To></Transition>'
        "</TransitionsGroup></TransitionsGroups>"
        '<Transitions><Transition><To Kind="Group">0</To></Transition></Transitions>'
        "</TimeZoneDefinition></TimeZoneDefinitions></GetServerTimeZonesResponseMessage></ResponseMessages>"
        "</GetServerTimeZonesResponse>"
    )
