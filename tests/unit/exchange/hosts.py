"""Hosts on loopback that answer as a test tells them, correctly or not, and keep every byte that they are sent."""

from __future__ import annotations

import contextlib
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from exchange.account.credentials import Credentials
from exchange.endpoints import EndpointCache, MemoryEndpointCache
from exchange.gateway_documents import parse_gateways
from exchange.gateways import GatewaysDocument
from exchange.locating import Locator, Resolution
from exchange.reader import ExchangeReader, ReadTimes
from exchange.sessions import GatewaySession
from exchange.tls.certificates import CertificateWatch
from exchange.web.hosts import HostPort
from exchange.web.network import Network
from exchange.web.sockets import Timeouts
from local.exchange.certificates import CertificateAuthority
from local.exchange.kept_host import KeptHost, Respond, http
from local.exchange.listener import ClosedPort, Listener
from local.exchange.nameserver import NameServer, Zone
from presence.errors import ConfigurationError

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
USERNAME = "EXAMPLE\\reader"
PASSWORD = "correct horse battery staple"


def challenge(scheme: str = 'Basic realm="x"') -> bytes:
    return http(401, b"<html>Sign in</html>", WWW_Authenticate=scheme)


def website(_request: bytes = b"") -> bytes:
    return http(200, b"<!DOCTYPE html><html><body>Welcome</body></html>", Content_Type="text/html")


def when_signed_in(answer: bytes) -> Respond:
    """Answer to whoever shows Basic credentials, and ask everybody else for them."""
    return lambda request: answer if b"\r\nauthorization: basic " in request.lower() else challenge()


class Net:
    """Hosts with certificates of one authority, DNS for them, and a document that leads there."""

    def __init__(self, stack: contextlib.ExitStack, nameserver: NameServer) -> None:
        self._stack = stack
        self.authority = _authority()
        self.zone = Zone()
        self.nameserver = nameserver
        self.nameserver.zone = self.zone
        self.nameserver.queries.clear()
        self.connect: dict[str, str] = {}
        closed = ClosedPort()
        stack.callback(closed.close)
        self.closed = f"127.0.0.1:{closed.port}"

    def host(
        self,
        name: str,
        respond: Respond,
        *,
        port: int = 443,
        plain: bool = False,
        cert: str = "",
        tls: ssl.SSLContext | None = None,
        silent_for: float = 0.0,
    ) -> KeptHost:
        """Start a host that gives every whole request to `respond` and sends what it returns; None hangs up.

        It has a certificate of `authority` for its own name or for `cert`, unless `tls` brings another. Before it
        shakes hands it is silent for some seconds.
        """
        kept = KeptHost(name)
        context = None if plain else tls or _context(cert or name)
        listener = kept.listener(respond, context)
        listener.hesitation = silent_for
        self.listen(name, port, listener)
        return kept

    def listen(self, name: str, port: int, listener: Listener) -> None:
        """Start any listener under a name and port."""
        self._stack.callback(listener.close)
        listener.start()
        self.connect[str(HostPort(name, port))] = f"127.0.0.1:{listener.port}"

    def silent(self, name: str, *ports: int) -> None:
        """Let a name have an address where nobody listens."""
        for port in ports or (443, 80):
            self.connect[f"{name}:{port}"] = self.closed

    def document(self, *gateways: Mapping[str, Any], **network: Any) -> GatewaysDocument:
        """Return a document with these gateways, an autodiscover one for example.com if none is given."""
        return parse_gateways(self.content(*gateways, **network))

    def content(self, *gateways: Mapping[str, Any], **network: Any) -> dict[str, object]:
        """Return what stands in `document`, as an operator writes it."""
        complete = [
            {
                "name": f"gateway{index}",
                "kind": "autodiscover",
                "domains": ["example.com"],
                "credentials": "reader",
                "auth": "basic",
                "ca": self.authority.pem,
                **gateway,
            }
            for index, gateway in enumerate(gateways or ({},))
        ]
        settings = {"nameservers": [self.nameserver.address], "connect": self.connect, "allow_loopback": True}
        return {"schema_version": 1, "network": {**settings, **network}, "gateways": complete}

    def reader(
        self,
        *gateways: Mapping[str, Any],
        cache: EndpointCache | None = None,
        secrets: Mapping[str, Credentials] | None = None,
        longest_read: float = 45.0,
        watch: CertificateWatch | None = None,
        clock: Callable[[], datetime] = lambda: NOW,
        read_timeout: float = 0.5,
        **network: Any,
    ) -> ExchangeReader:
        """Return a reader over `document`, with short time-outs unless told otherwise."""
        return ExchangeReader(
            gateways=self.document(*gateways, **network),
            secrets=Secrets({"reader": Credentials(USERNAME, PASSWORD)} if secrets is None else secrets),
            cache=cache or MemoryEndpointCache(clock),
            clock=clock,
            times=ReadTimes(2 * read_timeout, read_timeout, longest_read),
            watch=watch,
        )

    def locate(
        self,
        addresses: Sequence[str],
        *gateways: Mapping[str, Any],
        cache: MemoryEndpointCache | None = None,
        seconds: float = 45.0,
        connect_timeout: float = 1.0,
        **network: Any,
    ) -> Mapping[str, Resolution]:
        """Return where mailboxes are, as a read of calendars that takes so many seconds finds it out."""
        document = self.document(*gateways, **network)
        kept = cache or MemoryEndpointCache(lambda: NOW)
        secrets = Secrets({"reader": Credentials(USERNAME, PASSWORD)})
        timeouts = Timeouts(connect_timeout, 0.5, time.monotonic() + seconds)
        with contextlib.ExitStack() as stack:
            sessions = {
                gateway.name: stack.enter_context(
                    GatewaySession(
                        gateway, Network(document.network, connect_timeout), secrets, kept, lambda: NOW, timeouts
                    )
                )
                for gateway in document.gateways
            }
            return Locator(document, kept, lambda gateway: sessions[gateway.name]).locate(addresses)


@cache
def _authority() -> CertificateAuthority:
    """Return the authority of all hosts of a run."""
    return CertificateAuthority("Test CA")


@cache
def _context(name: str) -> ssl.SSLContext:
    """Return what a host shows, made once a run; whoever changes one has to issue another."""
    return _authority().issue(name).server_context()


class Secrets:
    """A SecretSource of a dictionary."""

    def __init__(self, secrets: Mapping[str, Credentials]) -> None:
        self._secrets = secrets

    def credentials(self, reference: str) -> Credentials:
        if reference not in self._secrets:
            raise ConfigurationError(f"secret {reference!r}: is missing")
        return self._secrets[reference]


def pox_settings(*urls: str, kind: str = "EXPR", extra: str = "") -> bytes:
    protocols = "".join(f"<Protocol><Type>{kind}</Type><ASUrl>{url}</ASUrl>{extra}</Protocol>" for url in urls)
    return pox_account(f"<Action>settings</Action>{protocols}")


def pox_account(inner: str) -> bytes:
    outlook = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"
    return _pox(f'<Response xmlns="{outlook}"><Account><AccountType>email</AccountType>{inner}</Account></Response>')


def pox_error(code: int) -> bytes:
    return _pox(f'<Response><Error Time="1" Id="2"><ErrorCode>{code}</ErrorCode></Error></Response>')


def _pox(inner: str) -> bytes:
    namespace = "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006"
    return f'<?xml version="1.0" encoding="utf-8"?><Autodiscover xmlns="{namespace}">{inner}</Autodiscover>'.encode()


def mailbox_answer(events: Sequence[tuple[str, str, str]] = (), *, view: str = "FreeBusy") -> str:
    """Return the FreeBusyResponse of one mailbox with (start, end, BusyType) entries."""
    entries = "".join(
        f"<t:CalendarEvent><t:StartTime>{start}</t:StartTime><t:EndTime>{end}</t:EndTime>"
        f"<t:BusyType>{busy_type}</t:BusyType></t:CalendarEvent>"
        for start, end, busy_type in events
    )
    return free_busy_response(
        f"<t:FreeBusyViewType>{view}</t:FreeBusyViewType><t:CalendarEventArray>{entries}</t:CalendarEventArray>"
    )


def free_busy_response(view: str) -> str:
    """Return the FreeBusyResponse of one mailbox with the inside of its FreeBusyView."""
    return (
        '<m:FreeBusyResponse><m:ResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode>'
        f"</m:ResponseMessage><m:FreeBusyView>{view}</m:FreeBusyView></m:FreeBusyResponse>"
    )


def failed_mailbox(code: str, inside: str = "") -> str:
    """Return the FreeBusyResponse of one mailbox that could not be read."""
    return (
        f'<m:FreeBusyResponse><m:ResponseMessage ResponseClass="Error"><m:ResponseCode>{code}</m:ResponseCode>'
        f"{inside}</m:ResponseMessage></m:FreeBusyResponse>"
    )


def availability(*responses: str) -> bytes:
    """Return a whole answer of GetUserAvailability."""
    array = f"<m:FreeBusyResponseArray>{''.join(responses)}</m:FreeBusyResponseArray>"
    return envelope(f"<m:GetUserAvailabilityResponse>{array}</m:GetUserAvailabilityResponse>")


def fault(code: str, inside: str = "") -> bytes:
    """Return a SOAP fault with a response code of Exchange."""
    errors = "http://schemas.microsoft.com/exchange/services/2006/errors"
    return envelope(
        f'<s:Fault><faultcode xmlns:a="{errors}">a:{code}</faultcode><faultstring>It failed.</faultstring>'
        f'<detail><e:ResponseCode xmlns:e="{errors}">{code}</e:ResponseCode>{inside}</detail></s:Fault>'
    )


def envelope(body: str) -> bytes:
    base = "http://schemas.microsoft.com/exchange/services/2006"
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        f'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:m="{base}/messages"'
        f' xmlns:t="{base}/types"><s:Body>{body}</s:Body></s:Envelope>'
    ).encode()
