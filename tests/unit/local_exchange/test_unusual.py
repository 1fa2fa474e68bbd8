"""Whoever answers otherwise than usual counts it, so that a fault that was ordered is known to have taken effect."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import dns.resolver
import pytest

from local.exchange.authentication import NTLM
from local.exchange.faults import Fault
from local.exchange.http_messages import Delivery
from local.exchange.listener import LOOPBACK, ConnectionFault
from local.exchange.nameserver import NameFault
from local.exchange.network import Host, Network
from local.exchange.organisation import BusyStatus, Entry, Mailbox, Organisation
from local.exchange.server import SimulatedExchange
from tests.unit.local_exchange.client import availability, basic, post, session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

ALICE, BOB = "alice@example.com", "bob@example.com"
HOST, OTHER = "mail.example.com", "owa.example.com"
PATH = "/EWS/Exchange.asmx"
URL = f"https://{HOST}{PATH}"


@pytest.fixture
def exchange(start: datetime) -> Iterator[SimulatedExchange]:
    """An organisation of two people and two servers, one of which offers NTLM alone."""
    people = Organisation(Mailbox(address, "Somebody", ZoneInfo("Europe/Berlin")) for address in (ALICE, BOB))
    domain = frozenset({"example.com"})
    hosts = Host(HOST, accounts=("exchange-reader",), mailboxes=domain), Host(OTHER, schemes=(NTLM,), mailboxes=domain)
    with SimulatedExchange(people, Network(hosts), clock=lambda: start) as running:
        yield running


def addresses(exchange: SimulatedExchange, name: str, *, tcp: bool = False) -> list[str]:
    resolver = dns.resolver.Resolver(configure=False)
    server, _, port = exchange.nameserver.partition(":")
    resolver.nameservers, resolver.port = [server], int(port)
    try:
        return [str(record) for record in resolver.resolve(name, "A", tcp=tcp, lifetime=0.2)]
    except dns.exception.DNSException:
        return []


@pytest.mark.parametrize("fault", NameFault)
def test_a_name_server_counts_answers_with_a_fault_by_their_names(
    exchange: SimulatedExchange, fault: NameFault
) -> None:
    zone = exchange.zone
    zone.strike(HOST, fault)
    addresses(exchange, HOST)
    assert zone.unusual(HOST) == 0, "nothing was taken as usual yet"
    zone.strike(HOST, None)
    exchange.take_as_usual()
    addresses(exchange, HOST)
    assert zone.unusual(HOST) == 0

    zone.strike(HOST, fault)
    addresses(exchange, OTHER)
    assert zone.unusual(HOST) == 0
    addresses(exchange, HOST)
    assert zone.unusual(HOST.upper()) > 0
    assert zone.unusual(OTHER) == 0


def test_a_datagram_that_is_truncated_is_unusual_and_the_same_over_tcp_is_not(exchange: SimulatedExchange) -> None:
    exchange.take_as_usual()
    exchange.zone.strike(HOST, NameFault.TRUNCATED)
    assert addresses(exchange, HOST, tcp=True) == [LOOPBACK]
    assert exchange.zone.unusual(HOST) == 0
    assert addresses(exchange, HOST) == [LOOPBACK]
    assert exchange.zone.unusual(HOST) == 1


def test_records_that_changed_are_unusual_until_they_are_as_before(exchange: SimulatedExchange) -> None:
    exchange.take_as_usual()
    exchange.zone.remove(HOST)
    exchange.zone.add_address(HOST, "192.0.2.1")
    assert addresses(exchange, HOST) == ["192.0.2.1"]
    assert exchange.zone.unusual(HOST) == 1
    exchange.zone.remove(HOST)
    exchange.zone.add_address(HOST)
    addresses(exchange, HOST)
    assert exchange.zone.unusual(HOST) == 1


def test_a_listener_counts_connections_with_a_fault_or_another_certificate(exchange: SimulatedExchange) -> None:
    listener = exchange.listener(HOST)

    def connect() -> int:
        with socket.create_connection((LOOPBACK, listener.port), timeout=5.0) as connection, suppress(OSError):
            connection.sendall(b"hello")
            connection.recv(1)
        return listener.unusual

    exchange.take_as_usual()
    assert connect() == 0
    listener.fault = ConnectionFault.CLOSED
    assert connect() == 1
    listener.fault = None
    usual, listener.tls = listener.tls, exchange.authority.issue(HOST).server_context()
    assert connect() == 2
    listener.tls = usual
    assert connect() == 2
    exchange.take_as_usual()
    assert listener.unusual == 0


def test_connections_that_are_refused_are_counted_while_a_host_is_down(exchange: SimulatedExchange) -> None:
    listener = exchange.listener(HOST)

    def connect() -> int:
        with socket.socket() as connection:
            connection.connect_ex((LOOPBACK, listener.port))
        return listener.refused

    assert connect() == 0
    exchange.stop_host(HOST)
    with socket.socket() as elsewhere:
        elsewhere.connect_ex((LOOPBACK, exchange.listener(OTHER).port))
    assert listener.refused == 0
    assert [connect(), connect()] == [1, 2]
    exchange.start_host(HOST)
    assert connect() == 0


def asked(exchange: SimulatedExchange, start: datetime, *people: str) -> list[bool]:
    """Ask for free/busy times, and return of each answer so far whether it was unusual."""
    with session(exchange, basic(exchange.accounts["exchange-reader"])) as made:
        post(made, URL, availability(list(people), start, start.replace(hour=12)))
    return [request.unusual for request in exchange.requests]


def test_an_answer_is_unusual_if_the_organisation_would_give_another_one(
    exchange: SimulatedExchange, start: datetime
) -> None:
    exchange.organisation.change_mailbox(ALICE, view="MergedOnly")
    exchange.take_as_usual()
    assert asked(exchange, start, ALICE) == [False]
    exchange.organisation.change_mailbox(ALICE, view="FreeBusy")
    assert asked(exchange, start, ALICE) == [False, True]
    assert asked(exchange, start, BOB) == [False, True, False], "whoever was not asked about changes no answer"
    exchange.organisation.add(BOB, Entry(start, start.replace(hour=11), BusyStatus.TENTATIVE))
    assert asked(exchange, start, BOB) == [False, True, False, True]


@pytest.mark.parametrize(
    ("fault", "effects"),
    [
        (Fault(status=503), 1),
        (Fault(drop=True), 1),
        (Fault(delay=0.01), 1),
        (Fault(headers={"X-Anything": "1"}), 1),
        (Fault(body=lambda right: right + b" "), 1),
        (Fault(delivery=Delivery(chunked=True)), 1),
        (Fault(status=503, operation="GetUserAvailability"), 1),
        (Fault(body=lambda right: right), 0),
        (Fault(delivery=Delivery(truncate=10_000_000)), 0),
        (Fault(status=503, operation="FindItem"), 0),
        (Fault(status=503, before_authentication=True), 1),
    ],
)
def test_a_fault_has_an_effect_if_the_answer_is_another_one_for_it(
    exchange: SimulatedExchange, start: datetime, fault: Fault, effects: int
) -> None:
    exchange.faults.always(HOST, PATH, fault)
    try:
        asked(exchange, start, ALICE)
    except OSError:
        assert fault.drop
    assert exchange.faults.effects(fault) == effects


@pytest.mark.parametrize(("offered", "effects"), [("NTLM", 0), ("Kerberos", 1)])
def test_asking_for_a_password_who_would_be_asked_for_it_anyway_has_no_effect(
    exchange: SimulatedExchange, start: datetime, offered: str, effects: int
) -> None:
    fault = Fault(status=401, before_authentication=True, headers={"WWW-Authenticate": offered})
    exchange.faults.always(OTHER, PATH, fault)
    with session(exchange) as made:
        post(made, f"https://{OTHER}{PATH}", availability([ALICE], start, start.replace(hour=12)))
    assert exchange.faults.effects(fault) == effects


@pytest.mark.parametrize(
    ("delivery", "body", "differs"),
    [
        (Delivery(), b"abc", False),
        (Delivery(truncate=3), b"abc", False),
        (Delivery(truncate=2), b"abc", True),
        (Delivery(drip=0.1), b"", False),
        (Delivery(drip=0.1), b"a", True),
        (Delivery(told_length="many"), b"", True),
        (Delivery(raw=b""), b"", True),
    ],
)
def test_a_delivery_may_make_no_difference(delivery: Delivery, body: bytes, differs: bool) -> None:
    assert delivery.differs_for(body) is differs
