"""The account that the real adapters talk to, and what is remembered of Exchange: in its table, and in memory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from exchange.endpoints import EndpointCache, MemoryEndpointCache
from presence.tables.endpoints import EndpointTable
from tests.support.aws import Account, account
from tests.support.clocks import Clock


@pytest.fixture
def aws() -> Iterator[Account]:
    with account() as made:
        yield made


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["real", "memory"])
def cache(request: pytest.FixtureRequest, clock: Clock) -> EndpointCache:
    if request.param == "memory":
        return MemoryEndpointCache(clock)
    aws: Account = request.getfixturevalue("aws")
    return EndpointTable(aws.dynamodb, aws.make_table("EndpointTable"), clock)
