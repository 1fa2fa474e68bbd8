"""One gateway's account during one read: given to servers as exchangelib and requests_ntlm do, and not too often."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import urlsplit

from exchangelib.transport import BASIC, NTLM, get_auth_instance
from requests.auth import AuthBase
from spnego.exceptions import SpnegoError

from exchange.bounded_http import Answer, WebClient
from exchange.credentials import Credentials
from exchange.endpoints import EndpointCache, rejection_key
from exchange.gateways import Authentication, Gateway
from exchange.problems import authentication_failed, authentication_not_offered, credentials_rejected
from presence.errors import Problem, ProblemError

# More wrong attempts than this in half an hour could lock the account out.
_MOST_REJECTIONS = 2
_REJECTION_SECONDS = 1800.0
_SCHEMES: Mapping[Authentication, frozenset[str]] = {
    Authentication.NTLM: frozenset({"ntlm", "negotiate"}),
    Authentication.BASIC: frozenset({"basic"}),
}


class Login:
    """Sends requests with a gateway's credentials.

    A host that rejects them is not tried again, and after two rejections within half an hour (counted in `cache`, so
    over all readers) nobody is, until the secret changes or the half hour is over.
    """

    def __init__(self, gateway: Gateway, credentials: Credentials, cache: EndpointCache) -> None:
        self._gateway = gateway
        self._cache = cache
        self._key = rejection_key(gateway.name, credentials.version)
        self._auth = _make_auth(gateway.authentication, credentials)
        earlier = cache.get_many([self._key]).get(self._key, {})
        self._rejections = int(earlier.get("count", "0"))
        self._problem = (
            credentials_rejected(earlier.get("host", "a host"), gateway.name, earlier.get("offered", ""))
            if self._rejections >= _MOST_REJECTIONS
            else None
        )
        self._refusing: dict[str, Problem] = {}

    def require_offer(self, answer: Answer, host: str) -> None:
        """Raise `ProblemError` (AuthenticationNotOffered) if a host's 401 does not offer what the gateway is set to."""
        wanted = self._gateway.authentication
        if not answer.offered & _SCHEMES[wanted]:
            raise ProblemError(authentication_not_offered(host, self._gateway.name, wanted, _words(answer)))

    def send(
        self, client: WebClient, method: str, url: str, *, limit: int, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        """Send a request with the credentials; the caller has made sure that the host may have them.

        Raises `ProblemError`: CredentialsRejected, AuthenticationNotOffered, AuthenticationFailed, and what
        `WebClient.send` raises. Raises ValueError for an URL that is not https.
        """
        parts = urlsplit(url)
        if parts.scheme != "https":
            raise ValueError("credentials go over https only")
        host = parts.hostname or ""
        known = self._problem or self._refusing.get(parts.netloc)
        if known:
            raise ProblemError(known)
        try:
            answer = client.send(method, url, limit=limit, headers=headers, body=body, auth=self._auth)
        except (SpnegoError, PermissionError, LookupError, ValueError, struct.error) as error:
            raise ProblemError(authentication_failed(host, self._gateway.name)) from error
        if answer.status != HTTPStatus.UNAUTHORIZED:
            self._accepted()
            return answer
        self.require_offer(answer, host)
        raise ProblemError(self._rejected(parts.netloc, host, answer))

    def _accepted(self) -> None:
        if self._rejections:
            self._rejections = 0
            self._cache.delete([self._key])

    def _rejected(self, netloc: str, host: str, answer: Answer) -> Problem:
        problem = credentials_rejected(host, self._gateway.name, _words(answer))
        self._refusing[netloc] = problem
        self._rejections += 1
        if self._rejections >= _MOST_REJECTIONS:
            self._problem = problem
        value = {"count": str(self._rejections), "host": host, "offered": _words(answer)}
        self._cache.put(self._key, value, _REJECTION_SECONDS)
        return problem


def _make_auth(authentication: Authentication, credentials: Credentials) -> AuthBase:
    if authentication is Authentication.BASIC:
        # As bytes: requests would encode a text in Latin-1 and fail on other letters.
        username, password = credentials.username.encode(), credentials.password.encode()
        basic: AuthBase = get_auth_instance(auth_type=BASIC, username=username, password=password)
        return basic
    ntlm: AuthBase = get_auth_instance(auth_type=NTLM, username=credentials.username, password=credentials.password)
    return ntlm


def _words(answer: Answer) -> str:
    """Name the offered schemes that have a name known here; others stand for what the server may have written."""
    known = {"ntlm", "negotiate", "basic", "digest", "bearer", "kerberos"}
    return ", ".join(sorted(answer.offered & known))
