from __future__ import annotations

import ast
import contextlib
import socket
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

import local.exchange
from local.exchange.scenario import demo_organisation
from local.exchange.server import SimulatedExchange
from tests.unit.local_exchange.client import availability, basic, ntlm, post, session, texts

if TYPE_CHECKING:
    from datetime import datetime

URL = "https://mail.example.com/EWS/Exchange.asmx"
POOL = ["cas1.factory.test", "cas2.factory.test", "192.0.2.10"]


def address(exchange: SimulatedExchange, host: str) -> tuple[str, int]:
    loopback, port = exchange.connect[host].split(":")
    return loopback, int(port)


def test_the_simulator_shares_no_code_with_the_layers() -> None:
    imported = set()
    for path in Path(local.exchange.__path__[0]).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0
                imported.add((node.module or "").partition(".")[0])
    assert "local" in imported
    assert not imported & {"presence", "exchange", "functions", "cli", "tests", "exchangelib"}


def test_it_starts_and_stops_quickly_and_its_address_needs_it_to_run(start: datetime) -> None:
    exchange = SimulatedExchange(demo_organisation(start))
    with pytest.raises(RuntimeError, match="not running"):
        _ = exchange.nameserver
    begun = time.monotonic()
    with exchange:
        assert time.monotonic() - begun < 1.5
        begun = time.monotonic()
    assert time.monotonic() - begun < 1.5


def test_an_unknown_path_is_not_found_and_asks_for_no_password(running: SimulatedExchange) -> None:
    with session(running) as made:
        for path in ("/", "/EWS/Other.asmx", "/autodiscover/autodiscover.xml", "/autodiscover/autodiscover.svc"):
            answer = post(made, f"https://mail.example.com{path}", "")
            assert (answer.status_code, "WWW-Authenticate" in answer.headers) == (404, False)


def test_each_host_of_a_pool_serves_the_same_mailboxes(running: SimulatedExchange, start: datetime) -> None:
    body = availability(["yuri@factory.test", "ghost@factory.test"], start, start.replace(hour=12))
    answers = []
    for host in POOL:
        with session(running, basic(running.accounts["factory-reader"])) as made:
            answer = post(made, f"https://{host}/EWS/Exchange.asmx", body)
        assert texts(answer, "//m:ResponseCode") == ["NoError", "ErrorMailRecipientNotFound"]
        answers.append(answer.content)
    assert len(set(answers)) == 1


def test_a_host_that_is_down_refuses_and_comes_back_at_the_same_place(
    exchange: SimulatedExchange, start: datetime
) -> None:
    body = availability(["yuri@factory.test"], start, start.replace(hour=12))
    with session(exchange, basic(exchange.accounts["factory-reader"])) as made:
        url = "https://cas1.factory.test/EWS/Exchange.asmx"
        assert post(made, url, body).status_code == 200
        exchange.stop_host("cas1.factory.test")
        with pytest.raises(requests.exceptions.ConnectionError):
            post(made, url, body)
        with pytest.raises(requests.exceptions.ConnectionError):
            post(made, url, body)
        assert post(made, "https://cas2.factory.test/EWS/Exchange.asmx", body).status_code == 200
        exchange.start_host("cas1.factory.test")
        assert post(made, url, body).status_code == 200


def test_what_nobody_serves_refuses_connections(running: SimulatedExchange) -> None:
    for place in ("autodiscover.branch.test:443", "backup.research.test:443", "mail.example.com:80"):
        with pytest.raises(ConnectionRefusedError), socket.create_connection(address(running, place), timeout=2):
            pass


def test_every_name_of_the_zone_has_a_place_on_both_ports(running: SimulatedExchange) -> None:
    # Else a client would reach whatever listens on port 80 or 443 of this machine.
    names = {place.rpartition(":")[0] for place in running.connect}
    assert {f"{name}:{port}" for name in names for port in (80, 443)} <= set(running.connect)


@pytest.mark.filterwarnings("error")
def test_clients_that_misbehave_do_no_harm_and_print_nothing(
    running: SimulatedExchange, start: datetime, capfd: pytest.CaptureFixture[str]
) -> None:
    place = address(running, "mail.example.com:443")
    for sent in (b"", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x00\x05rubbish"):
        with socket.create_connection(place) as plain:
            plain.sendall(sent)
    tls = ssl.create_default_context(cadata=running.ca_pem)
    for sent in (
        b"",
        b"rubbish\r\n\r\n",
        b"POST /EWS/Exchange.asmx HTTP/1.1\r\nContent-Length: 100\r\n\r\nhalf",
        b"POST /EWS/Exchange.asmx HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        b"POST /EWS/Exchange.asmx HTTP/1.1\r\nContent-Length: \xb2\r\n\r\n",
        b"POST /EWS/Exchange.asmx HTTP/1.1\r\nContent-Length: 999999999\r\n\r\n",
        b"POST /EWS/Exchange.asmx HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET /" + b"x" * 70_000,
    ):
        with (
            contextlib.suppress(OSError),
            socket.create_connection(place) as plain,
            tls.wrap_socket(plain, server_hostname="mail.example.com") as connection,
        ):
            connection.sendall(sent)
            # Say no more, and wait until the server has read it and ends the connection.
            socket.socket.shutdown(connection, socket.SHUT_WR)
            while connection.recv(4096):
                pass
    with session(running, ntlm(running.accounts["exchange-reader"])) as made:
        answer = post(made, URL, availability(["alice@example.com"], start, start.replace(hour=12)))
    assert answer.status_code == 200
    assert capfd.readouterr() == ("", "")


def test_many_clients_are_served_at_once(running: SimulatedExchange, start: datetime) -> None:
    body = availability(["alice@example.com"], start, start.replace(hour=12))

    def ask(_: int) -> int:
        with session(running, ntlm(running.accounts["exchange-reader"])) as made:
            return sum(post(made, URL, body).status_code for _ in range(3))

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(8))) == [600] * 8


def test_the_log_tells_who_asked_what_for_how_many(exchange: SimulatedExchange, start: datetime) -> None:
    account = exchange.accounts["exchange-reader"]
    with session(exchange, basic(account)) as made:
        post(made, URL, availability(["alice@example.com", "bob@example.com"], start, start.replace(hour=12)))
    (line,) = exchange.requests.of("GetUserAvailability")
    assert (line.method, line.scheme, line.host, line.path, line.authorization, line.account, line.status) == (
        ("POST", "https", "mail.example.com", "/EWS/Exchange.asmx", "Basic", account.username, 200)
    )
    assert (line.mailboxes, line.addresses) == (2, ("alice@example.com", "bob@example.com"))
    (bodies,) = exchange.requests.bodies()
    assert b"GetUserAvailabilityRequest" in bodies.request
    assert b"GetUserAvailabilityResponse" in bodies.answer
    assert account.password not in repr(line)


def test_it_leaves_no_thread_behind_not_even_for_who_never_speaks(start: datetime) -> None:
    before = set(threading.enumerate())
    with contextlib.ExitStack() as stack:
        with SimulatedExchange(demo_organisation(start)) as exchange, session(exchange) as made:
            stack.enter_context(socket.create_connection(address(exchange, "mail.example.com:443")))
            post(made, URL, "")
        _wait_for_threads_other_than(before)
    assert set(threading.enumerate()) - before == set()


def _wait_for_threads_other_than(before: set[threading.Thread]) -> None:
    deadline = time.monotonic() + 5
    while set(threading.enumerate()) - before and time.monotonic() < deadline:
        time.sleep(0.01)
