"""What is kept of autodiscover between reads: what was found, what was not, and what came into doubt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from exchange.account.accounts import Account, write_account
from exchange.account.credentials import Credentials
from exchange.endpoints import MemoryEndpointCache, account_key, domain_key, lease_key, mailbox_key
from exchange.remembered import failure_seconds
from local.exchange.kept_host import http
from presence.calendar import CalendarReading
from presence.errors import Problem, ProblemKind
from presence.instants import format_instant
from tests.support.clocks import Clock
from tests.unit.exchange.discovered import ALICE, BOB, BUSY, OLD, WINDOW, only_autodiscover, read
from tests.unit.exchange.hosts import (
    NOW,
    PASSWORD,
    Net,
    challenge,
    pox_account,
    pox_error,
    pox_settings,
    website,
    when_signed_in,
)


def code(result: object) -> str | None:
    return result.code if isinstance(result, Problem) else None


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (http(404), "AutodiscoverFailed"),
        (http(503), "AutodiscoverFailed"),
        (website(), "AutodiscoverFailed"),
        (http(200, pox_error(500)), "MailboxNotFound"),
        (http(200, pox_error(600)), "AutodiscoverFailed"),
        (http(200, pox_settings("https://mail.stranger.test/EWS/Exchange.asmx")), "HostNotTrusted"),
        (http(200, pox_settings("http://mail.example.com/EWS/Exchange.asmx")), "EndpointUnusable"),
        (
            http(200, pox_account("<Action>redirectAddr</Action><RedirectAddr>alice@example.com</RedirectAddr>")),
            "TooManyRedirects",
        ),
    ],
)
def test_who_was_not_found_is_not_asked_for_again_for_about_five_minutes(
    net: Net, cache: MemoryEndpointCache, clock: Clock, answer: bytes, problem: str
) -> None:
    host = only_autodiscover(net, answer)
    first = read(net, cache)
    asked = len(host.requests)
    clock.now += timedelta(minutes=3, seconds=44)

    assert (code(first), read(net, cache)) == (problem, first)
    assert len(host.requests) == asked > 0

    clock.now = NOW + timedelta(minutes=6, seconds=16)
    read(net, cache)
    assert len(host.requests) > asked


def test_failures_are_kept_for_different_times_by_a_quarter() -> None:
    problem = Problem("AutodiscoverFailed", ProblemKind.PASSING, "", "")
    times = [failure_seconds(f"user{number}", problem) for number in range(1000)]

    assert min(times) >= 225
    assert max(times) <= 375
    assert max(times) - min(times) > 140


def test_a_failure_that_names_no_time_to_wait_is_kept_as_others_are() -> None:
    busy = Problem("AutodiscoverFailed", ProblemKind.PASSING, "", "", retry_after=0.0)
    assert failure_seconds("alice", busy) == failure_seconds("alice", replace(busy, retry_after=None))


@pytest.mark.parametrize("header", ["40", "Sat, 21 Nov 2026 12:00:40 GMT"])
def test_a_service_that_asks_for_a_wait_is_left_alone_for_so_long(
    net: Net, cache: MemoryEndpointCache, clock: Clock, header: str
) -> None:
    host = only_autodiscover(net, http(503, Retry_After=header))
    first = read(net, cache)
    asked = len(host.requests)

    assert isinstance(first, Problem)
    assert (first.kind, first.retry_after) == (ProblemKind.PASSING, 40.0)
    clock.now += timedelta(seconds=39)
    read(net, cache)
    assert len(host.requests) == asked
    clock.now += timedelta(seconds=2)
    read(net, cache)
    assert len(host.requests) > asked


def test_a_domain_that_failed_is_not_asked_for_another_mailbox_either(net: Net, cache: MemoryEndpointCache) -> None:
    host = only_autodiscover(net, http(404))
    read(net, cache)
    asked = len(host.requests)

    assert code(read(net, cache, address=BOB)) == "AutodiscoverFailed"
    assert len(host.requests) == asked


def test_what_becomes_of_a_redirected_address_says_nothing_of_the_domain_where_it_began(
    net: Net, cache: MemoryEndpointCache
) -> None:
    """Nor is the address kept there, or told to anybody else."""
    moved = pox_account("<Action>redirectAddr</Action><RedirectAddr>mallory@stranger.test</RedirectAddr>")
    site = net.host("example.com", lambda _request: http(200, moved))
    assert code(read(net, cache)) == "HostNotTrusted"
    site.requests.clear()

    assert code(read(net, cache, address=BOB)) == "HostNotTrusted"
    assert site.requests
    assert cache.get_many([domain_key("gateway0", "example.com")]) == {}


def test_a_mailbox_that_is_not_there_holds_nobody_else_up(net: Net, cache: MemoryEndpointCache) -> None:
    net.silent("example.com")
    net.host(
        "autodiscover.example.com",
        when_signed_in_by({ALICE: pox_error(500), BOB: pox_settings(OLD)}),
    )
    net.host("old.example.com", lambda _request: http(200, BUSY))

    assert code(read(net, cache)) == "MailboxNotFound"
    assert isinstance(read(net, cache, address=BOB), CalendarReading)


def when_signed_in_by(answers: Mapping[str, bytes]) -> Any:
    def respond(request: bytes) -> bytes | None:
        answer = next(body for address, body in answers.items() if address.encode() in request)
        return when_signed_in(http(200, answer))(request)

    return respond


@pytest.mark.parametrize(
    "change",
    [
        {"trusted_hosts": ["mail.hosting.test"]},
        {"skip": ["srv"]},
        {"autodiscover_urls": {"example.com": "https://new.example.com/autodiscover/autodiscover.xml"}},
        {"domains": ["example.com", "example.org"]},
        {"hostname_checks_common_name": True},
    ],
)
def test_a_changed_document_is_not_held_up_by_a_failure_of_before(
    net: Net, cache: MemoryEndpointCache, change: Mapping[str, Any]
) -> None:
    host = only_autodiscover(net, http(404))
    new = net.host("new.example.com", when_signed_in(http(404)))
    read(net, cache)
    asked = len(host.requests)

    read(net, cache, change)

    assert len(host.requests) + len(new.requests) > asked


def test_another_mailbox_s_limits_are_no_reason_to_ask_again(net: Net, cache: MemoryEndpointCache) -> None:
    host = only_autodiscover(net, http(404))
    read(net, cache)
    asked = len(host.requests)

    read(net, cache, {"users": ["carol@example.com"], "limits": {"mailboxes_per_request": 50}})

    assert len(host.requests) == asked


def test_the_operator_s_check_asks_again_whatever_failed_before(net: Net, cache: MemoryEndpointCache) -> None:
    host = only_autodiscover(net, http(404))
    read(net, cache)
    asked = len(host.requests)

    assert net.reader(cache=cache).resolve(ALICE).problem is not None
    assert len(host.requests) > asked


def test_a_secret_that_was_missing_is_used_as_soon_as_it_is_there(net: Net, cache: MemoryEndpointCache) -> None:
    only_autodiscover(net, http(200, pox_settings(OLD)))
    net.host("old.example.com", lambda _request: http(200, BUSY))
    without = net.reader(cache=cache, secrets={}).read_calendars([ALICE], WINDOW)[ALICE]

    assert code(without) == "SecretUnusable"
    assert isinstance(read(net, cache), CalendarReading)


def test_a_password_that_was_wrong_does_not_hold_up_the_right_one(net: Net, cache: MemoryEndpointCache) -> None:
    only_autodiscover(net, http(200, pox_settings(OLD)))
    net.host("old.example.com", lambda _request: http(200, BUSY))
    net.host("autodiscover.example.com", lambda _request: challenge())
    wrong = {"reader": Credentials("EXAMPLE\\reader", "wrong", version="1")}
    assert code(net.reader(cache=cache, secrets=wrong).read_calendars([ALICE], WINDOW)[ALICE]) == "CredentialsRejected"
    only_autodiscover(net, http(200, pox_settings(OLD)))

    assert isinstance(read(net, cache), CalendarReading)


def test_while_another_reader_tries_the_account_nothing_is_taken_for_a_failure(
    net: Net, cache: MemoryEndpointCache
) -> None:
    only_autodiscover(net, http(200, pox_settings(OLD)))
    net.host("old.example.com", lambda _request: http(200, BUSY))
    key = account_key("gateway0", "")
    cache.put(key, write_account(Account(trying="another read", trying_until=NOW + timedelta(minutes=1))), 60)

    waiting = read(net, cache)

    assert isinstance(waiting, Problem)
    assert (waiting.code, waiting.unasked) == ("CredentialsBeingTried", True)
    assert waiting.retry_after is not None
    cache.delete([key])
    assert isinstance(read(net, cache), CalendarReading)


def test_a_gateway_that_has_no_read_left_looks_for_nobody(net: Net, cache: MemoryEndpointCache) -> None:
    host = only_autodiscover(net, http(200, pox_settings(OLD)))
    net.host("old.example.com", lambda _request: http(200, BUSY))
    one = {"limits": {"concurrent_reads": 1}}
    taken_by_another = {"another read": format_instant(NOW + timedelta(minutes=1))}
    cache.put(lease_key("gateway0", 0), taken_by_another, 60)

    assert code(read(net, cache, one)) == "GatewayBusy"
    assert host.connections == 0
    cache.delete([lease_key("gateway0", 0)])
    assert isinstance(read(net, cache, one), CalendarReading)


def test_time_that_ran_out_is_not_taken_for_a_failure_of_the_domain(net: Net, cache: MemoryEndpointCache) -> None:
    only_autodiscover(net, http(200, pox_settings(OLD)))
    net.host("old.example.com", lambda _request: http(200, BUSY))

    late = net.reader(cache=cache, longest_read=0.0).read_calendars([ALICE], WINDOW)[ALICE]

    assert code(late) is not None
    assert cache.get_many([mailbox_key(ALICE), domain_key("gateway0", "example.com")]) == {}
    assert isinstance(read(net, cache), CalendarReading)


def test_what_a_server_puts_into_urls_that_are_not_asked_is_not_kept(net: Net, cache: MemoryEndpointCache) -> None:
    echoed = [f"https://old.example.com/?{PASSWORD}", f"http://inside.example.com/{PASSWORD}"]
    told = pox_account(
        "<Action>settings</Action>"
        f"<Protocol><Type>EXPR</Type><EwsUrl>{OLD}</EwsUrl><OOFUrl>{echoed[0]}</OOFUrl></Protocol>"
        f"<Protocol><Type>EXCH</Type><EwsUrl>{echoed[1]}</EwsUrl></Protocol>"
    )
    only_autodiscover(net, http(200, told))
    net.host("old.example.com", lambda _request: http(200, BUSY))

    assert isinstance(read(net, cache), CalendarReading)
    kept = cache.get_many([mailbox_key(ALICE)])
    assert kept[mailbox_key(ALICE)]["external"] == OLD
    assert PASSWORD not in repr(kept)


def test_a_fact_that_is_none_is_as_if_it_were_not_there(net: Net, cache: MemoryEndpointCache) -> None:
    only_autodiscover(net, http(200, pox_settings(OLD)))
    net.host("old.example.com", lambda _request: http(200, BUSY))
    for fact in (
        {"gateway": "gateway0", "mailbox": ALICE, "external": "http://x"},
        {"gateway": "gateway0"},
        {"a": "b"},
    ):
        cache.put(mailbox_key(ALICE), fact, 60)
        cache.put(domain_key("gateway0", "example.com"), fact, 60)
        assert isinstance(read(net, cache), CalendarReading)
