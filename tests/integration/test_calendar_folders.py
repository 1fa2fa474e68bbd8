"""Calendar folders read from the simulated organisation: whole reader, real DNS, TLS and NTLM."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from local.exchange.network import demo_network
from local.exchange.organisation import (
    LOCATION_CANARY,
    SUBJECT_CANARY,
    BusyStatus,
    Entry,
    Mailbox,
    Organisation,
    Recurrence,
    all_day,
)
from local.exchange.scenario import TOKYO, UNKNOWN_USERS, demo_organisation
from local.exchange.server import SimulatedExchange
from presence.calendar import FOLDER_VIEW, BusyType, CalendarReading, Window
from presence.errors import Problem, ProblemKind
from tests.integration.test_exchange_reader import reader

START = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)
WINDOW = Window(START - HOUR, START + 24 * HOUR)
ALICE, BOB, CAROL = "alice@example.com", "bob@example.com", "carol@example.com"
IN_THEIR_NAME = {"access": "impersonation", "calendars": "calendar-folder"}
AS_DELEGATE = {"access": "delegate", "calendars": "calendar-folder"}
EVERY_ACCOUNT = frozenset({"exchange-reader", "hosting-reader", "factory-reader"})


@pytest.fixture
def simulated() -> Iterator[SimulatedExchange]:
    with SimulatedExchange(demo_organisation(START)) as running:
        yield running


@pytest.fixture
def empty() -> Iterator[SimulatedExchange]:
    """Alice's calendar is empty, and its folder is called カレンダー: on the wire no name of it is ever seen."""
    with SimulatedExchange(Organisation([Mailbox(ALICE, "Alice", TOKYO)])) as running:
        yield running


def read_alice(simulated: SimulatedExchange, **changes: str) -> CalendarReading:
    result = reader(simulated, None, **{**IN_THEIR_NAME, **changes}).read_calendars([ALICE], WINDOW)[ALICE]
    assert isinstance(result, CalendarReading), result
    return result


@pytest.mark.parametrize("access", [IN_THEIR_NAME, AS_DELEGATE], ids=["impersonation", "delegate"])
def test_everybody_s_folder_is_read_as_the_organisation_has_it(
    simulated: SimulatedExchange, access: dict[str, str]
) -> None:
    organisation = simulated.organisation
    for mailbox in organisation.mailboxes():
        organisation.change_mailbox(mailbox.address, readers=EVERY_ACCOUNT)
    results = reader(simulated, None, **access).read_calendars(organisation.users, WINDOW)

    assert {address for address, result in results.items() if isinstance(result, Problem)} == set(UNKNOWN_USERS)
    for address in set(organisation.users) - set(UNKNOWN_USERS):
        reading, mailbox_of = results[address], organisation.mailbox(address)
        assert isinstance(reading, CalendarReading)
        assert mailbox_of is not None
        assert reading.view == FOLDER_VIEW
        assert sorted(
            (one.start, one.end, str(one.busy_type), one.is_meeting, one.is_private) for one in reading.entries
        ) == sorted(
            (each.start, each.end, str(each.entry.status), each.entry.is_meeting, each.entry.is_private)
            for each in organisation.entries(mailbox_of.address, WINDOW.start, WINDOW.end)
            if each.start < each.end
        )
    assert SUBJECT_CANARY not in repr(results)
    assert LOCATION_CANARY not in repr(results)
    sent = [body.answer.decode() for body in simulated.requests.bodies()]
    assert all(SUBJECT_CANARY not in answer for answer in sent), "what is not asked for is not sent"
    answered = [request.addresses[0] for request in simulated.requests.of("FindItem") if request.status == 200]
    assert len(answered) - ("ghost@factory.test" in answered) == len(organisation.users) - 2, "one request a mailbox"
    with_hours = [result for result in results.values() if isinstance(result, CalendarReading) and result.working_hours]
    assert len(with_hours) == len(organisation.users) - 3, "all but those whose free/busy times may not be seen"


def test_meetings_that_were_cancelled_or_declined_claim_nothing(empty: SimulatedExchange) -> None:
    """The fourth mistake of others (domain.md), for this way of reading."""
    cases = [(False, "Accept"), (True, "Accept"), (False, "Decline"), (False, "NoResponseReceived")]
    for hours, (is_cancelled, response) in enumerate(cases, start=1):
        begins = START + hours * HOUR
        empty.organisation.add(ALICE, Entry(begins, begins + HOUR, is_cancelled=is_cancelled, response=response))

    assert [entry.start for entry in read_alice(empty).entries] == [START + HOUR, START + 4 * HOUR]


def test_the_flag_for_all_day_is_the_owner_s_own(empty: SimulatedExchange) -> None:
    start, end = all_day(TOKYO, START.astimezone(TOKYO).date())
    empty.organisation.add(ALICE, Entry(start, end, is_all_day=True))
    empty.organisation.add(ALICE, Entry(start, end, is_all_day=False))

    assert {entry.is_all_day for entry in read_alice(empty).entries} == {True, False}


def test_a_crowded_calendar_is_read_page_by_page_with_each_occurrence_once(empty: SimulatedExchange) -> None:
    minute = timedelta(minutes=1)
    for number in range(640):
        begins = START + number * 2 * minute
        empty.organisation.add(ALICE, Entry(begins, begins + minute))
    empty.organisation.add(ALICE, Entry(START - HOUR, START + 30 * HOUR))
    empty.organisation.add(ALICE, Entry(START - 48 * HOUR, START - 47 * HOUR, recurrence=Recurrence()))

    reading = read_alice(empty)
    planned = empty.organisation.entries(ALICE, WINDOW.start, WINDOW.end)

    assert [(entry.start, entry.end) for entry in reading.entries] == [(each.start, each.end) for each in planned]
    assert len([request for request in empty.requests.of("FindItem") if request.status == 200]) == 3


def test_an_excluded_mailbox_costs_nobody_else(simulated: SimulatedExchange) -> None:
    simulated.organisation.change_mailbox(BOB, excluded=True)
    results = reader(simulated, None, **IN_THEIR_NAME).read_calendars([ALICE, BOB, CAROL], WINDOW)

    excluded = results[BOB]
    assert isinstance(excluded, Problem)
    assert (excluded.code, excluded.kind) == ("ErrorImpersonateUserDenied", ProblemKind.LASTING)
    assert "excluded" in excluded.text
    assert isinstance(results[ALICE], CalendarReading)
    assert isinstance(results[CAROL], CalendarReading)


def test_a_delegate_reads_whom_it_may_and_no_other(simulated: SimulatedExchange) -> None:
    simulated.organisation.change_mailbox(ALICE, readers=frozenset({"exchange-reader"}))
    results = reader(simulated, None, **AS_DELEGATE).read_calendars([ALICE, BOB], WINDOW)

    assert isinstance(results[ALICE], CalendarReading)
    refused = results[BOB]
    assert isinstance(refused, Problem)
    assert (refused.code, refused.kind) == ("ErrorFolderNotFound", ProblemKind.LASTING)


def test_a_room_and_a_shared_mailbox_are_read_like_any_other(empty: SimulatedExchange) -> None:
    addresses = ["room@example.com", "shared@example.com"]
    for address in addresses:
        empty.organisation.add_mailbox(Mailbox(address, address, TOKYO))
        empty.organisation.add(address, Entry(START, START + HOUR))
    for changes in (IN_THEIR_NAME, {}):
        results = reader(empty, None, **changes).read_calendars(addresses, WINDOW)
        assert [len(result.entries) for result in results.values() if isinstance(result, CalendarReading)] == [1, 1]


EVERYBODY = "everybody@example.com"


def with_a_list(simulated: SimulatedExchange) -> datetime:
    """Add a list, of whom Alice is busy for an hour; return the instant at which that begins."""
    simulated.organisation.add_mailbox(Mailbox(EVERYBODY, "Everybody", TOKYO, members=(ALICE,)))
    begins = START.replace(second=0) + HOUR
    simulated.organisation.add(ALICE, Entry(begins, begins + HOUR, BusyStatus.OUT_OF_OFFICE))
    return begins


def test_a_distribution_list_is_refused_and_costs_nobody_else(empty: SimulatedExchange) -> None:
    with_a_list(empty)
    results = reader(empty).read_calendars([EVERYBODY, ALICE], WINDOW)

    refused = results[EVERYBODY]
    assert isinstance(refused, Problem)
    assert (refused.code, refused.kind) == ("NoCalendarEntries", ProblemKind.LASTING)
    assert "distribution_lists" in refused.remedy
    assert isinstance(results[ALICE], CalendarReading)


def test_a_distribution_list_is_taken_where_the_document_says_so_as_exact_as_its_string(
    empty: SimulatedExchange,
) -> None:
    begins = with_a_list(empty)
    reading = reader(empty, distribution_lists="take").read_calendars([EVERYBODY, ALICE], WINDOW)[EVERYBODY]

    assert isinstance(reading, CalendarReading)
    (entry,) = reading.entries
    assert entry.busy_type is BusyType.OUT_OF_OFFICE
    five = timedelta(minutes=5)
    assert begins - five < entry.start <= begins
    assert begins + HOUR <= entry.end < begins + HOUR + five


def test_what_is_known_of_a_list_is_exact_on_multiples_of_five_minutes_and_stays_where_it_is(
    empty: SimulatedExchange,
) -> None:
    empty.organisation.add_mailbox(Mailbox(EVERYBODY, "Everybody", TOKYO, members=(ALICE,)))
    begins = START.replace(minute=35, second=0) + 2 * HOUR
    empty.organisation.add(ALICE, Entry(begins, begins + HOUR))
    same = reader(empty, None, distribution_lists="take")
    for minutes in range(6):
        later = timedelta(minutes=minutes)
        window = Window(START.replace(second=0) - HOUR + later, START + 24 * HOUR + later)
        reading = same.read_calendars([EVERYBODY], window)[EVERYBODY]
        assert isinstance(reading, CalendarReading)
        assert [(entry.start, entry.end) for entry in reading.entries] == [(begins, begins + HOUR)]


def test_a_list_has_no_folder_to_be_opened(empty: SimulatedExchange) -> None:
    with_a_list(empty)
    refused = reader(empty, None, **IN_THEIR_NAME).read_calendars([EVERYBODY], WINDOW)[EVERYBODY]
    assert isinstance(refused, Problem)
    assert refused.code == "ErrorNonExistentMailbox"


@pytest.mark.parametrize(
    ("said", "requests"), [({}, 2), ({"exchange_version": "2010"}, 1)], ids=["found out", "told by the operator"]
)
@pytest.mark.parametrize("way", [IN_THEIR_NAME, {}], ids=["calendar-folder", "free-busy"])
def test_an_old_server_is_asked_in_a_version_that_it_knows(
    simulated: SimulatedExchange, way: dict[str, str], said: dict[str, str], requests: int
) -> None:
    network = demo_network()
    hosts = tuple(replace(host, newest_version="Exchange2010_SP2") for host in network.hosts)
    with SimulatedExchange(simulated.organisation, replace(network, hosts=hosts)) as old:
        results = reader(old, None, **(way | said)).read_calendars([ALICE], WINDOW)
        operation = "FindItem" if way else "GetUserAvailability"
        asked = [request for request in old.requests.of(operation) if request.status in {200, 500}]

    assert isinstance(results[ALICE], CalendarReading)
    assert len(asked) == requests
