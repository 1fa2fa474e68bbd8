"""Whatever waits for time to pass comes last in its module, so that it passes while others work."""

from __future__ import annotations

import pytest


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Move the wait for the engine's own tick of a minute to the end; the order stays random otherwise."""
    modules = list(dict.fromkeys(item.path for item in items))
    items.sort(key=lambda item: (modules.index(item.path), "ticks_by_itself" in item.name))
