"""What is wrong with a whole gateway is kept from its first failing read to the first that is answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

import pytest

from exchange.account.credentials import Credentials
from exchange.endpoints import Change, Fact, MemoryEndpointCache, problem_key
from exchange.gateway_problems import GatewayProblems, changed
from exchange.problems import CONNECTION_CODES
from local.exchange.kept_host import http
from presence.calendar import Window
from presence.errors import Problem, ProblemKind
from presence.instants import format_instant
from tests.support.clocks import Clock
from tests.unit.exchange.folder_answers import calendar_folder
from tests.unit.exchange.hosts import NOW, Net, availability, challenge, failed_mailbox, mailbox_answer

ALICE, BOB = "alice@branch.test", "bob@branch.test"
WINDOW = Window(NOW, NOW + timedelta(hours=1))
BRANCH = {"name": "branch", "kind": "ews", "domains": ["branch.test"], "hosts": ["mail.branch.test"]}


@pytest.fixture
def problems(cache: MemoryEndpointCache, clock: Clock) -> GatewayProblems:
    return GatewayProblems(cache, clock)


def failing(code: str = "Timeout", text: str = "too slow") -> Problem:
    return Problem(code, ProblemKind.PASSING, text, "see why")


def test_a_gateway_that_nobody_can_be_read_through_has_a_problem_with_its_begin(
    problems: GatewayProblems, clock: Clock
) -> None:
    for _ in range(3):
        problems.note([("branch", failing()), ("branch", failing("HostUnreachable")), ("factory", "a reading")])
        clock.now += timedelta(hours=2)
    found = problems.of_gateways(["branch", "factory"])
    assert list(found) == ["branch"]
    problem = found["branch"]
    assert (problem.code, problem.text, problem.remedy, problem.since) == ("Timeout", "too slow", "see why", NOW)


def test_another_problem_has_another_begin(problems: GatewayProblems, clock: Clock) -> None:
    problems.note([("branch", failing())])
    clock.now += timedelta(minutes=5)
    problems.note([("branch", failing("CertificateInvalid"))])
    assert problems.of_gateways(["branch"])["branch"].since == NOW + timedelta(minutes=5)


@pytest.mark.parametrize("code", ["ErrorAccountDisabled", "ErrorPasswordExpired"])
def test_an_account_that_is_disabled_is_the_gateways_unless_others_are_read_well(
    problems: GatewayProblems, code: str
) -> None:
    problems.note([("branch", failing(code)), ("branch", failing(code))])
    assert problems.of_gateways(["branch"])["branch"].code == code
    problems.note([("branch", failing(code)), ("branch", "a reading")])
    assert problems.of_gateways(["branch"]) == {}


@pytest.mark.parametrize(
    "outcome",
    ["a reading", failing("ErrorNoFreeBusyAccess"), failing("ErrorMailboxMoveInProgress")],
    ids=["read", "no access to the mailbox", "the mailbox is being moved"],
)
def test_one_mailbox_that_is_answered_for_ends_it(problems: GatewayProblems, outcome: object) -> None:
    problems.note([("branch", failing())])
    problems.note([("branch", failing()), ("branch", outcome)])
    assert problems.of_gateways(["branch"]) == {}


@pytest.mark.parametrize("code", ["GatewayBusy", "CredentialsBeingTried", "ServerBusy", "ErrorServerBusy"])
def test_what_passes_by_itself_is_no_problem_of_the_gateway_and_ends_none(problems: GatewayProblems, code: str) -> None:
    problems.note([("branch", failing(code))])
    assert problems.of_gateways(["branch"]) == {}
    problems.note([("branch", failing())])
    problems.note([("branch", failing(code))])
    assert problems.of_gateways(["branch"])["branch"].code == "Timeout"


@pytest.mark.parametrize("code", sorted(CONNECTION_CODES | {"CredentialsRejected", "SecretUnusable"}))
def test_credentials_certificates_and_the_way_there_are_a_gateways_problems(
    problems: GatewayProblems, code: str
) -> None:
    problems.note([("branch", failing(code))])
    assert problems.of_gateways(["branch"])["branch"].code == code


@pytest.mark.parametrize(
    ("minutes", "text", "written"),
    [(0.5, "other words", False), (1, "other words", True), (59, "too slow", False), (60, "too slow", True)],
)
def test_a_problem_that_stays_is_written_seldom(minutes: float, text: str, *, written: bool) -> None:
    fact = changed(None, failing(), NOW)
    assert fact is not None
    again = changed(fact, failing(text=text), NOW + timedelta(minutes=minutes))
    assert (again is not None) is written
    if again is not None:
        assert again["since"] == format_instant(NOW)


def test_a_gateway_that_is_well_costs_no_write(clock: Clock) -> None:
    class ReadOnly(MemoryEndpointCache):
        def delete(self, keys: Sequence[str]) -> None:
            raise AssertionError(keys)

        def update(self, key: str, change: Change) -> Fact | None:
            raise AssertionError(key, change)

    GatewayProblems(ReadOnly(clock), clock).note([("branch", "a reading")])


def test_whether_there_is_a_problem_is_looked_up_once_a_minute_and_after_each_that_is_noted(clock: Clock) -> None:
    looked_up: list[Sequence[str]] = []

    class Counting(MemoryEndpointCache):
        def get_many(self, keys: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
            looked_up.append(keys)
            return super().get_many(keys)

    cache = Counting(clock)
    mine, others = (GatewayProblems(cache, clock) for _ in range(2))
    for _ in range(4):
        mine.note([("branch", "a reading")])
        clock.now += timedelta(seconds=20)
    assert looked_up == [[problem_key("branch")]] * 2
    others.note([("branch", failing())])
    clock.now += timedelta(seconds=40)
    mine.note([("branch", "a reading")])
    assert others.of_gateways(["branch"]) == {}
    mine.note([("branch", failing())])
    mine.note([("branch", "a reading")])
    assert others.of_gateways(["branch"]) == {}


@pytest.mark.parametrize("spoilt", [{}, {"code": "Timeout"}, {"since": "2026-11-21T12:00:00Z"}, {"since": "soon"}])
def test_a_spoilt_fact_is_no_problem(
    problems: GatewayProblems, cache: MemoryEndpointCache, spoilt: dict[str, str]
) -> None:
    cache.put(problem_key("branch"), spoilt, 60)
    assert problems.of_gateways(["branch"]) == {}


def test_a_reader_leaves_what_is_wrong_and_takes_it_back_when_it_is_mended(
    net: Net, cache: MemoryEndpointCache, clock: Clock, problems: GatewayProblems
) -> None:
    answers = {"now": challenge()}
    net.host("mail.branch.test", lambda _request: answers["now"])
    net.reader(BRANCH, cache=cache, clock=clock).read_calendars([ALICE, BOB], WINDOW)
    assert problems.of_gateways(["branch"])["branch"].code == "CredentialsRejected"

    clock.now += timedelta(minutes=5)
    answers["now"] = http(200, availability(failed_mailbox("ErrorNoFreeBusyAccess"), mailbox_answer()))
    net.reader(BRANCH, cache=cache, clock=clock).read_calendars([ALICE, BOB], WINDOW)
    assert problems.of_gateways(["branch"]) == {}


def test_a_reader_leaves_the_problem_of_a_domain_that_is_not_found_and_of_a_secret_that_is_missing(
    net: Net, cache: MemoryEndpointCache, clock: Clock, problems: GatewayProblems
) -> None:
    net.silent("example.com")
    net.silent("autodiscover.example.com")
    reader = net.reader(
        {"name": "found"},
        BRANCH,
        {"name": "other", "kind": "ews", "domains": ["factory.test"], "hosts": ["a.test"], "credentials": "none"},
        cache=cache,
        clock=clock,
        secrets={"reader": Credentials("u", "p")},
    )
    reader.read_calendars(["alice@example.com", "yuri@factory.test", "zelda@nowhere.test"], WINDOW)
    found = problems.of_gateways(["found", "other", "branch"])
    assert {name: problem.code for name, problem in found.items()} == {
        "found": "AutodiscoverFailed",
        "other": "SecretUnusable",
    }


def test_working_hours_that_cant_be_had_beside_calendar_folders_are_no_problem_of_the_gateway(
    net: Net, clock: Clock
) -> None:
    folders = {**BRANCH, "calendars": "calendar-folder", "access": "impersonation"}
    net.host("mail.branch.test", lambda request: http(200, calendar_folder()) if b"<m:FindItem" in request else None)
    cache = MemoryEndpointCache(clock)
    results = net.reader(folders, cache=cache).read_calendars([ALICE], WINDOW)
    assert not isinstance(results[ALICE], Problem)
    assert GatewayProblems(cache, clock).of_gateways(["branch"]) == {}
