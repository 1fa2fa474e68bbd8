"""From SMTP addresses to endpoints: what is known, what the operator named, and what autodiscover finds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from exchange.autodiscover.answers import Settings
from exchange.autodiscover.domains import Domain, Domains, Looked
from exchange.autodiscover.endpoint_urls import usable_urls
from exchange.autodiscover.problems import autodiscover_failed
from exchange.autodiscover.search import Discovered, NotDiscovered, Search
from exchange.autodiscover.service import SoapOffers
from exchange.autodiscover.trace import TraceStep
from exchange.endpoints import (
    Endpoint,
    EndpointCache,
    Fact,
    confirmed_key,
    domain_key,
    ews_url,
    mailbox_key,
    service_key,
)
from exchange.ews.response_codes import has_moved
from exchange.gateways import Gateway, GatewayKind, GatewaysDocument
from exchange.problems import CONNECTION_CODES
from exchange.remembered import (
    CONFIRMED_SECONDS,
    DAY_SECONDS,
    HANGING_SECONDS,
    KEPT_FAILURES,
    failure_fact,
    failure_of,
    failure_seconds,
    hanging_fact,
    mailbox_fact,
    mailbox_seconds,
    search_fingerprint,
    service_fact,
    settings_fingerprint,
    settings_of,
    spread,
)
from exchange.sessions import GatewaySession
from exchange.web.hosts import ascii_host
from presence.addresses import domain_of
from presence.errors import Problem, ProblemError, ProblemKind

# With these an endpoint may be the wrong one by now; whether it is, autodiscover knows.
_DOUBTFUL = CONNECTION_CODES | {"AccessDenied", "MalformedAnswer", "ServerFailed", "Timeout", "UnexpectedStatus"}
_NOTHING: Fact = {}


@dataclass(frozen=True, slots=True)
class Resolution:
    """Where a mailbox is, or why that is not known; `trace` tells how it was found out.

    Either `endpoint` or `problem` is set. `mailbox` is the address that the mailbox has at the endpoint: another
    than `address` if autodiscover redirected to it. `settings` is all that autodiscover told of it.
    """

    address: str
    mailbox: str
    endpoint: Endpoint | None
    problem: Problem | None
    trace: tuple[TraceStep, ...]
    settings: Settings | None = None


class Locator:
    """Finds the endpoints of mailboxes, for one read: those of a domain together, and a domain that fails once.

    What is found is kept, and for a shorter time what is not; with `look_anew` failures of before are not believed.
    """

    def __init__(
        self,
        document: GatewaysDocument,
        cache: EndpointCache,
        session_of: Callable[[Gateway], GatewaySession],
        *,
        look_anew: bool = False,
    ) -> None:
        self._document = document
        self._cache = cache
        self._session_of = session_of
        self._look_anew = look_anew
        self._facts: dict[str, Fact] = {}
        self._urls: dict[str, str] = {}
        self._found_under_now: dict[tuple[str, str], str] = {}

    def locate(self, addresses: Sequence[str]) -> Mapping[str, Resolution]:
        """Return where each mailbox is; every address is a key of the result."""
        found: dict[str, Resolution] = {}
        unknown: dict[str, Gateway] = {}
        for address in addresses:
            try:
                gateway = self._document.gateway_for(address)
            except ProblemError as error:
                found[address] = _failure(address, error.problem)
                continue
            if gateway.kind is GatewayKind.EWS:
                found[address] = _named_by_operator(address, gateway)
            else:
                unknown[address] = gateway
        if unknown:
            found.update(self._look_up(unknown))
        return found

    def learn_from(self, results: Mapping[str, object]) -> None:
        """Let the next read look again for the mailboxes that moved, or whose endpoint fails.

        Where a mailbox was is forgotten if it is said not to be there. An endpoint that only fails is kept as a last
        resort: autodiscover may be failing with it, and both be well again in a moment. What autodiscover confirms is
        not doubted again for some minutes, lest an endpoint that is down have its mailboxes looked for by each read.
        """
        problems = {address: result for address, result in results.items() if isinstance(result, Problem)}
        moved = [mailbox_key(address) for address, problem in problems.items() if has_moved(problem.code)]
        if moved:
            self._cache.delete(moved)
        doubtful = {
            address: self._urls[address]
            for address, problem in problems.items()
            if problem.code in _DOUBTFUL and address in self._urls
        }
        urls = dict.fromkeys(doubtful.values())
        confirmed = self._cache.get_many([confirmed_key(url) for url in urls]) if urls else {}
        for address, url in doubtful.items():
            key = mailbox_key(address)
            fact = self._facts[key]
            if key not in moved and confirmed_key(url) not in confirmed and "doubted" not in fact:
                self._cache.put(key, {**fact, "doubted": url}, DAY_SECONDS)

    def _look_up(self, unknown: Mapping[str, Gateway]) -> Mapping[str, Resolution]:
        """Return where mailboxes are that belong to gateways of kind `autodiscover`."""
        groups: dict[tuple[str, str], list[str]] = defaultdict(list)
        for address, gateway in unknown.items():
            groups[gateway.name, domain_of(address)].append(address)
        domains = {group: domain_key(*group) for group in groups}
        self._facts.update(self._cache.get_many([*map(mailbox_key, unknown), *domains.values()]))
        found: dict[str, Resolution] = {}
        wanted: list[Domain] = []
        for group, addresses in groups.items():
            gateway = unknown[addresses[0]]
            mistake = _mistake_in(group[1])
            if mistake is not None:
                found.update({address: _failure(address, mistake) for address in addresses})
                continue
            missing = []
            for address in addresses:
                remembered = self._remembered(address, gateway)
                if remembered is None:
                    missing.append(address)
                else:
                    found[address] = remembered
            failure = self._known_failure(domains[group], gateway) if missing else None
            if failure is not None:
                step = _step("cached", group[1], "no Exchange was found for the domain a few minutes ago")
                found.update({address: self._last_resort(address, gateway, failure, (step,)) for address in missing})
            elif missing:
                wanted.append(self._wanted(gateway, group[1], missing))
        for domain, looked in Domains(self._session_of, self._soap_offers()).look_for(wanted):
            found.update(self._conclude_all(domain, looked))
        self._urls |= {address: one.endpoint.url for address, one in found.items() if one.endpoint is not None}
        return found

    def _wanted(self, gateway: Gateway, domain: str, addresses: Sequence[str]) -> Domain:
        known = self._facts.get(domain_key(gateway.name, domain), _NOTHING)
        known_url = known.get("url") if known.get("found_under") == self._found_under(gateway, domain) else None
        return Domain(domain, gateway, tuple(addresses), known_url, known.get("hung_at", ""))

    def _remembered(self, address: str, gateway: Gateway) -> Resolution | None:
        """Return what is known of a mailbox, if it need not be asked for again."""
        fact = self._facts.get(mailbox_key(address), _NOTHING)
        failure = self._known_failure(mailbox_key(address), gateway)
        if failure is not None:
            return _failure(address, failure, _step("cached", address, "was not found a few minutes ago"))
        if "doubted" in fact or fact.get("found_under") != self._found_under(gateway, domain_of(address)):
            return None
        return _known_endpoint(address, gateway, fact)

    def _known_failure(self, key: str, gateway: Gateway) -> Problem | None:
        fact = self._facts.get(key, _NOTHING)
        if self._look_anew or "failed_under" not in fact:
            return None
        return failure_of(fact, gateway.name, self._failed_under(gateway))

    def _failed_under(self, gateway: Gateway) -> str:
        return settings_fingerprint(gateway, self._document.network)

    def _found_under(self, gateway: Gateway, domain: str) -> str:
        if (gateway.name, domain) not in self._found_under_now:
            under = search_fingerprint(gateway, self._document.network, domain)
            self._found_under_now[gateway.name, domain] = under
        return self._found_under_now[gateway.name, domain]

    def _conclude_all(self, domain: Domain, looked: Looked | Problem) -> dict[str, Resolution]:
        """Return what came of looking for a domain, and keep it."""
        if isinstance(looked, Problem):
            return {address: _failure(address, looked) for address in domain.addresses}
        gateway, searches = domain.gateway, looked.searches
        self._keep_domain(domain, looked)
        doubted = {self._facts.get(mailbox_key(search.wanted), _NOTHING).get("doubted") for search in searches}
        found = {search.wanted: self._conclude(gateway, search, in_time=looked.in_time) for search in searches}
        told = {search.outcome.urls[0] for search in searches if isinstance(search.outcome, Discovered)}
        for url in told & doubted:
            self._cache.put(confirmed_key(url), {"told": "again"}, CONFIRMED_SECONDS)
        return found

    def _keep_domain(self, domain: Domain, looked: Looked) -> None:
        """Keep which service answers for the domain, or that none does."""
        gateway, key = domain.gateway, domain_key(domain.gateway.name, domain.name)
        known = self._facts.get(key, _NOTHING)
        found_first = sorted(looked.searches, key=lambda search: not isinstance(search.outcome, Discovered))
        service = next((search.service_url for search in found_first if search.service_url), "")
        failures = [
            search.outcome.problem
            for search in looked.searches
            if isinstance(search.outcome, NotDiscovered) and search.outcome.about_domain
        ]
        if service:
            fact = service_fact(service, self._found_under(gateway, domain.name))
            if known != fact:
                self._cache.put(key, fact, spread(key, DAY_SECONDS))
        elif looked.hung_at:
            self._cache.put(key, hanging_fact(looked.hung_at), HANGING_SECONDS)
        elif failures and looked.in_time and failures[0].code in KEPT_FAILURES:
            fact = failure_fact(gateway.name, failures[0], self._failed_under(gateway))
            self._cache.put(key, fact, failure_seconds(key, failures[0]))
        elif failures and looked.in_time and known:
            self._cache.delete([key])

    def _conclude(self, gateway: Gateway, search: Search, *, in_time: bool) -> Resolution:
        """Return what a search came to, and keep it."""
        address, key, outcome, trace = search.wanted, mailbox_key(search.wanted), search.outcome, tuple(search.trace)
        if isinstance(outcome, Discovered):
            under = self._found_under(gateway, domain_of(address))
            fact = mailbox_fact(gateway.name, outcome.address, outcome.settings, under)
            self._facts[key] = fact
            self._cache.put(key, fact, mailbox_seconds(address, outcome.settings.ttl_hours))
            endpoint = Endpoint(gateway.name, outcome.urls[0], outcome.urls[1:])
            return Resolution(address, outcome.address, endpoint, None, trace, outcome.settings)
        if outcome is None:
            raise TypeError(f"the search for a mailbox of {domain_of(address)} has no end")
        problem = outcome.problem
        if outcome.about_domain:
            return self._last_resort(address, gateway, problem, trace)
        if in_time and problem.code in KEPT_FAILURES:
            fact = failure_fact(gateway.name, problem, self._failed_under(gateway))
            self._cache.put(key, fact, failure_seconds(key, problem))
        return _failure(address, problem, *trace)

    def _last_resort(
        self, address: str, gateway: Gateway, problem: Problem, trace: tuple[TraceStep, ...]
    ) -> Resolution:
        """Return where a mailbox was before its endpoint came into doubt, now that autodiscover does not help."""
        before = _known_endpoint(address, gateway, self._facts.get(mailbox_key(address), _NOTHING))
        if before is None:
            return _failure(address, problem, *trace)
        return replace(before, trace=(*trace, *before.trace))

    def _soap_offers(self) -> SoapOffers:
        """Return what is known of services that speak no SOAP, kept for about a day."""
        return SoapOffers(
            is_missing=lambda url: bool(self._cache.get_many([service_key(url)])),
            note_missing=lambda url: self._cache.put(service_key(url), {"soap": "missing"}, spread(url, DAY_SECONDS)),
        )


def _named_by_operator(address: str, gateway: Gateway) -> Resolution:
    url = ews_url(gateway.hosts[0])
    which = f"the first of {len(gateway.hosts)} hosts" if len(gateway.hosts) > 1 else "the host"
    step = TraceStep("ews", url, (), None, 0, f"{which} that gateway {gateway.name!r} names; autodiscover is not used")
    return Resolution(address, address, Endpoint(gateway.name, url), None, (step,))


def _known_endpoint(address: str, gateway: Gateway, fact: Fact) -> Resolution | None:
    """Return what a fact says, if the document still allows it: hosts may have lost its trust since."""
    if fact.get("gateway") != gateway.name or "mailbox" not in fact:
        return None
    settings = settings_of(fact)
    urls, _ = usable_urls(gateway, settings, domain_of(address))
    if not urls:
        return None
    step = _step("cached", urls[0], "known from an earlier run of autodiscover")
    return Resolution(address, fact["mailbox"], Endpoint(gateway.name, urls[0], urls[1:]), None, (step,), settings)


def _mistake_in(domain: str) -> Problem | None:
    try:
        ascii_host(domain)
    except ValueError:
        return autodiscover_failed(domain, ProblemKind.LASTING, "DNS can't have a domain of this form")
    return None


def _step(step: str, asked: str, sentence: str) -> TraceStep:
    return TraceStep(step, asked, (), None, 0, sentence)


def _failure(address: str, problem: Problem, *trace: TraceStep) -> Resolution:
    return Resolution(address, address, None, problem, trace)
