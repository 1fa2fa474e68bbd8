"""One question to one EWS endpoint: sent with the account, and every way of failing turned into a problem."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import urlsplit

from exchange.endpoints import host_key
from exchange.ews.availability import Availability, parse_availability
from exchange.ews.calendar_folder import PAGE, read_calendar_folder
from exchange.ews.calendar_items import FolderPage, parse_calendar_items
from exchange.ews.mail_tips import parse_mail_tips
from exchange.ews.merged import LISTS_INTERVAL, MERGED_INTERVAL
from exchange.ews.oof_settings import parse_oof_settings
from exchange.ews.problems import replies_refused, request_version_refused
from exchange.ews.requests import (
    availability_request,
    calendar_folder_request,
    mail_tips_request,
    oof_settings_request,
    request_versions,
)
from exchange.ews.response_codes import REFUSAL_CODES, VERSION_CODES, is_of_all
from exchange.ews.soap import fault_problem, soap_body
from exchange.mailbox_access import Access
from exchange.recipients import Treatment
from exchange.sessions import GatewaySession
from exchange.web.bounded_http import Answer
from exchange.web.bounded_xml import MalformedXml
from exchange.web.problems import http_status
from presence.automatic_replies import AutomaticReplies
from presence.calendar import Window
from presence.errors import Problem, ProblemError

_LARGEST_ANSWER = 5 * 1024 * 1024
_VERSION_SECONDS = 86400.0
_NO_HEADERS: Mapping[str, str] = {}

_Result = TypeVar("_Result")


class EwsClient:
    """Asks EWS endpoints on behalf of one gateway; the caller has made sure that the hosts may have its account."""

    def __init__(self, session: GatewaySession) -> None:
        self._session = session
        self._cache = session.cache
        self._clock = session.clock
        self._versions: dict[str, str | None] = {}

    def read_availability(
        self, url: str, addresses: Sequence[str], window: Window, *, times_only: bool = False
    ) -> tuple[Availability | Problem, ...]:
        """Ask for up to 100 calendars and return one result per address, in their order.

        `times_only`: details are not asked for, also where the rights would show them. Raises `ProblemError` if the
        request as a whole failed.
        """
        host = urlsplit(url).hostname or ""
        takes_lists = self._session.gateway.recipients.distribution_lists is Treatment.TAKE
        interval = LISTS_INTERVAL if takes_lists else MERGED_INTERVAL

        def ask(version: str) -> tuple[Availability | Problem, ...]:
            answer = self._ask(url, availability_request(addresses, window, version, interval, times_only=times_only))
            return parse_availability(answer, addresses, window, host, interval, takes_lists=takes_lists)

        return self._in_known_version(url, ask)

    def read_calendar_folder(self, url: str, address: str, window: Window) -> Availability | Problem:
        """Read the calendar folder of one mailbox, in as many requests as it has pages.

        Raises `ProblemError` if a request failed for a reason that is not of this mailbox.
        """
        host = urlsplit(url).hostname or ""
        access = self._session.gateway.mailboxes.access
        headers = _anchor(address) if access is Access.IMPERSONATION else _NO_HEADERS

        def ask(page: Window, version: str) -> FolderPage | Problem:
            answer = self._ask(url, calendar_folder_request(address, page, PAGE, access, version), headers)
            result = parse_calendar_items(answer, address, host)
            if isinstance(result, Problem) and is_of_all(result.code):
                raise ProblemError(result)
            return result

        return read_calendar_folder(lambda page: self._in_known_version(url, partial(ask, page)), address, window)

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

        Raises `ProblemError` if the request failed for a reason that is not of this mailbox; AutomaticRepliesRefused if
        the server gives no code that says more.
        """
        host = urlsplit(url).hostname or ""
        try:
            result = parse_oof_settings(self._ask(url, oof_settings_request(address), _anchor(address)), address, host)
        except ProblemError as error:
            raise _refused(error, host, "GetUserOofSettings") from error
        if isinstance(result, Problem) and is_of_all(result.code):
            raise ProblemError(result)
        return result

    def _in_known_version(self, url: str, ask: Callable[[str], _Result]) -> _Result:
        """Ask in the version that the gateway's Exchange has, or that this host is known to take.

        Where neither is known, one request may follow in an older version, for a server that does not know the first;
        which one it knows is remembered for a day. Raises what `ask` raises.
        """
        host = urlsplit(url).netloc
        key = host_key(host)
        said = self._session.gateway.mailboxes.version
        versions = request_versions(said)
        known = self._known_version(key) if said is None else None
        versions = (known,) if known is not None and known in versions else versions
        for version in versions[:-1]:
            try:
                return ask(version)
            except ProblemError as error:
                if error.problem.code not in VERSION_CODES:
                    raise
        try:
            results = ask(versions[-1])
        except ProblemError as error:
            if said is None or error.problem.code not in VERSION_CODES:
                raise
            gateway = self._session.gateway.name
            raise ProblemError(request_version_refused(host, gateway, said, error.problem.code)) from error
        if len(versions) > 1:
            self._versions[key] = versions[-1]
            self._cache.put(key, {"request_version": versions[-1]}, _VERSION_SECONDS)
        return results

    def _known_version(self, key: str) -> str | None:
        """Return the version that a host is known to take; what is remembered of it is looked up once."""
        if key not in self._versions:
            self._versions[key] = self._cache.get_many([key]).get(key, {}).get("request_version")
        return self._versions[key]

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
        wait = answer.retry_after(self._clock())
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            try:
                fault = fault_problem(soap_body(answer.body), host)
            except MalformedXml:
                fault = None
            if fault is not None:
                return fault if fault.retry_after is not None else replace(fault, retry_after=wait)
        return http_status(host, answer.status, wait)


def _anchor(address: str) -> Mapping[str, str]:
    """Return the header that leads a balancer to the mailbox's server (X-AnchorMailbox, Microsoft's EWS guide)."""
    return {"X-AnchorMailbox": address} if address.isascii() else _NO_HEADERS


def _refused(error: ProblemError, host: str, operation: str) -> ProblemError:
    """Return the error again, or one that says that the server does not answer this operation."""
    code = error.problem.code
    return ProblemError(replies_refused(host, operation, code)) if code in REFUSAL_CODES else error
