"""Servers that go wrong and give away what they know: each answers with what it was sent, cookies, subject and place.

For a run through the real functions whose logs, tables, queues and events are searched afterwards.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from local.exchange.kept_host import KeptHost, http
from tests.unit.exchange.hosts import (
    Net,
    availability,
    challenge,
    envelope,
    failed_mailbox,
    fault,
    free_busy_response,
    when_signed_in,
)

ACCOUNT = "svc-canary-reader"
USERNAME = f"EXAMPLE\\{ACCOUNT}"
PASSWORD = "canary/password 7+1"
COOKIE = "canary-cookie-0f3a9c"
SUBJECT = "canary-subject of a meeting"
LOCATION = "canary-location on the map"

Answer = Callable[[bytes], bytes | None]


def basic(username: str = USERNAME, password: str = PASSWORD) -> str:
    """Return what stands in an Authorization header after `Basic`."""
    return base64.b64encode(f"{username}:{password}".encode()).decode()


@dataclass(frozen=True, slots=True)
class Faulty:
    """A server with a fault: what it answers to a signed-in request, and which problem its user has then (None: none).

    `gateway` are keys of its gateway that differ; `certificate` is the name on its certificate; without `answer` it is
    not there.
    """

    code: str | None
    answer: Answer | None = None
    gateway: Mapping[str, Any] = field(default_factory=dict)
    certificate: str = ""


def echo(request: bytes) -> bytes:
    """Return a page that gives away all that it was sent, and what it knows besides."""
    known = f"{USERNAME} {PASSWORD} {basic()} {SUBJECT} {LOCATION} Set-Cookie: session={COOKIE}"
    return b"<html><pre>" + request + known.encode() + b"</pre></html>"


def giving_away(status: int, **headers: str) -> Answer:
    """Answer with a status, and in headers and body with all that is known."""

    def answer(request: bytes) -> bytes:
        sent = next((line for line in request.split(b"\r\n") if line.lower().startswith(b"authorization:")), b"")
        return http(
            status,
            echo(request),
            Set_Cookie=f"session={COOKIE}; Path=/",
            X_Echo=sent.decode(),
            X_Subject=SUBJECT,
            Content_Type="text/html",
            **headers,
        )

    return answer


def _soap(body: bytes) -> Answer:
    return lambda _: http(200, body, Set_Cookie=f"session={COOKIE}", Content_Type="text/xml; charset=utf-8")


def _detailed() -> bytes:
    details = f"<t:ID>AB</t:ID><t:Subject>{SUBJECT}</t:Subject><t:Location>{LOCATION}</t:Location>"
    flags = "".join(
        f"<t:{name}>{value}</t:{name}>"
        for name, value in (
            ("IsMeeting", "true"),
            ("IsRecurring", "false"),
            ("IsException", "false"),
            ("IsReminderSet", "true"),
            ("IsPrivate", "false"),
        )
    )
    event = (
        "<t:CalendarEvent><t:StartTime>2026-11-23T09:30:00Z</t:StartTime><t:EndTime>2026-11-23T10:02:00Z</t:EndTime>"
        f"<t:BusyType>Busy</t:BusyType><t:CalendarEventDetails>{details}{flags}</t:CalendarEventDetails>"
        "</t:CalendarEvent>"
    )
    return availability(
        free_busy_response(
            f"<t:FreeBusyViewType>Detailed</t:FreeBusyViewType><t:CalendarEventArray>{event}</t:CalendarEventArray>"
        )
    )


def _echoing_fault(request: bytes) -> bytes:
    """Exchange's fault, whose message repeats the request, as those of failed validation do."""
    sent = request.decode(errors="replace").replace("&", "&amp;").replace("<", "&lt;")
    inside = f"<e:Message xmlns:e='urn:x'>{sent} {SUBJECT} {LOCATION} {PASSWORD}</e:Message>"
    return http(500, fault("ErrorSchemaValidation", inside), Set_Cookie=COOKIE, Content_Type="text/xml; charset=utf-8")


def _spoilt_ntlm(request: bytes) -> bytes:
    """A server that takes the first NTLM message for an answer, and sends it back as its challenge."""
    sent = next((line for line in request.split(b"\r\n") if line.lower().startswith(b"authorization:")), b"")
    token = sent.split()[-1].decode() if sent else ""
    return http(401, echo(request), WWW_Authenticate=f"NTLM {token}".strip(), Set_Cookie=COOKIE)


_MESSAGE = f"<m:MessageText>person of {LOCATION}: {SUBJECT}, {PASSWORD}</m:MessageText>"
_ELSEWHERE = f"https://{ACCOUNT}:{quote(PASSWORD, safe='')}@stranger.test/{COOKIE}?subject={quote(SUBJECT)}"

FAULTS: Mapping[str, Faulty] = {
    "refused": Faulty("CredentialsRejected", giving_away(401, WWW_Authenticate='Basic realm="x"')),
    "other-scheme": Faulty("AuthenticationNotOffered", giving_away(401, WWW_Authenticate=f"Digest {COOKIE}")),
    "forbidden": Faulty("AccessDenied", giving_away(403)),
    "absent": Faulty("EndpointNotFound", giving_away(404)),
    "redirecting": Faulty("UnexpectedStatus", giving_away(302, Location=_ELSEWHERE)),
    "failing": Faulty("ServerFailed", giving_away(500)),
    "busy": Faulty("ServerBusy", giving_away(503, Retry_After="30")),
    "website": Faulty("MalformedAnswer", giving_away(200)),
    "truncated": Faulty("MalformedAnswer", _soap(envelope(f"<m:X>{SUBJECT} {PASSWORD}")[:-40])),
    "entities": Faulty("MalformedAnswer", _soap(f'<!DOCTYPE x [<!ENTITY p "{PASSWORD}">]><x>&p;</x>'.encode())),
    "hanging-up": Faulty("HostUnreachable", lambda _: None),
    "fault": Faulty("ErrorSchemaValidation", _echoing_fault),
    "no-access": Faulty(
        "ErrorNoFreeBusyAccess", _soap(availability(failed_mailbox("ErrorNoFreeBusyAccess", _MESSAGE)))
    ),
    "no-code": Faulty("UnknownResponseCode", _soap(availability(failed_mailbox(f"{PASSWORD} {SUBJECT}", _MESSAGE)))),
    "detailed": Faulty(None, _soap(_detailed())),
    "ntlm": Faulty("AuthenticationFailed", _spoilt_ntlm, {"auth": "ntlm"}),
    "wrong-name": Faulty("CertificateInvalid", giving_away(200), certificate="mail.stranger.test"),
    "no-dns": Faulty("HostNotFound"),
    "no-secret": Faulty("SecretUnusable", giving_away(200), {"credentials": "missing"}),
    "bad-secret": Faulty("SecretUnusable", giving_away(200), {"credentials": "malformed"}),
    "autodiscover": Faulty("AutodiscoverFailed", giving_away(302, Location=_ELSEWHERE), {"kind": "autodiscover"}),
}


def address_in(name: str) -> str:
    """Return the address of the user whose mailbox is on the server of that name."""
    return f"canary.person@{name}.test"


def start_all(net: Net) -> tuple[list[dict[str, Any]], dict[str, KeptHost]]:
    """Start the servers; return their gateways, and the hosts by name."""
    gateways: list[dict[str, Any]] = []
    hosts: dict[str, KeptHost] = {}
    for name, faulty in FAULTS.items():
        discovered = faulty.gateway.get("kind") == "autodiscover"
        host = f"autodiscover.{name}.test" if discovered else f"mail.{name}.test"
        if faulty.answer is not None:
            # Who is not signed in yet is asked to, with a cookie of its own, unless it is NTLM that goes wrong.
            plain = faulty.gateway.get("auth") == "ntlm"
            respond = faulty.answer if plain else _asking(faulty.answer)
            hosts[name] = net.host(host, respond, cert=faulty.certificate)
        if discovered:
            net.host(f"{name}.test", giving_away(302, Location=_ELSEWHERE))
        gateways.append(
            {
                "name": name,
                "kind": "ews",
                "domains": [f"{name}.test"],
                "auth": "basic",
                "credentials": "reader",
                "ca": net.authority.pem,
                "automatic_replies": "off",
                **({} if discovered else {"hosts": [host]}),
                **faulty.gateway,
            }
        )
    return gateways, hosts


def _asking(answer: Answer) -> Answer:
    signed_in = when_signed_in(b"")

    def respond(request: bytes) -> bytes | None:
        if signed_in(request):
            return challenge().replace(b"\r\n\r\n", f"\r\nSet-Cookie: first={COOKIE}\r\n\r\n".encode(), 1)
        return answer(request)

    return respond
