"""HTTP to servers that may be hostile: pinned addresses, verified names, bounded answers, nothing followed.

`requests` carries it because requests_ntlm authenticates through it; what `requests` would take from the environment
(proxies, .netrc, CA bundles) is off.
"""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import requests
import urllib3.exceptions
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from requests.sessions import Session
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from exchange.tls.connections import TlsClient
from exchange.web.cookies import HostCookies, NoCookies
from exchange.web.hosts import HTTPS_PORT, HostPort, ascii_host
from exchange.web.network import Network
from exchange.web.problems import host_unreachable, malformed_answer, timed_out
from exchange.web.sockets import Allowance, Timeouts, open_plain
from presence.errors import Problem, ProblemError

HTTP_PORT = 80
_USER_AGENT = "CalendarPresence"
_LONGEST_WAIT = 3600.0


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of HTTP: the status, the headers with lower-case names, and the whole body.

    `challenge_cut_off`: the server closed the connection after its challenge. NTLM proves a connection, not a request
    (MS-NTHT, section 1.3), so the last message came to one that knew of no challenge, and the account was not judged.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    challenge_cut_off: bool = False

    @property
    def offered(self) -> frozenset[str]:
        """The authentication schemes that the server offers, in lower case."""
        header = self.headers.get("www-authenticate", "")
        return frozenset(part.split()[0].lower() for part in header.split(",") if part.split())

    def retry_after(self, now: datetime) -> float | None:
        """Return the seconds for which the server asks to be left alone (RFC 9110, section 10.2.3), at most an hour.

        The header Retry-After holds seconds or a date; anything else is as if it were not there.
        """
        text = self.headers.get("retry-after", "").strip()
        if text.isascii() and text.isdigit():
            return min(float(text[:12]), _LONGEST_WAIT)
        try:
            until = parsedate_to_datetime(text)
        except (ValueError, TypeError, IndexError):
            return None
        if until.tzinfo is None:
            until = until.replace(tzinfo=UTC)
        return min(max((until - now).total_seconds(), 0.0), _LONGEST_WAIT)


class WebClient:
    """Asks one question at a time; keeps connections until it is closed. For one thread."""

    def __init__(self, network: Network, tls: TlsClient, timeouts: Timeouts) -> None:
        self._timeouts = timeouts
        self._allowance = Allowance(timeouts)
        self._session = _SessionThatStays()
        self._session.trust_env = False
        self._session.headers.clear()
        self._session.cookies.set_policy(NoCookies())
        adapter = _PinnedAdapter(network, tls, self._allowance)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def __enter__(self) -> Self:
        """Return the client itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close all connections."""
        self._session.close()

    def take_share(self, share: float) -> None:
        """Let each answer from now on take this part, from 0 to 1, of the time that is left of the read."""
        self._allowance.share = share

    def send(
        self,
        method: str,
        url: str,
        *,
        limit: int,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        auth: AuthBase | None = None,
    ) -> Answer:
        """Send one request and return the answer, of whatever status; redirects are not followed.

        `limit` bounds the bytes received in all, those of the authentication included. Raises `ProblemError`:
        HostUnreachable, HostNotFound, NameServerFailed, AddressNotAllowed, CertificateInvalid, TlsTooWeak, TlsFailed,
        Timeout, AnswerTooLarge, MalformedAnswer. What the authentication raises is passed on, its PermissionError
        included.
        """
        host = urlsplit(url).hostname or ""
        sent = {"User-Agent": _USER_AGENT, "Accept": "*/*", "Accept-Encoding": "identity", **(headers or {})}
        self._allowance.begin(host, limit)
        try:
            response = self._session.request(method, url, data=body, headers=sent, auth=auth, allow_redirects=False)
        except PermissionError:
            raise  # of requests_ntlm, when the server breaks off
        except (OSError, urllib3.exceptions.HTTPError, http.client.HTTPException) as error:
            raise ProblemError(self._explain(host, error)) from error
        lower = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, lower, response.content, _was_cut_off(response.history))

    def _explain(self, host: str, error: Exception) -> Problem:
        """Return the problem at the bottom of what urllib3 and requests (whose errors are OSErrors) made of it."""
        causes = _causes(error)
        if any(isinstance(cause, TimeoutError | urllib3.exceptions.TimeoutError) for cause in causes):
            return timed_out(host, "to answer", self._timeouts.read)
        lost = (http.client.RemoteDisconnected, http.client.IncompleteRead, ConnectionError, ssl.SSLError)
        if not any(isinstance(cause, lost) for cause in causes):
            return malformed_answer(host, f"no valid HTTP ({type(causes[-1]).__name__})")
        return host_unreachable(host, "the connection was lost")


class _SessionThatStays(Session):
    """Knows no redirects: `requests` prepares the next request of each, and fails where the target is malformed."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return None: there is none."""


class _PinnedAdapter(HTTPAdapter):
    """Gives `requests` connections whose address was checked and whose certificate this project verified."""

    def __init__(self, network: Network, tls: TlsClient, allowance: Allowance) -> None:
        super().__init__(max_retries=0)
        self._network = network
        self._tls = tls
        self._allowance = allowance
        self._pools: dict[tuple[str, HostPort], HTTPConnectionPool] = {}
        self._cookies = HostCookies()

    def send(self, request: requests.PreparedRequest, *arguments: Any, **options: Any) -> requests.Response:
        """Send as `HTTPAdapter.send`, with the cookies of the host: here pass those that requests_ntlm sends, too."""
        self._cookies.put_on(request)
        return super().send(request, *arguments, **options)

    def get_connection_with_tls_context(
        self, request: requests.PreparedRequest, *_arguments: object, **_options: object
    ) -> HTTPConnectionPool:
        """Return the pool of one connection for the request's host and port."""
        parts = urlsplit(str(request.url))
        secure = parts.scheme == "https"
        # In the spelling in which it was found to be trusted.
        wanted = HostPort(ascii_host(parts.hostname or ""), parts.port or (HTTPS_PORT if secure else HTTP_PORT))
        key = (parts.scheme, wanted)
        if key not in self._pools:
            self._pools[key] = self._new_pool(wanted, secure=secure)
        return self._pools[key]

    def cert_verify(self, *_arguments: object, **_options: object) -> None:
        """Do nothing: the context verifies, and no other authorities may be added to it."""

    def build_response(self, req: requests.PreparedRequest, resp: urllib3.BaseHTTPResponse) -> requests.Response:
        """Refuse compressed answers: few bytes received could become many, behind the back of the allowance."""
        encoding = resp.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in {"", "identity"}:
            resp.close()
            host = urlsplit(str(req.url)).hostname or ""
            raise ProblemError(malformed_answer(host, "it is compressed, which was not asked for"))
        self._cookies.take_from(req, resp)
        return super().build_response(req, resp)

    def close(self) -> None:
        """Close all connections."""
        for pool in self._pools.values():
            pool.close()
        super().close()

    def _new_pool(self, wanted: HostPort, *, secure: bool) -> HTTPConnectionPool:
        network, tls, allowance = self._network, self._tls, self._allowance

        class SecureConnection(HTTPSConnection):
            def connect(self) -> None:
                self.sock = tls.open(network, wanted, allowance)
                self.is_verified = True

        class PlainConnection(HTTPConnection):
            def connect(self) -> None:
                self.sock = open_plain(network, wanted, allowance)

        pool: HTTPConnectionPool
        if secure:
            pool = HTTPSConnectionPool(wanted.host, wanted.port, maxsize=1)
            pool.ConnectionCls = SecureConnection
        else:
            pool = HTTPConnectionPool(wanted.host, wanted.port, maxsize=1)
            pool.ConnectionCls = PlainConnection
        return pool


def _was_cut_off(history: list[requests.Response]) -> bool:
    """Tell whether the challenge, which requests_ntlm puts after the first 401, ended its connection."""
    return any(each.headers.get("connection", "").strip().lower() == "close" for each in history[1:])


def _causes(error: BaseException) -> list[BaseException]:
    """Return an error and what it was made of, the innermost last."""
    causes, left = [error], 8
    while left:
        left -= 1
        last = causes[-1]
        inside = [part for part in (getattr(last, "reason", None), *last.args) if isinstance(part, BaseException)]
        inner = inside[0] if inside else last.__cause__ or last.__context__
        if inner is None or inner in causes:
            break
        causes.append(inner)
    return causes
