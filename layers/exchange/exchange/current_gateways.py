"""The reader that follows the operator: a changed gateways document is live within half a minute.

A broken document is refused, with a report; the last good one stays. Until there is a good one, every mailbox has a
problem that says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from exchange.credentials import SecretSource
from exchange.endpoints import EndpointCache
from exchange.gateways import parse_gateways
from exchange.reader import ExchangeReader
from presence.automatic_replies import AutomaticReplies
from presence.calendar import CalendarReading, Window
from presence.errors import CalendarPresenceError, Problem, ProblemKind

READ_AGAIN_AFTER = timedelta(seconds=30)


class StoredDocument(Protocol):
    """A document as it is stored; its version grows with each change."""

    @property
    def version(self) -> int:
        """The version, from 1."""

    @property
    def content(self) -> Mapping[str, object]:
        """What the operator put."""


class Report(Protocol):
    """Takes what an operator should know; `presence.observing.Observer.failure` is one."""

    def __call__(self, message: str, **details: object) -> None:
        """Log a message with its details."""


class CurrentGatewaysReader:
    """A CalendarReader over the gateways document as it stands.

    `stored` returns the document (None: nobody has put one yet); `clock` gives the present instant in UTC; the
    time-outs are in seconds.
    """

    def __init__(
        self,
        stored: Callable[[], StoredDocument | None],
        secrets: SecretSource,
        cache: EndpointCache,
        clock: Callable[[], datetime],
        connect_timeout: float,
        read_timeout: float,
        longest_read: float,
        report: Report,
    ) -> None:
        self._stored = stored
        self._secrets = secrets
        self._cache = cache
        self._clock = clock
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self._longest_read = longest_read
        self._report = report
        self._reader: ExchangeReader | None = None
        self._version = 0
        self._looked_at: datetime | None = None
        self._why_not = "no gateways document has been put"

    def read_calendars(self, addresses: Sequence[str], window: Window) -> Mapping[str, CalendarReading | Problem]:
        """Read the calendars through the present gateways."""
        reader = self._present_reader()
        if reader is None:
            return dict.fromkeys(addresses, self._no_gateways())
        return reader.read_calendars(addresses, window)

    def read_automatic_replies(self, addresses: Sequence[str]) -> Mapping[str, AutomaticReplies | Problem]:
        """Read the automatic replies through the present gateways; absent is who is not asked about."""
        reader = self._present_reader()
        if reader is None:
            return dict.fromkeys(addresses, self._no_gateways())
        return reader.read_automatic_replies(addresses)

    def _present_reader(self) -> ExchangeReader | None:
        now = self._clock()
        if self._looked_at is None or now - self._looked_at >= READ_AGAIN_AFTER:
            self._look_again()
            self._looked_at = now
        return self._reader

    def _no_gateways(self) -> Problem:
        return Problem("NoGateways", ProblemKind.LASTING, self._why_not, "put one with `presence gateways put FILE`")

    def _look_again(self) -> None:
        try:
            document = self._stored()
            if document is None or document.version == self._version:
                return
            gateways = parse_gateways(document.content)
        except CalendarPresenceError as error:
            self._why_not = f"the gateways document is refused: {error}"
            self._report("the gateways document is refused; the last good one stays", reason=str(error))
            return
        self._reader = ExchangeReader(
            gateways=gateways,
            secrets=self._secrets,
            cache=self._cache,
            clock=self._clock,
            connect_timeout=self._connect_timeout,
            read_timeout=self._read_timeout,
            longest_read=self._longest_read,
        )
        self._version = document.version
