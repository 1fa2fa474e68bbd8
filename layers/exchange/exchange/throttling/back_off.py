"""Leaving a busy server alone for as long as it asks, for all readers of a gateway; nobody waits here.

Exchange asks by `Retry-After` (HTTP 503 and 429) and by `BackOffMilliseconds` (ErrorServerBusy, as a SOAP fault or for
each mailbox of an answer). Whoever was told so leaves a note; others find it before they ask.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TypeVar
from urllib.parse import urlsplit

from exchange.endpoints import EndpointCache, Fact, Written, wait_key
from exchange.throttling.problems import wait_asked_for
from exchange.throttling.reads import spread_wait
from presence.errors import Problem, ProblemError
from presence.instants import format_instant, instant_noted

_Asked = TypeVar("_Asked")
_Result = TypeVar("_Result")
_Ask = Callable[[str, Sequence[_Asked]], Sequence[_Result | Problem]]

_SERVER_BUSY = frozenset({"ErrorServerBusy", "ErrorExceededConnectionCount"})
_ALL_COME_BACK_WITHIN = 5.0
"""Seconds over which those who wait for the same end are spread."""


class BackOff:
    """The waits that the hosts of one gateway have asked for, as far as the read named `read` has to know."""

    def __init__(self, gateway: str, cache: EndpointCache, clock: Callable[[], datetime], read: str) -> None:
        self._gateway = gateway
        self._cache = cache
        self._clock = clock
        self._read = read
        self._until: dict[str, datetime | None] = {}

    def respecting(self, ask: _Ask[_Asked, _Result]) -> _Ask[_Asked, _Result]:
        """Return a question like `ask`, which takes an URL and what is asked for, and raises `ProblemError`.

        It is not put to a host that has asked for a wait: ServerBusy, with the seconds that are left. What the host
        asks for now is noted for all.
        """

        def asked(url: str, asked_for: Sequence[_Asked]) -> Sequence[_Result | Problem]:
            host = urlsplit(url).netloc
            self._require_over(host)
            try:
                found = ask(url, asked_for)
            except ProblemError as error:
                self._note(host, error.problem)
                raise
            busy = [result for result in found if isinstance(result, Problem) and result.code in _SERVER_BUSY]
            # One mailbox may be busy while the server is not; all of several are not.
            if 1 < len(busy) == len(found):
                self._note(host, max(busy, key=lambda problem: problem.retry_after or 0.0))
            return found

        return asked

    def _require_over(self, host: str) -> None:
        if host not in self._until:
            key = wait_key(self._gateway, host)
            self._until[host] = instant_noted(self._cache.get_many([key]).get(key, {}), "until")
        until, now = self._until[host], self._clock()
        if until is not None and now < until:
            left = (until - now).total_seconds()
            wait = spread_wait(self._read, left, left + _ALL_COME_BACK_WITHIN)
            raise ProblemError(wait_asked_for(host, format_instant(until), wait))

    def _note(self, host: str, problem: Problem) -> None:
        if not problem.retry_after or problem.unasked:
            return
        now = self._clock()
        until = now + timedelta(seconds=problem.retry_after)

        def change(fact: Fact | None) -> Written | None:
            known = instant_noted(fact, "until") if fact else None
            if known is not None and until <= known:
                return None
            # A second more: the ends of facts are whole seconds.
            return {"until": format_instant(until)}, (until - now).total_seconds() + 1.0

        self._until[host] = until
        with suppress(Exception):  # others note the same at the same time; what was read must not be lost for it
            self._cache.update(wait_key(self._gateway, host), change)
