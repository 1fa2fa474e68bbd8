"""Faults of HTTP: other statuses, redirects, refused sign-ins, and answers of something that is no Exchange."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from email.utils import format_datetime

from local.exchange.faults import ANY, Fault
from local.exchange.http_messages import HTML, Delivery
from local.exchange.kept_host import KeptHost, http
from local.exchange.network import HTTP
from local.exchange.soap import SoapFaultError, fault
from local.faults.places import AUTODISCOVER, EWS_PATH, MAIL
from local.faults.stage import CHECK_AT, Effect, Stage
from local.faults.tcp_faults import standing

_PAGE = b"<!DOCTYPE html><html><head><title>Outlook</title></head><body><p>Sign in to go on.</p></body></html>"
_BODIES: Mapping[str, bytes] = {
    "": b"",
    "page": _PAGE,
    "text": b"Service Unavailable",
    "json": b'{"error": "unavailable"}',
}


def status(
    stage: Stage,
    status: int,
    host: str = MAIL,
    path: str = EWS_PATH,
    body: str = "",
    times: int | None = None,
    headers: Mapping[str, str] | None = None,
    retry_after: str | None = None,
    retry_after_date: int | None = None,
    *,
    before_authentication: bool = False,
    chunked: bool = False,
) -> Effect:
    """Let a host answer with a status: each time, or so many `times`.

    `retry_after` is that header as it stands, `retry_after_date` the seconds from the check of one that names a date.
    """
    said = {**(headers or {})}
    if retry_after is not None:
        said["Retry-After"] = retry_after
    if retry_after_date is not None:
        said["Retry-After"] = format_datetime(CHECK_AT + timedelta(seconds=retry_after_date), usegmt=True)
    struck = Fault(
        status=status,
        headers=said,
        body=_BODIES[body],
        content_type=HTML if body == "page" else None,
        delivery=Delivery(chunked=chunked),
        before_authentication=before_authentication,
    )
    if times is None:
        return standing(stage, host, path, struck)
    stage.exchange.faults.next(host, path, struck, times)
    stage.undo.callback(stage.exchange.faults.clear)
    return lambda: stage.exchange.faults.effects(struck)


def soap_fault(
    stage: Stage,
    code: str,
    status: int = 500,
    back_off: int | None = None,
    retry_after: str | None = None,
    host: str = MAIL,
    path: str = EWS_PATH,
    operation: str = "",
) -> Effect:
    """Let a host refuse requests whole, each or those for an operation, with a response code of Exchange.

    `back_off` is in milliseconds.
    """
    answer = fault(SoapFaultError(code, "The request failed.", back_off))
    headers = {"Retry-After": retry_after} if retry_after is not None else {}
    return standing(stage, host, path, Fault(status=status, headers=headers, body=answer.body, operation=operation))


def redirect(stage: Stage, status: int, location: str, host: str = AUTODISCOVER, path: str = ANY) -> Effect:
    """Let a host refer to another place, before it asks for a password."""
    struck = Fault(status=status, headers={"Location": location}, before_authentication=True)
    return standing(stage, host, path, struck)


def plain_redirect(stage: Stage, location: str, status: int = 302, host: str = AUTODISCOVER) -> Effect:
    """Let a host answer plain HTTP on port 80 with a reference to another place."""
    plain = KeptHost(f"{host}:{HTTP}")
    before = stage.exchange.connect[plain.name]
    stage.strangers.append(plain)
    stage.listen(host, HTTP, plain.listener(lambda _request: http(status, Location=location), None))
    stage.undo.callback(stage.exchange.connect.update, {plain.name: before})
    return lambda: len(plain.requests)


def wrong_password(stage: Stage, reference: str = "exchange-reader") -> Effect:
    """Let the stored secret hold a password that is no longer the account's."""
    return stage.change_secret(reference, password="canary-password-of-yesterday")


def no_secret(stage: Stage, reference: str = "exchange-reader") -> Effect:
    """Let the secret be missing."""
    return stage.change_secret(reference, password=None)


INJECTIONS: Mapping[str, Callable[..., Effect]] = {
    "status": status,
    "soap-fault": soap_fault,
    "redirect": redirect,
    "plain-redirect": plain_redirect,
    "wrong-password": wrong_password,
    "no-secret": no_secret,
}
