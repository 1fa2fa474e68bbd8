"""Connections that end: so many seconds and so many bytes for one answer, whatever the server does.

The bound sits in the socket, below http.client, urllib3, requests and requests_ntlm, so that none of their ways of
reading (headers, 401 bodies, drained redirects) gets round it.
"""

from __future__ import annotations

import math
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from exchange.web.hosts import HostPort
from exchange.web.network import Network
from exchange.web.problems import answer_too_large, host_unreachable, no_time_left, timed_out
from presence.errors import ProblemError

_Connection = TypeVar("_Connection")
_Resolved = TypeVar("_Resolved")
_SHORTEST_WAIT = 0.05


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: to connect (TCP and TLS, each), to wait for the next bytes, and for one whole answer.

    `ends_at` is the reading of the monotonic clock at which all questions of a read must have ended: a function's
    time is short, and a server that is slow at each step must not use it up.
    """

    connect: float
    read: float
    ends_at: float = math.inf

    @property
    def whole(self) -> float:
        """The seconds that one answer may take in all, authentication included."""
        return self.connect + 2 * self.read


class Allowance:
    """What one exchange of messages may still cost.

    `share` is the part of the time left until `ends_at` that an exchange may take: less than 1 leaves some for asking
    somebody else.
    """

    def __init__(self, timeouts: Timeouts, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.share = 1.0
        self._timeouts = timeouts
        self._monotonic = monotonic
        self._host = ""
        self._deadline = 0.0
        self._whole = 0.0
        self._limit = 0
        self._bytes_left = 0

    def begin(self, host: str, limit: int) -> None:
        """Start anew for a question to `host` whose answers may have `limit` bytes in all."""
        self._host = host
        now = self._monotonic()
        self._whole = min(self._timeouts.whole, self.share * (self._timeouts.ends_at - now))
        self._deadline = now + self._whole
        self._limit = limit
        self._bytes_left = limit

    @property
    def read_is_over(self) -> bool:
        """Whether the time of the whole read is over, and not only that of this exchange."""
        return self._monotonic() >= self._timeouts.ends_at

    def wait(self, at_most: float) -> float:
        """Return how long the next step may wait; raises `ProblemError` (Timeout) when the time is over."""
        left = self._deadline - self._monotonic()
        if left <= 0:
            raise self.expired()
        return min(left, at_most)

    def expired(self) -> ProblemError:
        """Return the error to raise when waiting for the server was in vain: which of the times is over."""
        if self.read_is_over:
            return ProblemError(no_time_left(self._host))
        if self._deadline - self._monotonic() <= 0:
            return ProblemError(timed_out(self._host, "for the whole answer", round(self._whole, 1)))
        return ProblemError(timed_out(self._host, "to answer", self._timeouts.read))

    def receive_seconds(self) -> float:
        """Return how long to wait for the next bytes."""
        return self.wait(self._timeouts.read)

    def connect_seconds(self) -> float:
        """Return how long to wait for a connection."""
        return self.wait(self._timeouts.connect)

    def spend(self, count: int) -> None:
        """Account for received bytes; raises `ProblemError` (AnswerTooLarge) when they are too many."""
        self._bytes_left -= count
        if self._bytes_left < 0:
            raise ProblemError(answer_too_large(self._host, self._limit))


class BoundedSocket(socket.socket):
    """A TCP socket under an allowance. `address` is where `open_address` connected it to."""

    allowance: Allowance | None = None
    address: HostPort

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        """Receive as `socket.recv_into`, within the allowance."""
        return _received(self, self.allowance, lambda: super(BoundedSocket, self).recv_into(*args, **kwargs))


class BoundedTlsSocket(ssl.SSLSocket):
    """A TLS connection under an allowance; a context makes them through its `sslsocket_class`."""

    allowance: Allowance | None = None

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        """Receive as `ssl.SSLSocket.recv_into`, within the allowance."""
        return _received(self, self.allowance, lambda: super(BoundedTlsSocket, self).recv_into(*args, **kwargs))

    def send(self, *args: Any, **kwargs: Any) -> int:
        """Send as `ssl.SSLSocket.send`, within the allowance's time."""
        return _in_time(self, self.allowance, lambda: super(BoundedTlsSocket, self).send(*args, **kwargs))


def _received(connection: socket.socket, allowance: Allowance | None, receive: Callable[[], int]) -> int:
    """Return the count of bytes received, which the allowance has been charged with."""
    count = _in_time(connection, allowance, receive)
    if allowance is not None:
        allowance.spend(count)
    return count


def _in_time(connection: socket.socket, allowance: Allowance | None, act: Callable[[], int]) -> int:
    """Act for as long as the allowance lets the server take; without one, as the socket would by itself."""
    if allowance is None:
        return act()
    connection.settimeout(allowance.receive_seconds())
    try:
        return act()
    except TimeoutError as error:
        raise allowance.expired() from error


class AddressFailed(ProblemError):  # noqa: N818  what happened, not only to whom
    """A host failed at one of its addresses; at the next one it may not."""


def open_first(
    network: Network, wanted: HostPort, allowance: Allowance, open_at: Callable[[HostPort, float], _Connection]
) -> _Connection:
    """Return what `open_at` makes of the first address of a host with which it succeeds. Raises `ProblemError`.

    `open_at` is told how many seconds it may take: an equal part of the time of one connection, so that an address that
    hangs leaves time for the next; the last one is not hurried.
    """
    addresses = resolve_in_time(allowance, lambda at_most: network.addresses(wanted, at_most))
    problem = host_unreachable(wanted.host, "")
    for number, address in enumerate(addresses, start=1):
        part = allowance.connect_seconds() / len(addresses)
        try:
            return open_at(address, part if number < len(addresses) else math.inf)
        except AddressFailed as error:
            problem = error.problem
        except TimeoutError:
            problem = host_unreachable(wanted.host, f"no connection to {address} in time")
        except OSError as error:
            problem = host_unreachable(wanted.host, f"{address}: {error.strerror or type(error).__name__}")
    raise ProblemError(problem)


def resolve_in_time(allowance: Allowance, resolve: Callable[[float], _Resolved]) -> _Resolved:
    """Return what `resolve` finds out of DNS in the seconds that it is given: those for one connection.

    Raises `ProblemError`: what it raises, or that no time is left of the read, where name servers would perhaps have
    answered.
    """
    at_most = allowance.connect_seconds()
    try:
        return resolve(at_most)
    except ProblemError as error:
        if allowance.read_is_over:
            raise allowance.expired() from error
        raise


def open_plain(network: Network, wanted: HostPort, allowance: Allowance) -> BoundedSocket:
    """Connect to the first address of a host that answers. Raises `ProblemError`."""
    return open_first(network, wanted, allowance, lambda address, at_most: open_address(address, allowance, at_most))


def open_address(address: HostPort, allowance: Allowance, at_most: float = math.inf) -> BoundedSocket:
    """Connect to an address that `Network` gave, in `at_most` seconds and as long as a connection may take.

    Raises OSError, and `ProblemError` when no time is left.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    opened = BoundedSocket(family, socket.SOCK_STREAM)
    try:
        opened.settimeout(at_least_a_moment(min(at_most, allowance.connect_seconds())))
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        opened.connect((address.host, address.port))
    except BaseException:
        opened.close()
        raise
    opened.allowance, opened.address = allowance, address
    return opened


def at_least_a_moment(seconds: float) -> float:
    """Return a time-out for a socket, to which 0 would mean that it must not wait at all."""
    return max(_SHORTEST_WAIT, seconds)
