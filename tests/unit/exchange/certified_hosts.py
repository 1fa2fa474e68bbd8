"""A host that shows a certificate, asked by the real reader, and what came of it."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from exchange.tls.certificates import SeenCertificate
from local.exchange.certificates import CertificateAuthority, HostCertificate
from local.exchange.kept_host import KeptHost, http
from presence.calendar import CalendarReading, Window
from presence.errors import Problem, ProblemKind
from tests.unit.exchange.hosts import NOW, Net, availability, mailbox_answer, when_signed_in

ALICE = "alice@example.com"
HOST = "mail.example.com"
WINDOW = Window(NOW, NOW + timedelta(hours=4))
ROOT = CertificateAuthority("Example Root")
STRANGER = CertificateAuthority("Stranger Root")


@dataclass
class Found:
    """What became of a mailbox: its reading or problem, the server, and the certificates that were watched."""

    result: CalendarReading | Problem
    server: KeptHost
    seen: list[SeenCertificate]


def read_from(net: Net, shown: HostCertificate | ssl.SSLContext, host: str = HOST, **options: Any) -> Found:
    """Read a calendar from a host that shows a certificate, through a gateway with options (by default ROOT's CA)."""
    context = shown if isinstance(shown, ssl.SSLContext) else shown.server_context(ciphers="DEFAULT@SECLEVEL=0")
    answer = when_signed_in(http(200, availability(mailbox_answer())))
    server = net.host(host, answer, tls=context)
    seen: list[SeenCertificate] = []
    reader = net.reader({"kind": "ews", "hosts": [host], "ca": ROOT.pem, **options}, watch=seen.append)
    return Found(reader.read_calendars([ALICE], WINDOW)[ALICE], server, seen)


def refused(found: Found, code: str = "CertificateInvalid") -> Problem:
    """Return the problem of a server that was not accepted, and that was sent nothing at all over TLS.

    If it is the certificate that was not, the one connection that came about is the second look.
    """
    assert isinstance(found.result, Problem)
    assert (found.result.code, found.result.kind) == (code, ProblemKind.LASTING)
    looks = 1 if code == "CertificateInvalid" else 0
    for _ in range(looks):
        assert found.server.ended.acquire(timeout=5)
    assert found.server.connections == looks
    assert found.server.received == b""
    assert found.server.requests == []
    return found.result
