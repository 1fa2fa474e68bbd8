"""Reading calendars and automatic replies from Exchange: the whole way from addresses to what is known of them.

Each mailbox fails alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from urllib.parse import urlsplit

from exchange.account.credentials import SecretSource
from exchange.asking import Result, ask_endpoint
from exchange.calendars import question_of_calendars, question_of_working_hours, with_working_hours
from exchange.endpoints import Endpoint, EndpointCache
from exchange.ews.client import EwsClient
from exchange.gateway_problems import GatewayProblems
from exchange.gateways import Gateway, GatewaysDocument, RepliesFrom
from exchange.halving import Halving
from exchange.locating import Locator, Resolution
from exchange.pool.asking_pools import PoolQuestion
from exchange.pool.shared_pool import SharedPool
from exchange.problems import unexpected_error
from exchange.questions import Question
from exchange.quiet_loggers import silence_loggers
from exchange.replies import (
    has_no_mail_tips,
    may_ask_for_settings,
    question_of_replies,
    question_of_settings,
    question_of_tips,
)
from exchange.sessions import GatewaySession
from exchange.tls.certificates import CertificateWatch
from exchange.web.network import Network
from exchange.web.sockets import Timeouts
from presence.automatic_replies import AutomaticReplies
from presence.calendar import CalendarReading, Window
from presence.current_document import Report
from presence.errors import Problem, ProblemError


@dataclass(frozen=True, slots=True)
class ReadTimes:
    """Seconds that a read may take; what is not answered in that time has a passing problem.

    `connect_timeout` is for connecting, `read_timeout` for the next bytes, `longest_read` for a whole read of calendars
    with all that it asks, `longest_replies_read` for one of automatic replies.
    """

    connect_timeout: float
    read_timeout: float
    longest_read: float = 36.0
    longest_replies_read: float = 9.0


class ExchangeReader:
    """Reads calendars and automatic replies through the gateways of a document.

    `clock` gives the present instant in UTC. `watch` is told of each certificate that a server shows, `warn` of each
    host of a pool that is left out from now on, or answers again. One reader may be used for many reads; each makes its
    own connections and closes them.
    """

    def __init__(
        self,
        gateways: GatewaysDocument,
        secrets: SecretSource,
        cache: EndpointCache,
        clock: Callable[[], datetime],
        times: ReadTimes,
        watch: CertificateWatch | None = None,
        warn: Report | None = None,
    ) -> None:
        silence_loggers()
        self._document = gateways
        self._secrets = secrets
        self._cache = cache
        self._clock = clock
        self._times = times
        self._watch = watch
        self._warn = warn
        self._problems = GatewayProblems(cache, clock)
        self._network = Network(gateways.network, lifetime=times.connect_timeout)

    def resolve(self, address: str) -> Resolution:
        """Find the endpoint of one mailbox and tell how it was found, step by step. Reads no calendar."""
        with ExitStack() as stack:
            sessions = self._sessions(stack, self._times.longest_read)
            return Locator(self._document, self._cache, sessions, look_anew=True).locate([address])[address]

    def read_calendars(self, addresses: Sequence[str], window: Window) -> Mapping[str, CalendarReading | Problem]:
        """Return a reading or a problem for each address (lower-case, as `parse_smtp_address` gives it).

        Mailboxes that are not known are looked up first; then each endpoint, and each host of a pool, is asked about
        so many at a time as its gateway's limits say, up to 100, or one by one where it has calendar folders read.
        Raises nothing for the fault of a mailbox, an endpoint or a gateway.
        """
        until = time.monotonic() + self._times.longest_read
        return with_working_hours(
            self._read(addresses, question_of_calendars(window, self._clock), self._times.longest_read),
            lambda asked: self._read(asked, question_of_working_hours(window), until - time.monotonic(), is_extra=True),
        )

    def read_automatic_replies(self, addresses: Sequence[str]) -> Mapping[str, AutomaticReplies | Problem]:
        """Return the automatic replies, or a problem, for each address; addresses as for `read_calendars`.

        A gateway is asked as its document says: by GetMailTips for up to 50 mailboxes at a time, by GetUserOofSettings
        one by one in the names of their owners, or not at all: whoever is not asked about is absent from the result.
        Where MailTips are not offered, owners' settings are asked for instead if the gateway's account may impersonate.
        Raises nothing for the fault of a mailbox, an endpoint or a gateway.
        """
        until = time.monotonic() + self._times.longest_replies_read
        asked = [each for each in addresses if self._asks_for_replies(each)]
        found = self._read(asked, question_of_replies, self._times.longest_replies_read)
        without_tips = [
            address
            for address, result in found.items()
            if has_no_mail_tips(result) and may_ask_for_settings(self._document.gateway_for(address))
        ]
        if without_tips:
            found |= self._read(without_tips, question_of_settings, until - time.monotonic(), is_extra=True)
        return found

    def offers_mail_tips(self, address: str) -> bool:
        """Tell whether the server of a mailbox does not refuse to say by MailTips who has automatic replies."""
        found = self._read([address], question_of_tips, self._times.longest_replies_read, is_extra=True)
        return not has_no_mail_tips(found[address])

    def _asks_for_replies(self, address: str) -> bool:
        try:
            return self._document.gateway_for(address).automatic_replies is not RepliesFrom.OFF
        except ProblemError:
            return True  # whose problem is found, and told, when the mailbox is located

    def _read(
        self,
        addresses: Sequence[str],
        question_of: Callable[[Gateway], Question[Result]],
        longest: float,
        *,
        is_extra: bool = False,
    ) -> dict[str, Result | Problem]:
        """Return what each mailbox's endpoint answers to the question of its gateway.

        All of it takes `longest` seconds at most. `is_extra`: what was wanted has been read already, so that nothing
        that fails here is a problem of a gateway, or a reason to look for a mailbox anew.
        """
        results: dict[str, Result | Problem] = {}
        groups: dict[Endpoint, list[Resolution]] = {}
        with ExitStack() as stack:
            sessions = self._sessions(stack, longest)
            locator = Locator(self._document, self._cache, sessions)
            located = locator.locate(list(dict.fromkeys(addresses)))
            for address, resolution in located.items():
                if resolution.endpoint is not None:
                    groups.setdefault(resolution.endpoint, []).append(resolution)
                elif resolution.problem is not None:
                    results[address] = resolution.problem
            for endpoint, resolutions in groups.items():
                try:
                    session = sessions(self._document.gateway_for(resolutions[0].address))
                    results.update(self._ask(session, question_of(session.gateway), endpoint, resolutions))
                except ProblemError as error:
                    results.update({resolution.address: error.problem for resolution in resolutions})
                except Exception as error:  # noqa: BLE001  a fault found by one endpoint must not cost the others
                    problem = unexpected_error(urlsplit(endpoint.url).netloc, error)
                    results.update({resolution.address: problem for resolution in resolutions})
        if not is_extra:
            locator.learn_from(results)
            self._problems.note((self._gateway_of(located[address]), result) for address, result in results.items())
        return results

    def _ask(
        self,
        session: GatewaySession,
        question: Question[Result],
        endpoint: Endpoint,
        resolutions: Sequence[Resolution],
    ) -> dict[str, Result | Problem]:
        """Put a question to an endpoint, or to the pool of its gateway's hosts."""
        gateway = session.gateway
        ask = session.back_off.respecting(partial(question.ask, EwsClient(session)))
        take_share = session.client.take_share
        halving = Halving(self._cache, self._clock, take_share, gateway.name, question.topic)
        if gateway.has_pool:
            asked = [resolution.address for resolution in resolutions]
            pool = SharedPool(gateway, self._cache, self._clock, asked, self._warn)
            return PoolQuestion(pool, question.at_once, ask, halving, take_share).run(resolutions)
        urls = [endpoint.url, *endpoint.alternatives]
        return ask_endpoint(urls, resolutions, question.at_once, halving.asking(ask))

    def _gateway_of(self, resolution: Resolution) -> str:
        """Return the name of a mailbox's gateway; empty if it has none."""
        if resolution.endpoint is not None:
            return resolution.endpoint.gateway
        with suppress(ProblemError):
            return self._document.gateway_for(resolution.address).name
        return ""

    def _sessions(self, stack: ExitStack, longest: float) -> _Sessions:
        timeouts = Timeouts(self._times.connect_timeout, self._times.read_timeout, time.monotonic() + longest)

        def new_session(gateway: Gateway) -> GatewaySession:
            return GatewaySession(
                gateway, self._network, self._secrets, self._cache, self._clock, timeouts, self._watch
            )

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
