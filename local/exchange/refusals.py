"""How often this process was refused a connection: a server that is down can't tell."""

from __future__ import annotations

import functools
import sys
import threading

_MAKING = threading.Lock()


class Refusals:
    """Counts by port, on whatever address, the connections that are tried while nobody listens there."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[int, int] = {}

    def begin(self, port: int) -> None:
        """Count from now on: connections to this port are refused."""
        with self._lock:
            self._counts[port] = 0

    def end(self, port: int) -> None:
        """Count no longer, and forget what was counted."""
        with self._lock:
            self._counts.pop(port, None)

    def count(self, port: int) -> int:
        """Return how many connections were refused since `begin`."""
        with self._lock:
            return self._counts.get(port, 0)

    def hear(self, event: str, arguments: tuple[object, ...]) -> None:
        """Take an audit event of the interpreter (PEP 578)."""
        if event != "socket.connect":
            return
        address = arguments[1]
        if isinstance(address, tuple) and len(address) > 1:
            with self._lock:
                if address[1] in self._counts:
                    self._counts[address[1]] += 1


def refusals() -> Refusals:
    """Return the count of this process, which is kept from the first call on: a hook for audits can't be taken back."""
    with _MAKING:
        return _refusals()


@functools.cache
def _refusals() -> Refusals:
    made = Refusals()
    sys.addaudithook(made.hear)
    return made
