"""What is wrong with a gateway as a whole, or with the gateways document, kept where an operator sees it.

`presence gateways show` prints it. A problem is there until one mailbox of the gateway is answered for again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from exchange.endpoints import EndpointCache, Fact, Written, problem_key
from exchange.ews.response_codes import is_of_one_mailbox
from exchange.problems import CONNECTION_CODES, document_refused
from presence.errors import CalendarPresenceError, Problem
from presence.instants import format_instant, instant_noted

# That the servers are busy, or were not asked, passes by itself; whatever else stops a whole gateway is shown.
_OF_A_GATEWAY = CONNECTION_CODES | {
    "AccessDenied",
    "AuthenticationFailed",
    "AuthenticationNotOffered",
    "AutodiscoverFailed",
    "CredentialsRejected",
    "EndpointNotFound",
    "EndpointUnusable",
    "ErrorAccountDisabled",
    "ErrorPasswordChangeRequired",
    "ErrorPasswordExpired",
    "HostNotTrusted",
    "KerberosUnusable",
    "LoginPage",
    "MalformedAnswer",
    "SecretUnusable",
    "ServerFailed",
    "Timeout",
    "UnexpectedStatus",
}
_DOCUMENT = "the document"  # no gateway can have this name: names have no spaces
_KEPT_SECONDS = 86400.0
_WRITTEN_AGAIN_AFTER = timedelta(hours=1)
_NEW_WORDS_AFTER = timedelta(minutes=1)
_LOOKED_UP_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class GatewayProblem:
    """A problem of a gateway, or of the document: its code, what happened, since when (UTC), and what to do."""

    code: str
    text: str
    remedy: str
    since: datetime


def changed(fact: Fact | None, problem: Problem, now: datetime) -> Fact | None:
    """Return the fact that tells a problem from now on, with its begin kept; None if the one that is there will do."""
    same = fact is not None and fact.get("code") == problem.code
    since = (instant_noted(fact, "since") if fact and same else None) or now
    if fact is not None and same:
        age = now - (instant_noted(fact, "seenAt") or since)
        if age < (_WRITTEN_AGAIN_AFTER if fact.get("text") == problem.text else _NEW_WORDS_AFTER):
            return None
    return {
        "code": problem.code,
        "text": problem.text,
        "remedy": problem.remedy,
        "since": format_instant(since),
        "seenAt": format_instant(now),
    }


class GatewayProblems:
    """The problems of gateways, shared by all readers. `clock` gives the present instant in UTC."""

    def __init__(self, cache: EndpointCache, clock: Callable[[], datetime]) -> None:
        self._cache = cache
        self._clock = clock
        self._found_well: dict[str, datetime] = {}

    def note(self, outcomes: Iterable[tuple[str, object]]) -> None:
        """Learn from what became of mailboxes: for each the name of its gateway, and its result or `Problem`."""
        failed: dict[str, Problem] = {}
        answered: set[str] = set()
        for gateway, outcome in outcomes:
            if isinstance(outcome, Problem) and outcome.code in _OF_A_GATEWAY:
                # A disabled account may be that of one mailbox; then others are read well, and that counts.
                failed.setdefault(gateway, outcome)
            elif not isinstance(outcome, Problem) or is_of_one_mailbox(outcome.code):
                answered.add(gateway)
        self._end(answered)
        for gateway in failed.keys() - answered:
            self._note(gateway, failed[gateway])

    def note_document(self, mistake: str) -> None:
        """Remember why the gateways document is refused, while the last good one stays in use where there is one."""
        self._note(_DOCUMENT, document_refused(mistake))

    def forget_document(self) -> None:
        """Forget the problem of the document: there is a good one."""
        self._cache.delete([problem_key(_DOCUMENT)])

    def forget(self, gateway: str) -> None:
        """Forget the problem of a gateway."""
        self._cache.delete([problem_key(gateway)])

    def of_document(self) -> GatewayProblem | None:
        """Return why the gateways document is refused, if it is."""
        return self.of_gateways([_DOCUMENT]).get(_DOCUMENT)

    def of_gateways(self, gateways: Sequence[str]) -> Mapping[str, GatewayProblem]:
        """Return the problems of those gateways that have one, by name."""
        found = self._cache.get_many([problem_key(gateway) for gateway in gateways])
        problems = {gateway: _read(found.get(problem_key(gateway), {})) for gateway in gateways}
        return {gateway: problem for gateway, problem in problems.items() if problem is not None}

    def _end(self, gateways: Iterable[str]) -> None:
        """End the problems of gateways that are well; whether there is one is looked up once a minute."""
        now = self._clock()
        due = [each for each in sorted(gateways) if not self._is_known_well(each, now)]
        known = self._cache.get_many([problem_key(gateway) for gateway in due]) if due else {}
        if known:
            self._cache.delete(list(known))
        self._found_well.update(dict.fromkeys(due, now))

    def _is_known_well(self, gateway: str, now: datetime) -> bool:
        looked_up_at = self._found_well.get(gateway)
        return looked_up_at is not None and now - looked_up_at < _LOOKED_UP_EVERY

    def _note(self, gateway: str, problem: Problem) -> None:
        self._found_well.pop(gateway, None)

        def change(fact: Fact | None) -> Written | None:
            after = changed(fact, problem, self._clock())
            return None if after is None else (after, _KEPT_SECONDS)

        with suppress(CalendarPresenceError):  # others note the same at the same time
            self._cache.update(problem_key(gateway), change)


def _read(fact: Fact) -> GatewayProblem | None:
    since = instant_noted(fact, "since")
    if since is None or not fact.get("code"):
        return None
    return GatewayProblem(fact["code"], fact.get("text", ""), fact.get("remedy", ""), since)
