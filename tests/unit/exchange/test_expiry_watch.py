"""Warnings before certificates end: whose, how early, and how often."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from exchange.account.credentials import Credentials
from exchange.current_gateways import CurrentGatewaysReader
from exchange.endpoints import MemoryEndpointCache
from exchange.reader import ReadTimes
from exchange.tls.expiry_watch import ExpiryWatch
from local.exchange.certificates import CertificateAuthority, HostCertificate, Shape
from local.exchange.kept_host import http
from presence.calendar import Window
from presence.instants import format_instant
from tests.unit.exchange.hosts import PASSWORD, Net, Secrets, availability, mailbox_answer, when_signed_in

HOST = "mail.example.com"
TODAY = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
ROOT = CertificateAuthority("Example Root")


@dataclass
class Desk:
    """Where warnings arrive, and what the time is."""

    now: datetime = TODAY
    warnings: list[Mapping[str, Any]] = field(default_factory=list)

    def warn(self, message: str, **details: object) -> None:
        self.warnings.append({"message": message, **details})

    def read(self, net: Net, certificate: HostCertificate, watch: ExpiryWatch) -> None:
        """Read a calendar from a server that shows a certificate."""
        answer = when_signed_in(http(200, availability(mailbox_answer())))
        net.host(HOST, answer, tls=certificate.server_context())
        reader = net.reader({"kind": "ews", "hosts": [HOST], "ca": ROOT.pem}, watch=watch)
        reader.read_calendars(["alice@example.com"], Window(TODAY, TODAY + HOUR))


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def watch(desk: Desk) -> ExpiryWatch:
    return ExpiryWatch(lambda: desk.now, desk.warn)


def ending(days: int, authority: CertificateAuthority = ROOT) -> HostCertificate:
    return authority.issue(HOST, shape=Shape(ends=TODAY + days * DAY + HOUR), sends=(authority,))


@pytest.mark.parametrize(("days", "warned"), [(22, False), (21, True), (0, True)])
def test_a_certificate_with_few_days_left_is_warned_of(
    net: Net, desk: Desk, watch: ExpiryWatch, days: int, *, warned: bool
) -> None:
    desk.read(net, ending(days), watch)

    assert len(desk.warnings) == warned
    for warning in desk.warnings:
        assert warning["message"] == "a certificate ends soon"
        assert (warning["host"], warning["certificate"]) == (f"{HOST}:443", f"CN={HOST}")
        assert (warning["days_left"], warning["ends"]) == (days, format_instant(TODAY + days * DAY + HOUR))
        assert warning["remedy"]


def test_an_authority_that_ends_before_the_server_s_certificate_is_the_one_named(
    net: Net, desk: Desk, watch: ExpiryWatch
) -> None:
    issuing = CertificateAuthority("Example Issuing", issuer=ROOT, shape=Shape(ends=TODAY + 9 * DAY))

    desk.read(net, ending(80, issuing), watch)

    (warning,) = desk.warnings
    assert (warning["certificate"], warning["days_left"]) == ("CN=Example Issuing", 9)


def test_somebody_is_warned_once_a_day(net: Net, desk: Desk, watch: ExpiryWatch) -> None:
    certificate = ending(10)
    desk.read(net, certificate, watch)
    desk.now += DAY - HOUR
    desk.read(net, certificate, watch)
    assert len(desk.warnings) == 1

    desk.now += HOUR
    desk.read(net, certificate, watch)
    assert [warning["days_left"] for warning in desk.warnings] == [10, 9]


def test_a_certificate_that_is_refused_is_a_problem_and_no_warning(net: Net, desk: Desk, watch: ExpiryWatch) -> None:
    desk.read(net, CertificateAuthority("Stranger").issue(HOST, shape=Shape(ends=TODAY + DAY)), watch)

    assert desk.warnings == []


def test_the_deployed_reader_warns(net: Net, desk: Desk) -> None:
    answer = when_signed_in(http(200, availability(mailbox_answer())))
    net.host(HOST, answer, tls=ending(5).server_context())

    @dataclass(frozen=True)
    class Stored:
        version: int
        content: Mapping[str, object]

    reader = CurrentGatewaysReader(
        stored=lambda: Stored(1, net.content({"kind": "ews", "hosts": [HOST], "ca": ROOT.pem})),
        secrets=Secrets({"reader": Credentials("EXAMPLE\\reader", PASSWORD)}),
        cache=MemoryEndpointCache(lambda: desk.now),
        clock=lambda: desk.now,
        times=ReadTimes(1.0, 1.0, 5.0, 5.0),
        report=desk.warn,
        warn=desk.warn,
    )

    reader.read_calendars(["alice@example.com"], Window(TODAY, TODAY + HOUR))

    assert [warning["days_left"] for warning in desk.warnings] == [5]
