"""Faults of what Exchange answers: response codes, and answers that are not what the schema says."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial

from local.exchange.automatic_replies import DISABLED, mail_tips_refusal
from local.exchange.faults import Fault
from local.exchange.organisation import Access
from local.exchange.soap import envelope
from local.exchange.xml_writing import utc_time
from local.faults.places import BESIDE, EWS_PATH, MAIL, START, STRUCK
from local.faults.stage import Effect, Stage
from local.faults.tcp_faults import standing

_RESPONSE = re.compile(rb"<FreeBusyResponse>.*?</FreeBusyResponse>")
_EVENT = re.compile(rb"<CalendarEvent>.*?</CalendarEvent>")
_MERGED = re.compile(rb"(<MergedFreeBusy[^>]*>)[0-4]*(</MergedFreeBusy>)")
_EVENTS = re.compile(rb"(<CalendarEventArray[^>]*>).*?(</CalendarEventArray>)")
_FIFTY_MEGABYTES = 50 * 1024 * 1024
_DEPTH = 100_000
_BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "aaaaaaaaaaaaaaaaaaaa">'
    b'<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>'
)
_OUTSIDE_FILE = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY file SYSTEM "file:///etc/hostname">]>'
_DECLARATION = b'<?xml version="1.0" encoding="utf-8"?>'


def mailbox_code(stage: Stage, code: str, back_off: int | None = None, *, everybody: bool = False) -> Effect:
    """Let Exchange answer for one mailbox, or each of its server, with a code. `back_off` is in milliseconds."""
    addresses = (STRUCK, *BESIDE) if everybody else (STRUCK,)
    return _change(stage, *addresses, problem=code, back_off=back_off)


def failing_mailbox(stage: Stage, code: str) -> Effect:
    """Let Exchange fail with a code at each request for free/busy times in which one mailbox is."""
    return _change(stage, STRUCK, problem=code, fails_requests=True)


def view(stage: Stage, view: str) -> Effect:
    """Let Exchange give another view of one mailbox than was asked for."""
    return _change(stage, STRUCK, view=view)


def no_working_hours(stage: Stage) -> Effect:
    """Let Exchange tell no working hours of one mailbox."""
    return _change(stage, STRUCK, tells_working_hours=False)


def no_access(stage: Stage) -> Effect:
    """Let the account no longer be allowed to see one calendar."""
    return _change(stage, STRUCK, access=Access.NONE)


def excluded(stage: Stage) -> Effect:
    """Let the account no longer be allowed to impersonate the owner of one mailbox."""
    return _change(stage, STRUCK, excluded=True)


def answer(stage: Stage, how: str, host: str = MAIL, operation: str = "") -> Effect:
    """Let the answers of a host, each or those to an operation, be spoilt in a way of `WAYS`."""
    return standing(stage, host, EWS_PATH, Fault(body=WAYS[how], operation=operation))


def mail_tips_disabled(stage: Stage, host: str = MAIL) -> Effect:
    """Let the organisation have switched MailTips off, and nothing else."""
    refusal = envelope(mail_tips_refusal(DISABLED)).body
    return standing(stage, host, EWS_PATH, Fault(body=refusal, operation="GetMailTips"))


def _change(stage: Stage, *addresses: str, **changes: object) -> Effect:
    for address in addresses:
        before = stage.organisation.mailbox(address)
        stage.organisation.change_mailbox(address, **changes)
        restored = {name: getattr(before, name) for name in changes}
        stage.undo.callback(partial(stage.organisation.change_mailbox, address, **restored))
    return of_the_organisation(stage)


def of_the_organisation(stage: Stage) -> Effect:
    """Return how often the organisation answered otherwise than it does as usual."""
    return lambda: sum(request.unusual for request in stage.exchange.requests)


def _of_the_first(change: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    """Return a function that changes what is answered of the first mailbox, and leaves the others alone."""

    def spoil(right: bytes) -> bytes:
        found = _RESPONSE.search(right)
        return right if found is None else right[: found.start()] + change(found[0]) + right[found.end() :]

    return spoil


def _one_fewer(right: bytes) -> bytes:
    return _RESPONSE.sub(b"", right, count=1)


def _one_more(right: bytes) -> bytes:
    return _RESPONSE.sub(lambda found: found[0] + found[0], right, count=1)


def _other_order(response: bytes) -> bytes:
    """Return the response with its two parts the other way round, and so the first event's times."""
    inside = re.sub(rb"^<FreeBusyResponse>(.*</ResponseMessage>)(.*)</FreeBusyResponse>$", rb"\2\1", response)
    swapped = re.sub(rb"(<StartTime>.*?</StartTime>)(<EndTime>.*?</EndTime>)", rb"\2\1", inside)
    return b"<FreeBusyResponse>" + swapped + b"</FreeBusyResponse>"


def _with_event(begins: timedelta, ends: timedelta) -> Callable[[bytes], bytes]:
    start, end = (utc_time(START + offset).encode() for offset in (begins, ends))
    event = (
        b"<CalendarEvent><StartTime>%s</StartTime><EndTime>%s</EndTime><BusyType>Tentative</BusyType></CalendarEvent>"
    )
    return lambda response: _EVENT.sub(lambda found: event % (start, end) + found[0], response, count=1)


def _replaced(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    return lambda response: response.replace(old, new, 1)


def _without(pattern: re.Pattern[bytes], instead: bytes = b"") -> Callable[[bytes], bytes]:
    return lambda response: pattern.sub(instead, response)


WAYS: Mapping[str, Callable[[bytes], bytes]] = {
    # The answer as a whole.
    "one-mailbox-fewer": _one_fewer,
    "one-mailbox-more": _one_more,
    "no-mailbox": _without(_RESPONSE),
    "empty": lambda _: b"",
    "half": lambda right: right[: len(right) // 2],
    "not-xml": lambda _: b"The server is on holiday.",
    "another-operation": lambda right: right.replace(b"GetUserAvailabilityResponse", b"GetFolderResponse"),
    "no-envelope": lambda right: right.replace(b"s:Envelope", b"s:Letter"),
    "fifty-megabytes": lambda right: right + b" " * _FIFTY_MEGABYTES,
    "nested-deeply": lambda _: b"<a>" * _DEPTH + b"</a>" * _DEPTH,
    "entity-bomb": lambda right: _BOMB + right.replace(_DECLARATION, b"").replace(b">NoError<", b">&c;<"),
    "entity-of-a-file": lambda right: _OUTSIDE_FILE + right.replace(_DECLARATION, b"").replace(b">OOF<", b">&file;<"),
    "utf-16": lambda right: right.decode().replace("utf-8", "utf-16").encode("utf-16"),
    "no-utf-8": lambda right: right.replace(b"canary-subject", b"canary-subject \xe4\xf6\xfc"),
    "null-bytes": lambda right: right.replace(b"<s:Body>", b"<s:Body>\x00"),
    # What is answered of one mailbox.
    "elements-in-another-order": _of_the_first(_other_order),
    "no-response-code": _of_the_first(_replaced(b"<ResponseCode>NoError</ResponseCode>", b"")),
    "code-that-is-none": _of_the_first(_replaced(b">NoError<", b">It went wrong, sorry!<")),
    "error-class-without-code": _of_the_first(_replaced(b'ResponseClass="Success"', b'ResponseClass="Error"')),
    "no-view": _of_the_first(_without(re.compile(rb"<FreeBusyView>.*</FreeBusyView>"))),
    "unknown-view": _of_the_first(_replaced(b">DetailedMerged<", b">Everything<")),
    "no-events-though-merged-shows-them": _of_the_first(_without(_EVENTS, rb"\1\2")),
    "neither-events-nor-merged": _of_the_first(lambda response: _MERGED.sub(b"", _EVENTS.sub(b"", response))),
    "merged-too-short": _of_the_first(_without(_MERGED, rb"\g<1>22\2")),
    "merged-of-letters": _of_the_first(_without(_MERGED, rb"\g<1>2x2\2")),
    "unknown-busy-type": _of_the_first(_replaced(b">OOF<", b">Lunch<")),
    "no-busy-type": _of_the_first(_replaced(b"<BusyType>OOF</BusyType>", b"")),
    "two-busy-types": _of_the_first(
        _replaced(b"<BusyType>OOF</BusyType>", b"<BusyType>Free</BusyType><BusyType>OOF</BusyType>")
    ),
    "time-that-is-none": _of_the_first(_without(re.compile(rb"<EndTime>[^<]*<"), b"<EndTime>soon<")),
    "time-without-zone": _of_the_first(lambda response: response.replace(b"Z</StartTime>", b"</StartTime>")),
    "end-before-start": _of_the_first(_with_event(timedelta(hours=2), timedelta(hours=1))),
    "occurrence-outside-the-window": _of_the_first(_with_event(timedelta(days=40), timedelta(days=41))),
    "occurrence-over-the-window-s-edge": _of_the_first(_with_event(timedelta(hours=-40), timedelta(hours=-3))),
    "thousands-of-events": _of_the_first(lambda response: _EVENT.sub(lambda found: found[0] * 1001, response, count=1)),
}

INJECTIONS: Mapping[str, Callable[..., Effect]] = {
    "mailbox-code": mailbox_code,
    "failing-mailbox": failing_mailbox,
    "view": view,
    "no-working-hours": no_working_hours,
    "no-access": no_access,
    "excluded": excluded,
    "answer": answer,
    "mail-tips-disabled": mail_tips_disabled,
}
