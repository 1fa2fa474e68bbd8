"""Domains that hang cost a read its time for finding mailboxes and no more, and the mailboxes of others nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from exchange.autodiscover import domains, turns
from exchange.endpoints import MemoryEndpointCache
from exchange.locating import Resolution
from local.exchange.kept_host import http
from local.exchange.nameserver import NameFault
from presence.calendar import CalendarReading, Window
from presence.errors import Problem, ProblemKind
from tests.support.clocks import Clock
from tests.unit.exchange.hosts import NOW, Net, availability, mailbox_answer, pox_settings, when_signed_in

WINDOW = Window(NOW, NOW + timedelta(hours=1))
HANGING = tuple(f"hangs{number}.test" for number in range(4))
GOOD = "zoe@good.test"
LONGEST = 3.0
"""Seconds of a read, two thirds of which are for finding mailboxes: the last third is what these tests tolerate."""


class Servers:
    """Domains that hang in one way or another, and those that answer.

    `asked` are the names of those that were asked, in that order, `after` is how many seconds each takes to answer.
    """

    def __init__(self, net: Net, firewalled: str, clock: Clock) -> None:
        self.net = net
        self.clock = clock
        self.asked: list[str] = []
        self.after: dict[str, float] = {}
        self.over = threading.Event()
        self._firewalled = firewalled

    def answers(self, domain: str, after: float = 0.0) -> None:
        found = when_signed_in(http(200, pox_settings(f"https://mail.{domain}/EWS/Exchange.asmx")))
        self.after[domain] = after

        def respond(request: bytes) -> bytes | None:
            self.asked.append(domain)
            self.over.wait(self.after[domain])
            return found(request)

        self.net.silent(domain)
        self.net.host(f"autodiscover.{domain}", respond)
        self.net.host(f"mail.{domain}", when_signed_in(http(200, availability(mailbox_answer()))))

    def hangs(self, domain: str) -> None:
        """Let the service take a question, and never answer it."""
        self.answers(domain, after=60.0)

    def hangs_when_connected_to(self, domain: str) -> None:
        for host in (f"{domain}:443", f"autodiscover.{domain}:443", f"autodiscover.{domain}:80"):
            self.net.connect[host] = self._firewalled

    def hangs_in_handshakes(self, domain: str) -> None:
        self.net.silent(domain)
        self.net.host(f"autodiscover.{domain}", lambda _request: None, silent_for=LONGEST)

    def is_unknown_to_silent_name_servers(self, domain: str) -> None:
        for name in (domain, f"autodiscover.{domain}", f"_autodiscover._tcp.{domain}"):
            self.net.zone.strike(name, NameFault.SILENT)


@pytest.fixture
def servers(net: Net, firewalled: str, clock: Clock) -> Iterator[Servers]:
    made = Servers(net, firewalled, clock)
    yield made
    made.over.set()


@pytest.fixture(
    params=[
        Servers.hangs,
        Servers.hangs_when_connected_to,
        Servers.hangs_in_handshakes,
        Servers.is_unknown_to_silent_name_servers,
    ],
    ids=lambda way: way.__name__,
)
def hang(request: pytest.FixtureRequest, servers: Servers) -> Callable[[str], None]:
    way: Callable[[Servers, str], None] = request.param
    return lambda domain: way(servers, domain)


def read(
    servers: Servers, addresses: list[str], cache: MemoryEndpointCache, longest: float = LONGEST
) -> dict[str, CalendarReading | Problem]:
    """Read calendars in `longest` seconds, each step of which may take all of them."""
    gateway = {"domains": [address.partition("@")[2] for address in addresses]}
    reader = servers.net.reader(gateway, cache=cache, longest_read=longest, read_timeout=60.0, clock=servers.clock)
    began = time.monotonic()
    found = dict(reader.read_calendars(addresses, WINDOW))
    assert time.monotonic() - began < longest
    return found


def test_a_mailbox_behind_domains_that_hang_is_read_in_the_first_read(
    servers: Servers, hang: Callable[[str], None], cache: MemoryEndpointCache
) -> None:
    for domain in HANGING:
        hang(domain)
    servers.answers("good.test")

    found = read(servers, [*(f"user@{domain}" for domain in HANGING), GOOD], cache)

    assert isinstance(found.pop(GOOD), CalendarReading)
    for problem in found.values():
        assert isinstance(problem, Problem)
        assert (problem.code, problem.kind) == ("AutodiscoverFailed", ProblemKind.PASSING)


def test_a_domain_that_hung_is_asked_after_those_that_did_not(servers: Servers, cache: MemoryEndpointCache) -> None:
    servers.hangs("hangs.test")
    read(servers, ["user@hangs.test"], cache, longest=0.6)
    servers.clock.pass_minutes(5)
    servers.hangs("hangs-too.test")
    read(servers, ["user@hangs-too.test"], cache, longest=0.6)
    servers.answers("good.test")
    servers.asked.clear()

    found = read(servers, ["user@hangs-too.test", "user@hangs.test", GOOD], cache)

    assert isinstance(found[GOOD], CalendarReading)
    assert list(dict.fromkeys(servers.asked)) == ["good.test", "hangs.test", "hangs-too.test"], "who waited longest"


def test_a_domain_that_is_slow_among_those_that_hang_is_found_later(
    servers: Servers, cache: MemoryEndpointCache
) -> None:
    servers.answers("slow.test", after=0.3)  # for each of two questions
    for domain in HANGING:
        servers.hangs(domain)
    addresses = ["user@slow.test", *(f"user@{domain}" for domain in HANGING)]

    assert isinstance(read(servers, addresses, cache)["user@slow.test"], Problem)
    assert isinstance(read(servers, addresses, cache)["user@slow.test"], CalendarReading)


def test_each_of_those_that_hang_has_half_of_the_time_in_its_read(servers: Servers, cache: MemoryEndpointCache) -> None:
    servers.answers("slow.test", after=0.34)  # for each of two questions: more than a third of the time, or a quarter
    for domain in HANGING[:2]:
        servers.hangs(domain)
    addresses = [f"user@{domain}" for domain in (HANGING[0], "slow.test", HANGING[1])]

    found = []
    for _ in range(3):
        found.append(read(servers, addresses, cache)["user@slow.test"])
        servers.clock.pass_minutes(5)

    assert [type(each) for each in found] == [Problem, Problem, CalendarReading]


def test_a_domain_that_hung_and_does_not_even_connect_uses_up_no_more_than_its_turn(
    servers: Servers, cache: MemoryEndpointCache
) -> None:
    for domain in ("hangs.test", "good.test"):
        servers.hangs(domain)
        read(servers, [f"user@{domain}"], cache, longest=0.6)
        servers.clock.pass_minutes(5)
    servers.hangs_when_connected_to("hangs.test")
    servers.after["good.test"] = 0.0

    assert isinstance(read(servers, ["user@hangs.test", GOOD], cache)[GOOD], CalendarReading)


def located(servers: Servers, addresses: list[str], cache: MemoryEndpointCache, seconds: float) -> list[Resolution]:
    gateway = {"domains": ["good.test", "hangs.test"]}
    found = servers.net.locate(addresses, gateway, cache=cache, seconds=seconds, connect_timeout=60.0)
    return [found[address] for address in addresses]


def test_who_is_still_connected_to_when_the_time_is_over_goes_behind_the_others_too(
    servers: Servers, cache: MemoryEndpointCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(domains, "_SIDE_BY_SIDE", 1)
    servers.hangs_when_connected_to("hangs.test")
    servers.answers("good.test")
    addresses = ["user@hangs.test", GOOD]

    assert not any(each.endpoint for each in located(servers, addresses, cache, seconds=0.6))
    _, good = located(servers, addresses, cache, seconds=0.6)

    assert good.endpoint is not None


def test_waiting_for_a_firewalled_root_domain_is_not_at_the_cost_of_a_turn(servers: Servers, firewalled: str) -> None:
    names = [f"good{number}.test" for number in range(4)]
    for domain in names:
        servers.answers(domain)
        servers.net.connect[f"{domain}:443"] = firewalled
    addresses = [f"user@{domain}" for domain in names]

    # A root domain is waited for for one second. Three seconds are for finding, and each turn takes a quarter of them.
    found = servers.net.locate(addresses, {"domains": names}, seconds=4.5, connect_timeout=2.0)

    assert all(each.endpoint for each in found.values())


def test_whose_turn_never_came_is_told_so_and_nothing_is_concluded_from_it(
    servers: Servers, cache: MemoryEndpointCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(domains, "_SIDE_BY_SIDE", 1)
    servers.hangs_when_connected_to("hangs.test")
    servers.answers("good.test")

    _, left = located(servers, ["user@hangs.test", GOOD], cache, seconds=0.6)

    assert left.problem is not None
    assert (left.problem.code, left.problem.kind) == ("AutodiscoverFailed", ProblemKind.PASSING)
    assert [step.step for step in left.trace] == ["waiting"]
    assert "used up the time" in left.trace[0].sentence
    (found,) = located(servers, [GOOD], cache, seconds=30.0)
    assert found.endpoint is not None, "that there was no time is no failure to be kept"


def test_a_service_that_there_was_no_time_to_ask_stays_the_domain_s(
    servers: Servers, cache: MemoryEndpointCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    for domain in ("hangs.test", "good.test"):
        servers.answers(domain)
    assert all(each.endpoint for each in located(servers, ["user@hangs.test", GOOD], cache, seconds=30.0))
    servers.after["hangs.test"] = 60.0
    monkeypatch.setattr(turns, "_SHORTEST_SHARE", 1.0)

    _, left = located(servers, ["new@hangs.test", "new@good.test"], cache, seconds=0.3)
    assert left.problem is not None

    (found,) = located(servers, ["new@good.test"], cache, seconds=30.0)
    assert [step.step for step in found.trace] == ["known"]


def test_silent_name_servers_do_not_outlast_a_read_of_a_named_host(servers: Servers) -> None:
    servers.is_unknown_to_silent_name_servers("hangs.test")
    servers.net.zone.strike("mail.hangs.test", NameFault.SILENT)
    gateway = {"kind": "ews", "domains": ["hangs.test"], "hosts": ["mail.hangs.test"]}
    reader = servers.net.reader(gateway, longest_read=0.4, read_timeout=60.0)
    began = time.monotonic()

    problem = reader.read_calendars(["user@hangs.test"], WINDOW)["user@hangs.test"]

    assert time.monotonic() - began < 1.0
    assert isinstance(problem, Problem)
    assert problem.code == "Timeout", "name servers are not to blame for our having no time"


def test_silent_name_servers_are_to_blame_for_the_part_of_the_time_that_a_host_of_a_pool_has(servers: Servers) -> None:
    hosts = [f"{name}.hangs.test" for name in ("mail", "other")]
    for host in hosts:
        servers.net.zone.strike(host, NameFault.SILENT)
    gateway = {"kind": "ews", "domains": ["hangs.test"], "hosts": hosts}
    reader = servers.net.reader(gateway, longest_read=0.6, read_timeout=60.0)

    problem = reader.read_calendars(["user@hangs.test"], WINDOW)["user@hangs.test"]

    assert isinstance(problem, Problem)
    assert problem.code == "NameServerFailed", "nobody has asked the host yet"
