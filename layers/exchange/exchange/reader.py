"""Reading calendars and automatic replies from Exchange: the whole way from addresses to what is known of them.

Each mailbox fails alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from datetime import datetime
from functools import partial
from typing import TypeVar
from urllib.parse import urlsplit

from exchange.account.credentials import SecretSource
from exchange.asking import ask_endpoint
from exchange.calendars import question_of_calendars, question_of_working_hours, with_working_hours
from exchange.endpoints import Endpoint, EndpointCache
from exchange.ews.client import EwsClient
from exchange.ews.requests import MOST_RECIPIENTS
from exchange.gateway_problems import GatewayProblems
from exchange.gateways import Gateway, GatewaysDocument, RepliesFrom
from exchange.halving import Halving
from exchange.locating import Locator, Resolution
from exchange.mailbox_access import Access
from exchange.pool.asking_pools import PoolQuestion
from exchange.pool.shared_pool import SharedPool
from exchange.problems import unexpected_error
from exchange.quiet_loggers import silence_loggers
from exchange.sessions import GatewaySession
from exchange.tls.certificates import CertificateWatch
from exchange.web.network import Network
from exchange.web.sockets import Timeouts
from presence.automatic_replies import AutomaticReplies
from presence.calendar import CalendarReading, Window
from presence.current_document import Report
from presence.errors import Problem, ProblemError

# The server knows no MailTips, or they are switched off in its organisation.
_WITHOUT_TIPS = frozenset({"AutomaticRepliesRefused", "ErrorMailTipsDisabled"})
_Result = TypeVar("_Result")
_Ask = Callable[[EwsClient, str, Sequence[Resolution]], Sequence[_Result | Problem]]


class ExchangeReader:
    """Reads calendars and automatic replies through the gateways of a document.

    `clock` gives the present instant in UTC. In seconds: `connect_timeout` to connect, `read_timeout` to wait for the
    next bytes, `longest_read` for a whole read of calendars with all that it asks, `longest_replies_read` for one of
    automatic replies. What is not answered in that time has a passing problem. `watch` is told of each certificate
    that a server shows, `warn` of each host of a pool that is left out from now on, or answers again. One reader may be
    used for many reads; each makes its own connections and closes them.
    """

    def __init__(
        self,
        gateways: GatewaysDocument,
        secrets: SecretSource,
        cache: EndpointCache,
        clock: Callable[[], datetime],
        connect_timeout: float,
        read_timeout: float,
        longest_read: float = 36.0,
        longest_replies_read: float = 9.0,
        watch: CertificateWatch | None = None,
        warn: Report | None = None,
    ) -> None:
        silence_loggers()
        self._document = gateways
        self._secrets = secrets
        self._cache = cache
        self._clock = clock
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self._longest_read = longest_read
        self._longest_replies_read = longest_replies_read
        self._watch = watch
        self._warn = warn
        self._problems = GatewayProblems(cache, clock)
        self._network = Network(gateways.network, lifetime=connect_timeout)

    def resolve(self, address: str) -> Resolution:
        """Find the endpoint of one mailbox and tell how it was found, step by step. Reads no calendar."""
        with ExitStack() as stack:
            sessions = self._sessions(stack, self._longest_read)
            return Locator(self._document, self._cache, sessions, look_anew=True).locate([address])[address]

    def read_calendars(self, addresses: Sequence[str], window: Window) -> Mapping[str, CalendarReading | Problem]:
        """Return a reading or a problem for each address (lower-case, as `parse_smtp_address` gives it).

        Mailboxes that are not known are looked up first; then each endpoint, and each host of a pool, is asked about
        so many at a time as its gateway's limits say, up to 100, or one by one where it has calendar folders read.
        Raises nothing for the fault of a mailbox, an endpoint or a gateway.
        """
        until = time.monotonic() + self._longest_read
        return with_working_hours(
            self._read(addresses, "calendars", question_of_calendars(window, self._clock), self._longest_read),
            lambda asked: self._read(
                asked, "working hours", question_of_working_hours(window), until - time.monotonic(), is_extra=True
            ),
        )

    def read_automatic_replies(self, addresses: Sequence[str]) -> Mapping[str, AutomaticReplies | Problem]:
        """Return the automatic replies, or a problem, for each address; addresses as for `read_calendars`.

        A gateway is asked as its document says: by GetMailTips for up to 50 mailboxes at a time, by GetUserOofSettings
        one by one in the names of their owners, or not at all: whoever is not asked about is absent from the result.
        Where MailTips are not offered, owners' settings are asked for instead if the gateway's account may impersonate.
        Raises nothing for the fault of a mailbox, an endpoint or a gateway.
        """
        until = time.monotonic() + self._longest_replies_read
        asked = [each for each in addresses if self._asks_for_replies(each)]
        found = self._read(asked, "automatic replies", _question_of_replies, self._longest_replies_read)
        without_tips = [address for address, result in found.items() if self._may_ask_for_settings(address, result)]
        if without_tips:
            found |= self._read(
                without_tips, "settings", lambda _: _QUESTION_OF_SETTINGS, until - time.monotonic(), is_extra=True
            )
        return found

    def offers_mail_tips(self, address: str) -> bool:
        """Tell whether the server of a mailbox does not refuse to say by MailTips who has automatic replies."""
        found = self._read(
            [address], "MailTips", lambda _: _QUESTION_OF_TIPS, self._longest_replies_read, is_extra=True
        )
        result = found[address]
        return not isinstance(result, Problem) or result.code not in _WITHOUT_TIPS

    def _may_ask_for_settings(self, address: str, result: AutomaticReplies | Problem) -> bool:
        """Tell whether a mailbox's server offers no MailTips, and its owner's name may be used instead."""
        if not isinstance(result, Problem) or result.code not in _WITHOUT_TIPS:
            return False
        gateway = self._document.gateway_for(address)
        return gateway.automatic_replies is RepliesFrom.MAIL_TIPS and gateway.mailboxes.access is Access.IMPERSONATION

    def _asks_for_replies(self, address: str) -> bool:
        try:
            return self._document.gateway_for(address).automatic_replies is not RepliesFrom.OFF
        except ProblemError:
            return True  # whose problem is found, and told, when the mailbox is located

    def _read(
        self,
        addresses: Sequence[str],
        topic: str,
        question: Callable[[Gateway], tuple[int, _Ask[_Result]]],
        longest: float,
        *,
        is_extra: bool = False,
    ) -> dict[str, _Result | Problem]:
        """Return what each mailbox's endpoint answers to a gateway's question: how many at once, and how to ask.

        `topic` names what is asked for. All of it takes `longest` seconds at most. `is_extra`: what was wanted has been
        read already, so that nothing that fails here is a problem of a gateway, or a reason to look for a mailbox anew.
        """
        results: dict[str, _Result | Problem] = {}
        with ExitStack() as stack:
            sessions = self._sessions(stack, longest)
            locator = Locator(self._document, self._cache, sessions)
            groups: dict[Endpoint, list[Resolution]] = {}
            located = locator.locate(list(dict.fromkeys(addresses)))
            for address, resolution in located.items():
                if resolution.endpoint is not None:
                    groups.setdefault(resolution.endpoint, []).append(resolution)
                elif resolution.problem is not None:
                    results[address] = resolution.problem
            for endpoint, resolutions in groups.items():
                try:
                    gateway = self._document.gateway_for(resolutions[0].address)
                    session = sessions(gateway)
                    at_once, ask_with = question(gateway)
                    ask = session.back_off.respecting(partial(ask_with, EwsClient(session)))
                    take_share = session.client.take_share
                    halving = Halving(self._cache, self._clock, take_share, gateway.name, topic)
                    if len(gateway.hosts) > 1:
                        asked = [each.address for each in resolutions]
                        pool = SharedPool(gateway, self._cache, self._clock, asked, self._warn)
                        pool_question = PoolQuestion(pool, at_once, ask, halving, take_share)
                        results.update(pool_question.run(resolutions))
                    else:
                        urls = [endpoint.url, *endpoint.alternatives]
                        results.update(ask_endpoint(urls, resolutions, at_once, halving.asking(ask)))
                except ProblemError as error:
                    results.update({resolution.address: error.problem for resolution in resolutions})
                except Exception as error:  # noqa: BLE001  a fault found by one endpoint must not cost the others
                    problem = unexpected_error(urlsplit(endpoint.url).netloc, error)
                    results.update({resolution.address: problem for resolution in resolutions})
        if not is_extra:
            locator.learn_from(results)
            self._problems.note((self._gateway_of(located[address]), result) for address, result in results.items())
        return results

    def _gateway_of(self, resolution: Resolution) -> str:
        """Return the name of a mailbox's gateway; empty if it has none."""
        if resolution.endpoint is not None:
            return resolution.endpoint.gateway
        with suppress(ProblemError):
            return self._document.gateway_for(resolution.address).name
        return ""

    def _sessions(self, stack: ExitStack, longest: float) -> _Sessions:
        timeouts = Timeouts(self._connect_timeout, self._read_timeout, time.monotonic() + longest)

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


def _question_of_replies(gateway: Gateway) -> tuple[int, _Ask[AutomaticReplies]]:
    if gateway.automatic_replies is RepliesFrom.OOF_SETTINGS:
        return _QUESTION_OF_SETTINGS
    return _QUESTION_OF_TIPS


def _ask_for_mail_tips(
    client: EwsClient, url: str, asked: Sequence[Resolution]
) -> Sequence[AutomaticReplies | Problem]:
    return client.read_mail_tips(url, [resolution.mailbox for resolution in asked])


def _ask_for_settings(client: EwsClient, url: str, asked: Sequence[Resolution]) -> list[AutomaticReplies | Problem]:
    return [client.read_oof_settings(url, resolution.mailbox) for resolution in asked]


_QUESTION_OF_TIPS: tuple[int, _Ask[AutomaticReplies]] = (MOST_RECIPIENTS, _ask_for_mail_tips)
_QUESTION_OF_SETTINGS: tuple[int, _Ask[AutomaticReplies]] = (1, _ask_for_settings)
