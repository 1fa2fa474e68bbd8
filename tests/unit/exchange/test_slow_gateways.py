"""A gateway whose servers hang holds up nobody else's users: its reads are bounded, and the others' are begun."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta

import pytest

from exchange.account.credentials import Credentials
from exchange.endpoints import MemoryEndpointCache
from exchange.reader import ExchangeReader, ReadTimes
from local.exchange.kept_host import KeptHost, http
from presence.calendar import CalendarReading, Window
from presence.errors import Problem
from tests.unit.exchange.hosts import NOW, PASSWORD, USERNAME, Net, Secrets, availability, mailbox_answer

INSTANCES = 5
"""MaximumConcurrentChecks: as many functions run at once, and the queue gives each the next request."""
WINDOW = Window(NOW, NOW + timedelta(hours=1))
GOOD = http(200, availability(mailbox_answer()))
Outcome = CalendarReading | Problem


class TwoGateways:
    """A gateway that hangs until it is told to answer, one that is well, and instances that read through both."""

    def __init__(self, net: Net, bound: int) -> None:
        self.mended = threading.Event()
        self.slow: KeptHost = net.host("mail.slow.test", self._hang)
        net.host("mail.branch.test", lambda _request: GOOD)
        slow = {"name": "slow", "kind": "ews", "domains": ["slow.test"], "hosts": ["mail.slow.test"]}
        branch = {"name": "branch", "kind": "ews", "domains": ["branch.test"], "hosts": ["mail.branch.test"]}
        self._reader = ExchangeReader(
            gateways=net.document({**slow, "limits": {"concurrent_reads": bound}}, branch),
            secrets=Secrets({"reader": Credentials(USERNAME, PASSWORD, "1")}),
            cache=MemoryEndpointCache(lambda: NOW),
            clock=lambda: NOW,
            times=ReadTimes(20.0, 20.0),
        )
        self._functions = ThreadPoolExecutor(INSTANCES)

    def check(self, address: str) -> Future[Outcome]:
        """Put a check on the queue, in the order in which they come."""
        return self._functions.submit(lambda: self._reader.read_calendars([address], WINDOW)[address])

    def prove_accounts(self) -> None:
        self.mended.set()
        for address in ("alice@slow.test", "bob@branch.test"):
            assert isinstance(self.check(address).result(), CalendarReading)
        self.mended.clear()
        self.slow.requests.clear()

    def wait_until_hanging(self, count: int) -> None:
        deadline = time.monotonic() + 10
        while len(self.slow.requests) < count and time.monotonic() < deadline:
            threading.Event().wait(0.005)
        assert len(self.slow.requests) == count

    def close(self) -> None:
        self.mended.set()
        self._functions.shutdown()

    def _hang(self, _request: bytes) -> bytes:
        self.mended.wait(20)
        return GOOD


@pytest.fixture(params=[3])
def two(request: pytest.FixtureRequest, net: Net) -> Iterator[TwoGateways]:
    made = TwoGateways(net, request.param)
    try:
        made.prove_accounts()
        yield made
    finally:
        made.close()


def test_the_users_of_others_are_checked_while_a_gateway_hangs(two: TwoGateways) -> None:
    slow = [two.check(f"user{number}@slow.test") for number in range(12)]
    others = [two.check(f"user{number}@branch.test") for number in range(12)]
    assert all(isinstance(check.result(10), CalendarReading) for check in others)

    two.wait_until_hanging(3)
    hanging = [check for check in slow if not check.done()]
    assert len(hanging) == 3
    for check in set(slow) - set(hanging):
        outcome = check.result()
        assert isinstance(outcome, Problem)
        assert (outcome.code, outcome.unasked) == ("GatewayBusy", True)

    two.mended.set()
    assert all(isinstance(check.result(10), CalendarReading) for check in hanging)
    assert isinstance(two.check("user4@slow.test").result(10), CalendarReading), "what was put back gets through"


@pytest.mark.parametrize("two", [INSTANCES], indirect=True)
def test_with_a_bound_as_large_as_the_number_of_instances_the_others_would_wait(two: TwoGateways) -> None:
    """The control: what the test above sees is the bound's doing."""
    slow = [two.check(f"user{number}@slow.test") for number in range(12)]
    others = [two.check(f"user{number}@branch.test") for number in range(12)]
    two.wait_until_hanging(INSTANCES)
    assert not any(check.done() for check in [*slow, *others])
