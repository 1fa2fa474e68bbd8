"""The account that the real adapters talk to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.aws import Account, account


@pytest.fixture
def aws() -> Iterator[Account]:
    with account() as made:
        yield made
