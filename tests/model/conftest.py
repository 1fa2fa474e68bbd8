"""The use cases spread work over threads; here one thing happens after the other, so that every run can be repeated."""

from __future__ import annotations

import pytest

from presence import check_schedule, transition_schedule, transitions
from tests.model.instances import OneAfterTheOther


@pytest.fixture(autouse=True)
def one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (check_schedule, transition_schedule, transitions):
        monkeypatch.setattr(module, "ThreadPoolExecutor", OneAfterTheOther)
