"""What it costs to find a thousand mailboxes of one domain that nobody has looked for before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from exchange.account.credentials import Credentials
from exchange.endpoints import MemoryEndpointCache
from exchange.gateway_documents import parse_gateways
from exchange.reader import ExchangeReader, ReadTimes
from local.exchange.accounts import Account
from local.exchange.directory import ServiceUrls
from local.exchange.network import Host, Network, ews_url
from local.exchange.organisation import Mailbox, Organisation
from local.exchange.scenario import BERLIN
from local.exchange.server import SimulatedExchange
from presence.calendar import CalendarReading, Window

START = datetime.now(UTC).replace(second=0, microsecond=0)
WINDOW = Window(START, START + timedelta(hours=1))
USERS = [f"user{number:03}@example.com" for number in range(1000)]
ACCOUNT = Account("reader", "EXAMPLE\\reader-of-many", "a password of one process")
AUTODISCOVER, MAIL = "autodiscover.example.com", "mail.example.com"


@pytest.fixture
def exchange(request: pytest.FixtureRequest) -> Iterator[SimulatedExchange]:
    network = Network(
        hosts=(
            Host(
                AUTODISCOVER,
                accounts=("reader",),
                autodiscover={"example.com": ServiceUrls(ews_url(MAIL))},
                speaks_soap=request.param,
            ),
            Host(MAIL, accounts=("reader",), mailboxes=frozenset({"example.com"})),
        ),
        silent_hosts=(("example.com", 443),),
        gateways=({"name": "main", "kind": "autodiscover", "domains": ["example.com"], "credentials": "reader"},),
    )
    organisation = Organisation([Mailbox(address, "Somebody", BERLIN) for address in USERS])
    with SimulatedExchange(organisation, network, [ACCOUNT]) as running:
        yield running


class GivenSecret:
    def credentials(self, _reference: str) -> Credentials:
        return Credentials(ACCOUNT.username, ACCOUNT.password)


def reader(exchange: SimulatedExchange, cache: MemoryEndpointCache) -> ExchangeReader:
    document = parse_gateways(exchange.gateways_document())
    return ExchangeReader(document, GivenSecret(), cache, lambda: datetime.now(UTC), ReadTimes(3.0, 3.0))


@pytest.mark.parametrize("exchange", [True], indirect=True, ids=["Exchange 2010 and later"])
@pytest.mark.parametrize("reads", [1, 10], ids=["in one read", "in ten reads, as by ten messages"])
def test_a_thousand_cold_mailboxes_cost_ten_questions_of_each_kind(exchange: SimulatedExchange, reads: int) -> None:
    cache = MemoryEndpointCache(lambda: datetime.now(UTC))
    size = len(USERS) // reads
    for start in range(0, len(USERS), size):
        results = reader(exchange, cache).read_calendars(USERS[start : start + size], WINDOW)
        assert all(isinstance(result, CalendarReading) for result in results.values())

    found = [each for each in exchange.requests.of("GetUserSettings") if each.status == 200]
    assert [each.mailboxes for each in found] == [100] * 10
    assert exchange.requests.of("Autodiscover") == []
    assert len(exchange.requests.of("GetUserAvailability")) == 10
    # Apart from these: the first question, without the account, and two messages of NTLM for each connection.
    others = [each for each in exchange.requests if each.host == AUTODISCOVER and each.operation is None]
    assert {each.status for each in others} == {401}
    assert len(others) == 1 + 2 * reads


@pytest.mark.parametrize("exchange", [False], indirect=True, ids=["Exchange 2007"])
def test_without_soap_each_mailbox_costs_a_question_and_none_is_lost(exchange: SimulatedExchange) -> None:
    cache = MemoryEndpointCache(lambda: datetime.now(UTC))

    results = reader(exchange, cache).read_calendars(USERS[:150], WINDOW)

    assert all(isinstance(result, CalendarReading) for result in results.values())
    assert len(exchange.requests.of("Autodiscover")) == 150
    assert len([each for each in exchange.requests if each.status == 404]) == 1, "the one question in SOAP"


@pytest.mark.parametrize("exchange", [True], indirect=True, ids=["Exchange 2010 and later"])
def test_a_second_read_looks_for_nobody(exchange: SimulatedExchange) -> None:
    cache = MemoryEndpointCache(lambda: datetime.now(UTC))
    reader(exchange, cache).read_calendars(USERS, WINDOW)
    exchange.requests.clear()

    reader(exchange, cache).read_calendars(USERS, WINDOW)

    assert {each.operation for each in exchange.requests if each.status == 200} == {"GetUserAvailability"}
