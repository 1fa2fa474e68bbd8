from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from tests.unit.exchange.hosts import Net


@pytest.fixture
def net() -> Iterator[Net]:
    with contextlib.ExitStack() as stack:
        yield Net(stack)
