"""Rejected credentials, with servers that count what they are sent: no account locked out, no sick host stops all."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest

from exchange.account.credentials import Credentials
from exchange.endpoints import EndpointCache, MemoryEndpointCache, account_key
from local.exchange.kept_host import KeptHost, Respond, http
from presence.calendar import CalendarReading, Window
from presence.errors import Problem, ProblemKind
from presence.tables.endpoints import EndpointTable
from tests.support.aws import Account
from tests.support.clocks import Clock
from tests.support.endpoint_tables import TableOfThreads
from tests.unit.exchange.hosts import (
    NOW,
    PASSWORD,
    USERNAME,
    Net,
    availability,
    challenge,
    mailbox_answer,
    when_signed_in,
)

ALICE = "alice@branch.test"
WINDOW = Window(NOW, NOW + timedelta(hours=1))
BRANCH = {"name": "branch", "kind": "ews", "domains": ["branch.test"], "hosts": ["mail.branch.test"]}
POOL = {**BRANCH, "hosts": ["cas1.branch.test", "cas2.branch.test"]}
GOOD = http(200, availability(mailbox_answer()))
HALF_AN_HOUR = timedelta(minutes=30)


class Attempts:
    """Answers like `respond`, and notes when the account came: what a domain controller would count."""

    def __init__(self, clock: Clock, respond: Respond) -> None:
        self.at: list[datetime] = []
        self.respond = respond
        self._clock = clock
        self._lock = threading.Lock()

    def __call__(self, request: bytes) -> bytes | None:
        with self._lock:
            if b"\r\nauthorization: " in request.lower():
                self.at.append(self._clock())
        return self.respond(request)


class Instances:
    """Function instances that share a table and a gateway."""

    def __init__(self, net: Net, clock: Clock, cache: EndpointCache, gateway: dict[str, Any]) -> None:
        self._net = net
        self._clock = clock
        self.cache = cache
        self._gateway = gateway

    def read(self, password: str = PASSWORD, version: str = "1") -> CalendarReading | Problem:
        secrets = {"reader": Credentials(USERNAME, password, version)}
        # Long time-outs: many threads on a busy machine are slow.
        reader = self._net.reader(
            self._gateway, cache=self.cache, secrets=secrets, clock=self._clock, read_timeout=10.0
        )
        return reader.read_calendars([ALICE], WINDOW)[ALICE]

    def read_at_once(self, count: int) -> list[CalendarReading | Problem]:
        with ThreadPoolExecutor(count) as pool:
            return list(pool.map(lambda _: self.read(), range(count)))


def refused(_request: bytes) -> bytes:
    return challenge()


def problem_of(outcome: CalendarReading | Problem) -> Problem:
    assert isinstance(outcome, Problem)
    return outcome


def most_within(times: list[datetime], length: timedelta) -> int:
    """Return how many of the times lie in the fullest stretch of a length."""
    return max((sum(start <= at < start + length for at in times) for start in times), default=0)


@pytest.mark.parametrize(
    ("table", "hosts"),
    [
        ("memory", ["mail.branch.test"]),
        ("memory", ["cas1.branch.test", "cas2.branch.test"]),
        ("real", ["cas1.branch.test", "cas2.branch.test"]),
    ],
    ids=["one host", "two hosts", "two hosts and a real table"],
)
def test_a_wrong_password_reaches_servers_twice_in_half_an_hour_and_then_once(
    request: pytest.FixtureRequest, net: Net, clock: Clock, table: str, hosts: list[str]
) -> None:
    """Three instances at a time, at every fifth minute of two hours, with a password that is always wrong."""
    attempts = Attempts(clock, refused)
    for host in hosts:
        net.host(host, attempts)
    shared: EndpointCache = MemoryEndpointCache(clock)
    if table == "real":
        aws: Account = request.getfixturevalue("aws")
        shared = TableOfThreads(aws.dynamodb, aws.make_table("EndpointTable"), clock)
    instances = Instances(net, clock, shared, {**BRANCH, "hosts": hosts})
    for _ in range(24):
        outcomes = instances.read_at_once(3)
        codes = {problem_of(outcome).code for outcome in outcomes}
        assert codes <= {"CredentialsRejected", "CredentialsBeingTried"}
        clock.pass_minutes(5)

    confirmed = attempts.at[1]
    assert most_within(attempts.at, HALF_AN_HOUR) == 2
    assert confirmed - NOW <= timedelta(minutes=5)
    probes = [at - confirmed for at in attempts.at[2:]]
    assert probes == [HALF_AN_HOUR * number for number in range(1, len(probes) + 1)]
    assert len(probes) == 3


def test_a_gateway_that_rests_says_since_when_how_often_it_was_tried_when_next_and_what_to_do(
    net: Net, clock: Clock
) -> None:
    net.host("cas1.branch.test", refused)
    net.host("cas2.branch.test", refused)
    instances = Instances(net, clock, MemoryEndpointCache(clock), POOL)
    first = problem_of(instances.read())
    assert (first.code, first.kind) == ("CredentialsRejected", ProblemKind.LASTING)
    clock.pass_minutes(1)
    rests = problem_of(instances.read())
    assert (rests.code, rests.kind, rests.retry_after) == ("CredentialsRejected", ProblemKind.LASTING, None)
    for told in ("'branch' rests since 2026-11-21T12:00:00Z", "2 times", "cas2.branch.test", "2026-11-21T12:30:00Z"):
        assert told in rests.text
    assert "presence gateways retry branch" in rests.remedy
    assert PASSWORD not in rests.text + rests.remedy


def test_a_gateway_that_rests_opens_no_connection(net: Net, clock: Clock) -> None:
    host = net.host("mail.branch.test", refused)
    instances = Instances(net, clock, MemoryEndpointCache(clock), BRANCH)
    for _ in range(2):
        instances.read()
        clock.pass_minutes(5)
    before = host.connections
    instances.read_at_once(8)
    assert (before, host.connections) == (2, 2)


def test_when_a_probe_is_accepted_everybody_reads_again(net: Net, clock: Clock) -> None:
    attempts = Attempts(clock, refused)
    net.host("mail.branch.test", attempts)
    instances = Instances(net, clock, MemoryEndpointCache(clock), BRANCH)
    for _ in range(3):
        instances.read()
        clock.pass_minutes(5)
    attempts.respond = when_signed_in(GOOD)
    assert isinstance(instances.read(), Problem)
    clock.pass_minutes(20)
    assert isinstance(instances.read(), CalendarReading)
    assert all(isinstance(outcome, CalendarReading) for outcome in instances.read_at_once(4))


def test_a_host_that_rejects_what_another_accepts_is_the_sick_one(net: Net, clock: Clock) -> None:
    sick = Attempts(clock, refused)
    net.host("cas1.branch.test", sick)
    net.host("cas2.branch.test", when_signed_in(GOOD))
    instances = Instances(net, clock, MemoryEndpointCache(clock), POOL)
    for _ in range(13):
        assert isinstance(instances.read(), CalendarReading)
        clock.pass_minutes(5)
    assert sick.at == [NOW, NOW + HALF_AN_HOUR, NOW + 2 * HALF_AN_HOUR]


def test_a_proved_account_that_one_host_begins_to_reject_goes_on_at_the_other_for_all(net: Net, clock: Clock) -> None:
    first = Attempts(clock, when_signed_in(GOOD))
    net.host("cas1.branch.test", first)
    net.host("cas2.branch.test", when_signed_in(GOOD))
    instances = Instances(net, clock, MemoryEndpointCache(clock), POOL)
    instances.read()
    first.respond, first.at = refused, []
    outcomes = instances.read_at_once(6)
    assert {problem_of(each).code for each in outcomes if isinstance(each, Problem)} <= {"CredentialsBeingTried"}
    clock.pass_minutes(1)
    assert all(isinstance(outcome, CalendarReading) for outcome in instances.read_at_once(6))
    assert {at - NOW for at in first.at} == {timedelta()}


def test_a_proved_account_that_becomes_wrong_is_rejected_once_by_each_read_that_is_under_way(
    net: Net, clock: Clock
) -> None:
    attempts = Attempts(clock, when_signed_in(GOOD))
    net.host("mail.branch.test", attempts)
    instances = Instances(net, clock, MemoryEndpointCache(clock), {**BRANCH, "limits": {"concurrent_reads": 3}})
    instances.read()
    attempts.respond, attempts.at = refused, []
    instances.read_at_once(24)
    assert 1 <= len(attempts.at) <= 3
    clock.pass_minutes(5)
    before = len(attempts.at)
    for _ in range(3):
        instances.read_at_once(8)
    assert len(attempts.at) == before + 1


def test_a_new_secret_is_tried_by_one_reader_and_then_free_for_all(net: Net, clock: Clock) -> None:
    others_were_told = threading.Event()
    attempts = Attempts(clock, lambda _request: GOOD if others_were_told.wait(10) else None)
    net.host("mail.branch.test", attempts)
    instances = Instances(net, clock, MemoryEndpointCache(clock), {**BRANCH})
    with ThreadPoolExecutor(1) as pool:
        trying = pool.submit(instances.read)
        while not attempts.at:
            threading.Event().wait(0.005)
        told = [problem_of(outcome) for outcome in instances.read_at_once(4)]
        others_were_told.set()
        assert isinstance(trying.result(), CalendarReading)
    assert {(each.code, each.kind, each.unasked) for each in told} == {
        ("CredentialsBeingTried", ProblemKind.PASSING, True)
    }
    assert all(each.retry_after and 4 <= each.retry_after <= 12 for each in told)
    assert len(attempts.at) == 1
    assert all(isinstance(outcome, CalendarReading) for outcome in instances.read_at_once(4))


def test_a_changed_secret_is_tried_at_once_and_so_is_one_that_the_operator_wants_tried(net: Net, clock: Clock) -> None:
    attempts = Attempts(clock, refused)
    net.host("mail.branch.test", attempts)
    instances = Instances(net, clock, MemoryEndpointCache(clock), BRANCH)
    for _ in range(3):
        instances.read()
        clock.pass_minutes(5)
    assert len(attempts.at) == 2
    instances.read(password="another", version="2")
    assert len(attempts.at) == 3
    instances.cache.delete([account_key("branch", "1")])
    instances.read()
    assert len(attempts.at) == 4


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (http(403), "AccessDenied"),
        (challenge("Negotiate"), "AuthenticationNotOffered"),
        (http(503), "ServerBusy"),
        (http(302, Location="https://mail.branch.test/"), "UnexpectedStatus"),
    ],
    ids=["403", "another kind of authentication", "503", "302"],
)
def test_what_is_no_rejection_does_not_count_and_proves_nothing(
    net: Net, clock: Clock, answer: bytes, code: str
) -> None:
    attempts = Attempts(clock, lambda _request: answer)
    net.host("mail.branch.test", attempts)
    instances = Instances(net, clock, MemoryEndpointCache(clock), BRANCH)
    for number in range(1, 5):
        assert problem_of(instances.read()).code == code
        assert len(attempts.at) == number
    key = account_key("branch", "1")
    known = instances.cache.get_many([key])[key]
    assert (known["attempts"], known.get("proved"), known.get("trying")) == ("0", None, None)


def test_a_401_that_closes_the_connection_is_one_rejection(net: Net, clock: Clock) -> None:
    attempts = Attempts(clock, lambda _request: http(401, WWW_Authenticate="Basic", Connection="close"))
    net.host("mail.branch.test", attempts)
    instances = Instances(net, clock, MemoryEndpointCache(clock), BRANCH)
    assert problem_of(instances.read()).code == "CredentialsRejected"
    assert len(attempts.at) == 1


# NTLM: a challenge message with a target name and target information (MS-NLMP, section 2.2.1.2).
CHALLENGE = (
    "NTLM TlRMTVNTUAACAAAADAAMADgAAAAFgomiASNFZ4mrze8AAAAAAAAAACQAJABEAAAABgBwFwAAAA9TAGUAcgB2AGUAcgACAAwARABvAG0AYQ"
    "BpAG4AAQAMAFMAZQByAHYAZQByAAAAAAA="
)


@pytest.mark.parametrize(("header", "code"), [("close", "AuthenticationFailed"), ("keep-alive", "CredentialsRejected")])
def test_ntlm_over_a_connection_that_the_server_closes_on_the_way_judges_no_account(
    net: Net, clock: Clock, header: str, code: str
) -> None:
    answers: list[bytes] = [
        http(401, WWW_Authenticate="NTLM"),
        http(401, WWW_Authenticate=CHALLENGE, Connection=header),
        http(401, WWW_Authenticate="NTLM"),
    ]
    mail: KeptHost = net.host("mail.branch.test", lambda _request: answers.pop(0))
    instances = Instances(net, clock, MemoryEndpointCache(clock), {**BRANCH, "auth": "ntlm"})
    problem = problem_of(instances.read())
    assert problem.code == code
    assert (len(mail.requests), answers) == (3, [])


def test_a_table_that_is_always_busy_sends_nothing_that_nobody_may(net: Net, clock: Clock, aws: Account) -> None:
    class Contended(EndpointTable):
        def _put_unless_changed(self, key: str, *arguments: Any) -> bool:
            return not key.startswith("account#") and super()._put_unless_changed(key, *arguments)

    host = net.host("mail.branch.test", refused)
    table = Contended(aws.dynamodb, aws.make_table("EndpointTable"), clock)
    assert problem_of(Instances(net, clock, table, BRANCH).read()).code == "CredentialsBeingTried"
    assert not host.was_given_credentials
