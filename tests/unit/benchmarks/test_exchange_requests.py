from __future__ import annotations

from datetime import UTC, datetime

import pytest

from benchmarks.exchange_requests import MOST, USERS, Requests, counted, figures_of
from local.exchange.http_messages import LoggedRequest


def request(path: str, status: int = 200, method: str = "POST", scheme: str = "https") -> LoggedRequest:
    now = datetime(2026, 11, 23, 8, tzinfo=UTC)
    return LoggedRequest(now, method, scheme, "mail.example.com", path, None, None, status, None, ())


def test_what_is_neither_of_ews_nor_only_asks_who_is_there_is_of_autodiscover() -> None:
    requests = [
        request("/autodiscover/autodiscover.xml", 302, "GET", "http"),
        request("/autodiscover/autodiscover.xml", 404),
        request("/autodiscover/autodiscover.svc", 401),
        request("/autodiscover/autodiscover.svc"),
        request("/EWS/Exchange.asmx", 401),
        request("/EWS/Exchange.asmx", 401),
        request("/EWS/Exchange.asmx"),
        request("/EWS/Exchange.asmx", 500),
    ]
    assert counted(requests) == Requests(autodiscover=3, ews=2, authentication=3)


def broken(read: int, requests: Requests, autodiscover_at_most: int = MOST) -> list[str]:
    return [each.name for each in figures_of("cold", read, requests, autodiscover_at_most) if not each.holds]


NAME = "requests_per_1000_users_cold"


@pytest.mark.parametrize(
    ("read", "requests", "names"),
    [
        (USERS, Requests(10, 10, 41), []),
        (USERS, Requests(11, 10, 41), [NAME, f"{NAME}, autodiscover"]),
        (USERS, Requests(9, 11, 41), [f"{NAME}, EWS"]),
        (USERS, Requests(0, 0, 100_000), []),
        (USERS - 1, Requests(1, 1, 2), ["cold: users read"]),
    ],
)
def test_a_bound_that_is_broken_is_named(read: int, requests: Requests, names: list[str]) -> None:
    assert broken(read, requests) == names


def test_whoever_is_known_is_not_looked_up_again() -> None:
    assert broken(USERS, Requests(1, 9, 20), autodiscover_at_most=0) == [f"{NAME}, autodiscover"]


def test_a_total_is_without_what_authentication_needs() -> None:
    (total,) = [each for each in figures_of("cold", USERS, Requests(10, 10, 41), MOST) if each.name == NAME]
    assert (total.value, total.at_most) == (20, 20)
