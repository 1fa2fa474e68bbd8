"""The reader that follows the operator: a changed gateways document is live within half a minute.

Until there is a good one, every mailbox has a problem that says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from exchange.account.credentials import SecretSource
from exchange.endpoints import EndpointCache
from exchange.gateway_documents import parse_gateways
from exchange.gateway_problems import GatewayProblems
from exchange.problems import no_gateways
from exchange.reader import ExchangeReader, ReadTimes
from exchange.tls.expiry_watch import ExpiryWatch
from presence.automatic_replies import AutomaticReplies
from presence.calendar import CalendarReading, Window
from presence.current_document import CurrentDocument, Report, StoredDocument
from presence.errors import Problem


class CurrentGatewaysReader:
    """A CalendarReader over the gateways document as it stands.

    `stored` returns the document (None: nobody has put one yet); `clock` gives the present instant in UTC.
    `report` is told of a document that is refused, `warn` of certificates that end soon and
    of hosts that are left out. That a document is refused is kept in `cache` as well, where `presence gateways show`
    finds it.
    """

    def __init__(
        self,
        stored: Callable[[], StoredDocument | None],
        secrets: SecretSource,
        cache: EndpointCache,
        clock: Callable[[], datetime],
        times: ReadTimes,
        report: Report,
        warn: Report,
    ) -> None:
        watch, problems = ExpiryWatch(clock, warn), GatewayProblems(cache, clock)

        def reader_of(content: Mapping[str, object]) -> ExchangeReader | None:
            gateways = parse_gateways(content)
            problems.forget_document()
            return ExchangeReader(
                gateways=gateways,
                secrets=secrets,
                cache=cache,
                clock=clock,
                times=times,
                watch=watch,
                warn=warn,
            )

        def refuse(message: str, **details: object) -> None:
            report(message, **details)
            problems.note_document(f"the gateways document is refused: {details.get('reason', message)}")

        self._readers = CurrentDocument("the gateways document", stored, reader_of, None, clock, refuse)

    def read_calendars(self, addresses: Sequence[str], window: Window) -> Mapping[str, CalendarReading | Problem]:
        """Read the calendars through the present gateways."""
        reader = self._readers.get()
        if reader is None:
            return dict.fromkeys(addresses, self._no_gateways())
        return reader.read_calendars(addresses, window)

    def read_automatic_replies(self, addresses: Sequence[str]) -> Mapping[str, AutomaticReplies | Problem]:
        """Read the automatic replies through the present gateways; absent is who is not asked about."""
        reader = self._readers.get()
        if reader is None:
            return dict.fromkeys(addresses, self._no_gateways())
        return reader.read_automatic_replies(addresses)

    def _no_gateways(self) -> Problem:
        return no_gateways(self._readers.mistake or "no gateways document has been put")
