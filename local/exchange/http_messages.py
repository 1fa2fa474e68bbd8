"""What goes over HTTP between a client and a simulated host, and the log that is kept of it."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

XML = "text/xml; charset=utf-8"
HTML = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request. `host` is the simulated host that got it, whatever the Host header says; header names are lower."""

    method: str
    host: str
    path: str
    headers: dict[str, str]
    body: bytes


class Ending(Enum):
    """What becomes of the connection where an answer breaks off: it is closed, reset, or falls silent."""

    CLOSED = auto()
    RESET = auto()
    SILENT = auto()


@dataclass(frozen=True, slots=True)
class Delivery:
    """How an answer goes over the wire.

    `truncate`: it breaks off after so many bytes of the body, as `ending` says. `drip`: so many seconds pass before
    each byte of the body. `chunked`: the body goes in chunks and its length is not told (RFC 9112, section 7.1).
    `told_length`: the length that is told instead of the right one. `raw`: these bytes go instead of any HTTP.
    """

    truncate: int | None = None
    ending: Ending = Ending.CLOSED
    drip: float = 0.0
    chunked: bool = False
    told_length: str | None = None
    raw: bytes | None = None

    def differs_for(self, body: bytes) -> bool:
        """Tell whether a body goes over the wire otherwise than it does as usual."""
        breaks_off = self.truncate is not None and self.truncate < len(body)
        drips = self.drip > 0 and bool(body)
        return breaks_off or drips or self.chunked or self.told_length is not None or self.raw is not None


AS_USUAL = Delivery()


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An answer. `operation` and `addresses` say what was asked, for the log."""

    status: int
    body: bytes = b""
    content_type: str = XML
    headers: tuple[tuple[str, str], ...] = ()
    operation: str | None = None
    addresses: tuple[str, ...] = ()
    delivery: Delivery = AS_USUAL


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """A line of the request log.

    `authorization` is the scheme of the request's credentials, if it had any, and `account` the name of the
    account, once signed in. `operation` is an operation of Exchange Web Services or `Autodiscover`, for
    `addresses`. `unusual`: the organisation would usually have answered otherwise.
    """

    at: datetime
    method: str
    scheme: str
    host: str
    path: str
    authorization: str | None
    account: str | None
    status: int
    operation: str | None
    addresses: tuple[str, ...]
    unusual: bool = False

    @property
    def mailboxes(self) -> int:
        """How many mailboxes the request asked for."""
        return len(self.addresses)


@dataclass(frozen=True, slots=True)
class LoggedBodies:
    """The bodies of a signed-in request and of its answer."""

    host: str
    path: str
    operation: str | None
    request: bytes
    answer: bytes


@dataclass(slots=True)
class RequestLog:
    """The latest requests. Takes lines and gives copies from any thread."""

    _requests: deque[LoggedRequest] = field(default_factory=lambda: deque(maxlen=100_000))
    _bodies: deque[LoggedBodies] = field(default_factory=lambda: deque(maxlen=1_000))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, request: LoggedRequest, bodies: LoggedBodies | None = None) -> None:
        """Add a request and, where they are worth keeping, the bodies."""
        with self._lock:
            self._requests.append(request)
            if bodies is not None:
                self._bodies.append(bodies)

    def __iter__(self) -> Iterator[LoggedRequest]:
        with self._lock:
            return iter(tuple(self._requests))

    def __len__(self) -> int:
        with self._lock:
            return len(self._requests)

    def bodies(self) -> tuple[LoggedBodies, ...]:
        """Return the bodies kept."""
        with self._lock:
            return tuple(self._bodies)

    def of(self, operation: str) -> list[LoggedRequest]:
        """Return the requests for one operation."""
        return [request for request in self if request.operation == operation]

    def clear(self) -> None:
        """Forget everything so far."""
        with self._lock:
            self._requests.clear()
            self._bodies.clear()
