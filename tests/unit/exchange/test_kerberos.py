"""Kerberos by a library that need not be there: what it is told, what is sent, and what is said without it.

The library stands in: it is built against the Kerberos library of the machine, and a ticket needs a domain.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from types import ModuleType
from typing import Any, ClassVar

import pytest
import requests
from requests.auth import AuthBase

from exchange.account.credentials import Credentials
from exchange.endpoints import MemoryEndpointCache, account_key
from local.exchange.kept_host import http
from presence.calendar import CalendarReading, Window
from presence.errors import Problem, ProblemKind
from tests.unit.exchange.hosts import NOW, PASSWORD, Net, availability, challenge, mailbox_answer

ALICE = "alice@branch.test"
ACCOUNT = "presence@EXAMPLE.TEST"
WINDOW = Window(NOW, NOW + timedelta(hours=1))
BRANCH = {"name": "branch", "kind": "ews", "domains": ["branch.test"], "hosts": ["mail.branch.test"]}
GOOD = http(200, availability(mailbox_answer()))


class GSSError(Exception):
    pass


class SPNEGOExchangeError(requests.exceptions.RequestException):
    pass


class HTTPSPNEGOAuth(AuthBase):
    """Answers a 401 as the library does: twice with a token, or not at all if there is none."""

    told: ClassVar[dict[str, Any]] = {}
    has_ticket_for_server = True

    def __init__(self, **options: Any) -> None:
        type(self).told.clear()
        type(self).told.update(options)

    def generate_request_header(self, _response: object, host: str) -> str:
        if not self.has_ticket_for_server:
            raise SPNEGOExchangeError(f"no ticket for {host}")
        return "Negotiate dGlja2V0"

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.hooks["response"].append(self._handle_response)
        return request

    def _handle_response(self, response: requests.Response, **options: Any) -> requests.Response:
        for _ in range(2):
            if response.status_code == 401:
                response = self.handle_401(response, **options)
        return response

    def handle_401(self, response: requests.Response, **options: Any) -> requests.Response:
        try:
            token = self.generate_request_header(response, "mail.branch.test")
        except SPNEGOExchangeError:
            return response
        response.request.headers["Authorization"] = token
        response.content  # noqa: B018  so that the connection is used again
        response.raw.release_conn()
        again: requests.Response = response.connection.send(response.request, **options)
        return again


@pytest.fixture
def tickets(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Put the library in its place, with the tickets of some accounts."""
    of_accounts = {ACCOUNT}

    def credentials(name: str, usage: str) -> str:
        if name not in of_accounts:
            raise GSSError
        return f"the ticket of {name} to {usage}"

    gssapi, library = ModuleType("gssapi"), ModuleType("requests_gssapi")
    vars(gssapi).update(
        exceptions=type("exceptions", (), {"GSSError": GSSError}),
        NameType=type("NameType", (), {"user": "a user"}),
        Name=lambda name, _kind: name,
        Credentials=credentials,
    )
    vars(library).update(
        exceptions=type("exceptions", (), {"SPNEGOExchangeError": SPNEGOExchangeError}),
        HTTPSPNEGOAuth=HTTPSPNEGOAuth,
        OPTIONAL=2,
    )
    monkeypatch.setitem(sys.modules, "gssapi", gssapi)
    monkeypatch.setitem(sys.modules, "requests_gssapi", library)
    monkeypatch.setattr(HTTPSPNEGOAuth, "has_ticket_for_server", True)
    return of_accounts


def read(
    net: Net, credentials: Credentials, cache: MemoryEndpointCache | None = None, auth: str = "kerberos"
) -> CalendarReading | Problem:
    reader = net.reader({**BRANCH, "auth": auth}, secrets={"reader": credentials}, cache=cache)
    return reader.read_calendars([ALICE], WINDOW)[ALICE]


def only_with_a_ticket(request: bytes) -> bytes:
    return GOOD if b"\r\nauthorization: negotiate dglja2v0\r\n" in request.lower() else challenge("Negotiate")


@pytest.mark.usefixtures("tickets")
def test_a_ticket_is_shown_to_who_asks_for_one_bound_to_the_connection_and_no_password_goes_anywhere(net: Net) -> None:
    host = net.host("mail.branch.test", only_with_a_ticket)
    assert isinstance(read(net, Credentials(ACCOUNT, PASSWORD)), CalendarReading)
    assert [b"uthorization:" in request for request in host.requests] == [False, True]
    assert PASSWORD.encode() not in host.received
    assert HTTPSPNEGOAuth.told == {
        "creds": f"the ticket of {ACCOUNT} to initiate",
        "channel_bindings": "tls-server-end-point",
        "mutual_authentication": 2,
        "opportunistic_auth": False,
        "delegate": False,
        "sanitize_mutual_error_response": False,
    }


@pytest.mark.usefixtures("tickets")
def test_the_secret_of_an_account_with_tickets_needs_no_password(net: Net) -> None:
    net.host("mail.branch.test", only_with_a_ticket)
    assert isinstance(read(net, Credentials(ACCOUNT)), CalendarReading)


@pytest.mark.usefixtures("tickets")
def test_a_server_that_rejects_a_ticket_is_shown_no_second_one(net: Net) -> None:
    host = net.host("mail.branch.test", lambda _request: challenge("Negotiate"))
    problem = read(net, Credentials(ACCOUNT))
    assert isinstance(problem, Problem)
    assert problem.code == "CredentialsRejected"
    assert [b"uthorization:" in request for request in host.requests] == [False, True]


@pytest.mark.usefixtures("tickets")
def test_a_server_for_which_there_is_no_ticket_rejected_nothing(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HTTPSPNEGOAuth, "has_ticket_for_server", False)
    host = net.host("mail.branch.test", only_with_a_ticket)
    cache = MemoryEndpointCache(lambda: NOW)
    problem = read(net, Credentials(ACCOUNT, version="1"), cache)
    assert isinstance(problem, Problem)
    assert (problem.code, problem.kind) == ("AuthenticationFailed", ProblemKind.PASSING)
    assert not host.was_given_credentials
    key = account_key("branch", "1")
    assert cache.get_many([key])[key]["attempts"] == "0"


def test_without_a_ticket_of_the_account_nobody_is_asked(net: Net, tickets: set[str]) -> None:
    tickets.clear()
    host = net.host("mail.branch.test", only_with_a_ticket)
    problem = read(net, Credentials(ACCOUNT))
    assert isinstance(problem, Problem)
    assert (problem.code, problem.kind) == ("KerberosUnusable", ProblemKind.LASTING)
    assert f"there is no ticket of {ACCOUNT}" in problem.text
    assert "KRB5CCNAME" in problem.remedy
    assert host.connections == 0


@pytest.mark.parametrize("missing", ["gssapi", "requests_gssapi"])
@pytest.mark.usefixtures("tickets")
def test_without_the_library_the_problem_says_what_to_install(
    net: Net, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    host = net.host("mail.branch.test", only_with_a_ticket)
    problem = read(net, Credentials(ACCOUNT))
    assert isinstance(problem, Problem)
    assert (problem.code, problem.kind) == ("KerberosUnusable", ProblemKind.LASTING)
    assert "requests_gssapi is not installed" in problem.text
    assert "extra kerberos" in problem.remedy
    assert host.connections == 0


@pytest.mark.parametrize("auth", ["ntlm", "basic"])
def test_a_secret_without_a_password_serves_no_other_authentication(net: Net, auth: str) -> None:
    """requests_ntlm would show servers whoever is signed in to the machine."""
    host = net.host("mail.branch.test", lambda _request: challenge("NTLM"))
    problem = read(net, Credentials(ACCOUNT), auth=auth)
    assert isinstance(problem, Problem)
    assert problem.code == "SecretUnusable"
    assert f"has no password, which {auth} needs" in problem.text
    assert host.connections == 0
