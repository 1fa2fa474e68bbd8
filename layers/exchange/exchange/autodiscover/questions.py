"""The single questions to autodiscover services, as they go over the wire."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from urllib.parse import urljoin

from exchange.autodiscover.connections import Connections
from exchange.autodiscover.pox import pox_request
from exchange.autodiscover.problems import host_not_trusted
from exchange.autodiscover.scouting import REDIRECTS
from exchange.autodiscover.soap import user_settings_request
from exchange.autodiscover.trace import Stopwatch, TraceStep
from exchange.autodiscover.urls import printable_url
from exchange.sessions import GatewaySession
from exchange.tls.certificates import SeenCertificate
from exchange.web.bounded_http import Answer
from exchange.web.hosts import HostPort, split_https_url
from exchange.web.problems import http_status, malformed_answer
from presence.addresses import domain_of
from presence.errors import Problem, ProblemError

_LARGEST_ANSWER = 1024 * 1024
_HEADERS = {"Content-Type": "text/xml; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of a question: a problem, a redirection, a challenge to sign in, or else a body to read.

    `status` is that of HTTP, `signed_in` whether the account was given. `sentence` says what it means; of a body only
    its reader can tell.
    """

    step: str
    asked: str
    addresses: tuple[str, ...]
    status: int | None
    milliseconds: int
    certificate: SeenCertificate | None
    sentence: str = ""
    problem: Problem | None = None
    redirect: str | None = None
    challenged: bool = False
    signed_in: bool = False
    body: bytes = b""

    def traced(self, sentence: str = "") -> TraceStep:
        """Return the step for the trace, with the sentence of whoever read the body."""
        return TraceStep(
            self.step,
            self.asked,
            self.addresses,
            self.status,
            self.milliseconds,
            sentence or self.sentence,
            self.certificate,
        )


class Questioner:
    """Asks autodiscover services on behalf of one gateway."""

    def __init__(self, session: GatewaySession, connections: Connections) -> None:
        self._session = session
        self._connections = connections

    def ask_pox(
        self,
        step: str,
        url: str,
        address: str,
        *,
        trusted: bool,
        at_once: bool = False,
        stop_at_challenge: bool = False,
    ) -> Reply:
        """Ask one service about one mailbox, first without credentials.

        Only a `trusted` host gets them when it asks for them; `at_once` when it is known that it will. With
        `stop_at_challenge` the reply says that it does, and nothing more is sent.
        """
        body = pox_request(address)

        def send(host: HostPort) -> Iterator[Answer]:
            if at_once and trusted:
                yield self._send_signed_in(url, body)
                return
            answer = self._connections.client.send("POST", url, limit=_LARGEST_ANSWER, headers=_HEADERS, body=body)
            yield answer
            if answer.status == HTTPStatus.UNAUTHORIZED:
                if not trusted:
                    raise ProblemError(host_not_trusted(host.host, domain_of(address), "asks for credentials"))
                self._session.login().require_offer(answer, host.host)
                if not stop_at_challenge:
                    yield self._send_signed_in(url, body)

        return self._ask(step, url, send)

    def ask_soap(self, step: str, url: str, addresses: Sequence[str]) -> Reply:
        """Ask the SOAP service of a trusted host about up to 100 mailboxes, with credentials."""
        body = user_settings_request(addresses, url)
        return self._ask(step, url, lambda _: iter((self._send_signed_in(url, body),)))

    def _ask(self, step: str, url: str, send: Callable[[HostPort], Iterator[Answer]]) -> Reply:
        """Return what becomes of the last answer that a question leads to."""
        watch = Stopwatch()
        host, _ = split_https_url(url)
        addresses: tuple[str, ...] = ()
        answers: list[Answer] = []
        problem: Problem | None = None
        try:
            addresses = tuple(map(str, self._connections.addresses(host)))
            answers.extend(send(host))
        except ProblemError as error:
            problem = error.problem
        status = answers[-1].status if answers else None
        certificate = self._connections.certificate_of(host)
        reply = Reply(step, printable_url(url), addresses, status, watch.milliseconds(), certificate)
        reply = replace(reply, signed_in=len(answers) > 1)
        return self._judge(reply, answers[-1], url, host) if problem is None else _failed(reply, problem)

    def _send_signed_in(self, url: str, body: bytes) -> Answer:
        login = self._session.login()
        return login.send(self._connections.client, "POST", url, limit=_LARGEST_ANSWER, headers=_HEADERS, body=body)

    def _judge(self, reply: Reply, answer: Answer, url: str, host: HostPort) -> Reply:
        """Add to a reply what an answer of HTTP means."""
        location = answer.headers.get("location")
        if answer.status in REDIRECTS and location:
            try:
                target = urljoin(url, location)
            except ValueError:
                return _failed(reply, malformed_answer(host.host, "it redirects to what is no URL"))
            return replace(reply, redirect=target, sentence="redirects to another URL")
        if answer.status == HTTPStatus.UNAUTHORIZED:
            return replace(reply, challenged=True, sentence="asks for credentials, and may have them")
        if answer.status == HTTPStatus.OK:
            return replace(reply, body=answer.body)
        wait = answer.retry_after(self._session.clock())
        sentence = f"answers with HTTP status {answer.status}, which leads nowhere"
        return replace(reply, problem=http_status(host.host, answer.status, wait), sentence=sentence)


def _failed(reply: Reply, problem: Problem) -> Reply:
    return replace(reply, problem=problem, sentence=problem.text)
