"""One gateway's account during one read: given to servers as exchangelib and requests_ntlm do, and not too often."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from http import HTTPStatus
from urllib.parse import urlsplit

from exchangelib.transport import BASIC, NTLM, get_auth_instance
from requests.auth import AuthBase
from spnego.exceptions import SpnegoError

from exchange.account.accounts import (
    Account,
    Refusal,
    Rejection,
    accepted,
    asked_for,
    is_free,
    not_judged,
    read_account,
    rejected,
    write_account,
)
from exchange.account.credentials import Credentials
from exchange.account.kerberos import kerberos_auth
from exchange.account.problems import (
    authentication_failed,
    authentication_not_offered,
    credentials_being_tried,
    credentials_refused_here,
    credentials_rejected,
    gateway_rests,
)
from exchange.endpoints import EndpointCache, Fact, Written, account_key
from exchange.gateways import Authentication, Gateway
from exchange.throttling.reads import spread_wait
from exchange.web.bounded_http import Answer, WebClient
from presence.errors import CalendarPresenceError, ConfigurationError, Problem, ProblemError
from presence.instants import format_instant

_KEPT_SECONDS = 30 * 86400.0
_TRIED_AGAIN_AFTER = (4.0, 12.0)
"""Seconds after which those come back who found that another reader tries the account."""
_SCHEMES: Mapping[Authentication, frozenset[str]] = {
    Authentication.NTLM: frozenset({"ntlm", "negotiate"}),
    Authentication.BASIC: frozenset({"basic"}),
    Authentication.KERBEROS: frozenset({"negotiate"}),
}


class Login:
    """Sends requests with a gateway's credentials, as far as what all readers know of the account allows it.

    `read` names the read that this is for, which has `seconds` for it; `clock` gives the present instant in UTC.
    Raises `ConfigurationError` if the secret lacks what the gateway's `auth` needs, and `ProblemError`
    (KerberosUnusable).
    """

    def __init__(
        self,
        gateway: Gateway,
        credentials: Credentials,
        cache: EndpointCache,
        clock: Callable[[], datetime],
        read: str,
        seconds: float,
    ) -> None:
        self._gateway = gateway
        self._cache = cache
        self._clock = clock
        self._read = read
        self._until = clock() + timedelta(seconds=seconds)
        self._auth = _make_auth(gateway, credentials)
        self._key = account_key(gateway.name, credentials.version)
        self._account = read_account(cache.get_many([self._key]).get(self._key))

    def require_not_resting(self) -> None:
        """Raise `ProblemError` (CredentialsRejected) if the gateway rests and no attempt is due."""
        due = self._account.next_attempt_at
        if due is not None and self._clock() < due and self._account.trying != self._read:
            raise ProblemError(self._refused(Refusal.RESTS, ""))

    def require_offer(self, answer: Answer, host: str) -> None:
        """Raise `ProblemError` (AuthenticationNotOffered) if a host's 401 does not offer what the gateway is set to."""
        wanted = self._gateway.authentication
        if not answer.offered & _SCHEMES[wanted]:
            raise ProblemError(authentication_not_offered(host, self._gateway.name, wanted, _offered_schemes(answer)))

    def send(
        self, client: WebClient, method: str, url: str, *, limit: int, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        """Send a request with the credentials; the caller has made sure that the host may have them.

        Raises `ProblemError`: CredentialsRejected (also without asking), CredentialsBeingTried,
        AuthenticationNotOffered, AuthenticationFailed, and what `WebClient.send` raises. Raises ValueError for an URL
        that is not https.
        """
        parts = urlsplit(url)
        if parts.scheme != "https":
            raise ValueError("credentials go over https only")
        host = parts.hostname or ""
        self._require_leave(parts.netloc)
        try:
            answer = client.send(method, url, limit=limit, headers=headers, body=body, auth=self._auth)
        except (SpnegoError, PermissionError, LookupError, ValueError, struct.error) as error:
            raise ProblemError(authentication_failed(host, self._gateway.name)) from error
        if answer.status == HTTPStatus.OK:
            self._note_acceptance(parts.netloc)
        if answer.status != HTTPStatus.UNAUTHORIZED:
            return answer
        self.require_offer(answer, host)
        if answer.challenge_cut_off:
            raise ProblemError(authentication_failed(host, self._gateway.name))
        self._change(lambda account: rejected(account, parts.netloc, self._clock(), pool=self._gateway.has_pool))
        raise ProblemError(credentials_rejected(host, self._gateway.name, _offered_schemes(answer)))

    def close(self) -> None:
        """Let the next reader try the account, if this one had leave to do so alone and found nothing out."""
        if self._account.trying == self._read:
            with suppress(Exception):  # what was read must not be lost for it; the trial ends by itself
                self._change(lambda account: not_judged(account, self._read))

    def _require_leave(self, host: str) -> None:
        if is_free(self._account, host, self._clock()):
            return
        refusal: Refusal | None = None

        def change(account: Account) -> Account:
            nonlocal refusal
            found = asked_for(account, host, self._read, self._until, self._clock(), pool=self._gateway.has_pool)
            refusal = found if isinstance(found, Refusal) else None
            return account if isinstance(found, Refusal) else found

        if not self._change(change):
            refusal = Refusal.BEING_TRIED
        if refusal is not None:
            raise ProblemError(self._refused(refusal, host))

    def _note_acceptance(self, host: str) -> None:
        if not is_free(self._account, host, self._clock()):
            with suppress(Exception):  # what was read must not be lost for it; the next reader tries the account
                self._change(lambda account: accepted(account, host, self._clock()))

    def _change(self, change: Callable[[Account], Account]) -> bool:
        """Change what all readers know of the account; False if others were faster time after time."""

        def on_fact(fact: Fact | None) -> Written | None:
            before = read_account(fact)
            self._account = change(before)
            return None if self._account == before else (write_account(self._account), _KEPT_SECONDS)

        try:
            self._cache.update(self._key, on_fact)
        except CalendarPresenceError:
            return False
        return True

    def _refused(self, refusal: Refusal, host: str) -> Problem:
        account, name = self._account, self._gateway.name
        rejections = [each for each in account.rejections if refusal is Refusal.RESTS or each.host == host]
        last = rejections[-1] if rejections else Rejection("a host", self._clock())
        if refusal is Refusal.BEING_TRIED:
            return credentials_being_tried(name, spread_wait(self._read, *_TRIED_AGAIN_AFTER))
        if refusal is Refusal.BY_HOST:
            return credentials_refused_here(last.host, name, format_instant(last.at))
        since, due = account.resting_since or last.at, account.next_attempt_at or self._clock()
        return gateway_rests(name, last.host, account.attempts, format_instant(since), format_instant(due))


def _make_auth(gateway: Gateway, credentials: Credentials) -> AuthBase:
    if gateway.authentication is Authentication.KERBEROS:
        return kerberos_auth(gateway.name, credentials.username)
    if not credentials.password:  # requests_ntlm would take whoever is signed in to this machine
        raise ConfigurationError(f"its secret has no password, which {gateway.authentication} needs")
    if gateway.authentication is Authentication.BASIC:
        # As bytes: requests would encode a text in Latin-1 and fail on other letters.
        username, password = credentials.username.encode(), credentials.password.encode()
        basic: AuthBase = get_auth_instance(auth_type=BASIC, username=username, password=password)
        return basic
    ntlm: AuthBase = get_auth_instance(auth_type=NTLM, username=credentials.username, password=credentials.password)
    return ntlm


def _offered_schemes(answer: Answer) -> str:
    """Name the offered schemes that have a name known here; others stand for what the server may have written."""
    known = {"ntlm", "negotiate", "basic", "digest", "bearer", "kerberos"}
    return ", ".join(sorted(answer.offered & known))
