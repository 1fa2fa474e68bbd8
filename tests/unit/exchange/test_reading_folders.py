"""ExchangeReader reading calendar folders, in the names of their owners and as a delegate."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta

import pytest

from exchange.endpoints import MemoryEndpointCache, mailbox_key
from local.exchange.kept_host import KeptHost, Respond, http
from presence.calendar import FOLDER_VIEW, CalendarReading, Window
from presence.errors import Problem, ProblemKind
from tests.unit.exchange.folder_answers import CANARY, calendar_folder, folder_message, folders, item
from tests.unit.exchange.hosts import (
    NOW,
    Net,
    availability,
    failed_mailbox,
    fault,
    free_busy_response,
    mailbox_answer,
    pox_settings,
    when_signed_in,
)

ALICE, BOB, CAROL = "alice@branch.test", "bob@branch.test", "carol@branch.test"
DAY = timedelta(days=1)
WINDOW = Window(NOW, NOW + DAY)
BRANCH = {"kind": "ews", "domains": ["branch.test"], "hosts": ["mail.branch.test"], "calendars": "calendar-folder"}
IN_THEIR_NAME = {**BRANCH, "access": "impersonation"}
AS_DELEGATE = {**BRANCH, "access": "delegate"}
OF_ONE = calendar_folder(item())

Results = dict[str, CalendarReading | Problem]


def owner(request: bytes) -> str:
    (address,) = re.findall(rb"<t:Mailbox><t:EmailAddress>([^<]*)</t:EmailAddress>", request)
    return str(address.decode())


def about_folders(request: bytes) -> bool:
    """Tell whether a request is about a folder, and not about the working hours that are asked for afterwards."""
    return b"<m:FindItem" in request


def branch(net: Net, respond: Respond) -> KeptHost:
    """Start a host that gives requests about folders to `respond`, and has no working hours of anybody."""

    def answer(request: bytes) -> bytes | None:
        if about_folders(request):
            return respond(request)
        return http(200, availability(*[mailbox_answer()] * request.count(b"<t:MailboxData>")))

    return net.host("mail.branch.test", answer)


def folder_requests(host: KeptHost) -> list[bytes]:
    return [request for request in host.requests if about_folders(request)]


def read(net: Net, respond: Respond, gateway: Mapping[str, object], *addresses: str) -> Results:
    branch(net, respond)
    return dict(net.reader(gateway).read_calendars(addresses or (ALICE, BOB, CAROL), WINDOW))


def codes(results: Results) -> list[str | int]:
    """Return for each address how many entries it has, or the code of its problem."""
    return [result.code if isinstance(result, Problem) else len(result.entries) for result in results.values()]


@pytest.mark.parametrize("gateway", [IN_THEIR_NAME, AS_DELEGATE], ids=["impersonation", "delegate"])
def test_each_mailbox_is_asked_for_alone_and_has_what_belongs_to_it(net: Net, gateway: Mapping[str, object]) -> None:
    host = branch(net, lambda request: http(200, calendar_folder(*[item()] * (owner(request) == BOB))))

    results = dict(net.reader(gateway).read_calendars((ALICE, BOB, CAROL), WINDOW))

    assert codes(results) == [0, 1, 0]
    assert [owner(request) for request in folder_requests(host)] == [ALICE, BOB, CAROL]
    reading = results[BOB]
    assert isinstance(reading, CalendarReading)
    assert (reading.view, reading.endpoint) == (FOLDER_VIEW, "https://mail.branch.test/EWS/Exchange.asmx")
    assert (reading.address, reading.window, reading.read_at) == (BOB, WINDOW, NOW)
    assert CANARY not in repr(results)


def test_in_the_owner_s_name_the_request_says_so_and_leads_to_the_mailbox(net: Net) -> None:
    host = branch(net, lambda _: http(200, OF_ONE))
    net.reader(IN_THEIR_NAME).read_calendars([ALICE], WINDOW)

    (request,) = folder_requests(host)
    assert f"X-AnchorMailbox: {ALICE}\r\n".encode() in request
    assert (
        f"<t:ConnectingSID><t:PrimarySmtpAddress>{ALICE}</t:PrimarySmtpAddress></t:ConnectingSID>".encode() in request
    )


def test_as_a_delegate_it_asks_in_its_own_name(net: Net) -> None:
    host = branch(net, lambda _: http(200, OF_ONE))
    net.reader(AS_DELEGATE).read_calendars([ALICE], WINDOW)

    (request,) = folder_requests(host)
    assert b"Impersonation" not in request
    assert b"X-AnchorMailbox" not in request
    assert owner(request) == ALICE


@pytest.mark.parametrize("gateway", [IN_THEIR_NAME, AS_DELEGATE], ids=["impersonation", "delegate"])
def test_nothing_is_asked_for_that_says_what_an_entry_is_about(net: Net, gateway: Mapping[str, object]) -> None:
    host = branch(net, lambda _: http(200, OF_ONE))
    net.reader(gateway).read_calendars([ALICE], WINDOW)

    (request,) = folder_requests(host)
    assert b"<t:BaseShape>IdOnly</t:BaseShape>" in request
    assert set(re.findall(rb'FieldURI="([^"]*)"', request)) == {
        b"calendar:Start",
        b"calendar:End",
        b"calendar:LegacyFreeBusyStatus",
        b"calendar:IsAllDayEvent",
        b"calendar:IsMeeting",
        b"calendar:IsCancelled",
        b"calendar:CalendarItemType",
        b"calendar:MyResponseType",
        b"calendar:AppointmentState",
        b"item:Sensitivity",
    }


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (http(500, fault("ErrorImpersonateUserDenied")), "ErrorImpersonateUserDenied"),
        (http(500, fault("ErrorNonExistentMailbox")), "ErrorNonExistentMailbox"),
        (http(200, folders(folder_message("", "ErrorFolderNotFound", "Error"))), "ErrorFolderNotFound"),
        (http(200, folders(folder_message("", "ErrorMailboxMoveInProgress", "Error"))), "ErrorMailboxMoveInProgress"),
        (http(200, folders(folder_message("", "ErrorItemSave", "Error"))), "ErrorItemSave"),
        (http(200, folders(folder_message("", "ErrorOfATimeToCome", "Error"))), "ErrorOfATimeToCome"),
        (http(200, folders(folder_message("", "ErrorInternalServerError", "Error"))), "ErrorInternalServerError"),
        (http(500, fault("ErrorInternalServerTransientError")), "ErrorInternalServerTransientError"),
        (http(500, fault("ErrorTimeoutExpired")), "ErrorTimeoutExpired"),
        (http(500), "ServerFailed"),
        (http(200, calendar_folder(item(status=None))), "MalformedCalendar"),
        (http(200, calendar_folder(last=None)), "MalformedCalendar"),
        (http(200, folders()), "AnswerCountMismatch"),
        (http(200, b"<html/>"), "MalformedAnswer"),
    ],
)
def test_one_mailbox_that_cant_be_read_costs_nobody_else(net: Net, answer: bytes, code: str) -> None:
    results = read(net, lambda request: answer if owner(request) == BOB else http(200, OF_ONE), IN_THEIR_NAME)
    assert codes(results) == [1, code, 1]


def test_an_excluded_mailbox_says_that_it_is_excluded(net: Net) -> None:
    (problem,) = read(net, lambda _: http(500, fault("ErrorImpersonateUserDenied")), IN_THEIR_NAME, ALICE).values()
    assert isinstance(problem, Problem)
    assert problem.kind is ProblemKind.LASTING
    assert "excluded from impersonation" in problem.text


@pytest.mark.parametrize(
    "answer",
    [
        http(503),
        http(500, fault("ErrorServerBusy")),
        http(200, folders(folder_message("", "ErrorServerBusy", "Error"))),
    ],
    ids=["status", "fault", "inside"],
)
def test_a_server_that_asks_for_peace_is_not_asked_about_the_next_mailbox(net: Net, answer: bytes) -> None:
    host = net.host("mail.branch.test", lambda _: answer)
    results = dict(net.reader(IN_THEIR_NAME).read_calendars((ALICE, BOB, CAROL), WINDOW))

    assert len(set(codes(results))) == 1
    assert all(isinstance(result, Problem) and result.kind is ProblemKind.PASSING for result in results.values())
    assert len(host.requests) == 1


def test_a_calendar_of_several_pages_is_read_to_its_end(net: Net) -> None:
    pages = [
        calendar_folder(item("a"), item("b", "2026-11-21T15:00:00Z", "2026-11-21T16:00:00Z"), last="false"),
        calendar_folder(
            item("b", "2026-11-21T15:00:00Z", "2026-11-21T16:00:00Z"),
            item("c", "2026-11-21T17:00:00Z", "2026-11-21T18:00:00Z"),
        ),
    ]
    host = branch(net, lambda _: http(200, pages.pop(0)))

    assert codes(dict(net.reader(IN_THEIR_NAME).read_calendars([ALICE], WINDOW))) == [3]
    starts = [re.findall(rb'StartDate="([^"]*)"', request)[0] for request in folder_requests(host)]
    assert starts == [b"2026-11-21T12:00:00Z", b"2026-11-21T15:00:00Z"]


def test_a_page_that_fails_leaves_nothing_of_the_others(net: Net) -> None:
    pages = [
        http(200, calendar_folder(item("a"), last="false")),
        http(500, fault("ErrorInternalServerTransientError")),
    ]
    assert codes(read(net, lambda _: pages.pop(0), IN_THEIR_NAME, ALICE)) == ["ErrorInternalServerTransientError"]


def test_an_answer_of_fifty_megabytes_is_not_read_to_its_end(net: Net) -> None:
    begin = OF_ONE + b" " * (6 * 1024 * 1024)
    answer = http(200, begin).replace(str(len(begin)).encode(), b"52428800", 1)
    results = read(net, lambda request: answer if owner(request) == BOB else http(200, OF_ONE), IN_THEIR_NAME)
    assert codes(results) == [1, "AnswerTooLarge", 1]


def test_the_read_as_a_whole_has_an_end_also_where_each_mailbox_is_asked_for_alone(net: Net) -> None:
    waiting = threading.Event()

    def respond(_: bytes) -> bytes:
        waiting.wait(0.4)
        return http(200, OF_ONE)

    branch(net, respond)
    begun = time.monotonic()
    addresses = [f"user{number}@branch.test" for number in range(20)]
    results = dict(net.reader(IN_THEIR_NAME, longest_read=1.0).read_calendars(addresses, WINDOW))

    assert time.monotonic() - begun < 3
    assert codes(results)[0] == 1
    assert codes(results)[-1] == "Timeout", "nobody is free for want of time"


def test_one_mailbox_over_which_the_server_hangs_costs_nobody_else_and_two_in_a_row_end_it(net: Net) -> None:
    slow = {ALICE}

    def respond(request: bytes) -> bytes:
        if owner(request) in slow:
            time.sleep(0.7)
        return http(200, OF_ONE)

    host = branch(net, respond)
    reader = net.reader(IN_THEIR_NAME, read_timeout=0.4)
    assert codes(dict(reader.read_calendars((ALICE, BOB, CAROL), WINDOW))) == ["Timeout", 1, 1]

    slow.add(BOB)
    seen = len(folder_requests(host))
    assert codes(dict(reader.read_calendars((ALICE, BOB, CAROL), WINDOW))) == ["Timeout"] * 3
    assert len(folder_requests(host)) - seen == 2


HOURS = (
    "<t:WorkingHours><t:TimeZone><t:Bias>-540</t:Bias>"
    + "".join(
        f"<t:{name}><t:Bias>0</t:Bias><t:Time>00:00:00</t:Time><t:DayOrder>0</t:DayOrder><t:Month>0</t:Month>"
        f"<t:DayOfWeek>Sunday</t:DayOfWeek></t:{name}>"
        for name in ("StandardTime", "DaylightTime")
    )
    + "</t:TimeZone><t:WorkingPeriodArray/></t:WorkingHours>"
)


def test_working_hours_are_asked_for_afterwards_of_all_who_were_read_at_once(net: Net) -> None:
    told = "<t:FreeBusyViewType>FreeBusy</t:FreeBusyViewType><t:CalendarEventArray/>" + HOURS

    def respond(request: bytes) -> bytes:
        if not about_folders(request):
            return http(200, availability(failed_mailbox("ErrorProxyRequestNotAllowed"), free_busy_response(told)))
        return http(500, fault("ErrorNonExistentMailbox")) if owner(request) == BOB else http(200, OF_ONE)

    host = net.host("mail.branch.test", respond)
    results = dict(net.reader(IN_THEIR_NAME).read_calendars((ALICE, BOB, CAROL), WINDOW))

    assert codes(results) == [1, "ErrorNonExistentMailbox", 1], "who has no hours that can be read has a calendar"
    hours = [result.working_hours for result in results.values() if isinstance(result, CalendarReading)]
    assert hours[0] is None
    assert hours[1] is not None
    assert hours[1].zone.bias == -540
    assert [about_folders(request) for request in host.requests] == [True, True, True, False]
    assert re.findall(rb"<t:Address>([^<]*)<", host.requests[-1]) == [ALICE.encode(), CAROL.encode()]


@pytest.mark.parametrize("answer", [http(503), http(200, b"<html/>"), None], ids=["busy", "a page", "hangs up"])
def test_where_working_hours_cant_be_had_the_calendars_are_as_good(net: Net, answer: bytes | None) -> None:
    net.host("mail.branch.test", lambda request: http(200, OF_ONE) if about_folders(request) else answer)
    assert codes(dict(net.reader(IN_THEIR_NAME).read_calendars((ALICE, BOB), WINDOW))) == [1, 1]


def test_a_mailbox_that_moved_is_looked_for_again(net: Net) -> None:
    """The ninth mistake of others (domain.md), for this way of reading."""
    discovered = when_signed_in(http(200, pox_settings("https://mail.example.com/EWS/Exchange.asmx")))
    net.host("autodiscover.example.com", discovered)
    net.host("mail.example.com", lambda _: http(500, fault("ErrorNonExistentMailbox")))
    net.silent("example.com")
    cache = MemoryEndpointCache(lambda: NOW)
    key = mailbox_key("alice@example.com")
    reader = net.reader(
        {"skip": ["root-domain"], "calendars": "calendar-folder", "access": "impersonation"}, cache=cache
    )
    reader.resolve("alice@example.com")
    assert cache.get_many([key])

    assert codes(dict(reader.read_calendars(["alice@example.com"], WINDOW))) == ["ErrorNonExistentMailbox"]
    assert not cache.get_many([key])


def test_working_hours_that_cant_be_had_bring_no_endpoint_into_doubt(net: Net) -> None:
    discovered = when_signed_in(http(200, pox_settings("https://mail.example.com/EWS/Exchange.asmx")))
    autodiscover = net.host("autodiscover.example.com", discovered)
    net.host("mail.example.com", lambda request: http(200, OF_ONE) if about_folders(request) else None)
    net.silent("example.com")
    folders_by_autodiscover = {"skip": ["root-domain"], "calendars": "calendar-folder", "access": "impersonation"}
    reader = net.reader(folders_by_autodiscover, cache=MemoryEndpointCache(lambda: NOW))

    assert codes(dict(reader.read_calendars(["alice@example.com"], WINDOW))) == [1]
    looked_up = len(autodiscover.requests)
    assert codes(dict(reader.read_calendars(["alice@example.com"], WINDOW))) == [1]
    assert len(autodiscover.requests) == looked_up


def versions(requests: list[bytes]) -> list[str]:
    return [re.findall(rb'RequestServerVersion Version="([^"]*)"', request)[0].decode() for request in requests]


def answers_old_versions(request: bytes) -> bytes:
    if b'Version="Exchange2013"' in request:
        return http(500, fault("ErrorInvalidServerVersion"))
    return http(200, OF_ONE if about_folders(request) else availability(mailbox_answer()))


FREE_BUSY = {**BRANCH, "calendars": "free-busy"}


@pytest.mark.parametrize("gateway", [IN_THEIR_NAME, FREE_BUSY], ids=["calendar-folder", "free-busy"])
@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("2007", ["Exchange2007_SP1"]),
        ("2010", ["Exchange2007_SP1"]),
        (None, ["Exchange2013", "Exchange2007_SP1"]),
    ],
)
def test_a_version_that_is_known_is_not_searched_for(
    net: Net, gateway: Mapping[str, object], said: str | None, asked: list[str]
) -> None:
    host = net.host("mail.branch.test", answers_old_versions)
    known = {} if said is None else {"exchange_version": said, "automatic_replies": "off"}
    cache = MemoryEndpointCache(lambda: NOW)
    reader = net.reader({**gateway, **known}, cache=cache)

    assert isinstance(reader.read_calendars([ALICE], WINDOW)[ALICE], CalendarReading)
    assert versions(host.requests)[: len(asked)] == asked
    reader.read_calendars([ALICE], WINDOW)
    assert set(versions(host.requests)[len(asked) :]) == {"Exchange2007_SP1"}, "what was found out is remembered"


class CountingCache(MemoryEndpointCache):
    """Counts how often it is asked."""

    looked_up = 0

    def get_many(self, keys: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
        self.looked_up += 1
        return super().get_many(keys)


@pytest.mark.parametrize("respond", [answers_old_versions, lambda _: http(200, OF_ONE)], ids=["old", "new"])
def test_what_is_remembered_of_a_host_is_looked_up_once_and_not_for_each_mailbox(net: Net, respond: Respond) -> None:
    def lookups(mailboxes: int) -> int:
        cache = CountingCache(lambda: NOW)
        net.reader(IN_THEIR_NAME, cache=cache).read_calendars(
            [f"user{number}@branch.test" for number in range(mailboxes)], WINDOW
        )
        return cache.looked_up

    host = branch(net, respond)
    assert lookups(1) == lookups(6)
    asked = folder_requests(host)
    assert len(asked) == 7 + 2 * (respond is answers_old_versions), "nor is the version searched for again"


@pytest.mark.parametrize("gateway", [IN_THEIR_NAME, FREE_BUSY], ids=["calendar-folder", "free-busy"])
def test_a_server_that_is_older_than_its_gateway_says_is_a_lasting_problem_and_asked_once(
    net: Net, gateway: Mapping[str, object]
) -> None:
    host = net.host("mail.branch.test", answers_old_versions)
    (problem,) = net.reader({**gateway, "exchange_version": "2016"}).read_calendars([ALICE], WINDOW).values()

    assert isinstance(problem, Problem)
    assert (problem.code, problem.kind) == ("RequestVersionRefused", ProblemKind.LASTING)
    assert "ErrorInvalidServerVersion" in problem.text
    assert "exchange_version" in problem.remedy
    assert len(host.requests) == 1
