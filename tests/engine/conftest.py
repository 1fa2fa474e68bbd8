"""What takes long comes first; what waits for time to pass, last in its module, so that it passes while others work."""

from __future__ import annotations

import boto3
import pytest


@pytest.fixture(autouse=True)
def a_session_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let boto3 forget the credentials of an earlier test: each engine has a key of its own."""
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the runs that are stopped and started again, as others go on beside them.

    Move the wait for the engine's own tick of a minute to the end of its module; the order stays random otherwise.
    """
    modules = list(dict.fromkeys(item.path for item in items))
    modules.sort(key=lambda path: path.name != "test_run.py")
    items.sort(key=lambda item: (modules.index(item.path), "ticks_by_itself" in item.name))
