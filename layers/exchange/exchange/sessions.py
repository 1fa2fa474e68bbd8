"""What one gateway needs during one read: its connections and its account, made when first used."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import Self

from exchange.account.authentication import Login
from exchange.account.credentials import SecretSource
from exchange.account.problems import secret_unusable
from exchange.endpoints import EndpointCache
from exchange.gateways import Gateway
from exchange.throttling.back_off import BackOff
from exchange.throttling.leases import Lease
from exchange.throttling.reads import new_read
from exchange.tls.certificates import CertificateWatch
from exchange.tls.connections import TlsClient
from exchange.web.bounded_http import WebClient
from exchange.web.network import Network
from exchange.web.sockets import Timeouts
from presence.errors import ConfigurationError, ProblemError

_LONGEST_READ = 900.0
"""Seconds; no function of AWS Lambda runs longer."""
_GRACE = 5.0
"""Seconds for which what a read has taken outlives it: the clocks of instances differ."""


class GatewaySession:
    """One gateway during one read. For one thread. `clock` gives the present instant in UTC."""

    def __init__(
        self,
        gateway: Gateway,
        network: Network,
        secrets: SecretSource,
        cache: EndpointCache,
        clock: Callable[[], datetime],
        timeouts: Timeouts,
        watch: CertificateWatch | None = None,
    ) -> None:
        read = new_read()
        self.gateway = gateway
        self.network = network
        self.back_off = BackOff(gateway.name, cache, clock, read)
        self._secrets = secrets
        self.cache = cache
        self.clock = clock
        self.timeouts = timeouts
        self.watch = watch
        self._read = read
        self._lease = Lease(gateway, cache, clock, read)
        self._client: WebClient | None = None
        self._login: Login | None = None

    def __enter__(self) -> Self:
        """Return the session itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the connections, and let others have what this read had for itself."""
        if self._client is not None:
            self._client.__exit__(kind, error, traceback)
        if self._login is not None:
            self._login.close()
        self._lease.give_back()

    def begin(self) -> None:
        """Take one of the gateway's concurrent reads, if this read has none yet: before the first request to it.

        Raises `ProblemError` (GatewayBusy) if as many reads of the gateway are under way as it may have.
        """
        self._lease.take(self._seconds_left())

    @property
    def client(self) -> WebClient:
        """The connections of this gateway, whose authorities are the gateway's or the system's.

        Raises `ProblemError` as `begin`.
        """
        if self._client is None:
            self.begin()
            tls = TlsClient(self.gateway.ca, self.gateway.tls, self.watch)
            self._client = WebClient(self.network, tls, self.timeouts)
        return self._client

    def login(self) -> Login:
        """Return the gateway's account.

        Raises `ProblemError`: SecretUnusable, KerberosUnusable, CredentialsRejected if the gateway rests, and what
        `begin` raises.
        """
        if self._login is None:
            # Before the account is looked at: what was known of it then holds for as many reads as have begun.
            self.begin()
            try:
                credentials = self._secrets.credentials(self.gateway.credentials)
                login = Login(self.gateway, credentials, self.cache, self.clock, self._read, self._seconds_left())
            except ConfigurationError as error:
                raise ProblemError(secret_unusable(self.gateway.name, str(error))) from error
            login.require_not_resting()
            self._login = login
        return self._login

    def _seconds_left(self) -> float:
        return min(max(self.timeouts.ends_at - time.monotonic(), 0.0), _LONGEST_READ) + _GRACE
