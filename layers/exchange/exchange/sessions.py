"""What one gateway needs during one read: its connections and its account, made when first used."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from exchange.authentication import Login
from exchange.bounded_http import WebClient
from exchange.certificates import CertificateWatch
from exchange.credentials import SecretSource
from exchange.endpoints import EndpointCache
from exchange.gateways import Gateway
from exchange.network import Network
from exchange.problems import secret_unusable
from exchange.sockets import Timeouts
from exchange.tls_connections import TlsClient
from presence.errors import ConfigurationError, ProblemError


class GatewaySession:
    """One gateway during one read. For one thread."""

    def __init__(
        self,
        gateway: Gateway,
        network: Network,
        secrets: SecretSource,
        cache: EndpointCache,
        timeouts: Timeouts,
        watch: CertificateWatch | None = None,
    ) -> None:
        self.gateway = gateway
        self.network = network
        self._secrets = secrets
        self._cache = cache
        self._timeouts = timeouts
        self._watch = watch
        self._client: WebClient | None = None
        self._login: Login | None = None

    def __enter__(self) -> Self:
        """Return the session itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the connections."""
        if self._client is not None:
            self._client.__exit__(kind, error, traceback)

    @property
    def client(self) -> WebClient:
        """The connections of this gateway, whose authorities are the gateway's or the system's."""
        if self._client is None:
            tls = TlsClient(self.gateway.ca, self.gateway.tls, self._watch)
            self._client = WebClient(self.network, tls, self._timeouts)
        return self._client

    def login(self) -> Login:
        """Return the gateway's account. Raises `ProblemError` (SecretUnusable)."""
        if self._login is None:
            try:
                credentials = self._secrets.credentials(self.gateway.credentials)
            except ConfigurationError as error:
                raise ProblemError(secret_unusable(self.gateway.name, str(error))) from error
            self._login = Login(self.gateway, credentials, self._cache)
        return self._login
