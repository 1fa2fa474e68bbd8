"""Warns before the certificate of a server ends, which would stop the reading of all its mailboxes at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from exchange.tls.certificates import FEW_DAYS, SeenCertificate, Verdict
from presence.current_document import Report
from presence.instants import format_instant

_WARN_AGAIN_AFTER = timedelta(days=1)


class ExpiryWatch:
    """A CertificateWatch that warns of accepted certificates with few days left, at most once a day for each server.

    One that is refused needs no warning: its mailboxes have a problem. `clock` gives the present instant in UTC.
    """

    def __init__(self, clock: Callable[[], datetime], warn: Report) -> None:
        self._clock = clock
        self._warn = warn
        self._warned_at: dict[str, datetime] = {}

    def __call__(self, seen: SeenCertificate) -> None:
        """Look at a certificate that a server shows."""
        ending = seen.ends_first
        if seen.verdict is not Verdict.VERIFIED or ending is None:
            return
        now, host = self._clock(), str(seen.host)
        days = ending.days_left(now)
        warned_at = self._warned_at.get(host)
        if days > FEW_DAYS or (warned_at is not None and now - warned_at < _WARN_AGAIN_AFTER):
            return
        self._warned_at[host] = now
        self._warn(
            "a certificate ends soon",
            host=host,
            certificate=ending.subject,
            ends=format_instant(ending.not_after),
            days_left=days,
            remedy="renew it before that day; afterwards no mailbox of this server can be read",
        )
