"""Cookies of load balancers: back to the host that set them, during one read, and nowhere else."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta

import pytest

from exchange.account.credentials import Credentials
from exchange.endpoints import MemoryEndpointCache
from exchange.reader import ExchangeReader
from local.exchange.accounts import Account, credential_file
from local.exchange.authentication import NTLM, Authentication, channel_bindings
from local.exchange.kept_host import http
from presence.calendar import CalendarReading, Window
from presence.errors import Problem
from tests.unit.exchange.hosts import NOW, PASSWORD, Net, availability, mailbox_answer

WINDOW = Window(NOW, NOW + timedelta(hours=24))
HOST = "mail.branch.test"
GATEWAY = {"name": "branch", "kind": "ews", "domains": ["branch.test"], "hosts": [HOST], "auth": "ntlm"}
USERS = [f"user{number}@branch.test" for number in range(150)]
READER = Account("reader", "BRANCH\\presence", PASSWORD)
CANARY = "cookie-canary-1d9f"


@pytest.fixture
def account() -> Iterator[Account]:
    credential_file.add([READER])
    yield READER
    credential_file.remove([READER])


def exchange(request: bytes, **headers: str) -> bytes:
    return http(200, availability(*[mailbox_answer()] * len(re.findall(rb"<t:Address>", request))), **headers)


def header(request: bytes, name: str) -> str | None:
    found = re.search(rb"\r\n" + name.encode() + rb": ([^\r]*)\r\n", request, re.IGNORECASE)
    return found[1].decode() if found else None


class Balancer:
    """Two servers behind one address, each of which keeps to itself how far a sign-in has come, as Exchange does.

    Whoever brings no cookie is sent to the next server, also between two requests of one connection.
    """

    def __init__(self, net: Net, account: Account, *, sets_cookie: bool) -> None:
        certificate = net.authority.issue(HOST)
        bindings = channel_bindings(certificate.digest)
        self._servers = [Authentication([account], (NTLM,), bindings) for _ in range(2)]
        self._turns = itertools.cycle(range(2))
        self._sets_cookie = sets_cookie
        self.cookies: list[str | None] = []
        net.host(HOST, self._answer, tls=certificate.server_context())

    def _answer(self, request: bytes) -> bytes:
        cookie = header(request, "Cookie")
        self.cookies.append(cookie)
        leads_to = re.fullmatch(rf"session=\d+; exchangecookie={CANARY}-(\d)", cookie or "")
        server = int(leads_to[1]) if leads_to else next(self._turns)
        signed_in = self._servers[server].sign_in(header(request, "Authorization"))
        body = b"" if isinstance(signed_in, list) else exchange(request).partition(b"\r\n\r\n")[2]
        lines = ["HTTP/1.1 401 Unauthorized" if isinstance(signed_in, list) else "HTTP/1.1 200 OK"]
        lines += [f"Content-Length: {len(body)}"]
        lines += [f"WWW-Authenticate: {each}" for each in signed_in] if isinstance(signed_in, list) else []
        if self._sets_cookie:
            lines += [
                f"Set-Cookie: exchangecookie={CANARY}-{server}; path=/; secure; HttpOnly",
                f"Set-Cookie: session={len(self.cookies)}; expires=Fri, 01-Jan-2100 00:00:00 GMT; path=/EWS",
            ]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def ntlm_reader(net: Net, cache: MemoryEndpointCache, account: Account, *hosts: str) -> ExchangeReader:
    secrets = {"reader": Credentials(account.username, account.password)}
    return net.reader({**GATEWAY, "hosts": hosts or [HOST]}, cache=cache, secrets=secrets)


def test_ntlm_finds_its_server_again_behind_a_balancer(net: Net, account: Account) -> None:
    balancer = Balancer(net, account, sets_cookie=True)

    results = ntlm_reader(net, MemoryEndpointCache(lambda: NOW), account).read_calendars(USERS, WINDOW)

    assert all(isinstance(result, CalendarReading) for result in results.values())
    assert balancer.cookies[0] is None
    assert all(cookie and CANARY in cookie for cookie in balancer.cookies[1:])
    assert len(balancer.cookies) == 4, "three to sign in, of which the last is answered, and one for the others"


def test_without_the_cookie_it_does_not(net: Net, account: Account) -> None:
    """That the balancer above is one that needs it."""
    Balancer(net, account, sets_cookie=False)

    result = ntlm_reader(net, MemoryEndpointCache(lambda: NOW), account).read_calendars(USERS[:1], WINDOW)[USERS[0]]

    assert isinstance(result, Problem)
    assert result.code == "CredentialsRejected"


def test_cookies_end_with_the_read_and_are_kept_in_no_table(
    net: Net, account: Account, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    balancer = Balancer(net, account, sets_cookie=True)
    facts: dict[str, Mapping[str, str]] = {}

    class Watched(MemoryEndpointCache):
        def put(self, key: str, value: Mapping[str, str], ttl_seconds: float) -> None:
            facts[key] = value
            super().put(key, value, ttl_seconds)

    cache = Watched(lambda: NOW)
    net.silent("cas2.branch.test")
    pool = [HOST, "cas2.branch.test"]
    results = [ntlm_reader(net, cache, account, *pool).read_calendars(USERS[:2], WINDOW) for _ in range(2)]

    assert [index for index, cookie in enumerate(balancer.cookies) if cookie is None] == [0, 4]
    assert {key.partition("#")[0] for key in facts} >= {"turn", "placement", "breaker"}
    assert CANARY not in repr(facts) + repr(results) + caplog.text


def test_a_cookie_goes_to_no_other_host_of_the_pool_though_it_names_their_domain(net: Net) -> None:
    pool = {**GATEWAY, "auth": "basic", "hosts": ["cas1.branch.test", "cas2.branch.test", "cas1.branch.test:8443"]}
    cookie = f"{CANARY}=1; Domain=branch.test; Path=/"
    first = net.host("cas1.branch.test", lambda request: exchange(request, Set_Cookie=cookie))
    others = [net.host("cas2.branch.test", exchange), net.host("cas1.branch.test", exchange, port=8443)]
    net.reader({**pool, "limits": {"mailboxes_per_request": 20}}).read_calendars(USERS, WINDOW)

    assert header(first.requests[-1], "Cookie") == f"{CANARY}=1"
    assert all(len(host.requests) == 3 for host in others)
    assert all(header(request, "Cookie") is None for host in others for request in host.requests)


def test_cookies_that_are_too_large_are_not_carried_along(net: Net) -> None:
    large = f"a={'x' * 9000}; Path=/"
    host = net.host(HOST, lambda request: exchange(request, Set_Cookie=large))

    results = net.reader({**GATEWAY, "auth": "basic"}).read_calendars(USERS, WINDOW)

    assert all(isinstance(result, CalendarReading) for result in results.values())
    assert header(host.requests[-1], "Cookie") is None
