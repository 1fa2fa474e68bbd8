"""The ways in which others have been led to give an account away, each laid as a trap.

An attack lays its trap into a net and returns the attacker's hosts; `lower` takes down, for the control run, what else
than trust stands in its way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from requests.auth import HTTPBasicAuth

from exchange.autodiscover import discovery, questions, scouting
from exchange.autodiscover.urls import autodiscover_host_url
from exchange.web.bounded_http import Answer, WebClient
from exchange.web.hosts import HostPort
from local.exchange.kept_host import KeptHost, Respond, http
from local.exchange.nameserver import ServiceRecord
from tests.unit.exchange.attackers import STRANGER_EWS, asking, collector
from tests.unit.exchange.hosts import PASSWORD, USERNAME, Net, pox_account, pox_settings
from tests.unit.exchange.soap_answers import is_soap, refused_user, service, settings_of_user

ALICE, BOB = "alice@example.com", "bob@example.com"
STRANGER = "https://autodiscover.stranger.test/autodiscover/autodiscover.xml"

Lay = Callable[[Net, str], list[KeptHost]]
Lower = Callable[[pytest.MonkeyPatch], None]


def nothing_else(_monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust is all that stands in the way."""


@dataclass(frozen=True)
class Attack:
    """A trap for whoever looks for `addresses` through a gateway with these keys."""

    name: str
    lay: Lay
    gateway: Mapping[str, Any] = field(default_factory=dict)
    addresses: tuple[str, ...] = (ALICE, BOB)
    lower: Lower = nothing_else


def stranger(net: Net, auth: str) -> list[KeptHost]:
    """Start the attacker's own autodiscover service and EWS server."""
    return [net.host(name, collector(auth)) for name in ("autodiscover.stranger.test", "mail.stranger.test")]


def website_that_asks(net: Net, auth: str) -> list[KeptHost]:
    net.silent("autodiscover.example.com")
    return [net.host("example.com", collector(auth))]


def plain_http_that_asks(net: Net, auth: str) -> list[KeptHost]:
    net.silent("example.com")
    net.silent("autodiscover.example.com", 443)
    return [net.host("autodiscover.example.com", collector(auth), port=80, plain=True)]


def sign_in_wherever_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the client answer each challenge of Basic, as some do."""
    send = WebClient.send

    def naive(client: WebClient, method: str, url: str, **options: Any) -> Answer:
        answer = send(client, method, url, **options)
        if answer.status != 401 or "auth" in options:
            return answer
        return send(client, method, url, auth=HTTPBasicAuth(USERNAME, PASSWORD), **options)

    monkeypatch.setattr(WebClient, "send", naive)


def plain_redirect(status: int) -> Lay:
    def lay(net: Net, auth: str) -> list[KeptHost]:
        net.silent("example.com")
        net.silent("autodiscover.example.com", 443)
        net.host("autodiscover.example.com", lambda _: http(status, Location=STRANGER), port=80, plain=True)
        return stranger(net, auth)

    return lay


def https_redirect(status: int) -> Lay:
    def lay(net: Net, auth: str) -> list[KeptHost]:
        net.silent("example.com")
        net.host("autodiscover.example.com", lambda _: http(status, Location=STRANGER))
        return stranger(net, auth)

    return lay


def own_service(net: Net, auth: str, respond: Respond) -> None:
    """Let the organisation's own service, which may have the account and asks for it, answer so."""
    net.silent("example.com")
    net.host("autodiscover.example.com", asking(auth, respond))


def in_pox(answer: bytes) -> Respond:
    """Answer each question in POX so, and speak no SOAP."""
    return lambda request: http(404) if is_soap(request) else answer


def redirect_url(net: Net, auth: str) -> list[KeptHost]:
    referred = pox_account(f"<Action>redirectUrl</Action><RedirectUrl>{STRANGER}</RedirectUrl>")
    own_service(net, auth, in_pox(http(200, referred)))
    return stranger(net, auth)


def redirect_address(net: Net, auth: str) -> list[KeptHost]:
    moved = pox_account("<Action>redirectAddr</Action><RedirectAddr>alice@stranger.test</RedirectAddr>")
    own_service(net, auth, in_pox(http(200, moved)))
    return [*stranger(net, auth), net.host("stranger.test", collector(auth))]


def website_that_redirects_the_address(net: Net, auth: str) -> list[KeptHost]:
    moved = pox_account("<Action>redirectAddr</Action><RedirectAddr>mallory@stranger.test</RedirectAddr>")
    net.host("example.com", lambda _: http(200, moved))
    return [*stranger(net, auth), net.host("stranger.test", collector(auth))]


def in_soap(code: str, target: str) -> Lay:
    def lay(net: Net, auth: str) -> list[KeptHost]:
        own_service(net, auth, service(lambda _: refused_user(code, target)))
        return stranger(net, auth)

    return lay


def ews_url_in_soap(net: Net, auth: str) -> list[KeptHost]:
    own_service(net, auth, service(lambda each: settings_of_user(each, external=STRANGER_EWS)))
    return stranger(net, auth)


def ews_url_in_pox(net: Net, auth: str) -> list[KeptHost]:
    own_service(net, auth, in_pox(http(200, pox_settings(STRANGER_EWS))))
    return stranger(net, auth)


def service_record(net: Net, auth: str) -> list[KeptHost]:
    net.silent("example.com")
    net.silent("autodiscover.example.com")
    net.zone.add_service("_autodiscover._tcp.example.com", ServiceRecord(0, 0, 443, "autodiscover.stranger.test"))
    return stranger(net, auth)


def lookalike(net: Net, auth: str) -> list[KeptHost]:
    location = "https://autodiscover.notexample.com/autodiscover/autodiscover.xml"
    own_service(net, auth, in_pox(http(302, Location=location)))
    return [net.host("autodiscover.notexample.com", collector(auth))]


def address_of_a_stranger(net: Net, auth: str) -> list[KeptHost]:
    return [*stranger(net, auth), net.host("stranger.test", collector(auth))]


def climbing(net: Net, auth: str) -> list[KeptHost]:
    """Own what is above the users' domain, as in the leak of 2021."""
    for name in ("sales.example.com", "autodiscover.sales.example.com"):
        net.silent(name)
    return [net.host(name, collector(auth)) for name in ("autodiscover.example.com", "autodiscover.com")]


def climb(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the client go on to shorter domains: the mistake of those whose accounts were collected."""

    def shorter(domain: str) -> str:
        return autodiscover_host_url(domain.partition(".")[2])

    monkeypatch.setattr(scouting, "autodiscover_host_url", shorter)


def registry(net: Net, auth: str) -> list[KeptHost]:
    net.silent("co.uk")
    return [net.host("autodiscover.co.uk", collector(auth))]


def user_info(net: Net, auth: str) -> list[KeptHost]:
    location = "https://autodiscover.example.com@stranger.test/autodiscover/autodiscover.xml"
    own_service(net, auth, in_pox(http(302, Location=location)))
    return [net.host("stranger.test", collector(auth))]


def user_info_in_soap(net: Net, auth: str) -> list[KeptHost]:
    url = "https://autodiscover.example.com@stranger.test/autodiscover/autodiscover.svc"
    own_service(net, auth, service(lambda _: refused_user("RedirectUrl", url)))
    return [net.host("stranger.test", collector(auth))]


def take_any_url(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at no URL but for its host."""

    def check(url: str) -> HostPort:
        parts = urlsplit(url)
        return HostPort(parts.hostname or "", parts.port or 443)

    monkeypatch.setattr(discovery, "check_autodiscover_url", check)
    monkeypatch.setattr(questions, "split_https_url", lambda url: (check(url), urlsplit(url).path))


REDIRECTS = (301, 302, 303, 307, 308)
ATTACKS = (
    Attack("the website of the domain asks for a password", website_that_asks),
    Attack("plain http asks for a password", plain_http_that_asks, lower=sign_in_wherever_asked),
    *(Attack(f"plain http redirects to a stranger with {each}", plain_redirect(each)) for each in REDIRECTS),
    *(Attack(f"https redirects to a stranger with {each}", https_redirect(each)) for each in REDIRECTS),
    Attack("POX refers to a stranger's service", redirect_url),
    Attack("POX sends the address to a stranger's domain", redirect_address),
    Attack("the website of the domain sends the address to its own", website_that_redirects_the_address),
    Attack("SOAP refers to a stranger's service", in_soap("RedirectUrl", STRANGER.replace(".xml", ".svc"))),
    Attack("SOAP sends the address to a stranger's domain", in_soap("RedirectAddress", "alice@stranger.test")),
    Attack("SOAP names a stranger's EWS", ews_url_in_soap),
    Attack("POX names a stranger's EWS", ews_url_in_pox),
    Attack("an SRV record names a stranger", service_record),
    Attack("a host is named like the domain, but not below it", lookalike),
    Attack(
        "somebody brings an address into a gateway for all others",
        address_of_a_stranger,
        {"domains": ["*"]},
        ("mallory@stranger.test", "trudy@stranger.test"),
    ),
    Attack(
        "shorter domains belong to somebody else",
        climbing,
        {"domains": ["sales.example.com"]},
        ("alice@sales.example.com", "bob@sales.example.com"),
        climb,
    ),
    Attack("the domain is a registry's", registry, {"domains": ["co.uk"]}, ("alice@co.uk", "bob@co.uk")),
    Attack("a redirection hides its host behind a user name", user_info, lower=take_any_url),
    Attack("SOAP hides its host behind a user name", user_info_in_soap, lower=take_any_url),
)
