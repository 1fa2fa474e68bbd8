from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
import requests

from local.exchange.faults import ANY, Fault, Faults
from local.exchange.http_messages import Delivery, Ending
from tests.unit.local_exchange.client import availability, basic, ntlm, post, session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from local.exchange.server import SimulatedExchange

HOST = "mail.example.com"
PATH = "/EWS/Exchange.asmx"
URL = f"https://{HOST}{PATH}"


@pytest.fixture
def made(running: SimulatedExchange) -> Iterator[requests.Session]:
    running.requests.clear()
    with session(running, basic(running.accounts["exchange-reader"])) as basic_session:
        yield basic_session
    running.faults.clear()


@pytest.fixture
def body(start: datetime) -> str:
    return availability(["alice@example.com"], start, start.replace(hour=12))


def test_a_status_with_headers_strikes_once(running: SimulatedExchange, made: requests.Session, body: str) -> None:
    running.faults.next(HOST, PATH.lower(), Fault(status=503, headers={"Retry-After": "7"}))
    answer = post(made, URL, body)
    assert (answer.status_code, answer.headers["Retry-After"], answer.content) == (503, "7", b"")
    assert post(made, URL, body).status_code == 200
    assert [each.status for each in running.requests] == [503, 200]


def test_a_body_can_be_replaced_or_spoilt(running: SimulatedExchange, made: requests.Session, body: str) -> None:
    running.faults.next(HOST, PATH, Fault(body=b"<html/>"))
    running.faults.next(HOST, PATH, Fault(body=lambda right: right.replace(b">Busy<", b">Lunch<")))
    assert post(made, URL, body).content == b"<html/>"
    spoilt = post(made, URL, body)
    assert b"<BusyType>Lunch</BusyType>" in spoilt.content


def test_a_truncated_answer_breaks_off_with_the_connection(
    running: SimulatedExchange, made: requests.Session, body: str
) -> None:
    running.faults.next(HOST, PATH, Fault(delivery=Delivery(truncate=100)))
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError)):
        post(made, URL, body)
    assert post(made, URL, body).status_code == 200


def test_an_answer_may_fall_silent(running: SimulatedExchange, made: requests.Session, body: str) -> None:
    running.faults.next(HOST, PATH, Fault(delivery=Delivery(truncate=10, ending=Ending.SILENT)))
    with pytest.raises(requests.exceptions.ConnectionError, match="timed out"):
        made.post(URL, data=body, headers={"Content-Type": "text/xml"}, timeout=0.3)


def test_an_answer_in_chunks_is_whole_and_has_no_length(
    running: SimulatedExchange, made: requests.Session, body: str
) -> None:
    right = post(made, URL, body).content
    running.faults.next(HOST, PATH, Fault(delivery=Delivery(chunked=True)))
    chunked = post(made, URL, body)
    assert (chunked.content, chunked.headers["Transfer-Encoding"]) == (right, "chunked")
    assert "Content-Length" not in chunked.headers
    running.faults.next(HOST, PATH, Fault(delivery=Delivery(chunked=True, truncate=10)))
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        post(made, URL, body)


def test_an_answer_may_drip_and_is_whole_in_the_end(
    running: SimulatedExchange, made: requests.Session, body: str
) -> None:
    running.faults.next(HOST, PATH, Fault(body=b"0123456789", delivery=Delivery(drip=0.02)))
    begun = time.monotonic()
    assert post(made, URL, body).content == b"0123456789"
    assert time.monotonic() - begun >= 0.2


def test_a_length_may_be_told_that_is_none(running: SimulatedExchange, made: requests.Session, body: str) -> None:
    running.faults.next(HOST, PATH, Fault(delivery=Delivery(told_length="many")))
    assert post(made, URL, body).headers["Content-Length"] == "many"


def test_something_else_than_http_may_answer(running: SimulatedExchange, made: requests.Session, body: str) -> None:
    running.faults.next(HOST, PATH, Fault(delivery=Delivery(raw=b"220 mail.example.com ESMTP ready\r\n")))
    with pytest.raises(requests.exceptions.ConnectionError, match=r"220 mail\.example\.com ESMTP"):
        post(made, URL, body)


def test_an_answer_that_says_so_ends_the_connection(
    running: SimulatedExchange, made: requests.Session, body: str
) -> None:
    running.faults.next(HOST, PATH, Fault(headers={"Connection": "close"}))
    answer = post(made, URL, body)
    assert (answer.status_code, answer.headers["Connection"]) == (200, "close")
    assert post(made, URL, body).status_code == 200


def test_a_dropped_connection_gives_no_answer(running: SimulatedExchange, made: requests.Session, body: str) -> None:
    running.faults.next(HOST, PATH, Fault(drop=True))
    with pytest.raises(requests.exceptions.ConnectionError):
        post(made, URL, body)
    assert [each.status for each in running.requests] == [0]


def test_a_delayed_answer_is_the_right_one(running: SimulatedExchange, made: requests.Session, body: str) -> None:
    running.faults.next(HOST, PATH, Fault(delay=0.2))
    begun = time.monotonic()
    assert post(made, URL, body).status_code == 200
    assert time.monotonic() - begun >= 0.2


def test_a_delay_does_not_hold_up_the_end(exchange: SimulatedExchange, body: str) -> None:
    exchange.faults.always(ANY, ANY, Fault(delay=60))
    with (
        session(exchange, basic(exchange.accounts["exchange-reader"])) as made,
        pytest.raises(requests.exceptions.ReadTimeout),
    ):
        made.post(URL, data=body, headers={"Content-Type": "text/xml"}, timeout=0.3)
    begun = time.monotonic()
    exchange.__exit__(None, None, None)
    assert time.monotonic() - begun < 5


def test_a_fault_waits_for_a_request_that_is_signed_in_unless_told_otherwise(
    running: SimulatedExchange, made: requests.Session, body: str
) -> None:
    made.auth = ntlm(running.accounts["exchange-reader"])
    running.faults.next(HOST, PATH, Fault(status=503))
    assert post(made, URL, body).status_code == 503
    assert [each.status for each in running.requests] == [401, 401, 503]
    running.faults.next(HOST, PATH, Fault(status=502, before_authentication=True))
    made.close()
    assert post(made, URL, body).status_code == 502


def test_a_signed_in_account_can_be_refused_later(
    running: SimulatedExchange, made: requests.Session, body: str
) -> None:
    running.faults.next(HOST, PATH, Fault(status=401, headers={"Connection": "close"}))
    assert post(made, URL, body).status_code == 401
    assert post(made, URL, body).status_code == 200


def test_orders_are_taken_by_host_path_and_stage_in_turn() -> None:
    faults = Faults()
    first, second, early, standing = (Fault(status=number) for number in (501, 502, 503, 504))
    early = Fault(status=503, before_authentication=True)
    faults.next("a.test", "/x", first, times=2)
    faults.next(ANY, ANY, second)
    faults.next("a.test", ANY, early)
    faults.always("a.test", "/X", standing)
    assert faults.take("b.test", "/x", before_authentication=True) is None
    assert [faults.take("a.test", "/X", before_authentication=False) for _ in range(4)] == [
        first,
        first,
        second,
        standing,
    ]
    assert faults.take("a.test", "/y", before_authentication=True) is early
    faults.clear()
    assert faults.take("a.test", "/x", before_authentication=False) is None
