"""A busy server is left alone for as long as it asks, by all instances, in whatever way it asks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from email.utils import format_datetime

import pytest

from exchange.endpoints import MemoryEndpointCache, wait_key
from exchange.throttling.back_off import BackOff
from exchange.throttling.reads import new_read
from local.exchange.kept_host import http
from presence.calendar import CalendarReading, Window
from presence.errors import Problem, ProblemError, ProblemKind
from tests.support.clocks import Clock
from tests.unit.exchange.hosts import NOW, Net, availability, failed_mailbox, fault, mailbox_answer

ALICE, BOB = "alice@branch.test", "bob@branch.test"
BRANCH = {"name": "branch", "kind": "ews", "domains": ["branch.test"], "hosts": ["mail.branch.test"]}
WINDOW = Window(NOW, NOW + timedelta(hours=1))
GOOD = mailbox_answer()
WAIT = '<m:MessageXml><t:Value Name="BackOffMilliseconds">90000</t:Value></m:MessageXml>'
BUSY = failed_mailbox("ErrorServerBusy", WAIT)


class Server:
    """A server that answers as told, and instances that share what they know of it."""

    def __init__(self, net: Net) -> None:
        self.clock = Clock(NOW)
        self.cache = MemoryEndpointCache(self.clock)
        self.answer = http(200, availability(GOOD, GOOD))
        self._net = net
        self.host = net.host("mail.branch.test", lambda _request: self.answer)

    def read(self) -> tuple[CalendarReading | Problem, CalendarReading | Problem]:
        reader = self._net.reader(BRANCH, cache=self.cache, clock=self.clock)
        found = reader.read_calendars([ALICE, BOB], WINDOW)
        return found[ALICE], found[BOB]


@pytest.fixture
def server(net: Net) -> Server:
    return Server(net)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (http(503, Retry_After="90"), "ServerBusy"),
        (http(503, Retry_After=format_datetime(NOW + timedelta(seconds=90), usegmt=True)), "ServerBusy"),
        (http(429, Retry_After="90"), "ServerBusy"),
        (http(429, Retry_After=format_datetime(NOW + timedelta(seconds=90), usegmt=True)), "ServerBusy"),
        (http(500, fault("ErrorServerBusy", WAIT.replace("m:", "t:"))), "ErrorServerBusy"),
        (http(503, fault("ErrorServerBusy"), Retry_After="90"), "ErrorServerBusy"),
        (http(200, fault("ErrorServerBusy", WAIT.replace("m:", "t:"))), "ErrorServerBusy"),
        (http(200, availability(BUSY, BUSY)), "ErrorServerBusy"),
        (http(500, fault("ErrorExceededConnectionCount"), Retry_After="90"), "ErrorExceededConnectionCount"),
    ],
    ids=[
        "503 and seconds",
        "503 and a date",
        "429 and seconds",
        "429 and a date",
        "500 and BackOffMilliseconds",
        "503 with a fault that names no time",
        "200 with a fault",
        "200 and every mailbox busy",
        "too many connections",
    ],
)
def test_whatever_way_a_server_asks_all_instances_wait_and_come_back_after_it(
    server: Server, answer: bytes, code: str
) -> None:
    server.answer = answer
    for outcome in server.read():
        assert isinstance(outcome, Problem)
        assert (outcome.code, outcome.kind, outcome.retry_after) == (code, ProblemKind.PASSING, 90.0)
    server.clock.now += timedelta(seconds=30)
    for outcome in server.read():
        assert isinstance(outcome, Problem)
        assert (outcome.code, outcome.kind, outcome.unasked) == ("ServerBusy", ProblemKind.PASSING, True)
        assert outcome.retry_after is not None
        assert 60 <= outcome.retry_after <= 65
        assert "mail.branch.test has asked to be left alone until 2026-11-21T12:01:30Z" in outcome.text
    assert len(server.host.requests) == 1
    server.answer = http(200, availability(GOOD, GOOD))
    server.clock.now += timedelta(seconds=60)
    assert all(isinstance(outcome, CalendarReading) for outcome in server.read())


def test_one_busy_mailbox_waits_alone(server: Server) -> None:
    server.answer = http(200, availability(BUSY, GOOD))
    busy, good = server.read()
    assert isinstance(busy, Problem)
    assert (busy.code, busy.retry_after) == ("ErrorServerBusy", 90.0)
    assert isinstance(good, CalendarReading)
    server.read()
    assert len(server.host.requests) == 2


@pytest.mark.parametrize(
    "answer",
    [
        http(503),
        http(503, Retry_After="0"),
        http(503, Retry_After="soon"),
        http(503, Retry_After=format_datetime(NOW - timedelta(minutes=1), usegmt=True)),
        http(500, fault("ErrorServerBusy")),
        http(500, fault("ErrorExceededConnectionCount")),
        http(200, availability(failed_mailbox("ErrorServerBusy"), failed_mailbox("ErrorServerBusy"))),
    ],
    ids=["503", "0", "no time", "a date gone by", "no BackOffMilliseconds", "too many connections", "all mailboxes"],
)
def test_a_server_that_names_no_time_is_asked_again_when_the_queue_brings_it(server: Server, answer: bytes) -> None:
    server.answer = answer
    for count in (1, 2):
        for outcome in server.read():
            assert isinstance(outcome, Problem)
            assert (outcome.kind, outcome.unasked, outcome.retry_after or None) == (ProblemKind.PASSING, False, None)
        assert len(server.host.requests) == count


def test_a_wait_is_an_hour_at_most(server: Server) -> None:
    server.answer = http(503, Retry_After="86400")
    server.read()
    server.clock.now += timedelta(hours=1)
    server.read()
    assert len(server.host.requests) == 2


def test_another_gateway_and_another_host_are_asked_all_the_same(server: Server, net: Net) -> None:
    server.answer = http(503, Retry_After="90")
    server.read()
    other = net.host("mail.factory.test", lambda _request: http(200, availability(GOOD)))
    factory = {"kind": "ews", "domains": ["factory.test"], "hosts": ["mail.factory.test"]}
    reader = net.reader(BRANCH, factory, cache=server.cache, clock=server.clock)
    found = reader.read_calendars([ALICE, "yuri@factory.test"], WINDOW)
    assert isinstance(found[ALICE], Problem)
    assert isinstance(found["yuri@factory.test"], CalendarReading)
    assert (len(server.host.requests), len(other.requests)) == (1, 1)


NEVER_ASKED = Problem("NeverAsked", ProblemKind.UNEXPECTED, "it was asked", "")
URL = "https://mail.branch.test/EWS/Exchange.asmx"


def failing(problem: Problem) -> Callable[[str, Sequence[str]], Sequence[Problem]]:
    def ask(_url: str, _asked: Sequence[str]) -> Sequence[Problem]:
        raise ProblemError(problem)

    return ask


def test_the_longest_wait_that_was_asked_for_counts() -> None:
    cache = MemoryEndpointCache(lambda: NOW)
    for seconds in (60.0, 300.0, 10.0):
        busy = Problem("ServerBusy", ProblemKind.PASSING, "busy", "", seconds)
        back_off = BackOff("branch", cache, lambda: NOW, new_read())
        back_off._until["mail.branch.test"] = None  # it was under way before the others were told
        with pytest.raises(ProblemError):
            back_off.respecting(failing(busy))(URL, [ALICE])
    key = wait_key("branch", "mail.branch.test")
    assert cache.get_many([key])[key] == {"until": "2026-11-21T12:05:00Z"}


def test_those_who_wait_do_not_come_back_in_the_same_second() -> None:
    cache = MemoryEndpointCache(lambda: NOW)
    cache.put(wait_key("branch", "mail.branch.test"), {"until": "2026-11-21T12:01:00Z"}, 60)
    waits = set()
    for _ in range(10):
        with pytest.raises(ProblemError) as told:
            BackOff("branch", cache, lambda: NOW, new_read()).respecting(failing(NEVER_ASKED))(URL, [ALICE])
        assert told.value.problem.code == "ServerBusy"
        waits.add(told.value.problem.retry_after)
    assert len(waits) == 10


def test_what_was_not_asked_is_no_wait_of_the_server() -> None:
    cache = MemoryEndpointCache(lambda: NOW)
    busy = Problem("GatewayBusy", ProblemKind.PASSING, "no lease", "", 8.0, unasked=True)
    with pytest.raises(ProblemError):
        BackOff("branch", cache, lambda: NOW, new_read()).respecting(failing(busy))(URL, [ALICE])
    assert cache.get_many([wait_key("branch", "mail.branch.test")]) == {}
