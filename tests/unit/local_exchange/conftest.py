from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from local.exchange.scenario import demo_organisation
from local.exchange.server import SimulatedExchange

if TYPE_CHECKING:
    from collections.abc import Iterator

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="package")
def running() -> Iterator[SimulatedExchange]:
    """The demo organisation at START, shared: a test that changes it takes `exchange`."""
    with SimulatedExchange(demo_organisation(START), clock=lambda: START) as exchange:
        yield exchange


@pytest.fixture
def exchange() -> Iterator[SimulatedExchange]:
    """A demo organisation at START for one test alone."""
    with SimulatedExchange(demo_organisation(START), clock=lambda: START) as exchange:
        yield exchange


@pytest.fixture
def start() -> datetime:
    return START
