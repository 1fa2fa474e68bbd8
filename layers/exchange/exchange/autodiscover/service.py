"""One autodiscover service asked about many mailboxes: a hundred at once by SOAP where that is offered, else by POX."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus

from exchange.autodiscover.answers import AutodiscoverAnswer, Refusal, in_a_sentence
from exchange.autodiscover.pox import NothingOfUse, parse_pox
from exchange.autodiscover.problems import autodiscover_not_now
from exchange.autodiscover.questions import Questioner, Reply
from exchange.autodiscover.soap import MOST_USERS, SERVER_BUSY, RefusedWhole, parse_user_settings
from exchange.autodiscover.trace import TraceStep
from exchange.autodiscover.urls import soap_url
from exchange.web.bounded_xml import MalformedXml
from exchange.web.hosts import split_https_url
from presence.errors import Problem

# Whoever answers a question in SOAP so has no such service, today and tomorrow (Exchange 2007, a proxy that lets the
# other path through). A fault of another kind may pass.
_NOT_OFFERED = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.METHOD_NOT_ALLOWED,
        HTTPStatus.GONE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        HTTPStatus.NOT_IMPLEMENTED,
    }
)
_OF_A_STATUS = frozenset({"AccessDenied", "EndpointNotFound", "LoginPage", "UnexpectedStatus", "ServerFailed"})
_ENVELOPE = b"http://schemas.xmlsoap.org/soap/envelope/"


@dataclass(frozen=True, slots=True)
class HttpRedirect:
    """The service sends whoever asks to another URL."""

    url: str


Outcome = AutodiscoverAnswer | HttpRedirect | Problem | None
"""What a service tells of a mailbox; None: it leads nowhere."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a service tells of some mailboxes, all the same."""

    addresses: tuple[str, ...]
    outcome: Outcome


@dataclass(slots=True)
class SoapOffers:
    """Which services do not speak SOAP: `is_missing` tells what was found out before, `note_missing` is told."""

    is_missing: Callable[[str], bool]
    note_missing: Callable[[str], None]


Note = Callable[[Sequence[str], TraceStep], None]
"""Is given each step, with the addresses that it is about."""


class Service:
    """One service, asked once. `url` is where it speaks POX; only a `trusted` one gets credentials."""

    def __init__(
        self, questioner: Questioner, offers: SoapOffers, note: Note, step: str, url: str, *, trusted: bool
    ) -> None:
        self._questioner = questioner
        self._offers = offers
        self._note = note
        self._step = step
        self._url = url
        self._trusted = trusted
        soap = soap_url(url) if trusted else None
        self._soap_url = None if soap is None or offers.is_missing(soap) else soap
        self._left: list[str] = []
        self._left_to_pox: list[str] = []
        self._has_spoken = False
        self._told: list[Told] = []

    def ask(self, addresses: Sequence[str], *, at_once: bool) -> list[Told]:
        """Ask about mailboxes, `at_once` with credentials where it is known that the service wants them.

        One mailbox is asked for by POX, which tells more; so is whoever SOAP does not help with. What a service does
        before it has spoken autodiscover at all holds for all mailboxes, and so does its failing later on.
        """
        self._left = list(addresses)
        signed_in = at_once
        while self._waiting:
            if signed_in and self._soap_url is not None and len(self._left) > 1:
                self._ask_soap(self._soap_url)
            else:
                signed_in = self._ask_pox(signed_in=signed_in)
        return self._told

    @property
    def _waiting(self) -> list[str]:
        return [*self._left, *self._left_to_pox]

    def _ask_pox(self, *, signed_in: bool) -> bool:
        """Ask about the first of those who wait; return whether the service is known to want credentials."""
        waiting = self._waiting
        reply = self._questioner.ask_pox(
            self._step,
            self._url,
            waiting[0],
            trusted=self._trusted,
            at_once=signed_in,
            stop_at_challenge=self._soap_url is not None and len(self._left) > 1,
        )
        if reply.challenged:
            self._note(waiting, reply.traced())
        elif reply.problem is not None or reply.redirect is not None:
            self._end(reply)
        else:
            self._read_pox(reply, waiting)
        return signed_in or reply.challenged or reply.signed_in

    def _read_pox(self, reply: Reply, waiting: Sequence[str]) -> None:
        answer: AutodiscoverAnswer | None
        try:
            answer = parse_pox(reply.body)
        except NothingOfUse as error:
            self._has_spoken, answer, sentence = True, Refusal("NothingOfUse"), str(error)
        except MalformedXml as error:
            answer, sentence = None, f"{error}: another service, perhaps a website"
        else:
            self._has_spoken, sentence = True, in_a_sentence(answer)
        about = waiting[:1] if self._has_spoken else waiting
        self._note(about, reply.traced(sentence))
        self._told.append(Told(tuple(about), answer))
        self._left, self._left_to_pox = ([], []) if len(about) == len(waiting) else self._without_first()

    def _without_first(self) -> tuple[list[str], list[str]]:
        return (self._left[1:], self._left_to_pox) if self._left else ([], self._left_to_pox[1:])

    def _ask_soap(self, url: str) -> None:
        """Ask about up to a hundred of those who are left; where SOAP is of no use, it is not tried again."""
        chunk, rest = self._left[:MOST_USERS], self._left[MOST_USERS:]
        reply = self._questioner.ask_soap(self._step, url, chunk)
        if reply.problem is not None and not _concerns_soap(reply.problem, reply.status):
            self._end(reply)
            return
        sentence = reply.sentence
        if reply.problem is None and reply.redirect is None:
            try:
                answers = parse_user_settings(reply.body, chunk)
            except MalformedXml as error:
                sentence = str(error)
            except RefusedWhole as refusal:
                sentence = f"refuses the question with {refusal.code}"
                if refusal.code == SERVER_BUSY:
                    problem = autodiscover_not_now(split_https_url(url)[0].host, refusal.code)
                    self._end(replace(reply, problem=problem, sentence=problem.text))
                    return
            else:
                self._left, self._has_spoken = rest, True
                self._tell(reply, chunk, answers)
                return
        self._note(self._waiting, reply.traced(f"{sentence}; so mailboxes are asked for one by one"))
        self._soap_url = None
        if _says_that_soap_is_missing(reply):
            self._offers.note_missing(url)

    def _tell(self, reply: Reply, chunk: Sequence[str], answers: Sequence[AutodiscoverAnswer | None]) -> None:
        for address, answer in zip(chunk, answers, strict=True):
            if answer is None:
                self._note((address,), reply.traced("says nothing of use about this mailbox; it is asked for alone"))
                self._left_to_pox.append(address)
            else:
                self._note((address,), reply.traced(in_a_sentence(answer)))
                self._told.append(Told((address,), answer))

    def _end(self, reply: Reply) -> None:
        """Let what an answer of HTTP means hold for all who wait."""
        waiting = tuple(self._waiting)
        self._note(waiting, reply.traced())
        outcome = reply.problem if reply.redirect is None else HttpRedirect(reply.redirect)
        self._told.append(Told(waiting, outcome))
        self._left, self._left_to_pox = [], []


def _concerns_soap(problem: Problem, status: int | None) -> bool:
    """Tell whether a problem is one of the service's SOAP side, so that its POX side may fare better."""
    return problem.code == "AuthenticationNotOffered" or (status is not None and problem.code in _OF_A_STATUS)


def _says_that_soap_is_missing(reply: Reply) -> bool:
    if reply.problem is not None:
        return reply.status in _NOT_OFFERED or reply.problem.code == "AuthenticationNotOffered"
    return reply.redirect is not None or _ENVELOPE not in reply.body
