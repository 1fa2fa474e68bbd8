"""What a host answers on a connection: who is it, what is asked for, which fault was ordered."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from local.exchange import autodiscover, user_settings, web_services
from local.exchange.accounts import Account
from local.exchange.authentication import BASIC, Authentication
from local.exchange.autodiscover import Autodiscover
from local.exchange.http_messages import HTML, HttpAnswer, LoggedBodies, LoggedRequest
from local.exchange.user_settings import UserSettings
from local.exchange.web_services import WebServices

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from datetime import datetime

    from spnego.channel_bindings import GssChannelBindings

    from local.exchange.faults import Fault, Faults
    from local.exchange.http_messages import HttpRequest, RequestLog
    from local.exchange.network import Host, Redirect
    from local.exchange.organisation import Organisation

OK = 200
FOUND = 302
UNAUTHORIZED = 401
NOT_FOUND = 404
METHOD_NOT_ALLOWED = 405

_PAGE = b"<!DOCTYPE html><html><head><title>Welcome</title></head><body><p>A website.</p></body></html>"


@dataclass(frozen=True, slots=True)
class HostServices:
    """What the connections of one host have in common.

    `usual` gives the organisation with whose answers those that are given are compared, if they are.
    """

    host: Host
    organisation: Organisation
    usual: Callable[[], Organisation | None]
    accounts: tuple[Account, ...]
    bindings: GssChannelBindings
    faults: Faults
    log: RequestLog
    clock: Callable[[], datetime]
    stopping: threading.Event


class ExchangeHost:
    """Answers the requests of one HTTPS connection to a host."""

    def __init__(self, services: HostServices) -> None:
        self._services = services
        self._authentication = Authentication(services.accounts, services.host.schemes, services.bindings)
        self._account: Account | None = None
        self._is_unusual = False

    def answer(self, request: HttpRequest) -> HttpAnswer | None:
        """Return the answer, or None to drop the connection, and write both into the log."""
        self._account, self._is_unusual = None, False
        fault = self._take_fault(request, before_authentication=True)
        # A fault that needs the right answer to spoil it strikes where that is made.
        answer = self._struck(fault, request, lambda: self._answer(request)) if fault else self._answer(request)
        if answer is not None and self._services.host.cookie is not None:
            answer = replace(answer, headers=(*answer.headers, ("Set-Cookie", self._services.host.cookie)))
        self._write_log(request, answer)
        return answer

    def _answer(self, request: HttpRequest) -> HttpAnswer | None:
        if self._services.host.is_website:
            return self._website(request)
        if self._service(request.path, self._services.organisation) is None:
            return HttpAnswer(NOT_FOUND)
        signed_in = self._authentication.sign_in(request.headers.get("authorization"))
        if not isinstance(signed_in, Account):
            return HttpAnswer(UNAUTHORIZED, headers=tuple(("WWW-Authenticate", each) for each in signed_in))
        self._account = signed_in
        fault = self._take_fault(request, before_authentication=False)
        if fault is not None:
            return self._struck(fault, request, lambda: self._served(request, signed_in))
        return self._served(request, signed_in)

    def _served(self, request: HttpRequest, caller: Account) -> HttpAnswer:
        """Return what the organisation answers, having compared it with what it would answer usually."""
        usual = self._services.usual()
        answer, *others = (
            service(request, caller)
            for organisation in (self._services.organisation, usual)
            if organisation is not None and (service := self._service(request.path, organisation)) is not None
        )
        self._is_unusual = any(other != answer for other in others)
        return answer

    def _website(self, request: HttpRequest) -> HttpAnswer:
        # The scheme is logged, so that a test sees who gave a password to a mere website.
        self._authentication.sign_in(request.headers.get("authorization"))
        if self._services.host.asks_for_password:
            return HttpAnswer(UNAUTHORIZED, _PAGE, HTML, (("WWW-Authenticate", f'{BASIC} realm="website"'),))
        return HttpAnswer(OK, _PAGE, HTML)

    def _service(self, path: str, organisation: Organisation) -> Callable[[HttpRequest, Account], HttpAnswer] | None:
        """Return what serves a path; IIS compares paths without case."""
        services, host = self._services, self._services.host
        match path.partition("?")[0].lower():
            case autodiscover.PATH if host.autodiscover:
                discover = Autodiscover(organisation, host.autodiscover, services.clock)
                return lambda request, _: discover.answer(request)
            case user_settings.PATH if host.autodiscover and host.speaks_soap:
                settings = UserSettings(organisation, host.autodiscover)
                return lambda request, _: settings.answer(request)
            case web_services.PATH if host.mailboxes:
                exchange = WebServices(organisation, host, services.clock)
                return lambda request, account: (
                    exchange.answer(request, account) if request.method == "POST" else HttpAnswer(METHOD_NOT_ALLOWED)
                )
        return None

    def _take_fault(self, request: HttpRequest, *, before_authentication: bool) -> Fault | None:
        path = request.path.partition("?")[0]
        return self._services.faults.take(request.host, path, request.body, before_authentication=before_authentication)

    def _struck(
        self, fault: Fault, request: HttpRequest, right_answer: Callable[[], HttpAnswer | None]
    ) -> HttpAnswer | None:
        """Return the answer with a fault, which is noted if that makes it another one."""
        if fault.delay:
            self._services.faults.note_effect(fault)
            self._services.stopping.wait(fault.delay)
        is_known = fault.needs_the_right_answer or "authorization" not in request.headers
        right = right_answer() if is_known else None
        answer = self._spoilt(fault, right if fault.needs_the_right_answer else HttpAnswer(OK))
        if not fault.delay and (answer is None or right is None or _differs(answer, right)):
            self._services.faults.note_effect(fault)
        return answer

    def _spoilt(self, fault: Fault, answer: HttpAnswer | None) -> HttpAnswer | None:
        if fault.drop or answer is None:
            return None
        if fault.body is not None:
            answer = replace(answer, body=fault.body(answer.body) if callable(fault.body) else fault.body)
        return replace(
            answer,
            status=fault.status or answer.status,
            content_type=fault.content_type or answer.content_type,
            headers=(*answer.headers, *fault.headers.items()),
            delivery=fault.delivery,
        )

    def _write_log(self, request: HttpRequest, answer: HttpAnswer | None) -> None:
        operation = answer.operation if answer is not None else None
        line = LoggedRequest(
            at=self._services.clock(),
            method=request.method,
            scheme="https",
            host=request.host,
            path=request.path,
            authorization=self._authentication.scheme,
            account=self._account.username if self._account is not None else None,
            status=answer.status if answer is not None else 0,
            operation=operation,
            addresses=answer.addresses if answer is not None else (),
            unusual=self._is_unusual,
        )
        bodies = None
        if answer is not None and self._account is not None:
            bodies = LoggedBodies(request.host, request.path, operation, request.body, answer.body)
        self._services.log.add(line, bodies)


def _differs(answer: HttpAnswer, right: HttpAnswer) -> bool:
    """Tell whether an answer is another one on the wire than the right one, which goes there as usual."""
    return answer.delivery.differs_for(answer.body) or replace(answer, delivery=right.delivery) != right


class RedirectHost:
    """Answers plain HTTP with a redirect to where autodiscover is, and asks for nothing."""

    def __init__(self, redirect: Redirect, log: RequestLog, clock: Callable[[], datetime]) -> None:
        self._redirect = redirect
        self._log = log
        self._clock = clock

    def answer(self, request: HttpRequest) -> HttpAnswer:
        """Return the redirect for a GET of the autodiscover path."""
        if request.path.partition("?")[0].lower() != autodiscover.PATH:
            answer = HttpAnswer(NOT_FOUND)
        elif request.method != "GET":
            answer = HttpAnswer(METHOD_NOT_ALLOWED)
        else:
            answer = HttpAnswer(FOUND, headers=(("Location", self._redirect.location),))
        credentials = request.headers.get("authorization")
        self._log.add(
            LoggedRequest(
                at=self._clock(),
                method=request.method,
                scheme="http",
                host=request.host,
                path=request.path,
                authorization=credentials.partition(" ")[0] if credentials else None,
                account=None,
                status=answer.status,
                operation=None,
                addresses=(),
            )
        )
        return answer
