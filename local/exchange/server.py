"""The simulated Exchange organisation at work: hosts, DNS and certificates around an organisation and its network."""

from __future__ import annotations

import contextlib
import functools
import secrets
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from local.exchange.accounts import Account, credential_file
from local.exchange.authentication import channel_bindings
from local.exchange.certificates import CertificateAuthority, is_address
from local.exchange.faults import Faults
from local.exchange.hosts import ExchangeHost, HostServices, RedirectHost
from local.exchange.http_connection import HttpConnection
from local.exchange.http_messages import RequestLog
from local.exchange.listener import LOOPBACK, ClosedPort, Listener
from local.exchange.nameserver import NameServer, Zone
from local.exchange.network import HTTP, HTTPS, Network, demo_network

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from local.exchange.network import Host, Redirect
    from local.exchange.organisation import Organisation


@functools.cache
def demo_accounts() -> tuple[Account, ...]:
    """Return the accounts of the demo network, with passwords made up anew for each process."""
    return tuple(
        Account(reference, username, secrets.token_urlsafe(18), may_impersonate=True)
        for reference, username in (
            ("exchange-reader", "EXAMPLE\\presence"),
            ("hosting-reader", "HOSTING\\presence"),
            ("factory-reader", "presence@factory.test"),
        )
    )


class SimulatedExchange:
    """Runs an organisation on loopback for as long as the context lasts.

    `requests` is the log of what was asked, `faults` takes orders for wrong answers, `zone` holds the DNS
    records; all three may be used while it runs, as may the organisation. `authority` issues the certificates.
    """

    def __init__(
        self,
        organisation: Organisation,
        network: Network | None = None,
        accounts: Sequence[Account] | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.organisation = organisation
        self.network = network if network is not None else demo_network()
        self.accounts = {each.reference: each for each in (demo_accounts() if accounts is None else accounts)}
        self.requests = RequestLog()
        self.faults = Faults()
        self.zone = Zone()
        self.connect: dict[str, str] = {}
        self.authority = CertificateAuthority("Simulated Exchange CA")
        self._clock = clock
        self._listeners: dict[str, Listener] = {}
        self._stopping = threading.Event()
        self._stack = contextlib.ExitStack()
        self._nameserver: NameServer | None = None
        self._usual: Organisation | None = None

    @property
    def ca_pem(self) -> str:
        """The certificate, in PEM, of the CA that signed each host's."""
        return self.authority.pem

    @property
    def nameserver(self) -> str:
        """The `address:port` of the DNS server. RuntimeError unless running."""
        return self._running().address

    @property
    def queries(self) -> list[tuple[str, str]]:
        """The (name, type) of what DNS was asked."""
        return list(self._running().queries)

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            credential_file.add(self.accounts.values())
            stack.callback(credential_file.remove, tuple(self.accounts.values()))
            for host in self.network.hosts:
                self._start(stack, host)
            for redirect in self.network.redirects:
                self._redirect(stack, redirect)
            self._refuse_the_rest(stack)
            for name, records in self.network.services.items():
                for record in records:
                    self.zone.add_service(name, record)
            self._nameserver = stack.enter_context(NameServer(self.zone))
            # Last in, first out: whoever waits for a delay is woken before its listener stops.
            stack.callback(self._stopping.set)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.close()

    def listener(self, name: str) -> Listener:
        """Return the listener of a host, to show another certificate or to fail. KeyError for an unknown host."""
        return self._listeners[name]

    def take_as_usual(self) -> None:
        """Let what is not as usual from now on be counted by whoever does it, against how all is at this moment.

        A name server counts answers by names (`zone.unusual`), a listener connections; in the log of requests those are
        marked that the organisation answers otherwise.
        """
        self.zone.take_as_usual()
        for listener in self._listeners.values():
            listener.take_as_usual()
        self._usual = self.organisation.copy()

    def stop_host(self, name: str) -> None:
        """Take a host down: connections to it are refused until `start_host`. KeyError for an unknown host."""
        self._listeners[name].stop()

    def start_host(self, name: str) -> None:
        """Bring a host up again, at the same port. KeyError for an unknown host."""
        self._listeners[name].start()

    def secrets(self) -> dict[str, dict[str, str]]:
        """Return what the operator stores as secrets: by reference, the user name and password."""
        return {reference: account.secret() for reference, account in self.accounts.items()}

    def gateways_document(self) -> dict[str, Any]:
        """Return the operator's gateways document for this organisation, as plain data."""
        return {
            "schema_version": 1,
            "network": {"nameservers": [self.nameserver], "allow_loopback": True, "connect": dict(self.connect)},
            "gateways": [{**gateway, "ca": self.ca_pem} for gateway in self.network.gateways],
        }

    def _running(self) -> NameServer:
        if self._nameserver is None:
            raise RuntimeError("the simulated Exchange is not running: enter its context first")
        return self._nameserver

    def _start(self, stack: contextlib.ExitStack, host: Host) -> None:
        certificate = self.authority.issue(host.name)
        services = HostServices(
            host=host,
            organisation=self.organisation,
            usual=lambda: self._usual,
            accounts=tuple(self.accounts[reference] for reference in host.accounts),
            bindings=channel_bindings(certificate.digest),
            faults=self.faults,
            log=self.requests,
            clock=self._clock,
            stopping=self._stopping,
        )

        def serve(connection: socket.socket) -> None:
            HttpConnection(connection, host.name, ExchangeHost(services))

        self._listeners[host.name] = self._listen(
            stack, host.name, host.port, Listener(serve, certificate.server_context())
        )

    def _redirect(self, stack: contextlib.ExitStack, redirect: Redirect) -> None:
        def serve(connection: socket.socket) -> None:
            HttpConnection(connection, redirect.name, RedirectHost(redirect, self.requests, self._clock))

        self._listen(stack, redirect.name, HTTP, Listener(serve))

    def _listen(self, stack: contextlib.ExitStack, name: str, port: int, listener: Listener) -> Listener:
        stack.callback(listener.close)
        listener.start()
        self._name(name, port, listener.port)
        return listener

    def _refuse_the_rest(self, stack: contextlib.ExitStack) -> None:
        """Refuse what nobody serves here, lest a client reach whatever listens on port 80 or 443 of this machine."""
        closed = ClosedPort()
        stack.callback(closed.close)
        for name, port in self.network.silent_hosts:
            self._name(name, port, closed.port)
        for name in dict.fromkeys(key.rpartition(":")[0] for key in self.connect):
            for port in (HTTP, HTTPS):
                self.connect.setdefault(f"{name}:{port}", f"{LOOPBACK}:{closed.port}")

    def _name(self, name: str, port: int, real_port: int) -> None:
        self.connect[f"{name}:{port}"] = f"{LOOPBACK}:{real_port}"
        if not is_address(name):
            self.zone.add_address(name)
