from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from benchmarks.exchange_reads import MOST, Read, our_read, ratios, raw_read, stock_read, take_turns
from benchmarks.prepared_exchange import ADDRESSES, ENTRIES, PreparedExchange, in_this_process

ALL = len(ADDRESSES) * ENTRIES


@pytest.fixture(scope="module")
def exchange() -> Iterator[PreparedExchange]:
    with in_this_process() as running:
        yield running


@pytest.fixture
def ca_file(exchange: PreparedExchange, tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    path.write_text(exchange.ca_pem)
    return str(path)


@pytest.mark.parametrize("way", [raw_read, lambda exchange, _: our_read(exchange), stock_read])
def test_each_way_finds_every_entry(
    way: Callable[[PreparedExchange, str], Read], exchange: PreparedExchange, ca_file: str
) -> None:
    assert way(exchange, ca_file)() == ALL


def test_nobody_gets_an_answer_without_the_account(exchange: PreparedExchange, ca_file: str) -> None:
    with requests.Session() as session:
        session.trust_env, session.verify = False, ca_file
        answer = session.post(exchange.url, data=b"GetUserAvailabilityRequest", auth=("somebody", "else"), timeout=5)
    assert (answer.status_code, answer.content) == (401, b"")


class Clock:
    """Processor time that passes when a way takes it."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.order = ""

    def __call__(self) -> float:
        return self.seconds

    def way(self, name: str, *takes: float) -> Read:
        """Return a read that takes some seconds at first and others from then on; the last of them stay."""
        left = list(takes)

        def read() -> int:
            self.order += name
            self.seconds += left.pop(0) if len(left) > 1 else left[0]
            return ALL

        return read


def test_ways_take_turns_nobody_is_always_first_and_the_first_turn_does_not_count() -> None:
    clock = Clock()
    spent = take_turns({"a": clock.way("a", 100.0, 1.0, 2.0), "b": clock.way("b", 50.0, 4.0)}, 2, clock)
    assert spent == {"a": [1.0, 2.0], "b": [4.0, 4.0]}
    assert clock.order == "abbaab"


def test_a_way_that_finds_too_little_is_not_measured() -> None:
    with pytest.raises(RuntimeError, match="quick found 999 entries instead of 1000"):
        take_turns({"quick": lambda: ALL - 1}, 1)


def test_the_ratio_is_the_middle_one_of_single_turns_whatever_the_machine_did_meanwhile() -> None:
    raw = [1.0, 1.0, 10.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    ours = [1.5, 1.4, 15.0, 1.2, 9.0, 1.5, 1.5, 1.5, 1.6, 1.5]
    middle, low, high = ratios("read_cpu_vs_raw", ours, raw, MOST)
    assert (middle.name, middle.value, middle.holds) == ("read_cpu_vs_raw", 1.5, True)
    assert (low.value, high.value) == (1.2, 1.6)


def test_who_takes_more_than_allowed_breaks_the_bound_and_what_is_only_reported_has_none() -> None:
    assert not ratios("read_cpu_vs_raw", [1.61, 1.61], [1.0, 1.0], MOST)[0].holds
    assert "BROKEN" in str(ratios("read_cpu_vs_raw", [1.61, 1.61], [1.0, 1.0], MOST)[0])
    assert all(each.holds for each in ratios("stock_exchangelib_cpu_vs_raw", [10.0], [1.0]))
