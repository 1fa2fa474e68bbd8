"""The stack on which most tests of commands work."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.deployed import Deployed, deployed


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployed]:
    """Give the stack with all parameters at their defaults; who needs others has a fixture of the same name."""
    with deployed(monkeypatch) as made:
        yield made
