"""One mailbox over which a server fails as a whole: it is found, and everybody else is read."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import pytest

from exchange.endpoints import MemoryEndpointCache
from exchange.ews.mailbox_codes import OF_ONE_MAILBOX
from exchange.ews.response_codes import ANSWERS, problem_for
from exchange.ews.server_codes import STUMBLES
from exchange.halving import _OF_THE_ACCOUNT, IN_VAIN_FOR, Halved, ask_in_halves, may_be_of_one_mailbox
from exchange.locating import Resolution
from exchange.throttling.problems import wait_asked_for
from exchange.web.problems import host_unreachable, malformed_answer
from local.exchange.kept_host import KeptHost, Respond, http
from presence.errors import Problem, ProblemError
from tests.unit.exchange.branch_pool import NAMES, POOL, WINDOW, Read, codes, exchange, hang_up
from tests.unit.exchange.failing_servers import FAILURES, SERVER_ERROR, failing_over, unread
from tests.unit.exchange.hosts import NOW, Net, website
from tests.unit.exchange.reply_answers import mail_tips, mailbox_tips, recipients, reply

HUNDRED = [f"user{number}@branch.test" for number in range(100)]
ONE_HOST = {**POOL, "hosts": [NAMES[0]]}
STUMBLED = malformed_answer("mail.branch.test", "it ends in the middle")
# ---- asking in halves, by itself --------------------------------------------------------------------------------


@dataclass
class Server:
    """Fails with a problem at whatever holds one of the mailboxes, and counts what it is asked."""

    poison: Collection[str]
    problem: Problem = STUMBLED
    asked: list[int] = field(default_factory=list)

    def ask(self, resolutions: Sequence[Resolution]) -> Sequence[str | Problem]:
        self.asked.append(len(resolutions))
        if any(resolution.address in self.poison for resolution in resolutions):
            raise ProblemError(self.problem)
        return [f"of {resolution.address}" for resolution in resolutions]


def resolutions(addresses: Sequence[str]) -> list[Resolution]:
    return [Resolution(address, address, None, None, ()) for address in addresses]


def halved(server: Server, addresses: Sequence[str] = HUNDRED) -> Halved[str]:
    return ask_in_halves(resolutions(addresses), STUMBLED, server.ask)


def test_one_of_a_hundred_is_found_wherever_it_stands_by_fourteen_more_requests_at_most() -> None:
    counts = set()
    for poison in HUNDRED:
        server = Server({poison})
        found = halved(server)
        assert found.answered == {address: f"of {address}" for address in HUNDRED if address != poison}
        assert [each.address for each in found.left] == [poison]
        assert poison in found.problem.text
        assert (found.problem.code, found.problem.kind) == (STUMBLED.code, STUMBLED.kind)
        counts.add(len(server.asked))

    assert counts == {12, 14}


@pytest.mark.parametrize("count", [2, 3, 5])
def test_a_few_are_halved_down_to_the_last_one(count: int) -> None:
    for poison in HUNDRED[:count]:
        found = halved(Server({poison}), HUNDRED[:count])
        assert [each.address for each in found.left] == [poison]


def test_two_in_the_same_half_cost_those_of_the_part_in_which_they_part() -> None:
    server = Server({HUNDRED[80], HUNDRED[99]})

    found = halved(server)

    assert [each.address for each in found.left] == HUNDRED[75:]
    assert server.asked == [50, 50, 25, 25, 12, 13]
    assert found.problem == STUMBLED, "it is not said of one of them"


@pytest.mark.parametrize("poison", [(HUNDRED[0], HUNDRED[99]), HUNDRED])
def test_when_both_halves_fail_it_is_not_one_mailbox_and_nothing_more_is_asked(poison: Sequence[str]) -> None:
    server = Server(poison)

    found = halved(server)

    assert server.asked == [50, 50]
    assert (found.answered, [each.address for each in found.left], found.problem) == ({}, HUNDRED, STUMBLED)


def test_when_both_halves_are_answered_everybody_is_read() -> None:
    found = halved(Server(()))

    assert (list(found.answered), found.left) == (HUNDRED, ())


@pytest.mark.parametrize(
    "problem", [host_unreachable("mail.branch.test", "refused"), wait_asked_for("mail.branch.test", "later", 30.0)]
)
def test_a_problem_that_is_of_everybody_ends_it_and_is_that_of_all_who_are_left(problem: Problem) -> None:
    first, second = Server({HUNDRED[0]}, problem), Server({HUNDRED[99]}, problem)

    assert halved(first) == Halved({}, tuple(resolutions(HUNDRED)), problem)
    assert halved(second) == Halved(
        {address: f"of {address}" for address in HUNDRED[:50]}, tuple(resolutions(HUNDRED[50:])), problem
    )
    assert (first.asked, second.asked) == ([50], [50, 50])


def test_which_codes_may_come_of_one_mailbox() -> None:
    halving = {code for code in ANSWERS if may_be_of_one_mailbox(problem_for(code, "mail.example.com answers"))}

    assert halving == STUMBLES.keys() | OF_ONE_MAILBOX.keys() - _OF_THE_ACCOUNT
    assert OF_ONE_MAILBOX.keys() > _OF_THE_ACCOUNT


def test_whoever_asks_to_wait_is_not_asked_in_halves() -> None:
    problem = problem_for("ErrorInternalServerTransientError", "mail.example.com answers", 30.0)

    assert not may_be_of_one_mailbox(problem)


# ---- one host ---------------------------------------------------------------------------------------------------


@dataclass
class OneHost:
    """A gateway of one host, and what its readers know."""

    net: Net
    respond: Respond = exchange
    now: list[datetime] = field(default_factory=lambda: [NOW])

    def __post_init__(self) -> None:
        self.cache = MemoryEndpointCache(lambda: self.now[0])
        self.host: KeptHost = self.net.host(NAMES[0], self._respond)

    def _respond(self, request: bytes) -> bytes | None:
        return self.respond(request)

    def read(self, users: Sequence[str] = HUNDRED, *, longest_read: float = 45.0, read_timeout: float = 0.5) -> Read:
        """Read as a new function instance does, and forget what was asked before."""
        self.host.requests.clear()
        reader = self.net.reader(
            ONE_HOST,
            cache=self.cache,
            clock=lambda: self.now[0],
            longest_read=longest_read,
            read_timeout=read_timeout,
        )
        return dict(reader.read_calendars(users, WINDOW))


@pytest.fixture
def one(net: Net) -> OneHost:
    return OneHost(net)


@pytest.mark.parametrize("code", FAILURES)
def test_of_whole_failures_one_mailbox_has_the_problem_and_everybody_else_is_read(one: OneHost, code: str) -> None:
    one.respond = failing_over({HUNDRED[41]}, FAILURES[code])

    results = one.read()

    assert (unread(results), codes(results)) == ([HUNDRED[41]], {code})
    assert len(one.host.requests) == 15


def test_a_mailbox_over_which_the_server_hangs_is_found_within_the_time_of_the_read(one: OneHost) -> None:
    one.respond = failing_over({HUNDRED[0]}, lambda _request: time.sleep(1.5))
    began = time.monotonic()

    results = one.read(HUNDRED[:12], longest_read=2.8, read_timeout=1.0)

    assert (unread(results), codes(results)) == ([HUNDRED[0]], {"Timeout"})
    assert time.monotonic() - began < 2.8


def test_when_the_time_of_the_read_is_over_nothing_more_is_asked(one: OneHost) -> None:
    one.respond = failing_over({HUNDRED[0]}, lambda _request: time.sleep(1))

    results = one.read(longest_read=0.3, read_timeout=1.0)

    assert unread(results) == HUNDRED
    assert len(one.host.requests) == 1


def test_those_of_the_next_request_are_read_as_well(one: OneHost) -> None:
    users = [f"user{number}@branch.test" for number in range(250)]
    one.respond = failing_over({users[7], users[170]})

    assert unread(one.read(users)) == [users[7], users[170]]


@pytest.mark.parametrize("poison", [HUNDRED, (HUNDRED[0], HUNDRED[99])])
def test_what_was_halved_in_vain_is_halved_again_after_a_quarter_of_an_hour(
    one: OneHost, poison: Sequence[str]
) -> None:
    one.respond = failing_over(poison)
    asked = []
    for _ in range(4):
        assert unread(one.read()) == HUNDRED
        asked.append(len(one.host.requests))
        one.now[0] += IN_VAIN_FOR / 3

    assert asked == [3, 1, 1, 3]


@pytest.mark.parametrize("respond", [hang_up, lambda _request: http(503), lambda _request: http(403)])
def test_what_no_mailbox_causes_is_asked_once(one: OneHost, respond: Respond) -> None:
    one.respond = respond

    assert unread(one.read()) == HUNDRED
    assert len(one.host.requests) == 1


def test_a_server_that_asks_to_wait_in_between_is_left_alone(one: OneHost) -> None:
    answers = iter([SERVER_ERROR, None, http(503, Retry_After="30")])
    one.respond = lambda request: next(answers) or exchange(request)

    results = one.read()

    assert (unread(results), codes(results)) == (HUNDRED[50:], {"ServerBusy"})
    assert len(one.host.requests) == 3
    assert unread(one.read()) == HUNDRED, "nor is it asked by anybody else"
    assert one.host.requests == []


def test_automatic_replies_are_asked_for_in_halves_too(one: OneHost) -> None:
    def tips(request: bytes) -> bytes:
        asked = recipients(request)
        return SERVER_ERROR if HUNDRED[3] in asked else http(200, mail_tips(*[mailbox_tips(reply(""))] * len(asked)))

    one.respond = tips

    replies = one.net.reader(ONE_HOST, cache=one.cache).read_automatic_replies(HUNDRED)

    assert [address for address, result in replies.items() if isinstance(result, Problem)] == [HUNDRED[3]]


def test_replies_that_fail_for_everybody_do_not_keep_calendars_from_being_halved(one: OneHost) -> None:
    one.respond = website
    one.net.reader(ONE_HOST, cache=one.cache).read_automatic_replies(HUNDRED[:50])
    one.respond = failing_over({HUNDRED[3]})

    assert unread(one.read()) == [HUNDRED[3]]


def test_the_note_that_it_was_in_vain_may_fail(one: OneHost, monkeypatch: pytest.MonkeyPatch) -> None:
    one.respond = failing_over(HUNDRED)

    put = one.cache.put

    def broken(key: str, value: Mapping[str, str], ttl_seconds: float) -> None:
        if key.startswith("halving#"):
            raise OSError("throttled")
        put(key, value, ttl_seconds)

    monkeypatch.setattr(one.cache, "put", broken)

    assert codes(one.read()) == {"ErrorInternalServerError"}
