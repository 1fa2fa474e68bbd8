"""ExchangeReader against hosts that answer rightly and wrongly."""

from __future__ import annotations

import re
import time
from datetime import timedelta

import pytest

from exchange.endpoints import MemoryEndpointCache, mailbox_key
from local.exchange.kept_host import Respond, http
from presence.calendar import BusyType, CalendarReading, Window
from presence.checking import window_around
from presence.errors import Problem, ProblemKind
from tests.support.template import template
from tests.unit.exchange.hosts import (
    NOW,
    PASSWORD,
    Net,
    availability,
    challenge,
    failed_mailbox,
    fault,
    mailbox_answer,
    pox_settings,
    website,
    when_signed_in,
)

WINDOW = Window(NOW, NOW + timedelta(hours=24))
ALICE, BOB = "alice@branch.test", "bob@branch.test"
GOOD = mailbox_answer([("2026-11-21T12:30:00Z", "2026-11-21T13:00:00Z", "Busy")])
BRANCH = {"kind": "ews", "domains": ["branch.test"], "hosts": ["mail.branch.test"]}
BACK_OFF = '<t:MessageXml><t:Value Name="BackOffMilliseconds">4000</t:Value></t:MessageXml>'


def asked(request: bytes) -> list[str]:
    return [address.decode() for address in re.findall(rb"<t:Address>([^<]*)</t:Address>", request)]


def exchange(request: bytes) -> bytes:
    """Answer as a right server does: everybody is busy from 12:30 to 13:00."""
    return http(200, availability(*[GOOD] * len(asked(request))))


def read(net: Net, respond: Respond, addresses: tuple[str, ...] = (ALICE, BOB)) -> dict[str, CalendarReading | Problem]:
    net.host("mail.branch.test", respond)
    return dict(net.reader(BRANCH).read_calendars(addresses, WINDOW))


def problem(net: Net, respond: Respond) -> Problem:
    """Return the problem that both mailboxes have."""
    results = read(net, respond)
    assert set(results) == {ALICE, BOB}
    first, second = results.values()
    assert isinstance(first, Problem)
    assert first == second
    return first


def test_a_reading_says_whose_it_is_when_it_was_asked_for_and_where(net: Net) -> None:
    reading = read(net, exchange)[ALICE]

    assert isinstance(reading, CalendarReading)
    assert (reading.address, reading.window, reading.read_at) == (ALICE, WINDOW, NOW)
    assert reading.endpoint == "https://mail.branch.test/EWS/Exchange.asmx"
    assert reading.view == "FreeBusy"
    assert [(entry.start, entry.busy_type) for entry in reading.entries] == [
        (NOW + timedelta(minutes=30), BusyType.BUSY)
    ]


def test_the_request_is_one_of_utc_times_for_all_mailboxes_in_their_order(net: Net) -> None:
    host = net.host("mail.branch.test", exchange)

    net.reader(BRANCH).read_calendars([BOB, ALICE], WINDOW)

    (request,) = host.requests
    assert request.startswith(b"POST /EWS/Exchange.asmx HTTP/1.1\r\n")
    assert asked(request) == [BOB, ALICE]
    assert b"<t:StartTime>2026-11-21T12:00:00Z</t:StartTime>" in request
    assert b"<t:EndTime>2026-11-22T12:00:00Z</t:EndTime>" in request
    assert b"<t:Bias>0</t:Bias>" in request


def test_two_hundred_and_fifty_mailboxes_are_three_requests(net: Net) -> None:
    host = net.host("mail.branch.test", exchange)
    addresses = [f"user{number}@branch.test" for number in range(250)]

    results = net.reader(BRANCH).read_calendars(addresses, WINDOW)

    assert [len(asked(request)) for request in host.requests] == [100, 100, 50]
    assert all(isinstance(results[address], CalendarReading) for address in addresses)


def test_a_broken_answer_costs_the_mailboxes_of_that_request_only(net: Net) -> None:
    addresses = [f"user{number}@branch.test" for number in range(250)]
    second = set(addresses[100:200])
    net.host("mail.branch.test", lambda request: website() if second & set(asked(request)) else exchange(request))

    results = net.reader(BRANCH).read_calendars(addresses, WINDOW)

    failed = [address for address in addresses if isinstance(results[address], Problem)]
    assert failed == addresses[100:200]


@pytest.mark.parametrize(
    ("answer", "code", "kind", "retry_after"),
    [
        (http(403), "AccessDenied", ProblemKind.LASTING, None),
        (http(404), "EndpointNotFound", ProblemKind.LASTING, None),
        (http(440), "LoginPage", ProblemKind.LASTING, None),
        (http(302, Location="https://elsewhere.test/"), "UnexpectedStatus", ProblemKind.UNEXPECTED, None),
        (http(429, Retry_After="30"), "ServerBusy", ProblemKind.PASSING, 30.0),
        (http(503, Retry_After="120"), "ServerBusy", ProblemKind.PASSING, 120.0),
        (http(503, Retry_After="Sat, 21 Nov 2026 12:00:45 GMT"), "ServerBusy", ProblemKind.PASSING, 45.0),
        (http(503, Retry_After="Sat, 21 Nov 2026 11:00:00 GMT"), "ServerBusy", ProblemKind.PASSING, 0.0),
        (http(503, Retry_After="soon"), "ServerBusy", ProblemKind.PASSING, None),
        (http(503, Retry_After="9" * 30), "ServerBusy", ProblemKind.PASSING, 3600.0),
        (http(500, b"<html/>"), "ServerFailed", ProblemKind.PASSING, None),
        (http(500, fault("ErrorServerBusy", BACK_OFF)), "ErrorServerBusy", ProblemKind.PASSING, 4.0),
        (http(500, fault("ErrorServerBusy"), Retry_After="7"), "ErrorServerBusy", ProblemKind.PASSING, 7.0),
        (http(200, fault("ErrorServerBusy", BACK_OFF)), "ErrorServerBusy", ProblemKind.PASSING, 4.0),
        (http(500, fault("ErrorNobodyKnows")), "ErrorNobodyKnows", ProblemKind.UNEXPECTED, None),
        (http(200, b"<html><body>Welcome</body></html>"), "MalformedAnswer", ProblemKind.PASSING, None),
        (http(200, availability(GOOD, GOOD, GOOD)), "AnswerCountMismatch", ProblemKind.UNEXPECTED, None),
        (http(200, b"x" * (6 * 1024 * 1024)), "AnswerTooLarge", ProblemKind.LASTING, None),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<s:Env", "Timeout", ProblemKind.PASSING, None),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "MalformedAnswer", ProblemKind.PASSING, None),
        (challenge(), "CredentialsRejected", ProblemKind.LASTING, None),
        (challenge("NTLM"), "AuthenticationNotOffered", ProblemKind.LASTING, None),
    ],
)
def test_an_answer_for_all_is_a_problem_of_its_code_and_kind(
    net: Net, answer: bytes, code: str, kind: ProblemKind, retry_after: float | None
) -> None:
    found = problem(net, lambda _request: answer)

    assert (found.code, found.kind, found.retry_after) == (code, kind, retry_after)
    assert "mail.branch.test" in found.text
    assert found.remedy
    assert PASSWORD not in repr(found)


def test_one_mailbox_that_fails_costs_nobody_else(net: Net) -> None:
    results = read(net, lambda _request: http(200, availability(GOOD, failed_mailbox("ErrorNoFreeBusyAccess"))))

    failed = results[BOB]
    assert isinstance(results[ALICE], CalendarReading)
    assert isinstance(failed, Problem)
    assert failed.code == "ErrorNoFreeBusyAccess"


def test_one_endpoint_that_fails_costs_no_other(net: Net) -> None:
    net.host("mail.branch.test", lambda _request: None)
    net.host("mail.factory.test", exchange)
    factory = {"kind": "ews", "domains": ["factory.test"], "hosts": ["mail.factory.test"]}

    results = net.reader(BRANCH, factory).read_calendars([ALICE, "zoe@factory.test"], WINDOW)

    assert isinstance(results[ALICE], Problem)
    assert isinstance(results["zoe@factory.test"], CalendarReading)


def test_an_address_that_no_gateway_serves_costs_nobody_else(net: Net) -> None:
    net.host("mail.branch.test", exchange)

    results = net.reader(BRANCH).read_calendars([ALICE, "zoe@elsewhere.test"], WINDOW)

    stray = results["zoe@elsewhere.test"]
    assert isinstance(results[ALICE], CalendarReading)
    assert isinstance(stray, Problem)
    assert stray.code == "NoGateway"


def test_a_missing_secret_costs_its_gateway_only(net: Net) -> None:
    net.host("mail.branch.test", exchange)
    net.host("mail.factory.test", exchange)
    factory = {"kind": "ews", "domains": ["factory.test"], "hosts": ["mail.factory.test"], "credentials": "absent"}

    results = net.reader(BRANCH, factory).read_calendars([ALICE, "zoe@factory.test"], WINDOW)

    failed = results["zoe@factory.test"]
    assert isinstance(results[ALICE], CalendarReading)
    assert isinstance(failed, Problem)
    assert failed.code == "SecretUnusable"
    assert "absent" in failed.text


def test_a_fault_of_this_program_costs_its_endpoint_only(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object, **_options: object) -> bytes:
        raise RuntimeError(f"a bug that quotes {PASSWORD}")

    monkeypatch.setattr("exchange.ews.client.availability_request", fail)

    found = problem(net, exchange)

    assert (found.code, found.kind) == ("UnexpectedError", ProblemKind.UNEXPECTED)
    assert "reading from mail.branch.test failed with RuntimeError" in found.text
    assert PASSWORD not in found.text


def test_a_server_that_knows_no_newer_version_is_asked_in_an_older_one_and_that_is_remembered(net: Net) -> None:
    def old(request: bytes) -> bytes:
        return exchange(request) if b'"Exchange2007_SP1"' in request else http(500, fault("ErrorInvalidServerVersion"))

    host = net.host("mail.branch.test", old)
    cache = MemoryEndpointCache(lambda: NOW)

    first = net.reader(BRANCH, cache=cache).read_calendars([ALICE], WINDOW)[ALICE]
    assert isinstance(first, CalendarReading)
    assert len(host.requests) == 2
    net.reader(BRANCH, cache=cache).read_calendars([ALICE], WINDOW)

    assert len(host.requests) == 3


EWS = "https://mail.example.com/EWS/Exchange.asmx"


@pytest.mark.parametrize(
    ("answer", "forgotten"),
    [
        (http(404), True),
        (http(200, availability(failed_mailbox("ErrorProxyRequestNotAllowed"))), True),
        (http(200, availability(failed_mailbox("ErrorMailboxMoveInProgress"))), True),
        (http(200, availability(failed_mailbox("ErrorNoFreeBusyAccess"))), False),
        (http(503), False),
        (exchange(b"<t:Address>x</t:Address>"), False),
    ],
)
def test_a_mailbox_that_may_have_moved_is_looked_for_again(net: Net, answer: bytes, *, forgotten: bool) -> None:
    cache = MemoryEndpointCache(lambda: NOW)
    net.silent("example.com")
    net.host("autodiscover.example.com", when_signed_in(http(200, pox_settings(EWS))))
    net.host("mail.example.com", lambda _request: answer)

    net.reader(cache=cache).read_calendars(["alice@example.com"], WINDOW)

    known = cache.get_many([mailbox_key("alice@example.com")])
    assert bool(known) is not forgotten


def test_a_domain_without_autodiscover_is_looked_for_once_for_all_its_mailboxes(net: Net) -> None:
    site = net.host("example.com", website)
    addresses = [f"user{number}@example.com" for number in range(20)]

    results = net.reader().read_calendars(addresses, WINDOW)

    assert all(isinstance(result, Problem) and result.code == "AutodiscoverFailed" for result in results.values())
    assert len(site.requests) == 1


def test_a_mailbox_asked_for_twice_is_read_once(net: Net) -> None:
    host = net.host("mail.branch.test", exchange)

    net.reader(BRANCH).read_calendars([ALICE, ALICE], WINDOW)

    assert asked(host.requests[0]) == [ALICE]


def test_what_is_kept_is_forgotten_after_its_time() -> None:
    now = [NOW]
    cache = MemoryEndpointCache(lambda: now[0])
    cache.put("a", {"url": "x"}, 60)
    cache.put("b", {"url": "y"}, 120)
    now[0] += timedelta(seconds=60)

    assert cache.get_many(["a", "b", "c"]) == {"b": {"url": "y"}}
    cache.delete(["b", "c"])
    assert cache.get_many(["b"]) == {}


def test_a_gateway_host_may_be_an_ip_address_of_either_kind(net: Net) -> None:
    net.host("192.0.2.10", exchange, port=8443)
    net.host("2001:db8::1", exchange)
    old = {**BRANCH, "hosts": ["192.0.2.10:8443"]}
    new = {"kind": "ews", "domains": ["factory.test"], "hosts": ["[2001:db8::1]"]}

    results = net.reader(old, new).read_calendars([ALICE, "zoe@factory.test"], WINDOW)

    endpoints = [result.endpoint for result in results.values() if isinstance(result, CalendarReading)]
    assert endpoints == ["https://192.0.2.10:8443/EWS/Exchange.asmx", "https://[2001:db8::1]/EWS/Exchange.asmx"]


def test_a_server_that_is_slow_each_time_uses_up_the_time_of_the_read_and_no_more(net: Net) -> None:
    asked_for: list[str] = []

    def slowly(request: bytes) -> bytes:
        asked_for.extend(asked(request) or ["autodiscover"])
        time.sleep(0.3)
        return http(200, pox_settings("https://mail.example.com/EWS/Exchange.asmx"))

    net.host("autodiscover.example.com", slowly)
    addresses = [f"user{number}@example.com" for number in range(20)]
    results = net.reader({"skip": ["root-domain", "http-redirect", "srv"]}, longest_read=1.0).read_calendars(
        addresses, WINDOW
    )
    assert set(results) == set(addresses)
    last = results[addresses[-1]]
    assert isinstance(last, Problem)
    assert (last.kind, "no time was left" in last.text) == (ProblemKind.PASSING, True)
    assert 1 <= len(asked_for) <= 5


def test_the_longest_window_that_may_be_set_is_one_that_every_exchange_takes() -> None:
    """Older ones answer ErrorTimeIntervalTooBig to more than 42 days, a calendar view to more than two years."""
    hours = template()["Parameters"]["HorizonHours"]["MaxValue"]
    window = window_around(NOW, timedelta(hours=hours))
    assert window.end - window.start <= timedelta(days=42)


def test_a_subject_that_xml_forbids_costs_nobody_a_check(net: Net) -> None:
    entry = [("2026-11-21T12:30:00Z", "2026-11-21T13:00:00Z", "Busy")]
    details = "</t:BusyType><t:CalendarEventDetails><t:Subject>a&#x1F;b</t:Subject></t:CalendarEventDetails>"
    forbidden = mailbox_answer(entry).replace("</t:BusyType>", details)
    spoilt = mailbox_answer(entry).replace("Busy</t:BusyType>", "Bu&#x1F;sy</t:BusyType>")
    branch = {"kind": "ews", "domains": ["branch.test"], "hosts": ["mail.branch.test"]}
    net.host("mail.branch.test", lambda _request: http(200, availability(forbidden, mailbox_answer(), spoilt)))
    users = [f"{name}@branch.test" for name in ("alice", "bob", "carol")]

    alice, bob, carol = net.reader(branch).read_calendars(users, WINDOW).values()

    assert isinstance(alice, CalendarReading)
    assert len(alice.entries) == 1
    assert isinstance(bob, CalendarReading)
    assert isinstance(carol, Problem)
    assert carol.code == "MalformedCalendar"
