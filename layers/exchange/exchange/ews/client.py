"""One question to one EWS endpoint: sent with the account, and every way of failing turned into a problem."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from urllib.parse import urlsplit

from exchange.bounded_http import Answer
from exchange.bounded_xml import MalformedXml
from exchange.endpoints import EndpointCache, host_key
from exchange.ews.availability import Availability, parse_availability
from exchange.ews.mail_tips import parse_mail_tips
from exchange.ews.oof_settings import parse_oof_settings
from exchange.ews.requests import (
    REQUEST_VERSIONS,
    availability_request,
    mail_tips_request,
    oof_settings_request,
)
from exchange.ews.response_codes import REFUSAL_CODES, VERSION_CODES
from exchange.ews.soap import fault_problem, soap_body
from exchange.problems import http_status, replies_refused
from exchange.sessions import GatewaySession
from presence.automatic_replies import AutomaticReplies
from presence.calendar import Window
from presence.errors import Problem, ProblemError

_LARGEST_ANSWER = 5 * 1024 * 1024
_VERSION_SECONDS = 86400.0
_LONGEST_WAIT = 3600.0
_NO_HEADERS: Mapping[str, str] = {}


class EwsClient:
    """Asks EWS endpoints on behalf of one gateway; the caller has made sure that the hosts may have its account."""

    def __init__(self, session: GatewaySession, cache: EndpointCache, clock: Callable[[], datetime]) -> None:
        self._session = session
        self._cache = cache
        self._clock = clock

    def read_availability(
        self, url: str, addresses: Sequence[str], window: Window
    ) -> tuple[Availability | Problem, ...]:
        """Ask for up to 100 calendars and return one result per address, in their order.

        Raises `ProblemError` if the request as a whole failed. The one request that may follow is in an older
        version, for a server that does not know the first; which one it knows is remembered for a day.
        """
        host = urlsplit(url).netloc
        key = host_key(host)
        known = self._cache.get_many([key]).get(key, {}).get("request_version")
        versions = [known] if known in REQUEST_VERSIONS else list(REQUEST_VERSIONS)
        for version in versions[:-1]:
            try:
                return self._ask_for_availability(url, addresses, window, version)
            except ProblemError as error:
                if error.problem.code not in VERSION_CODES:
                    raise
        results = self._ask_for_availability(url, addresses, window, versions[-1])
        if len(versions) > 1:
            self._cache.put(key, {"request_version": versions[-1]}, _VERSION_SECONDS)
        return results

    def read_mail_tips(self, url: str, addresses: Sequence[str]) -> tuple[AutomaticReplies | Problem, ...]:
        """Ask what senders to up to 50 mailboxes are told, and return one result per address, in their order.

        Raises `ProblemError` if the request as a whole failed; AutomaticRepliesRefused if the server does not know it.
        """
        host = urlsplit(url).hostname or ""
        try:
            return parse_mail_tips(self._ask(url, mail_tips_request(addresses)), addresses, host, self._clock())
        except ProblemError as error:
            raise _refused(error, host, "GetMailTips") from error

    def read_oof_settings(self, url: str, address: str) -> AutomaticReplies | Problem:
        """Ask for the automatic replies of one mailbox in the name of its owner.

        Raises `ProblemError` if the request failed; AutomaticRepliesRefused if the server gives no code that says more.
        """
        host = urlsplit(url).hostname or ""
        # The header leads a load balancer to the server of the mailbox (X-AnchorMailbox, Microsoft's EWS guide).
        anchor = {"X-AnchorMailbox": address} if address.isascii() else {}
        try:
            return parse_oof_settings(self._ask(url, oof_settings_request(address), anchor), address, host)
        except ProblemError as error:
            raise _refused(error, host, "GetUserOofSettings") from error

    def _ask_for_availability(
        self, url: str, addresses: Sequence[str], window: Window, version: str
    ) -> tuple[Availability | Problem, ...]:
        answer = self._ask(url, availability_request(addresses, window, version))
        return parse_availability(answer, addresses, window, urlsplit(url).hostname or "")

    def _ask(self, url: str, request: bytes, headers: Mapping[str, str] = _NO_HEADERS) -> bytes:
        """Send a request with the account and return the answer, which is one of status 200. Raises `ProblemError`."""
        answer = self._session.login().send(
            self._session.client,
            "POST",
            url,
            limit=_LARGEST_ANSWER,
            headers={"Content-Type": "text/xml; charset=utf-8", **headers},
            body=request,
        )
        if answer.status != HTTPStatus.OK:
            raise ProblemError(self._explain(urlsplit(url).hostname or "", answer))
        return answer.body

    def _explain(self, host: str, answer: Answer) -> Problem:
        """Return the problem of an answer that is not 200: that of its SOAP fault, else that of its status."""
        wait = retry_after(answer.headers.get("retry-after", ""), self._clock())
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            try:
                fault = fault_problem(soap_body(answer.body), host)
            except MalformedXml:
                fault = None
            if fault is not None:
                return fault if fault.retry_after is not None else replace(fault, retry_after=wait)
        return http_status(host, answer.status, wait)


def _refused(error: ProblemError, host: str, operation: str) -> ProblemError:
    """Return the error again, or one that says that the server does not answer this operation."""
    code = error.problem.code
    return ProblemError(replies_refused(host, operation, code)) if code in REFUSAL_CODES else error


def retry_after(header: str, now: datetime) -> float | None:
    """Return the seconds that a Retry-After header asks for (RFC 9110, section 10.2.3), at most an hour.

    The header holds seconds or a date; anything else is as if it were not there.
    """
    text = header.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:12]), _LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return min(max((until - now).total_seconds(), 0.0), _LONGEST_WAIT)
