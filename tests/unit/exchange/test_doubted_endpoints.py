"""An endpoint that fails: its mailboxes are looked for again, and it is not given up before they are found."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from exchange.endpoints import MemoryEndpointCache
from local.exchange.kept_host import KeptHost, Respond, http
from presence.calendar import CalendarReading, Window
from presence.errors import Problem
from tests.support.clocks import Clock
from tests.unit.exchange.hosts import (
    NOW,
    Net,
    availability,
    failed_mailbox,
    mailbox_answer,
    pox_account,
    pox_settings,
    website,
    when_signed_in,
)

WINDOW = Window(NOW, NOW + timedelta(hours=24))
ALICE = "alice@example.com"
OLD, NEW = (f"https://{name}.example.com/EWS/Exchange.asmx" for name in ("old", "new"))
BUSY = availability(mailbox_answer([("2026-11-21T12:30:00Z", "2026-11-21T13:00:00Z", "Busy")]))


def read(net: Net, cache: MemoryEndpointCache) -> CalendarReading | Problem:
    return net.reader(cache=cache).read_calendars([ALICE], WINDOW)[ALICE]


def code(result: object) -> str | None:
    return result.code if isinstance(result, Problem) else None


def when_signed_in_by_last(answer: Callable[[], bytes]) -> Respond:
    """Answer to whoever signs in as things stand then."""

    def respond(request: bytes) -> bytes | None:
        return when_signed_in(http(200, answer()))(request)

    return respond


def moving_service(net: Net, urls: list[str]) -> KeptHost:
    """Start an autodiscover service that tells the URL that is last in a list."""
    net.silent("example.com")
    return net.host("autodiscover.example.com", when_signed_in_by_last(lambda: pox_settings(urls[-1])))


@pytest.mark.parametrize(
    "failing", [None, http(500), http(302, Location="https://new.example.com/"), website(), http(403), http(404)]
)
def test_a_mailbox_whose_endpoint_fails_is_found_at_its_new_one_by_the_next_read(
    net: Net, cache: MemoryEndpointCache, failing: bytes | None
) -> None:
    urls, answers = [OLD], [http(200, BUSY)]
    moving_service(net, urls)
    net.host("old.example.com", lambda _request: answers[-1])
    net.host("new.example.com", lambda _request: http(200, BUSY))
    assert isinstance(read(net, cache), CalendarReading)
    urls.append(NEW)
    if failing is None:
        net.silent("old.example.com")
    else:
        answers.append(failing)

    assert code(read(net, cache)) is not None
    after = read(net, cache)

    assert isinstance(after, CalendarReading)
    assert after.endpoint == NEW


def test_an_endpoint_that_fails_together_with_autodiscover_is_used_again_as_soon_as_it_is_well(
    net: Net, cache: MemoryEndpointCache, clock: Clock
) -> None:
    service = moving_service(net, [OLD])
    up = net.host("old.example.com", lambda _request: http(200, BUSY))
    where, own = dict(net.connect), service.name
    assert isinstance(read(net, cache), CalendarReading)
    for name in (own, up.name):
        net.silent(name)
    assert code(read(net, cache)) == "HostUnreachable"
    assert code(read(net, cache)) == "HostUnreachable", "autodiscover is asked, and does not help"

    net.connect[f"{up.name}:443"] = where[f"{up.name}:443"]
    assert isinstance(read(net, cache), CalendarReading)

    clock.now += timedelta(minutes=7)
    net.connect.update(where)
    service.requests.clear()
    assert isinstance(read(net, cache), CalendarReading)
    assert service.requests, "the doubt is settled when autodiscover is well again"
    service.requests.clear()
    assert isinstance(read(net, cache), CalendarReading)
    assert not service.requests


def test_an_endpoint_that_autodiscover_confirms_is_doubted_again_after_some_minutes(
    net: Net, cache: MemoryEndpointCache, clock: Clock
) -> None:
    service = moving_service(net, [OLD])
    net.host("old.example.com", lambda _request: http(500))

    def asked_after(seconds: int) -> int:
        clock.now += timedelta(seconds=seconds)
        service.requests.clear()
        assert code(read(net, cache)) == "ServerFailed"
        return len(service.requests)

    assert asked_after(0) > 0, "it is looked for"
    assert asked_after(15) > 0, "it is doubted"
    assert [asked_after(30), asked_after(60), asked_after(120)] == [0, 0, 0], "it was confirmed"
    assert asked_after(40) == 0
    assert asked_after(1) > 0, "it is doubted again"


@pytest.mark.parametrize("answer", [http(503), http(200, availability(failed_mailbox("ErrorNoFreeBusyAccess")))])
def test_a_server_that_is_busy_or_refuses_is_not_doubted(net: Net, cache: MemoryEndpointCache, answer: bytes) -> None:
    service = moving_service(net, [OLD])
    net.host("old.example.com", lambda _request: answer)
    read(net, cache)
    service.requests.clear()

    assert code(read(net, cache)) is not None
    assert not service.requests


def test_a_new_address_is_found_when_the_mailbox_moves_to_another_domain(net: Net, cache: MemoryEndpointCache) -> None:
    answers = [pox_settings(OLD)]
    moved = [False]
    net.silent("example.com")
    net.host("autodiscover.example.com", when_signed_in_by_last(lambda: answers[-1]))
    net.silent("cloud.example.com")
    net.host("autodiscover.cloud.example.com", when_signed_in(http(200, pox_settings(NEW))))
    gone = availability(failed_mailbox("ErrorMailRecipientNotFound"))
    net.host("old.example.com", lambda _request: http(200, gone if moved[0] else BUSY))
    there = net.host("new.example.com", lambda _request: http(200, BUSY))
    assert isinstance(read(net, cache), CalendarReading)
    moved[0] = True
    answers.append(pox_account("<Action>redirectAddr</Action><RedirectAddr>alice@cloud.example.com</RedirectAddr>"))

    assert code(read(net, cache)) == "ErrorMailRecipientNotFound"
    after = read(net, cache)

    assert isinstance(after, CalendarReading)
    assert (after.address, after.endpoint) == (ALICE, NEW)
    assert b"<t:Address>alice@cloud.example.com</t:Address>" in there.received
