"""The connections of one run of autodiscover: apart from those that read calendars, so that they end sooner."""

from __future__ import annotations

import time
from dataclasses import replace
from types import TracebackType
from typing import Self

from exchange.sessions import GatewaySession
from exchange.tls.certificates import SeenCertificate
from exchange.tls.connections import TlsClient
from exchange.web.bounded_http import WebClient
from exchange.web.hosts import HostPort
from exchange.web.sockets import Allowance

_SHARE = 2 / 3
"""Of the time that is left to a read, what finding its mailboxes may use up: the rest is for reading them."""

_NOTHING = 0  # bytes that a host which is only looked at may send


class Connections:
    """What a run connects with. `timeouts` end at the end of the run's own time. The client is for one thread."""

    def __init__(self, session: GatewaySession) -> None:
        now, ends_at = time.monotonic(), session.timeouts.ends_at
        self.timeouts = replace(session.timeouts, ends_at=now + _SHARE * (ends_at - now))
        self.network = session.network
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

    def new_client(self) -> WebClient:
        """Return another client, for another thread."""
        return WebClient(self.network, self._tls, self.timeouts)

    def look_at(self, host: HostPort) -> None:
        """Connect to a host, verify its certificate and hang up: nothing is sent. From any thread.

        Raises `ProblemError` as `TlsClient.open`.
        """
        allowance = Allowance(self.timeouts)
        allowance.begin(host.host, _NOTHING)
        self._tls.open(self.network, host, allowance).close()

    def certificate_of(self, host: HostPort) -> SeenCertificate | None:
        """Return the certificate that a host showed since this was asked last, and tell the session's watch of it."""
        seen = self._seen.pop(host, None)
        if seen is not None and self._watch is not None:
            self._watch(seen)
        return seen

    def _keep(self, seen: SeenCertificate) -> None:
        # The watch is told by the thread of the run alone: it need not know of others.
        self._seen[seen.host] = seen
