"""Faults on order: what the next answer of a host does wrong."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from local.exchange.http_messages import AS_USUAL, Delivery

ANY = "*"

Body = bytes | Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with an answer.

    `status`: this HTTP status instead. `headers`: these beside the usual ones. `body`: this body instead, or a
    function of the right one. `content_type`: this one instead. `delay`: seconds before the answer. `delivery`: how
    the answer goes over the wire. `drop`: the connection ends with no answer at all. `before_authentication`: it
    strikes the next request of all; otherwise the next one that is signed in, where that is needed. `operation`: it
    strikes requests only in which this word stands, such as FindItem.
    """

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Body | None = None
    content_type: str | None = None
    delay: float = 0.0
    delivery: Delivery = AS_USUAL
    drop: bool = False
    before_authentication: bool = False
    operation: str = ""

    @property
    def needs_the_right_answer(self) -> bool:
        """Whether the request is answered as usual first."""
        return callable(self.body) or (self.body is None and self.status is None and not self.drop)


class Faults:
    """The faults that are still to come, first come first served. Host and path may be ANY; paths have no case."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._effects = Counter[int]()
        self._orders: list[tuple[str, str, Fault]] = []
        self._standing: list[tuple[str, str, Fault]] = []

    def next(self, host: str, path: str, fault: Fault, times: int = 1) -> None:
        """Let a fault strike the next `times` requests for a host and path."""
        with self._lock:
            self._orders += [(host, path.lower(), fault)] * times

    def always(self, host: str, path: str, fault: Fault) -> None:
        """Let a fault strike each request for a host and path until `clear`."""
        with self._lock:
            self._standing.append((host, path.lower(), fault))

    def note_effect(self, fault: Fault) -> None:
        """Count an answer that is another one because of a fault."""
        with self._lock:
            self._effects[id(fault)] += 1

    def effects(self, fault: Fault) -> int:
        """Return how many answers were other ones because of a fault that was ordered, and is still referred to."""
        with self._lock:
            return self._effects[id(fault)]

    def clear(self) -> None:
        """Forget all faults."""
        with self._lock:
            self._orders.clear()
            self._standing.clear()

    def take(self, host: str, path: str, body: bytes = b"", *, before_authentication: bool) -> Fault | None:
        """Return the fault that strikes this request now, and strike it off."""
        with self._lock:
            for orders in (self._orders, self._standing):
                for order in orders:
                    wanted_host, wanted_path, fault = order
                    if (
                        fault.before_authentication == before_authentication
                        and wanted_host in (ANY, host)
                        and wanted_path in (ANY, path.lower())
                        and fault.operation.encode() in body
                    ):
                        if orders is self._orders:
                            orders.remove(order)
                        return fault
        return None
