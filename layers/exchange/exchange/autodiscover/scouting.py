"""Looking ahead at all steps of a domain at once, without a word about whose mailbox is looked for (decision 0019).

What is done side by side names the domain and nothing else: DNS, a TLS connection that carries nothing, and the one GET
over plain http. The questions, which name mailboxes and may carry the account, follow one after the other.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, replace
from http import HTTPStatus

from exchange.autodiscover.connections import Connections
from exchange.autodiscover.trace import Stopwatch, TraceStep
from exchange.autodiscover.urls import (
    autodiscover_host_url,
    check_autodiscover_url,
    http_redirect_url,
    printable_url,
    root_domain_url,
    service_record,
    service_url,
)
from exchange.gateways import DiscoveryStep
from exchange.web.bounded_http import HTTP_PORT
from exchange.web.hosts import HostPort, split_https_url
from exchange.web.problems import no_time_left
from presence.errors import Problem, ProblemError

REDIRECTS = frozenset(
    {
        HTTPStatus.MOVED_PERMANENTLY,
        HTTPStatus.FOUND,
        HTTPStatus.SEE_OTHER,
        HTTPStatus.TEMPORARY_REDIRECT,
        HTTPStatus.PERMANENT_REDIRECT,
    }
)
_OF_A_HOST = frozenset({DiscoveryStep.ROOT_DOMAIN, DiscoveryStep.AUTODISCOVER})
_LARGEST_ANSWER = 64 * 1024
_MOST_TARGETS = 10
_PATIENCE = 0.5
"""Of the time to connect, what an earlier step may take while a later one is ready to be asked."""


@dataclass(frozen=True, slots=True)
class Scouted:
    """What a step leads to: the URLs of services to ask, in their order; `trace` unless asking them leaves it."""

    step: DiscoveryStep
    urls: tuple[str, ...] = ()
    trace: TraceStep | None = None
    problem: Problem | None = None


class Scout:
    """Takes the first look of each step of a domain, all at once from when it is made.

    `may_ask` tells whether the service at an URL may be asked.
    """

    def __init__(
        self, connections: Connections, domain: str, steps: Sequence[DiscoveryStep], may_ask: Callable[[str], bool]
    ) -> None:
        self._connections = connections
        self._domain = domain
        self._may_ask = may_ask
        self._started = time.monotonic()
        self._patience_ends = self._started + _PATIENCE * connections.timeouts.connect
        self._looks = [(step, self._start(step)) for step in steps]

    @property
    def ready_in(self) -> float:
        """The seconds until asking begins if no other look ends: 0 if it can at once, or if no step leads anywhere.

        Infinite as long as none does and one may. A turn that begins earlier is spent on waiting for a connection.
        """
        looks = [look for _, look in self._looks]
        for place, look in enumerate(looks):
            if self._leads_somewhere(look):
                return 0.0
            if not look.done():
                return self._patience_left() if any(map(self._leads_somewhere, looks[place + 1 :])) else math.inf
        return 0.0

    def hangs_for(self, seconds: float) -> bool:
        """Tell whether for so many seconds no step has led anywhere, and one still may."""
        return time.monotonic() - self._started >= seconds and self.ready_in == math.inf

    @property
    def pending(self) -> list[Future[Scouted]]:
        """The looks that are not over yet."""
        return [look for _, look in self._looks if not look.done()]

    def in_order(self) -> Iterator[Scouted]:
        """Yield what became of each step, in their order, as soon as that is known or the time of the run is over.

        A step that is still trying to connect when half of the time for that is over, while a later one is ready, is
        yielded last. A host that may not be asked is not connected to either.
        """
        late = []
        for place, (step, look) in enumerate(self._looks):
            if self._is_in_time(look, [later for _, later in self._looks[place + 1 :]]):
                yield self._seen(step, look)
            else:
                late.append((step, look))
        for step, look in late:
            wait([look], timeout=self._seconds_left())
            yield self._seen(step, look)

    def _start(self, step: DiscoveryStep) -> Future[Scouted]:
        look: Future[Scouted] = Future()
        if step in _OF_A_HOST and not self._may_ask(self._url(step)):
            look.set_result(Scouted(step, (self._url(step),)))
            return look

        def run() -> None:
            try:
                look.set_result(self._look(step))
            except BaseException as error:  # noqa: BLE001  whoever asks for the result gets it
                look.set_exception(error)

        # Nobody waits for a look that is no longer wanted; it ends with its time to connect.
        threading.Thread(target=run, daemon=True, name=f"autodiscover-{step}").start()
        return look

    def _is_in_time(self, look: Future[Scouted], later: Sequence[Future[Scouted]]) -> bool:
        """Wait for a look; return whether it keeps its place: it is over, or the time of the run is."""
        while not look.done() and (left := self._seconds_left()):
            if any(map(self._leads_somewhere, later)):
                patience = self._patience_left()
                if not patience:
                    return False
                wait([look], timeout=min(patience, left))
            else:
                pending = [look, *(other for other in later if not other.done())]
                wait(pending, timeout=left, return_when=FIRST_COMPLETED)
        return True

    def _patience_left(self) -> float:
        """Return for how long an earlier step may still be waited for while a later one is ready."""
        return max(0.0, self._patience_ends - time.monotonic())

    def _seconds_left(self) -> float:
        """Return the time that the run has left. It may be endless, which `wait` can't be told."""
        left = self._connections.timeouts.ends_at - time.monotonic()
        return max(0.0, min(left, threading.TIMEOUT_MAX))

    def _seen(self, step: DiscoveryStep, look: Future[Scouted]) -> Scouted:
        if look.done():
            return self._with_certificate(look.result())
        problem = no_time_left(self._domain)
        milliseconds = round((time.monotonic() - self._started) * 1000)
        trace = TraceStep(step, self._asked(step), (), None, milliseconds, problem.text)
        return Scouted(step, trace=trace, problem=problem)

    def _leads_somewhere(self, look: Future[Scouted]) -> bool:
        return look.done() and look.exception() is None and any(map(self._may_ask, look.result().urls))

    def _with_certificate(self, found: Scouted) -> Scouted:
        """Add the certificate for which a host was refused; who asks a host adds it to that question."""
        if found.trace is None or found.step not in _OF_A_HOST:
            return found
        host, _ = split_https_url(self._url(found.step))
        return replace(found, trace=replace(found.trace, certificate=self._connections.certificate_of(host)))

    def _asked(self, step: DiscoveryStep) -> str:
        """Return what a step asks for, as it is shown."""
        match step:
            case DiscoveryStep.HTTP_REDIRECT:
                return printable_url(http_redirect_url(self._domain))
            case DiscoveryStep.SRV:
                return service_record(self._domain)
        return printable_url(self._url(step))

    def _url(self, step: DiscoveryStep) -> str:
        return (root_domain_url if step is DiscoveryStep.ROOT_DOMAIN else autodiscover_host_url)(self._domain)

    def _look(self, step: DiscoveryStep) -> Scouted:
        match step:
            case DiscoveryStep.HTTP_REDIRECT:
                return self._ask_for_redirect(http_redirect_url(self._domain))
            case DiscoveryStep.SRV:
                return self._look_up_service(service_record(self._domain))
        return self._connect(step, self._url(step))

    def _connect(self, step: DiscoveryStep, url: str) -> Scouted:
        watch = Stopwatch()
        host, _ = split_https_url(url)
        addresses: tuple[str, ...] = ()
        try:
            addresses = tuple(map(str, self._connections.addresses(host)))
            self._connections.look_at(host)
        except ProblemError as error:
            sentence = error.problem.text
            trace = TraceStep(step, printable_url(url), addresses, None, watch.milliseconds(), sentence)
            return Scouted(step, trace=trace, problem=error.problem)
        return Scouted(step, (url,))

    def _ask_for_redirect(self, url: str) -> Scouted:
        """Ask over plain http where the service is; nothing is sent but the path."""
        watch = Stopwatch()
        addresses: tuple[str, ...] = ()
        status, location, target, problem = None, "", "", None
        try:
            host = HostPort(url.split("/")[2], HTTP_PORT)
            addresses = tuple(map(str, self._connections.addresses(host)))
            with self._connections.new_client() as client:
                answer = client.send("GET", url, limit=_LARGEST_ANSWER)
            status, location = answer.status, answer.headers.get("location", "")
            if status not in REDIRECTS or not location:
                sentence = f"answers with HTTP status {status}, not with a redirection"
            else:
                sentence = f"redirects to {check_autodiscover_url(location).host}"
                target = location
        except ProblemError as error:
            sentence, problem = error.problem.text, error.problem
        except ValueError as error:
            sentence = f"redirects to a URL that {error}; not followed"
        trace = TraceStep(
            DiscoveryStep.HTTP_REDIRECT, printable_url(url), addresses, status, watch.milliseconds(), sentence
        )
        return Scouted(DiscoveryStep.HTTP_REDIRECT, (target,) if target else (), trace, problem)

    def _look_up_service(self, name: str) -> Scouted:
        watch = Stopwatch()
        try:
            targets = self._connections.service_targets(name)
        except ProblemError as error:
            trace = TraceStep(DiscoveryStep.SRV, name, (), None, watch.milliseconds(), error.problem.text)
            return Scouted(DiscoveryStep.SRV, trace=trace, problem=error.problem)
        names = tuple(str(target.target) for target in targets)
        sentence = "names the services in this order" if targets else "there is no such SRV record"
        trace = TraceStep(DiscoveryStep.SRV, name, names, None, watch.milliseconds(), sentence)
        urls = tuple(service_url(target.target) for target in targets[:_MOST_TARGETS])
        return Scouted(DiscoveryStep.SRV, urls, trace)
