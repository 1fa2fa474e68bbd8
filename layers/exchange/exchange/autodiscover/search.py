"""What is known so far of one mailbox that is looked for, and what comes of it in the end."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from exchange.autodiscover.answers import AutodiscoverAnswer, Refusal, Settings
from exchange.autodiscover.problems import autodiscover_failed, mailbox_not_found, redirected_too_often
from exchange.autodiscover.trace import TraceStep
from exchange.gateways import DiscoveryStep
from presence.addresses import domain_of
from presence.errors import Problem, ProblemKind

_MOST_REDIRECTS = 10
# The first of these that a step met is what an administrator must hear, whatever else went wrong.
_TELLING = (
    "SecretUnusable",
    "KerberosUnusable",
    "CredentialsRejected",
    "CredentialsBeingTried",
    "AuthenticationNotOffered",
    "AuthenticationFailed",
)


@dataclass(frozen=True, slots=True)
class Discovered:
    """The mailbox was found: its address there, the settings, the URLs that may be asked (the preferred one first).

    `service_url` is the autodiscover service that answers for the domain; empty if who said so is no host that may be
    asked at once the next time.
    """

    address: str
    settings: Settings
    urls: tuple[str, ...]
    service_url: str


@dataclass(frozen=True, slots=True)
class NotDiscovered:
    """The mailbox was not found. `about_domain` says that no other mailbox of the domain would fare better."""

    problem: Problem
    about_domain: bool


@dataclass(slots=True, eq=False)
class Search:
    """One mailbox that is looked for: under `wanted`, its address now being `address`, until there is an `outcome`."""

    wanted: str
    address: str = ""
    trace: list[TraceStep] = field(default_factory=list)
    outcome: Discovered | NotDiscovered | None = None
    service_url: str = ""
    _is_refused: bool = False
    _is_renamed: bool = False
    _unknown_at: str = ""
    _is_unknown_surely: bool = False
    _redirects: int = 0
    _failures: list[tuple[str, Problem]] = field(default_factory=list)
    _addresses: set[str] = field(default_factory=set)
    _asked: set[tuple[str, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Begin with the address that is wanted."""
        self.address = self.address or self.wanted
        self._addresses.add(self.address)

    def fail(self, step: str, problem: Problem) -> None:
        """Note what went wrong at a step."""
        self._failures.append((step, problem))

    def is_answered_by(self, service_url: str, answer: AutodiscoverAnswer) -> None:
        """Note which service answers for the domain: the first that does more than to refuse, else the first of all."""
        refuses = isinstance(answer, Refusal)
        if not self.service_url or (self._is_refused and not refuses):
            self.service_url, self._is_refused = service_url, refuses

    def is_unknown_at(self, host: str, *, trusted: bool) -> None:
        """Note that a service does not know the address. That is not conclusive: another may."""
        if not self._is_unknown_surely:
            self._unknown_at, self._is_unknown_surely = host, trusted

    def asks_first_time(self, url: str) -> bool:
        """Tell whether a service has not been asked for this address yet, and note that it is now."""
        question = (url, self.address)
        if question in self._asked:
            return False
        self._asked.add(question)
        return True

    def follow_redirect(self) -> bool:
        """Count a redirection; end the search if there are too many."""
        self._redirects += 1
        if self._redirects > _MOST_REDIRECTS:
            self._give_up(redirected_too_often(self.wanted, f"is redirected more than {_MOST_REDIRECTS} times"))
            return False
        return True

    def follow_address(self, address: str) -> bool:
        """Go on under another address; end the search if it was under that one before."""
        if not self.follow_redirect():
            return False
        if address in self._addresses:
            self._give_up(redirected_too_often(self.wanted, "leads in a circle"))
            return False
        self._addresses.add(address)
        self._is_renamed = True
        self.address, self._unknown_at, self._is_unknown_surely = address, "", False
        return True

    def refuse_address(self, step: str, problem: Problem) -> None:
        """Note that who may not say so says that the mailbox has another address."""
        self._is_renamed = True
        self.fail(step, problem)

    def end_with(self, problems: tuple[Problem, ...]) -> None:
        """End the search: what was found can't be used."""
        self._give_up(problems[0])

    def end(self) -> None:
        """End the search: no service knew where the mailbox is."""
        # A website that knows no such mailbox does not speak for a service that failed; one that is trusted does.
        if self._is_unknown_surely or (self._unknown_at and not self._may_pass()):
            self._give_up(mailbox_not_found(self.address, self._unknown_at))
        else:
            # A service that speaks autodiscover may fail at one mailbox, and know the next one; and what became of an
            # address that was redirected says nothing of the domain where it began.
            of_domain = not (self.service_url or self._is_renamed)
            self.outcome = NotDiscovered(self._explanation(), about_domain=of_domain)

    def _give_up(self, problem: Problem) -> None:
        self.outcome = NotDiscovered(problem, about_domain=False)

    def _explanation(self) -> Problem:
        """Return the failure that says most, or one that goes through the steps."""
        for code in _TELLING:
            for _, problem in self._failures:
                if problem.code == code:
                    return problem
        serious = self._serious()
        for problem in serious:
            if problem.code in {"CertificateInvalid", "TlsTooWeak"}:
                return problem
        passing = self._may_pass()
        if not passing:
            for _, problem in self._failures:
                if problem.code == "HostNotTrusted":
                    return problem
        kind = ProblemKind.PASSING if passing else ProblemKind.LASTING
        steps = "; ".join(dict.fromkeys(f"{step.step}: {step.sentence}" for step in self.trace))
        waits = [problem.retry_after for problem in serious if problem.retry_after is not None]
        failed = autodiscover_failed(domain_of(self.wanted), kind, steps or "no step was taken")
        return replace(failed, retry_after=max(waits, default=None))

    def _serious(self) -> list[Problem]:
        # Root domains often are websites, and port 80 often is closed: what fails there says little.
        says_little = {DiscoveryStep.ROOT_DOMAIN, DiscoveryStep.HTTP_REDIRECT}
        return [problem for step, problem in self._failures if step not in says_little]

    def _may_pass(self) -> bool:
        return any(problem.kind is ProblemKind.PASSING for problem in self._serious())
