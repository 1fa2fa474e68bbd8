"""The reader against the simulated organisation: real DNS, TLS, NTLM with channel bindings, and its faults."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from exchange.account.credentials import Credentials, FileSecrets
from exchange.endpoints import MemoryEndpointCache
from exchange.gateway_documents import parse_gateways, read_gateways_file
from exchange.reader import ExchangeReader, ReadTimes
from local.exchange.faults import Fault
from local.exchange.http_messages import Delivery
from local.exchange.network import demo_network
from local.exchange.operator_folder import write_operator_folder
from local.exchange.organisation import (
    LOCATION_CANARY,
    REPLY_CANARY,
    SUBJECT_CANARY,
    BusyStatus,
    Entry,
    Organisation,
    OutOfOffice,
)
from local.exchange.scenario import UNKNOWN_USERS, USER_WITHOUT_ACCESS, demo_organisation
from local.exchange.server import SimulatedExchange
from presence.addresses import domain_of
from presence.automatic_replies import NO_REPLIES, Audience, AutomaticReplies
from presence.calendar import CalendarReading, Window
from presence.errors import Problem, ProblemKind
from presence.working_hours import WorkingPeriod

START = datetime.now(UTC).replace(microsecond=0)
WINDOW = Window(START - timedelta(hours=1), START + timedelta(hours=24))
AUTODISCOVER = "/autodiscover/autodiscover.xml"
EWS = "/ews/exchange.asmx"


class GivenSecrets:
    def __init__(self, secrets: Mapping[str, Mapping[str, str]]) -> None:
        self._secrets = secrets

    def credentials(self, reference: str) -> Credentials:
        return Credentials(**self._secrets[reference])


@pytest.fixture
def simulated() -> Iterator[SimulatedExchange]:
    with SimulatedExchange(demo_organisation(START)) as running:
        yield running


def reader(simulated: SimulatedExchange, cache: MemoryEndpointCache | None = None, **changes: str) -> ExchangeReader:
    """Return a reader over the organisation's document, with a key of each gateway changed."""
    document = simulated.gateways_document()
    document["gateways"] = [{**gateway, **changes} for gateway in document["gateways"]]
    return ExchangeReader(
        gateways=parse_gateways(document),
        secrets=GivenSecrets(simulated.secrets()),
        cache=cache or MemoryEndpointCache(lambda: datetime.now(UTC)),
        clock=lambda: datetime.now(UTC),
        times=ReadTimes(3.0, 3.0),
    )


def with_one_more(answer: bytes) -> bytes:
    """Put an empty result before the first one."""
    return re.sub(rb"<((?:\w+:)?FreeBusyResponse)>", rb"<\1/><\1>", answer, count=1)


def test_everybody_is_read_as_the_organisation_has_them(simulated: SimulatedExchange) -> None:
    users = simulated.organisation.users
    results = reader(simulated).read_calendars(users, WINDOW)

    assert set(results) == set(users)
    without = {address for address, result in results.items() if isinstance(result, Problem)}
    assert without == {*UNKNOWN_USERS, USER_WITHOUT_ACCESS}
    for address in set(users) - without:
        reading = results[address]
        mailbox = simulated.organisation.mailbox(address)
        assert isinstance(reading, CalendarReading)
        assert mailbox is not None
        planned = simulated.organisation.entries(mailbox.address, WINDOW.start, WINDOW.end)
        assert sorted((entry.start, entry.end, str(entry.busy_type)) for entry in reading.entries) == sorted(
            (entry.start, entry.end, str(entry.entry.status)) for entry in planned if entry.start < entry.end
        ), address
    assert SUBJECT_CANARY not in repr(results)
    assert LOCATION_CANARY not in repr(results)


def test_everybody_s_working_hours_come_along_in_their_own_zone(simulated: SimulatedExchange) -> None:
    users = [user for user in simulated.organisation.users if user not in {*UNKNOWN_USERS, USER_WITHOUT_ACCESS}]
    results = reader(simulated).read_calendars(users, WINDOW)

    for address in users:
        reading = results[address]
        mailbox = simulated.organisation.mailbox(address)
        assert isinstance(reading, CalendarReading)
        assert reading.working_hours is not None
        assert mailbox is not None
        (period,) = reading.working_hours.periods
        planned = mailbox.working_hours
        assert period == WorkingPeriod(frozenset(planned.weekdays), planned.start_minute, planned.end_minute)
        for month in range(1, 13):
            noon = datetime(START.year, month, 15, 12, tzinfo=UTC)
            shown = noon.astimezone(mailbox.zone).replace(tzinfo=None)
            assert reading.working_hours.zone.local(noon) == shown, (address, month)


@pytest.mark.parametrize(
    ("address", "step", "endpoint"),
    [
        ("alice@example.com", "root-domain", "https://mail.example.com/EWS/Exchange.asmx"),
        ("grace@example.org", "autodiscover", "https://mail.example.org/EWS/Exchange.asmx"),
        ("mia@branch.test", "http-redirect", "https://mail.hosting.test/EWS/Exchange.asmx"),
        ("tina@research.test", "srv", "https://owa.research.test:8443/EWS/Exchange.asmx"),
        ("yuri@factory.test", "ews", "https://cas1.factory.test/EWS/Exchange.asmx"),
    ],
)
def test_each_domain_is_found_by_its_own_way(
    simulated: SimulatedExchange, address: str, step: str, endpoint: str
) -> None:
    resolution = reader(simulated).resolve(address)

    assert resolution.endpoint is not None
    assert resolution.endpoint.url == endpoint
    assert resolution.trace[-1].step == step


def test_who_moved_is_read_under_the_new_address(simulated: SimulatedExchange) -> None:
    resolution = reader(simulated).resolve("liam@example.org")

    assert resolution.mailbox == "liam@example.com"


def test_the_account_signs_in_where_it_may_and_nowhere_else(simulated: SimulatedExchange) -> None:
    reader(simulated).read_calendars(simulated.organisation.users, WINDOW)

    schemes: dict[str, set[str]] = {}
    for request in simulated.requests:
        if request.authorization is not None:
            assert request.scheme == "https"
            schemes.setdefault(request.host, set()).add(request.authorization.lower())
    assert schemes == {
        "example.com": {"ntlm"},
        "mail.example.com": {"ntlm"},
        "autodiscover.example.org": {"ntlm"},
        "mail.example.org": {"ntlm"},
        "autodiscover.hosting.test": {"ntlm"},
        "discover.hosting.test": {"ntlm"},
        "mail.hosting.test": {"ntlm"},
        "owa.research.test": {"ntlm"},
        "cas1.factory.test": {"basic"},
        "cas2.factory.test": {"basic"},
        "192.0.2.10": {"basic"},
    }


def test_a_second_read_asks_each_endpoint_once_and_looks_nobody_up_that_was_found(
    simulated: SimulatedExchange,
) -> None:
    same = reader(simulated)
    users = [user for user in simulated.organisation.users if user not in UNKNOWN_USERS]
    same.read_calendars(users, WINDOW)
    simulated.requests.clear()

    same.read_calendars(users, WINDOW)

    assert simulated.requests.of("Autodiscover") == simulated.requests.of("GetUserSettings") == []
    answered = [request for request in simulated.requests.of("GetUserAvailability") if request.status == 200]
    assert len(answered) == len({request.host for request in answered}) == 7
    assert sum(request.mailboxes for request in answered) == len(users)


def test_a_change_is_seen_by_the_next_read(simulated: SimulatedExchange) -> None:
    same = reader(simulated)
    same.read_calendars(["sam@branch.test"], WINDOW)
    begins, ends = START + timedelta(hours=2), START + timedelta(hours=3)
    simulated.organisation.add("sam@branch.test", Entry(begins, ends, BusyStatus.OUT_OF_OFFICE))

    reading = same.read_calendars(["sam@branch.test"], WINDOW)["sam@branch.test"]

    assert isinstance(reading, CalendarReading)
    assert [(entry.start, entry.end, entry.busy_type) for entry in reading.entries] == [(begins, ends, "OOF")]


def test_a_pool_goes_on_when_hosts_are_down_and_back_when_they_are_up(simulated: SimulatedExchange) -> None:
    same = reader(simulated)
    endpoints = []
    for down in ((), ("cas1.factory.test",), ("cas1.factory.test", "cas2.factory.test")):
        for host in down:
            simulated.stop_host(host)
        reading = same.read_calendars(["yuri@factory.test"], WINDOW)["yuri@factory.test"]
        for host in down:
            simulated.start_host(host)
        assert isinstance(reading, CalendarReading)
        endpoints.append(reading.endpoint)

    # Which of the others comes next is another for each mailbox; here it is the last one of the document.
    assert endpoints == [
        f"https://{host}/EWS/Exchange.asmx" for host in ("cas1.factory.test", "192.0.2.10", "192.0.2.10")
    ]


def test_a_wrong_password_is_tried_twice_and_costs_only_its_gateway(simulated: SimulatedExchange) -> None:
    document = parse_gateways(simulated.gateways_document())
    secrets = {**simulated.secrets(), "exchange-reader": {"username": "EXAMPLE\\presence", "password": "wrong"}}
    cache = MemoryEndpointCache(lambda: datetime.now(UTC))
    same = ExchangeReader(document, GivenSecrets(secrets), cache, lambda: datetime.now(UTC), ReadTimes(3.0, 3.0))

    addresses = ["alice@example.com", "bob@example.com", "yuri@factory.test"]
    for _ in range(3):
        same.read_calendars(addresses, WINDOW)
    results = same.read_calendars(addresses, WINDOW)

    for address in ("alice@example.com", "bob@example.com"):
        rejected = results[address]
        assert isinstance(rejected, Problem)
        assert rejected.code == "CredentialsRejected"
    assert isinstance(results["yuri@factory.test"], CalendarReading)
    judged = [request for request in simulated.requests if request.host == "example.com" and request.authorization]
    assert len(judged) <= 2 * 2, "two messages of NTLM for each of two attempts"


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault(delivery=Delivery(truncate=300)), "HostUnreachable"),
        (Fault(drop=True), "HostUnreachable"),
        (Fault(status=503), "ServerBusy"),
        (Fault(status=404), "EndpointNotFound"),
        (Fault(body=b"<html/>"), "MalformedAnswer"),
        (Fault(body=with_one_more), "AnswerCountMismatch"),
        (Fault(delay=4.0), "Timeout"),
    ],
)
def test_a_fault_of_one_endpoint_costs_its_mailboxes_only(
    simulated: SimulatedExchange, fault: Fault, code: str
) -> None:
    same = reader(simulated)
    addresses = ["alice@example.com", "grace@example.org"]
    same.read_calendars(addresses, WINDOW)
    simulated.faults.next("mail.example.com", EWS, fault)

    results = same.read_calendars(addresses, WINDOW)

    failed = results["alice@example.com"]
    assert isinstance(failed, Problem)
    assert failed.code == code
    assert isinstance(results["grace@example.org"], CalendarReading)
    again = same.read_calendars(addresses, WINDOW)
    assert isinstance(again["alice@example.com"], CalendarReading)


def replies_of(organisation: Organisation, address: str, now: datetime, *, as_a_sender: bool) -> AutomaticReplies:
    """Return what should be known of somebody's automatic replies: from the calendar's side, without any EWS."""
    mailbox = organisation.mailbox(address)
    assert mailbox is not None
    replies = mailbox.out_of_office
    if replies is None:
        return NO_REPLIES
    if as_a_sender:
        if not replies.internal or not replies.active_at(now):
            return NO_REPLIES
        return AutomaticReplies(enabled=True, start=replies.start, end=replies.end)
    outside = replies.audience != "None"
    audience = Audience.ALL if outside else Audience.INTERNAL
    return AutomaticReplies(
        enabled=True,
        start=replies.start,
        end=replies.end,
        audience=audience if replies.internal else Audience.EXTERNAL,
    )


ALICE, BOB, CAROL, DAVE, ERIN = (f"{name}@example.com" for name in ("alice", "bob", "carol", "dave", "erin"))


def switch_replies_on(organisation: Organisation) -> None:
    organisation.set_out_of_office(ALICE, OutOfOffice())
    organisation.set_out_of_office(BOB, OutOfOffice(start=START - timedelta(hours=1), end=START + timedelta(hours=5)))
    organisation.set_out_of_office(CAROL, OutOfOffice(start=START + timedelta(days=1), end=START + timedelta(days=9)))
    organisation.set_out_of_office(DAVE, OutOfOffice(internal=False))
    organisation.set_out_of_office(ERIN, OutOfOffice(audience="None"))


@pytest.mark.parametrize(("way", "as_a_sender"), [("mail-tips", True), ("oof-settings", False)])
def test_everybody_s_automatic_replies_are_read_as_the_organisation_has_them(
    simulated: SimulatedExchange, way: str, *, as_a_sender: bool
) -> None:
    switch_replies_on(simulated.organisation)
    users = simulated.organisation.users
    results = reader(simulated, automatic_replies=way).read_automatic_replies(users)

    assert set(results) == set(users)
    assert {address for address, result in results.items() if isinstance(result, Problem)} == set(UNKNOWN_USERS)
    for address in set(users) - set(UNKNOWN_USERS):
        expected = replies_of(simulated.organisation, address, START, as_a_sender=as_a_sender)
        assert results[address] == expected, address
    assert REPLY_CANARY not in repr(results)
    operation = "GetMailTips" if as_a_sender else "GetUserOofSettings"
    answered = [request for request in simulated.requests.of(operation) if request.status == 200]
    assert len(answered) == (7 if as_a_sender else len(users) - len(UNKNOWN_USERS))


def test_replies_that_are_switched_on_and_off_are_seen_by_the_next_read(simulated: SimulatedExchange) -> None:
    same = reader(simulated)
    seen = []
    for replies in (None, OutOfOffice(), None):
        simulated.organisation.set_out_of_office(ALICE, replies)
        seen.append(same.read_automatic_replies([ALICE])[ALICE])

    assert seen == [NO_REPLIES, AutomaticReplies(enabled=True), NO_REPLIES]


def test_an_owner_who_is_excluded_costs_nobody_else(simulated: SimulatedExchange) -> None:
    simulated.organisation.change_mailbox(BOB, excluded=True)
    results = reader(simulated, automatic_replies="oof-settings").read_automatic_replies([ALICE, BOB, CAROL])

    refused = results[BOB]
    assert isinstance(refused, Problem)
    assert (refused.code, refused.kind) == ("ErrorImpersonateUserDenied", ProblemKind.LASTING)
    assert results[ALICE] == results[CAROL] == NO_REPLIES


def test_an_account_without_the_role_is_told_for_each_mailbox(simulated: SimulatedExchange) -> None:
    accounts = [replace(account, may_impersonate=False) for account in simulated.accounts.values()]
    with SimulatedExchange(simulated.organisation, accounts=accounts) as strict:
        results = reader(strict, automatic_replies="oof-settings").read_automatic_replies([ALICE, BOB])

    assert {result.code for result in results.values() if isinstance(result, Problem)} == {"ErrorImpersonateUserDenied"}
    assert len(results) == 2


@pytest.mark.parametrize(
    ("refusal", "code"),
    [("ErrorMailTipsDisabled", "ErrorMailTipsDisabled"), ("ErrorInvalidServerVersion", "AutomaticRepliesRefused")],
    ids=["switched off", "a server before 2010"],
)
def test_where_there_are_no_mail_tips_the_calendar_is_read_all_the_same(
    simulated: SimulatedExchange, refusal: str, code: str
) -> None:
    network = demo_network()
    hosts = tuple(replace(host, refuses_mail_tips=refusal) for host in network.hosts)
    with SimulatedExchange(simulated.organisation, replace(network, hosts=hosts)) as older:
        same = reader(older)
        (result,) = same.read_automatic_replies([ALICE]).values()
        assert isinstance(result, Problem)
        assert (result.code, result.kind) == (code, ProblemKind.LASTING)
        assert isinstance(same.read_calendars([ALICE], WINDOW)[ALICE], CalendarReading)
        assert reader(older, automatic_replies="oof-settings").read_automatic_replies([ALICE]) == {ALICE: NO_REPLIES}
        assert reader(older, automatic_replies="off").read_automatic_replies([ALICE]) == {}


def test_the_operator_s_own_files_lead_there_too(simulated: SimulatedExchange, tmp_path: Path) -> None:
    path = write_operator_folder(tmp_path, simulated)
    clock = lambda: datetime.now(UTC)  # noqa: E731  a clock is a function
    from_files = ExchangeReader(
        read_gateways_file(path),
        FileSecrets(tmp_path / "secrets"),
        MemoryEndpointCache(clock),
        clock,
        ReadTimes(3.0, 3.0),
    )
    one_of_each = {domain_of(user): user for user in simulated.organisation.users if user not in UNKNOWN_USERS}
    one_of_each["research.test"] = "tina@research.test"

    results = from_files.read_calendars(list(one_of_each.values()), WINDOW)

    assert all(isinstance(result, CalendarReading) for result in results.values()), results
