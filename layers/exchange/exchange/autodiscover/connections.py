"""The connections of one run of autodiscover: apart from those that read calendars, so that they end sooner."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import Self, TypeVar

from exchange.sessions import GatewaySession
from exchange.tls.certificates import SeenCertificate
from exchange.tls.connections import TlsClient
from exchange.web.bounded_http import WebClient
from exchange.web.hosts import HostPort
from exchange.web.network import ServiceTarget
from exchange.web.sockets import Allowance, resolve_in_time

_Resolved = TypeVar("_Resolved")
_NOTHING = 0  # bytes that a host which is only looked at may send


class Connections:
    """What a run connects with, until a reading of the monotonic clock. The client is for one thread."""

    def __init__(self, session: GatewaySession, ends_at: float) -> None:
        self.timeouts = replace(session.timeouts, ends_at=ends_at)
        self._network = session.network
        self._tls = TlsClient(session.gateway.ca, session.gateway.tls, self._keep)
        self._watch = session.watch
        self._seen: dict[HostPort, SeenCertificate] = {}
        self.client = self.new_client()

    def __enter__(self) -> Self:
        """Return the connections themselves."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close them."""
        self.client.__exit__(kind, error, traceback)

    @property
    def are_out_of_time(self) -> bool:
        """Whether the run has used up its time, so that what it did not find may be there all the same."""
        return time.monotonic() >= self.timeouts.ends_at

    def end_at(self, ends_at: float) -> None:
        """Let all that begins from now on end at another reading of the monotonic clock."""
        self.timeouts = replace(self.timeouts, ends_at=ends_at)
        self.client.__exit__(None, None, None)
        self.client = self.new_client()

    def new_client(self) -> WebClient:
        """Return another client, for another thread."""
        return WebClient(self._network, self._tls, self.timeouts)

    def addresses(self, host: HostPort) -> tuple[HostPort, ...]:
        """Return the addresses to connect to as `Network.addresses`, in time. From any thread."""
        return self._resolved(host.host, lambda at_most: self._network.addresses(host, at_most))

    def service_targets(self, name: str) -> tuple[ServiceTarget, ...]:
        """Return the targets of an SRV record as `Network.service_targets`, in time. From any thread."""
        return self._resolved(name, lambda at_most: self._network.service_targets(name, at_most))

    def look_at(self, host: HostPort) -> None:
        """Connect to a host, verify its certificate and hang up: nothing is sent. From any thread.

        Raises `ProblemError` as `TlsClient.open`.
        """
        self._tls.open(self._network, host, self._allowance(host.host)).close()

    def certificate_of(self, host: HostPort) -> SeenCertificate | None:
        """Return the certificate that a host showed since this was asked last, and tell the session's watch of it."""
        seen = self._seen.pop(host, None)
        if seen is not None and self._watch is not None:
            self._watch(seen)
        return seen

    def _resolved(self, name: str, resolve: Callable[[float], _Resolved]) -> _Resolved:
        return resolve_in_time(self._allowance(name), resolve)

    def _allowance(self, name: str) -> Allowance:
        allowance = Allowance(self.timeouts)
        allowance.begin(name, _NOTHING)
        return allowance

    def _keep(self, seen: SeenCertificate) -> None:
        # The watch is told by the thread of the run alone: it need not know of others.
        self._seen[seen.host] = seen
