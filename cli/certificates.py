"""The certificates that servers showed while a mailbox was looked for and read, for `presence check`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from exchange.tls.certificates import FEW_DAYS, SeenCertificate
from presence.instants import format_instant


class SeenCertificates:
    """A CertificateWatch that keeps what each server showed last, in the order in which they were first met."""

    def __init__(self) -> None:
        self._by_host: dict[str, SeenCertificate] = {}

    def __call__(self, seen: SeenCertificate) -> None:
        """Keep a certificate."""
        self._by_host[str(seen.host)] = seen

    def all(self) -> tuple[SeenCertificate, ...]:
        """Return one for each server."""
        return tuple(self._by_host.values())


def certificates_as_lines(certificates: Sequence[SeenCertificate], now: datetime) -> Iterator[str]:
    """Yield what became of each server's, with a warning where few days are left; `now` is an instant in UTC."""
    yield "Certificates"
    for seen in certificates:
        yield f"  {seen.host}: {seen.verdict}{f', {seen.fault}' if seen.fault else ''}"
        if seen.chain:
            yield f"    {seen.chain[0].describe()}"
        if seen.ends_first is not None:
            days = seen.ends_first.days_left(now)
            which = "" if seen.ends_first is seen.chain[0] else f" until {seen.ends_first.subject} above it ends"
            yield f"    {_days(days)}{which}{'; warning: renew it' if days <= FEW_DAYS else ''}"


def certificates_as_json(certificates: Sequence[SeenCertificate], now: datetime) -> list[dict[str, object]]:
    """Return an object for each server; `daysLeft` is until the first certificate of its chain ends."""
    return [_as_json(seen, now) for seen in certificates]


def _as_json(seen: SeenCertificate, now: datetime) -> dict[str, object]:
    shown: dict[str, object] = {"host": str(seen.host), "verdict": seen.verdict.value, "fault": seen.fault or None}
    if seen.ends_first is not None:
        own = seen.chain[0]
        shown |= {
            "subject": own.subject,
            "names": [*own.dns_names, *own.addresses],
            "issuer": own.issuer,
            "notBefore": format_instant(own.not_before),
            "notAfter": format_instant(own.not_after),
            "endsFirst": seen.ends_first.subject,
            "daysLeft": seen.ends_first.days_left(now),
        }
    return shown


def _days(days: int) -> str:
    if days < 0:
        return f"ended {-days} {'day' if days == -1 else 'days'} ago"
    return f"{days} {'day' if days == 1 else 'days'} left"
