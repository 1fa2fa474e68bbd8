"""The walk through the steps of autodiscover (domain.md, "The client"; MS-OXDSCLI section 3.1.5).

Mailboxes of a domain walk together for as long as they are answered alike.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from exchange.autodiscover.answers import AutodiscoverAnswer, RedirectAddress, RedirectUrl, Refusal, Settings
from exchange.autodiscover.connections import Connections
from exchange.autodiscover.endpoint_urls import usable_urls
from exchange.autodiscover.problems import autodiscover_not_now, host_not_trusted
from exchange.autodiscover.questions import Questioner
from exchange.autodiscover.scouting import Scout
from exchange.autodiscover.search import Discovered, Search
from exchange.autodiscover.service import HttpRedirect, Outcome, Service, SoapOffers
from exchange.autodiscover.trace import KNOWN, PINNED, TraceStep
from exchange.autodiscover.trust import Trust
from exchange.autodiscover.urls import (
    check_autodiscover_url,
    pox_url,
    printable_url,
    root_domain_url,
)
from exchange.gateways import DiscoveryStep
from exchange.sessions import GatewaySession
from exchange.web.hosts import HostPort, ascii_host
from presence.addresses import domain_of
from presence.errors import Problem

_RENAMES = "says that the mailbox has another address"


class Discovery:
    """Autodiscover through one gateway. For one thread."""

    def __init__(self, session: GatewaySession, connections: Connections, offers: SoapOffers) -> None:
        self._gateway = session.gateway
        self._connections = connections
        self._questioner = Questioner(session, connections)
        self._offers = offers
        self._trust = Trust(session.gateway)
        self._scouts: dict[str, Scout] = {}

    def look_ahead(self, domain: str, known_url: str | None) -> Scout | None:
        """Look at the steps of a domain already, which `run` goes on with; None if it asks a known service first."""
        if known_url or self._pinned(domain):
            return None
        self._scouts[domain] = self._new_scout(domain)
        return self._scouts[domain]

    def run(self, addresses: Sequence[str], known_url: str | None = None) -> list[Search]:
        """Look for mailboxes of one domain, and return the searches, each with its outcome and its trace.

        `known_url` is the autodiscover URL that answered for the domain before, if any.
        """
        searches = [Search(address) for address in addresses]
        self._walk(searches, known_url)
        return searches

    def _walk(self, searches: Sequence[Search], known_url: str | None = None) -> None:
        """Take the steps for searches whose addresses are of one domain, until each has an outcome."""
        left = list(searches)
        domain = domain_of(left[0].address)
        pinned = self._pinned(domain)
        if pinned:
            left = self._follow(PINNED, pinned, left)
        else:
            if known_url:
                left = self._follow(KNOWN, known_url, left, at_once=True)
            # Also those whom the known service does not know: the domain may have another one by now.
            left = self._take_steps(domain, left) if left else []
        for search in left:
            search.end()

    def _pinned(self, domain: str) -> str | None:
        """Return the service that the operator named for a domain."""
        return self._gateway.autodiscover_urls.get(ascii_host(domain))

    def _take_steps(self, domain: str, searches: list[Search]) -> list[Search]:
        """Return the searches that no step of the domain ends."""
        left = searches
        scout = self._scouts.pop(domain, None) or self._new_scout(domain)
        for found in scout.in_order():
            for search in left:
                if found.trace is not None:
                    search.trace.append(found.trace)
                if found.problem is not None:
                    search.fail(found.step, found.problem)
            for url in found.urls:
                if found.step is DiscoveryStep.HTTP_REDIRECT:
                    left = [search for search in left if search.follow_redirect()]
                left = self._follow(found.step, url, left)
            if not left:
                break
        return left

    def _new_scout(self, domain: str) -> Scout:
        steps = [step for step in DiscoveryStep if step not in self._gateway.skip]

        def may_ask(url: str) -> bool:
            try:
                host = check_autodiscover_url(url)
            except ValueError:
                return False
            return self._may_ask(url, host, domain)

        return Scout(self._connections, domain, steps, may_ask)

    def _may_ask(self, url: str, host: HostPort, domain: str) -> bool:
        """Tell whether a service may be told an address: one that is trusted, and that of the domain itself."""
        return self._trust.may_have_credentials(host.host) or url == root_domain_url(domain)

    def _follow(self, step: str, url: str, searches: list[Search], *, at_once: bool = False) -> list[Search]:
        """Ask a service, and those that it refers to; return the searches that are to go on to the next candidate.

        `at_once`: with credentials, which the service is known to want.
        """
        if not searches:
            return []
        try:
            host = check_autodiscover_url(url)
        except ValueError as error:
            _note_all(searches, step, url, f"refers to a URL that {error}; not followed")
            return searches
        url = pox_url(url)
        if not self._may_ask(url, host, domain_of(searches[0].address)):
            _refuse_stranger(searches, step, url, host)
            return searches
        again = [search for search in searches if not search.asks_first_time(url)]
        _note_all(again, step, url, "has been asked already; not asked again")
        asking = [search for search in searches if search not in again]
        trusted = self._trust.may_have_credentials(host.host)
        answers = self._ask(step, url, asking, trusted=trusted, at_once=at_once)
        return again + self._take(step, host, answers, trusted=trusted)

    def _take(
        self, step: str, host: HostPort, answers: Iterable[tuple[Outcome, Search]], *, trusted: bool
    ) -> list[Search]:
        """Do what a service tells about each search; return those that it leads nowhere."""
        left: list[Search] = []
        referred, moved = defaultdict[str, list[Search]](list), defaultdict[str, list[Search]](list)
        for told, search in answers:
            match told:
                case HttpRedirect() | RedirectUrl():
                    if search.follow_redirect():
                        referred[told.url].append(search)
                case RedirectAddress() if not trusted:
                    # Else whoever runs the website of a domain would say whose calendar is shown under a name.
                    search.refuse_address(step, host_not_trusted(host.host, domain_of(search.wanted), _RENAMES))
                    left.append(search)
                case RedirectAddress():
                    if search.follow_address(told.address):
                        moved[domain_of(told.address)].append(search)
                case Settings():
                    self._settle(search, told)
                case _:
                    _fail(search, step, host, told, trusted=trusted)
                    left.append(search)
        for target, group in referred.items():
            left += self._follow(step, target, group)
        for group in moved.values():
            self._walk(group)
        return left

    def _ask(
        self, step: str, url: str, searches: Sequence[Search], *, trusted: bool, at_once: bool
    ) -> Iterator[tuple[Outcome, Search]]:
        """Yield what a service tells of each search. The first one that speaks autodiscover answers for the domain."""
        by_address = defaultdict[str, list[Search]](list)
        for search in searches:
            by_address[search.address].append(search)

        def note(addresses: Sequence[str], trace: TraceStep) -> None:
            for address in addresses:
                for search in by_address[address]:
                    search.trace.append(trace)

        service = Service(self._questioner, self._offers, note, step, url, trusted=trusted)
        for told in service.ask(list(by_address), at_once=at_once):
            for address in told.addresses:
                for search in by_address[address]:
                    if trusted and isinstance(told.outcome, AutodiscoverAnswer):
                        search.is_answered_by(url, told.outcome)
                    yield told.outcome, search

    def _settle(self, search: Search, settings: Settings) -> None:
        urls, problems = usable_urls(self._gateway, settings, domain_of(search.wanted))
        if urls:
            search.outcome = Discovered(search.address, settings, urls, search.service_url)
        else:
            search.end_with(problems)


def _refuse_stranger(searches: Sequence[Search], step: str, url: str, host: HostPort) -> None:
    """Note that a host is not asked. Redirections and DNS can be forged: a stranger is not even told that we ask."""
    for search in searches:
        problem = host_not_trusted(host.host, domain_of(search.wanted), "is where autodiscover is referred to")
        _note_all([search], step, url, problem.text)
        search.fail(step, problem)


def _fail(search: Search, step: str, host: HostPort, told: Refusal | Problem | None, *, trusted: bool) -> None:
    """Note why a search goes on to the next candidate."""
    if isinstance(told, Problem):
        search.fail(step, told)
    elif told is not None and told.of_address:
        search.is_unknown_at(host.host, trusted=trusted)
    elif told is not None and told.passing:
        search.fail(step, autodiscover_not_now(host.host, told.code))


def _note_all(searches: Sequence[Search], step: str, url: str, sentence: str) -> None:
    """Trace something that took no time."""
    trace = TraceStep(step, printable_url(url), (), None, 0, sentence)
    for search in searches:
        search.trace.append(trace)
