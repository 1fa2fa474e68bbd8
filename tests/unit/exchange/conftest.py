from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from exchange.endpoints import MemoryEndpointCache
from local.exchange.nameserver import NameServer, Zone
from tests.support.aws import Account, account
from tests.support.clocks import Clock
from tests.unit.exchange.branch_pool import Branch
from tests.unit.exchange.hosts import NOW, Net


@pytest.fixture(scope="session")
def nameserver() -> Iterator[NameServer]:
    with NameServer(Zone()) as running:
        yield running


@pytest.fixture
def net(nameserver: NameServer) -> Iterator[Net]:
    with contextlib.ExitStack() as stack:
        yield Net(stack, nameserver)


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def cache(clock: Clock) -> MemoryEndpointCache:
    return MemoryEndpointCache(clock)


@pytest.fixture
def aws() -> Iterator[Account]:
    with account() as made:
        yield made


@pytest.fixture
def branch(net: Net) -> Branch:
    return Branch(net)
