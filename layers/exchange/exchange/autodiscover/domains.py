"""Several domains that are looked for in one read: looked at side by side, asked in turns (decision 0019)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from dataclasses import dataclass, replace

from exchange.autodiscover.connections import Connections
from exchange.autodiscover.discovery import Discovery
from exchange.autodiscover.scouting import Scout
from exchange.autodiscover.search import Search
from exchange.autodiscover.service import SoapOffers
from exchange.autodiscover.trace import WAITING, TraceStep
from exchange.autodiscover.turns import Turns
from exchange.gateways import Gateway
from exchange.problems import unexpected_error
from exchange.sessions import GatewaySession
from exchange.web.problems import no_time_left
from presence.errors import Problem, ProblemError
from presence.instants import format_instant

_SIDE_BY_SIDE = 16
"""So many domains are looked at ahead of their turns: each takes up to four threads, and the certificates of a CA."""
_NO_TURN = "other domains used up the time for finding mailboxes before it was the turn of this one"


@dataclass(frozen=True, slots=True, eq=False)
class Domain:
    """Mailboxes of one domain that are looked for through one gateway.

    `known_url` is the autodiscover URL that answered for the domain before, if any, `hung_at` the instant, as a text,
    since which the domain waits for half of the time because it used up its turn; empty if it does not.
    """

    name: str
    gateway: Gateway
    addresses: tuple[str, ...]
    known_url: str | None
    hung_at: str


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of looking for a domain: its searches, each with an outcome.

    `in_time`: nobody used the time up, so that what was not found is not there. `hung_at`: that of the domain in the
    next read; empty if it did not use up its turn, or had none.
    """

    searches: list[Search]
    in_time: bool
    hung_at: str = ""


class Domains:
    """Looks for domains in one read. For one thread."""

    def __init__(self, session_of: Callable[[Gateway], GatewaySession], offers: SoapOffers) -> None:
        self._session_of = session_of
        self._offers = offers

    def look_for(self, domains: Sequence[Domain]) -> Iterator[tuple[Domain, Looked | Problem]]:
        """Yield what came of each domain, or the problem of our own because of which it was not looked for.

        Those go first whose service is known; those last that used up their turn in a read before, and of them first
        those that have waited longest: the first one may use up half of the time, and goes behind the rest for it, who
        keep their places. Of the others whoever is ready to be asked passes who is still connected to.
        """
        if not domains:
            return
        waiting = sorted(domains, key=lambda each: (each.hung_at, each.known_url is None))
        longest = next((each for each in waiting if each.hung_at), None)
        turns = Turns(len(waiting), self._session_of(waiting[0].gateway).timeouts.ends_at)
        runs: dict[Domain, _Run | Problem] = {}
        while waiting:
            for each in waiting[:_SIDE_BY_SIDE]:
                if each not in runs and not turns.are_over:
                    runs[each] = self._begin(each, turns)
            domain = _next(waiting, runs, turns)
            waiting.remove(domain)
            ends_at = turns.next_ends_at(again=bool(domain.hung_at))
            run = runs.pop(domain, None)
            looked = _without_a_turn(domain) if run is None else _result(run, ends_at, turns)
            if isinstance(looked, Looked) and looked.hung_at and domain.hung_at and domain is not longest:
                looked = replace(looked, hung_at=domain.hung_at)
            yield domain, looked

    def _begin(self, domain: Domain, turns: Turns) -> _Run | Problem:
        try:
            session = self._session_of(domain.gateway)
            session.begin()
            connections = Connections(session, turns.end_at)
            return _Run(domain, session, connections, Discovery(session, connections, self._offers))
        except Exception as error:  # noqa: BLE001  a fault found by one domain must not cost the others
            return _problem(domain, error)


class _Run:
    """One domain on its way: looked at, and asked when it is its turn."""

    def __init__(self, domain: Domain, session: GatewaySession, connections: Connections, discovery: Discovery) -> None:
        self.domain = domain
        self._session = session
        self._connections = connections
        self._discovery = discovery
        self.scout: Scout | None = discovery.look_ahead(domain.name, domain.known_url)

    def ask(self, ends_at: float, *, is_turn: bool) -> Looked:
        """Ask until a reading of the monotonic clock; `is_turn`: if that does not suffice, the domain hung."""
        with self._connections as connections:
            connections.end_at(ends_at)
            searches = self._discovery.run(self.domain.addresses, self.domain.known_url)
        if not self._connections.are_out_of_time:
            return Looked(searches, in_time=True)
        return Looked(searches, in_time=False, hung_at=format_instant(self._session.clock()) if is_turn else "")


def _next(waiting: Sequence[Domain], runs: dict[Domain, _Run | Problem], turns: Turns) -> Domain:
    """Return whose turn it is, as soon as somebody is ready for it."""
    candidates = [each for each in waiting if each in runs and not each.hung_at]
    while candidates and not turns.are_over:
        pending, seconds = [], turns.seconds_left
        for each in candidates:
            run = runs[each]
            if isinstance(run, Problem) or run.scout is None or not (ready_in := run.scout.ready_in):
                return each
            pending += run.scout.pending
            seconds = min(seconds, ready_in)
        wait(pending, timeout=seconds, return_when=FIRST_COMPLETED)
    return waiting[0]


def _result(run: _Run | Problem, ends_at: float, turns: Turns) -> Looked | Problem:
    if isinstance(run, Problem):
        return run
    # Whoever was connected to until nobody had time left used up more than a turn.
    hangs = run.scout is not None and not run.domain.hung_at and run.scout.hangs_for(turns.shortest)
    try:
        return run.ask(ends_at, is_turn=hangs or not turns.are_over)
    except Exception as error:  # noqa: BLE001  a fault found by one domain must not cost the others
        return _problem(run.domain, error)


def _problem(domain: Domain, error: Exception) -> Problem:
    return (
        error.problem if isinstance(error, ProblemError) else unexpected_error(f"autodiscover of {domain.name}", error)
    )


def _without_a_turn(domain: Domain) -> Looked:
    searches = [Search(address) for address in domain.addresses]
    for search in searches:
        search.trace.append(TraceStep(WAITING, domain.name, (), None, 0, _NO_TURN))
        search.fail(WAITING, no_time_left(domain.name))
        search.end()
    return Looked(searches, in_time=False)
