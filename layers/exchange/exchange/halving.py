"""Finding the one mailbox over which a whole request fails, so that everybody else is read in the same check.

The request is made again in halves; as long as one of them fails and the other is answered, the one that fails is
halved again. Where both fail, it is not one mailbox: the server is not asked any further.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Generic
from urllib.parse import urlsplit

from exchange.asking import OF_ONE_ANSWER, Ask, Result
from exchange.endpoints import EndpointCache, halving_key
from exchange.ews.mailbox_codes import OF_ONE_MAILBOX
from exchange.ews.response_codes import stumbled
from exchange.locating import Resolution
from exchange.problems import fails_over_one_mailbox
from presence.errors import Problem, ProblemError
from presence.instants import format_instant, instant_noted

_PERHAPS_OF_ONE_MAILBOX = OF_ONE_ANSWER | {"Timeout"}
# Said of a whole request, these are about the account that asks.
_OF_THE_ACCOUNT = frozenset(
    {
        "ErrorAccessDenied",
        "ErrorAccountDisabled",
        "ErrorAccountSuspend",
        "ErrorAccountSuspendShowTierUpgrade",
        "ErrorImpersonateUserDenied",
        "ErrorImpersonationDenied",
        "ErrorImpersonationFailed",
        "ErrorInvalidLicense",
        "ErrorNoFreeBusyAccess",
        "ErrorPasswordChangeRequired",
        "ErrorPasswordExpired",
    }
)

SHARE_OF_A_HALF = 0.25
"""The part of the read's time that is left which one half may use up, so that a mailbox that hangs is found in time."""

IN_VAIN_FOR = timedelta(minutes=15)
"""How long nothing is halved any more after both halves failed: a server that is down must not be asked the more."""


_HOSTS_IN_VAIN = 2
"""So many hosts of a pool at which it was in vain are enough for one read: one may be sick, all are down."""


@dataclass(frozen=True, slots=True)
class Halved(Generic[Result]):
    """What the halves of a request brought: results by address, and who is left over with which problem."""

    answered: dict[str, Result | Problem]
    left: tuple[Resolution, ...]
    problem: Problem


def may_be_of_one_mailbox(problem: Problem) -> bool:
    """Tell whether one of the mailboxes of a request may be why all of it failed.

    Not so where the connection, the account or the server's load is at fault, or the server asks to wait.
    """
    if problem.unasked or problem.retry_after is not None:
        return False
    code = problem.code
    of_one_mailbox = code in OF_ONE_MAILBOX and code not in _OF_THE_ACCOUNT
    return of_one_mailbox or code in _PERHAPS_OF_ONE_MAILBOX or stumbled(code)


def ask_in_halves(
    asked: Sequence[Resolution], problem: Problem, ask: Callable[[Sequence[Resolution]], Sequence[Result | Problem]]
) -> Halved[Result]:
    """Ask in halves about mailboxes over which a request failed with `problem`: 14 times for one in a hundred at most.

    A problem that can't be of one mailbox ends it, and is that of all who are left.
    """
    answered: dict[str, Result | Problem] = {}
    suspects = asked
    while len(suspects) > 1:
        middle = len(suspects) // 2
        failed: list[tuple[Sequence[Resolution], Problem]] = []
        for half in (suspects[:middle], suspects[middle:]):
            try:
                found = ask(half)
            except ProblemError as error:
                if not may_be_of_one_mailbox(error.problem):
                    return _halved(asked, answered, error.problem)
                failed.append((half, error.problem))
            else:
                answered.update(zip((resolution.address for resolution in half), found, strict=True))
        if len(failed) != 1:
            break
        ((suspects, problem),) = failed
    return _halved(asked, answered, problem)


def _halved(asked: Sequence[Resolution], answered: dict[str, Result | Problem], problem: Problem) -> Halved[Result]:
    left = tuple(resolution for resolution in asked if resolution.address not in answered)
    if answered and len(left) == 1 and may_be_of_one_mailbox(problem):
        problem = fails_over_one_mailbox(problem, left[0].address)
    return Halved(answered, left, problem)


class Halving:
    """Halves what failed as a whole in one read of a gateway, unless that was in vain at the host a short time ago.

    `topic` is what is asked for: a server may fail at one and not at another. `clock` gives the present instant in UTC.
    `take_share` is told, before halves are asked, which part of the time that is left each may use, and 1 afterwards.
    """

    def __init__(
        self,
        cache: EndpointCache,
        clock: Callable[[], datetime],
        take_share: Callable[[float], None],
        gateway: str,
        topic: str,
    ) -> None:
        self._cache = cache
        self._clock = clock
        self._take_share = take_share
        self._gateway = gateway
        self._topic = topic
        self._in_vain: set[str] = set()

    def halve(self, url: str, asked: Sequence[Resolution], problem: Problem, ask: Ask[Result]) -> Halved[Result]:
        """Ask a host in halves about those over whom it failed with `problem`; ask nothing if that is of no use."""
        key = halving_key(self._gateway, urlsplit(url).netloc, self._topic)
        if len(asked) == 1 or not may_be_of_one_mailbox(problem) or self._is_in_vain(key):
            return Halved({}, tuple(asked), problem)
        self._take_share(SHARE_OF_A_HALF)
        halved = ask_in_halves(asked, problem, partial(ask, url))
        self._take_share(1.0)
        if not halved.answered and may_be_of_one_mailbox(halved.problem):
            self._note_in_vain(key)
        return halved

    def asking(self, ask: Ask[Result]) -> Ask[Result]:
        """Return a question like `ask`, which is put in halves where it fails as a whole."""

        def asked(url: str, resolutions: Sequence[Resolution]) -> Sequence[Result | Problem]:
            try:
                return ask(url, resolutions)
            except ProblemError as error:
                halved = self.halve(url, resolutions, error.problem, ask)
                if not halved.answered:
                    raise ProblemError(halved.problem) from error
            return [halved.answered.get(resolution.address, halved.problem) for resolution in resolutions]

        return asked

    def _is_in_vain(self, key: str) -> bool:
        if key in self._in_vain or len(self._in_vain) >= _HOSTS_IN_VAIN:
            return True
        until = instant_noted(self._cache.get_many([key]).get(key, {}), "until")
        return until is not None and self._clock() < until

    def _note_in_vain(self, key: str) -> None:
        self._in_vain.add(key)
        fact = {"until": format_instant(self._clock() + IN_VAIN_FOR)}
        with suppress(Exception):  # what was read must not be lost for a note
            self._cache.put(key, fact, IN_VAIN_FOR.total_seconds())
