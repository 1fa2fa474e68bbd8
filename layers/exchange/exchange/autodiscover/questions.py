"""The single questions of autodiscover, each leaving a step in the trace."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urljoin, urlsplit

from exchange.authentication import Login
from exchange.autodiscover.pox import pox_request
from exchange.autodiscover.trace import Stopwatch, TraceStep
from exchange.autodiscover.trust import SERVICE_PATH, check_autodiscover_url
from exchange.bounded_http import HTTP_PORT, Answer, WebClient
from exchange.hosts import HTTPS_PORT, HostPort, ascii_host
from exchange.network import Network, ServiceTarget
from exchange.problems import host_not_trusted, http_status, malformed_answer
from exchange.sessions import GatewaySession
from presence.addresses import domain_of
from presence.errors import Problem, ProblemError

_LARGEST_ANSWER = 1024 * 1024
_HEADERS = {"Content-Type": "text/xml; charset=utf-8"}
_REDIRECTS = frozenset(
    {
        HTTPStatus.MOVED_PERMANENTLY,
        HTTPStatus.FOUND,
        HTTPStatus.SEE_OTHER,
        HTTPStatus.TEMPORARY_REDIRECT,
        HTTPStatus.PERMANENT_REDIRECT,
    }
)


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of a question: a problem, a redirection, or a body to read (whose step is still to be traced)."""

    problem: Problem | None = None
    redirect: str | None = None
    body: bytes = b""
    status: int | None = None
    addresses: tuple[str, ...] = ()
    milliseconds: int = 0


class Questioner:
    """Asks autodiscover services on behalf of one gateway."""

    def __init__(self, session: GatewaySession) -> None:
        self._session = session
        self._network: Network = session.network
        self._client: WebClient = session.client
        self.trace: list[TraceStep] = []

    def ask(self, step: str, url: str, address: str, *, trusted: bool, at_once: bool) -> Reply:
        """Ask one service about one mailbox, first without credentials.

        Only a `trusted` host gets them when it asks for them; `at_once` when it is known that it will.
        """
        watch = Stopwatch()
        host = _host_of(url)
        addresses: tuple[str, ...] = ()
        status: int | None = None
        body = pox_request(address)
        try:
            addresses = tuple(str(found) for found in self._network.addresses(host))
            if at_once and trusted:
                answer = self._send(self._session.login(), url, body)
            else:
                answer = self._client.send("POST", url, limit=_LARGEST_ANSWER, headers=_HEADERS, body=body)
            status = answer.status
            if status == HTTPStatus.UNAUTHORIZED:
                answer = self._answer_challenge(host, url, address, body, answer, trusted=trusted)
                status = answer.status
        except ProblemError as error:
            problem = error.problem
            self._note(step, url, addresses, status, watch, problem.text)
            return Reply(problem=problem)
        if status in _REDIRECTS and answer.headers.get("location"):
            return self._redirected(step, url, answer, addresses, watch)
        if status == HTTPStatus.OK:
            return Reply(body=answer.body, status=status, addresses=addresses, milliseconds=watch.milliseconds())
        self._note(step, url, addresses, status, watch, f"answers with HTTP status {status}, which leads nowhere")
        return Reply(problem=http_status(host.host, status))

    def ask_for_redirect(self, step: str, url: str) -> str | None:
        """Ask over plain http where the service is; nothing is sent but the path. None if it does not say."""
        watch = Stopwatch()
        addresses: tuple[str, ...] = ()
        try:
            addresses = tuple(str(found) for found in self._network.addresses(_host_of(url)))
            answer = self._client.send("GET", url, limit=_LARGEST_ANSWER)
        except ProblemError as error:
            self._note(step, url, addresses, None, watch, error.problem.text)
            return None
        location = answer.headers.get("location", "")
        if answer.status not in _REDIRECTS or not location:
            sentence = f"answers with HTTP status {answer.status}, not with a redirection"
            self._note(step, url, addresses, answer.status, watch, sentence)
            return None
        try:
            target = check_autodiscover_url(location)
        except ValueError as error:
            sentence = f"redirects to a URL that {error}; not followed"
            self._note(step, url, addresses, answer.status, watch, sentence)
            return None
        self._note(step, url, addresses, answer.status, watch, f"redirects to {target.host}")
        return location

    def look_up_service(self, step: str, name: str, failures: list[tuple[str, Problem]]) -> tuple[ServiceTarget, ...]:
        """Look up an SRV record; a failure of DNS is added to `failures`."""
        watch = Stopwatch()
        try:
            targets = self._network.service_targets(name)
        except ProblemError as error:
            failures.append((step, error.problem))
            self.trace.append(TraceStep(step, name, (), None, watch.milliseconds(), error.problem.text))
            return ()
        names = tuple(str(target.target) for target in targets)
        sentence = "names the services in this order" if targets else "there is no such SRV record"
        self.trace.append(TraceStep(step, name, names, None, watch.milliseconds(), sentence))
        return targets

    def note(self, step: str, url: str, sentence: str) -> None:
        """Trace something that took no time."""
        self.trace.append(TraceStep(step, _printable(url), (), None, 0, sentence))

    def finish(self, reply: Reply, step: str, url: str, sentence: str) -> None:
        """Trace a question whose answer has been read now."""
        self.trace.append(TraceStep(step, _printable(url), reply.addresses, reply.status, reply.milliseconds, sentence))

    def _answer_challenge(
        self, host: HostPort, url: str, address: str, body: bytes, answer: Answer, *, trusted: bool
    ) -> Answer:
        if not trusted:
            raise ProblemError(host_not_trusted(host.host, domain_of(address), "asks for credentials"))
        login = self._session.login()
        login.require_offer(answer, host.host)
        return self._send(login, url, body)

    def _redirected(self, step: str, url: str, answer: Answer, addresses: tuple[str, ...], watch: Stopwatch) -> Reply:
        try:
            target = urljoin(url, answer.headers["location"])
        except ValueError:
            problem = malformed_answer(_host_of(url).host, "it redirects to what is no URL")
            self._note(step, url, addresses, answer.status, watch, problem.text)
            return Reply(problem=problem)
        self._note(step, url, addresses, answer.status, watch, "redirects to another URL")
        return Reply(redirect=target)

    def _send(self, login: Login, url: str, body: bytes) -> Answer:
        return login.send(self._client, "POST", url, limit=_LARGEST_ANSWER, headers=_HEADERS, body=body)

    def _note(
        self, step: str, asked: str, addresses: tuple[str, ...], status: int | None, watch: Stopwatch, sentence: str
    ) -> None:
        shown = _printable(asked)
        self.trace.append(TraceStep(step, shown, addresses, status, watch.milliseconds(), sentence))


def _host_of(url: str) -> HostPort:
    parts = urlsplit(url)
    default = HTTPS_PORT if parts.scheme == "https" else HTTP_PORT
    return HostPort(parts.hostname or "", parts.port or default)


def _printable(url: str) -> str:
    """Return scheme, host and port of an URL, and its path if that is autodiscover's own.

    A server may have put anything into the rest, what it was sent included.
    """
    try:
        parts = urlsplit(url)
        host = HostPort(ascii_host(parts.hostname or ""), parts.port or HTTPS_PORT)
    except ValueError:
        return "a malformed URL"
    if parts.scheme not in {"http", "https"}:
        return "a malformed URL"
    return f"{parts.scheme}://{host.in_url}{parts.path if parts.path.lower() == SERVICE_PATH else '/…'}"
