"""Reading calendars from Exchange: the whole way from addresses to readings, each mailbox failing alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime

from exchange.authentication import silence_loggers
from exchange.credentials import SecretSource
from exchange.endpoints import Endpoint, EndpointCache, mailbox_key
from exchange.ews.availability import Availability
from exchange.ews.client import EwsClient
from exchange.ews.requests import MOST_MAILBOXES
from exchange.ews.response_codes import has_moved
from exchange.gateways import Gateway, GatewayKind, GatewaysDocument
from exchange.locating import Locator, Resolution, ews_url
from exchange.network import Network
from exchange.problems import CONNECTION_CODES, unexpected_error
from exchange.sessions import GatewaySession
from exchange.sockets import Timeouts
from presence.calendar import CalendarReading, Window
from presence.errors import Problem, ProblemError

# These judge one answer, not the endpoint: the next request to it may fare better.
_OF_ONE_ANSWER = frozenset({"MalformedAnswer", "AnswerCountMismatch", "AnswerTooLarge"})


class ExchangeReader:
    """Reads calendars through the gateways of a document.

    `clock` gives the present instant in UTC; `connect_timeout`, `read_timeout` and `longest_read` are seconds: to
    connect, to wait for the next bytes, and for a whole read with all that it asks. What is not answered in that time
    has a passing problem. One reader may be used for many reads; each makes its own connections and closes them.
    """

    def __init__(
        self,
        gateways: GatewaysDocument,
        secrets: SecretSource,
        cache: EndpointCache,
        clock: Callable[[], datetime],
        connect_timeout: float,
        read_timeout: float,
        longest_read: float = 45.0,
    ) -> None:
        silence_loggers()
        self._document = gateways
        self._secrets = secrets
        self._cache = cache
        self._clock = clock
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self._longest_read = longest_read
        self._network = Network(gateways.network, lifetime=connect_timeout)

    def resolve(self, address: str) -> Resolution:
        """Find the endpoint of one mailbox and tell how it was found, step by step. Reads no calendar."""
        with ExitStack() as stack:
            return self._locator(self._sessions(stack)).locate([address])[address]

    def read_calendars(self, addresses: Sequence[str], window: Window) -> Mapping[str, CalendarReading | Problem]:
        """Return a reading or a problem for each address (lower-case, as `parse_smtp_address` gives it).

        Mailboxes that are not known are looked up first; then each endpoint is asked about up to 100 at a time.
        Raises nothing for the fault of a mailbox, an endpoint or a gateway.
        """
        results: dict[str, CalendarReading | Problem] = {}
        with ExitStack() as stack:
            sessions = self._sessions(stack)
            groups: dict[Endpoint, list[Resolution]] = {}
            for address, resolution in self._locator(sessions).locate(list(dict.fromkeys(addresses))).items():
                if resolution.endpoint is not None:
                    groups.setdefault(resolution.endpoint, []).append(resolution)
                elif resolution.problem is not None:
                    results[address] = resolution.problem
            for endpoint, resolutions in groups.items():
                try:
                    results.update(self._read_group(endpoint, resolutions, window, sessions))
                except Exception as error:  # noqa: BLE001  a fault found by one endpoint must not cost the others
                    problem = unexpected_error(endpoint.url, error)
                    results.update({resolution.address: problem for resolution in resolutions})
        self._forget_moved(results)
        return results

    def _read_group(
        self, endpoint: Endpoint, resolutions: Sequence[Resolution], window: Window, sessions: _Sessions
    ) -> dict[str, CalendarReading | Problem]:
        """Read the mailboxes of one endpoint, or of the hosts that a gateway of kind `ews` names instead of it."""
        gateway = self._document.gateway_for(resolutions[0].address)
        client = EwsClient(sessions(gateway), self._cache, self._clock)
        urls = [ews_url(host) for host in gateway.hosts] if gateway.kind is GatewayKind.EWS else [endpoint.url]
        results: dict[str, CalendarReading | Problem] = {}
        failed: Problem | None = None
        for chunk in _chunks(resolutions):
            if failed is None:
                try:
                    results.update(self._read_chunk(client, urls, chunk, window))
                except ProblemError as error:
                    results.update({resolution.address: error.problem for resolution in chunk})
                    failed = None if error.problem.code in _OF_ONE_ANSWER else error.problem
            else:
                results.update({resolution.address: failed for resolution in chunk})
        return results

    def _read_chunk(
        self, client: EwsClient, urls: list[str], chunk: Sequence[Resolution], window: Window
    ) -> dict[str, CalendarReading | Problem]:
        """Ask the first host that can be connected to; hosts that can't are left out for the rest of the read."""
        while True:
            asked_at = self._clock()
            try:
                found = client.read_availability(urls[0], [resolution.mailbox for resolution in chunk], window)
            except ProblemError as error:
                if error.problem.code not in CONNECTION_CODES or len(urls) == 1:
                    raise
                urls.pop(0)
                continue
            return {
                resolution.address: (
                    CalendarReading(
                        resolution.address,
                        window,
                        result.entries,
                        asked_at,
                        urls[0],
                        result.view,
                        result.working_hours,
                    )
                    if isinstance(result, Availability)
                    else result
                )
                for resolution, result in zip(chunk, found, strict=True)
            }

    def _forget_moved(self, results: Mapping[str, CalendarReading | Problem]) -> None:
        """Forget where those mailboxes are that may have moved, so that the next read looks for them again."""
        moved = [
            mailbox_key(address)
            for address, result in results.items()
            if isinstance(result, Problem) and has_moved(result.code)
        ]
        if moved:
            self._cache.delete(moved)

    def _locator(self, sessions: _Sessions) -> Locator:
        return Locator(self._document, self._cache, sessions)

    def _sessions(self, stack: ExitStack) -> _Sessions:
        timeouts = Timeouts(self._connect_timeout, self._read_timeout, time.monotonic() + self._longest_read)

        def new_session(gateway: Gateway) -> GatewaySession:
            return GatewaySession(gateway, self._network, self._secrets, self._cache, timeouts)

        return _Sessions(new_session, stack)


class _Sessions:
    """The sessions of one read, one per gateway, closed with the stack."""

    def __init__(self, make: Callable[[Gateway], GatewaySession], stack: ExitStack) -> None:
        self._make = make
        self._stack = stack
        self._open: dict[str, GatewaySession] = {}

    def __call__(self, gateway: Gateway) -> GatewaySession:
        if gateway.name not in self._open:
            self._open[gateway.name] = self._stack.enter_context(self._make(gateway))
        return self._open[gateway.name]


def _chunks(resolutions: Sequence[Resolution]) -> Iterator[Sequence[Resolution]]:
    for start in range(0, len(resolutions), MOST_MAILBOXES):
        yield resolutions[start : start + MOST_MAILBOXES]
