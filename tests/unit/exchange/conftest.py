from __future__ import annotations

import contextlib
import socket
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
def firewalled() -> Iterator[str]:
    """Return where connections are neither accepted nor refused: a listener whose queue is full."""
    with contextlib.ExitStack() as stack:
        full = stack.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)  # noqa: FBT003  the socket's own word
            waiting.connect_ex(full.getsockname())
        yield f"127.0.0.1:{full.getsockname()[1]}"


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
