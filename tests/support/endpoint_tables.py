"""EndpointTable for tests in which many threads stand for many instances of a function."""

from __future__ import annotations

import threading
from typing import Any

from presence.tables.endpoints import EndpointTable


class TableOfThreads(EndpointTable):
    """Writes as DynamoDB does, which judges the condition and writes in one step; moto is not made for threads."""

    _lock = threading.Lock()

    def _put_unless_changed(self, *arguments: Any) -> bool:
        with self._lock:
            return super()._put_unless_changed(*arguments)
