from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from local.exchange.nameserver import NameServer, Zone
from tests.unit.exchange.hosts import Net


@pytest.fixture(scope="session")
def nameserver() -> Iterator[NameServer]:
    with NameServer(Zone()) as running:
        yield running


@pytest.fixture
def net(nameserver: NameServer) -> Iterator[Net]:
    with contextlib.ExitStack() as stack:
        yield Net(stack, nameserver)
