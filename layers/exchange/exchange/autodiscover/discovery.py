"""The walk through the steps of autodiscover for one mailbox (domain.md, "The client"; MS-OXDSCLI section 3.1.5)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from exchange.autodiscover.pox import PoxAnswer, PoxError, PoxRedirectAddress, PoxRedirectUrl, PoxSettings, parse_pox
from exchange.autodiscover.questions import Questioner, Reply
from exchange.autodiscover.trace import TraceStep
from exchange.autodiscover.trust import (
    Trust,
    autodiscover_host_url,
    check_autodiscover_url,
    http_redirect_url,
    root_domain_url,
    service_record,
    service_url,
)
from exchange.bounded_xml import MalformedXml
from exchange.gateways import DiscoveryStep, Gateway
from exchange.hosts import split_https_url
from exchange.problems import (
    autodiscover_failed,
    endpoint_unusable,
    host_not_trusted,
    mailbox_not_found,
    redirected_too_often,
)
from presence.addresses import domain_of
from presence.errors import Problem, ProblemError, ProblemKind

KNOWN = "known"
_MOST_REDIRECTS = 10
_MOST_TARGETS = 10
_UNKNOWN_ADDRESS = 500
# The first of these that a step met is what an administrator must hear, whatever else went wrong.
_TELLING = ("SecretUnusable", "CredentialsRejected", "AuthenticationNotOffered", "AuthenticationFailed")

# An answer that redirects to no other URL, and the URL that gave it.
_Found = tuple[PoxSettings | PoxRedirectAddress | PoxError, str]


@dataclass(frozen=True, slots=True)
class Discovered:
    """The mailbox was found: its address there, its EWS URL, how long that holds (hours), and who said so.

    `service_url` is empty if who said so is no host that may be asked at once the next time.
    """

    address: str
    url: str
    ttl_hours: int
    service_url: str


@dataclass(frozen=True, slots=True)
class NotDiscovered:
    """The mailbox was not found. `about_domain` says that no other mailbox of the domain would fare better."""

    problem: Problem
    about_domain: bool


class Discovery:
    """One run of autodiscover, for one mailbox."""

    def __init__(self, gateway: Gateway, address: str, questioner: Questioner) -> None:
        self._gateway = gateway
        self._address = address
        self._questioner = questioner
        self._trust = Trust(gateway)
        self._service = ""
        self._redirects = 0
        self._asked: set[tuple[str, str]] = set()
        self._failures: list[tuple[str, Problem]] = []

    @property
    def trace(self) -> tuple[TraceStep, ...]:
        """The steps so far."""
        return tuple(self._questioner.trace)

    def run(self, known_url: str | None = None) -> Discovered | NotDiscovered:
        """Find the mailbox. `known_url` is the autodiscover URL that answered for the domain before, if any."""
        address = self._address
        visited = {address}
        try:
            while True:
                found = self._walk(address, known_url)
                if found is None:
                    return self._not_found()
                answer, url = found
                if isinstance(answer, PoxSettings):
                    return self._check_endpoint(address, answer)
                if isinstance(answer, PoxError):
                    return NotDiscovered(mailbox_not_found(address, split_https_url(url)[0].host), about_domain=False)
                self._count_redirect()
                address, known_url = answer.address, None
                if address in visited:
                    return NotDiscovered(redirected_too_often(self._address, "leads in a circle"), about_domain=False)
                visited.add(address)
        except ProblemError as error:
            return NotDiscovered(error.problem, about_domain=False)

    def _walk(self, address: str, known_url: str | None) -> _Found | None:
        unknown: _Found | None = None
        if known_url:
            found = self._follow(KNOWN, known_url, address)
            if found:
                return found
        for step, url in self._candidates(domain_of(address)):
            found = self._follow(step, url, address)
            if found and not isinstance(found[0], PoxError):
                return found
            # One service that does not know the address is not conclusive: another may.
            unknown = found or unknown
        return unknown

    def _candidates(self, domain: str) -> Iterator[tuple[str, str]]:
        skip = self._gateway.skip
        if DiscoveryStep.ROOT_DOMAIN not in skip:
            yield DiscoveryStep.ROOT_DOMAIN, root_domain_url(domain)
        if DiscoveryStep.AUTODISCOVER not in skip:
            yield DiscoveryStep.AUTODISCOVER, autodiscover_host_url(domain)
        if DiscoveryStep.HTTP_REDIRECT not in skip:
            url = self._questioner.ask_for_redirect(DiscoveryStep.HTTP_REDIRECT, http_redirect_url(domain))
            if url:
                self._count_redirect()
                yield DiscoveryStep.HTTP_REDIRECT, url
        if DiscoveryStep.SRV not in skip:
            targets = self._questioner.look_up_service(DiscoveryStep.SRV, service_record(domain), self._failures)
            for target in targets[:_MOST_TARGETS]:
                yield DiscoveryStep.SRV, service_url(target.target)

    def _follow(self, step: str, url: str, address: str) -> _Found | None:
        """Ask a service, and those that it refers to; None means: go on to the next candidate."""
        while True:
            try:
                host = check_autodiscover_url(url)
            except ValueError as error:
                self._questioner.note(step, url, f"refers to a URL that {error}; not followed")
                return None
            if (url, address) in self._asked:
                self._questioner.note(step, url, "has been asked already; not asked again")
                return None
            self._asked.add((url, address))
            trusted = self._trust.may_have_credentials(host.host)
            if not trusted and url != root_domain_url(domain_of(address)):
                # Redirections and DNS can be forged: a stranger is not even told that somebody asks.
                problem = host_not_trusted(host.host, domain_of(self._address), "is where autodiscover is referred to")
                self._questioner.note(step, url, problem.text)
                self._failures.append((step, problem))
                return None
            reply = self._questioner.ask(step, url, address, trusted=trusted, at_once=step == KNOWN)
            if reply.problem:
                self._failures.append((step, reply.problem))
                return None
            if reply.redirect:
                url = reply.redirect
                self._count_redirect()
                continue
            answer = self._read(step, url, reply)
            # What answers for the domain is the first service that speaks autodiscover: it may send one mailbox on.
            if answer and trusted:
                self._service = self._service or url
            if isinstance(answer, PoxRedirectUrl):
                url = answer.url
                self._count_redirect()
                continue
            if isinstance(answer, PoxError) and answer.code != _UNKNOWN_ADDRESS:
                return None
            return (answer, url) if answer else None

    def _read(self, step: str, url: str, reply: Reply) -> PoxAnswer | None:
        try:
            answer = parse_pox(reply.body)
        except MalformedXml as error:
            self._questioner.finish(reply, step, url, f"{error}: another service, perhaps a website")
            return None
        self._questioner.finish(reply, step, url, _sentence(answer))
        return answer

    def _check_endpoint(self, address: str, settings: PoxSettings) -> Discovered | NotDiscovered:
        """Take the external URL, else the internal one, if the account may be shown there."""
        domain = domain_of(self._address)
        problems: list[Problem] = []
        for url in filter(None, (settings.external_url, settings.internal_url)):
            try:
                host = split_https_url(url)[0].host
            except ValueError as error:
                problems.append(endpoint_unusable(domain, str(error)))
                continue
            if self._trust.may_have_credentials(host):
                return Discovered(address, url, settings.ttl_hours, self._service)
            problems.append(host_not_trusted(host, domain, "is named as the EWS server"))
        return NotDiscovered(problems[0], about_domain=False)

    def _count_redirect(self) -> None:
        self._redirects += 1
        if self._redirects > _MOST_REDIRECTS:
            what = f"is redirected more than {_MOST_REDIRECTS} times"
            raise ProblemError(redirected_too_often(self._address, what))

    def _not_found(self) -> NotDiscovered:
        for code in _TELLING:
            for _, problem in self._failures:
                if problem.code == code:
                    return NotDiscovered(problem, about_domain=True)
        # Root domains often are websites, and port 80 often is closed: what fails there says little.
        serious = [
            problem
            for step, problem in self._failures
            if step not in {DiscoveryStep.ROOT_DOMAIN, DiscoveryStep.HTTP_REDIRECT}
        ]
        for problem in serious:
            if problem.code in {"CertificateInvalid", "TlsTooWeak"}:
                return NotDiscovered(problem, about_domain=True)
        passing = [problem for problem in serious if problem.kind is ProblemKind.PASSING]
        if not passing:
            for _, problem in self._failures:
                if problem.code == "HostNotTrusted":
                    return NotDiscovered(problem, about_domain=True)
        kind = ProblemKind.PASSING if passing else ProblemKind.LASTING
        steps = "; ".join(dict.fromkeys(f"{step.step}: {step.sentence}" for step in self._questioner.trace))
        return NotDiscovered(
            autodiscover_failed(domain_of(self._address), kind, steps or "no step was taken"), about_domain=True
        )


def _sentence(answer: PoxAnswer) -> str:
    match answer:
        case PoxSettings():
            return "tells where the mailbox is"
        case PoxRedirectAddress():
            return f"says that the mailbox is {answer.address} now"
        case PoxRedirectUrl():
            return "refers to another autodiscover service"
        case PoxError():
            return f"answers with autodiscover error {answer.code}"
