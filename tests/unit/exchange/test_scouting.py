"""The steps of a domain are looked at side by side, and asked one after the other."""

from __future__ import annotations

import time

from exchange.locating import Resolution
from local.exchange.kept_host import http
from local.exchange.nameserver import ServiceRecord
from tests.unit.exchange.hosts import Net, pox_settings, when_signed_in

ALICE = "alice@example.com"
FIRST, SECOND = (f"https://{name}.example.com/EWS/Exchange.asmx" for name in ("first", "second"))
TRUSTED = {"trusted_hosts": ["example.com"]}


def found(url: str) -> bytes:
    return http(200, pox_settings(url))


def locate(net: Net, connect_timeout: float = 1.0) -> Resolution:
    return net.locate([ALICE], TRUSTED, connect_timeout=connect_timeout)[ALICE]


def url(resolution: Resolution) -> str | None:
    return resolution.endpoint.url if resolution.endpoint else None


def steps(resolution: Resolution) -> list[str]:
    return [step.step for step in resolution.trace]


def test_a_firewalled_root_domain_does_not_cost_its_time_to_connect(net: Net, firewalled: str) -> None:
    net.connect["example.com:443"] = firewalled
    net.host("autodiscover.example.com", when_signed_in(found(SECOND)))
    started = time.monotonic()

    resolution = locate(net)

    assert url(resolution) == SECOND
    assert steps(resolution) == ["autodiscover"]
    assert time.monotonic() - started < 1.0, "the time to connect"


def test_three_firewalled_steps_cost_the_time_of_one(net: Net, firewalled: str) -> None:
    for target in ("example.com:443", "autodiscover.example.com:443", "autodiscover.example.com:80"):
        net.connect[target] = firewalled
    net.host("srv.example.com", when_signed_in(found(SECOND)))
    net.zone.add_service("_autodiscover._tcp.example.com", ServiceRecord(0, 0, 443, "srv.example.com"))
    started = time.monotonic()

    assert url(locate(net)) == SECOND

    assert time.monotonic() - started < 1.5, "each of them would take a second"


def test_an_earlier_step_that_is_slower_wins_all_the_same(net: Net) -> None:
    def slowly(request: bytes) -> bytes | None:
        time.sleep(0.2)
        return when_signed_in(found(FIRST))(request)

    net.host("example.com", slowly, silent_for=0.2)
    later = net.host("autodiscover.example.com", when_signed_in(found(SECOND)))

    resolution = locate(net)

    assert url(resolution) == FIRST
    assert steps(resolution) == ["root-domain"]
    assert later.received == b"", "it was connected to, and told nothing"


def test_a_step_that_was_passed_over_is_asked_when_no_other_leads_anywhere(net: Net) -> None:
    net.host("example.com", when_signed_in(found(FIRST)), silent_for=0.8)
    net.host("autodiscover.example.com", lambda _request: http(404))

    resolution = locate(net, connect_timeout=1.5)

    assert url(resolution) == FIRST
    assert steps(resolution) == ["autodiscover", "http-redirect", "srv", "root-domain"]


def test_what_is_done_side_by_side_names_the_domain_and_nobody(net: Net) -> None:
    root = net.host("example.com", when_signed_in(found(FIRST)))
    later = net.host("autodiscover.example.com", when_signed_in(found(SECOND)))
    plain = net.host("autodiscover.example.com", lambda _request: http(404), port=80, plain=True)
    net.zone.add_service("_autodiscover._tcp.example.com", ServiceRecord(0, 0, 443, "srv.example.com"))
    target = net.host("srv.example.com", when_signed_in(found(SECOND)))

    assert url(locate(net)) == FIRST
    assert plain.ended.acquire(timeout=5)

    assert root.was_given_credentials
    assert later.received == b""
    assert target.connections == 0
    (request,) = plain.requests
    assert request.startswith(b"GET /autodiscover/autodiscover.xml HTTP/1.1\r\n")
    assert b"alice" not in plain.received
    assert not plain.was_given_credentials


def test_a_step_that_is_skipped_is_not_looked_at_either(net: Net) -> None:
    root = net.host("example.com", when_signed_in(found(FIRST)))
    plain = net.host("autodiscover.example.com", lambda _request: http(404), port=80, plain=True)
    net.host("autodiscover.example.com", when_signed_in(found(SECOND)))

    net.locate([ALICE], {"skip": ["root-domain", "http-redirect", "srv"]})

    assert (root.connections, plain.connections) == (0, 0)
    assert not [kind for _, kind in net.nameserver.queries if kind == "SRV"]


def test_each_step_shows_the_certificate_that_it_met(net: Net) -> None:
    net.host("example.com", when_signed_in(found(FIRST)), cert="www.example.com")
    net.host("autodiscover.example.com", when_signed_in(found(SECOND)))

    refused, accepted = locate(net).trace

    assert refused.certificate is not None
    assert (refused.certificate.verdict, refused.certificate.chain[0].subject) == ("SAN mismatch", "CN=www.example.com")
    assert accepted.certificate is not None
    assert accepted.certificate.verdict == "verified"
    assert accepted.certificate.chain[0].subject == "CN=autodiscover.example.com"
    assert accepted.addresses == (net.connect["autodiscover.example.com:443"],)


def test_finding_leaves_a_third_of_the_time_for_reading(net: Net) -> None:
    def slowly(_request: bytes) -> bytes:
        time.sleep(0.3)
        return http(404)

    net.host("autodiscover.example.com", slowly)
    started = time.monotonic()

    resolution = net.locate([ALICE], {"skip": ["root-domain", "http-redirect", "srv"]}, seconds=0.3)[ALICE]

    assert resolution.problem is not None
    assert time.monotonic() - started < 0.3


def test_a_host_that_may_not_be_asked_passes_nobody(net: Net) -> None:
    net.host("example.com", when_signed_in(found(FIRST)), silent_for=0.65)
    stranger = net.host("autodiscover.example.com", when_signed_in(found(SECOND)))
    gateway = {"domains": ["*"], "trusted_hosts": ["example.com", "first.example.com"]}

    resolution = net.locate([ALICE], gateway, connect_timeout=1.2)[ALICE]

    assert url(resolution) == FIRST
    assert steps(resolution) == ["root-domain"]
    assert stranger.connections == 0
