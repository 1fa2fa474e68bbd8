"""What an operator's document says of autodiscover: which URL is preferred, and which service is asked alone."""

from __future__ import annotations

import pytest

from exchange.endpoints import MemoryEndpointCache
from local.exchange.kept_host import http
from presence.calendar import CalendarReading
from presence.errors import Problem
from tests.unit.exchange.discovered import ALICE, BOB, BUSY, NEW, OLD, only_autodiscover, read
from tests.unit.exchange.hosts import (
    Net,
    challenge,
    pox_account,
    pox_error,
    pox_settings,
    website,
    when_signed_in,
)

INSIDE = "https://inside.example.com/EWS/Exchange.asmx"
OUTSIDE = "https://outside.example.com/EWS/Exchange.asmx"
BOTH = pox_account(
    "<Action>settings</Action>"
    f"<Protocol><Type>EXCH</Type><EwsUrl>{INSIDE}</EwsUrl></Protocol>"
    f"<Protocol><Type>EXPR</Type><EwsUrl>{OUTSIDE}</EwsUrl></Protocol>"
)


@pytest.mark.parametrize(
    ("prefer", "down", "asked"),
    [
        ("external", "", OUTSIDE),
        ("internal", "", INSIDE),
        ("external", "outside", INSIDE),
        ("internal", "inside", OUTSIDE),
    ],
)
def test_the_preferred_url_is_asked_and_the_other_where_it_can_t_be_connected_to(
    net: Net, cache: MemoryEndpointCache, prefer: str, down: str, asked: str
) -> None:
    only_autodiscover(net, http(200, BOTH))
    for name in ("inside", "outside"):
        if name == down:
            net.silent(f"{name}.example.com")
        else:
            net.host(f"{name}.example.com", lambda _request: http(200, BUSY))

    for _ in range(2):  # from autodiscover, then from what is kept
        reading = read(net, cache, {"prefer": prefer})
        assert isinstance(reading, CalendarReading)
        assert reading.endpoint == asked


def test_a_changed_preference_counts_for_what_is_known_already(net: Net, cache: MemoryEndpointCache) -> None:
    service = only_autodiscover(net, http(200, BOTH))
    for name in ("inside", "outside"):
        net.host(f"{name}.example.com", lambda _request: http(200, BUSY))
    read(net, cache)
    service.requests.clear()

    reading = read(net, cache, {"prefer": "internal"})

    assert isinstance(reading, CalendarReading)
    assert reading.endpoint == INSIDE
    assert not service.requests


def test_the_other_url_is_not_asked_if_it_is_a_stranger_s(net: Net, cache: MemoryEndpointCache) -> None:
    both = BOTH.replace(b"inside.example.com", b"inside.stranger.test")
    only_autodiscover(net, http(200, both))
    net.silent("outside.example.com")
    stranger = net.host("inside.stranger.test", lambda _request: challenge())

    problem = read(net, cache)

    assert isinstance(problem, Problem)
    assert problem.code == "HostUnreachable"
    assert stranger.connections == 0


PINNED = {"autodiscover_urls": {"example.com": "https://discover.hosting.test/autodiscover/autodiscover.xml"}}


def test_a_pinned_service_is_asked_alone_and_trusted(net: Net) -> None:
    root = net.host("example.com", website)
    usual = only_autodiscover(net, http(200, pox_settings(OLD)))
    pinned = net.host("discover.hosting.test", when_signed_in(http(200, pox_settings(NEW))))
    net.host("new.example.com", lambda _request: http(200, BUSY))

    resolution = net.reader(PINNED).resolve(ALICE)

    assert resolution.endpoint is not None
    assert resolution.endpoint.url == NEW
    assert [step.step for step in resolution.trace] == ["pinned"]
    assert pinned.was_given_credentials
    assert (root.connections, usual.connections) == (0, 0)


@pytest.mark.parametrize("answer", [http(404), http(200, pox_error(500)), None])
def test_where_a_pinned_service_leads_nowhere_no_other_is_asked(net: Net, answer: bytes | None) -> None:
    usual = only_autodiscover(net, http(200, pox_settings(OLD)))
    if answer is None:
        net.silent("discover.hosting.test")
    else:
        net.host("discover.hosting.test", when_signed_in(answer))

    assert net.reader(PINNED).resolve(ALICE).problem is not None
    assert usual.connections == 0


def test_a_pinned_service_goes_before_one_that_answered_earlier(net: Net, cache: MemoryEndpointCache) -> None:
    usual = only_autodiscover(net, http(200, pox_settings(OLD)))
    net.host("old.example.com", lambda _request: http(200, BUSY))
    net.host("new.example.com", lambda _request: http(200, BUSY))
    read(net, cache)
    net.host("discover.hosting.test", when_signed_in(http(200, pox_settings(NEW))))
    usual.requests.clear()

    reading = read(net, cache, PINNED, BOB)

    assert isinstance(reading, CalendarReading)
    assert reading.endpoint == NEW
    assert not usual.requests


def test_a_pinned_service_is_verified_like_any_other(net: Net) -> None:
    impostor = net.host("discover.hosting.test", when_signed_in(http(200)), cert="discover.stranger.test")

    problem = net.reader(PINNED).resolve(ALICE).problem

    assert problem is not None
    assert problem.code == "CertificateInvalid"
    assert impostor.received == b""
